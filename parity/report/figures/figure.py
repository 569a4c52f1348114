"""A figure with its text, and the table that holds its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Figure:
    """table: the table that holds all its numbers; keep and where: the columns and rows that belong to it;
    says: what to conclude, which stands after the title."""

    title: str
    caption: str
    body: Markup
    table: str = ""
    keep: tuple[str, ...] = ()  # columns shown; all when empty
    where: str = ""  # `column=value column=value`: rows shown
    sort: str = ""  # column, `-` before it for the largest first
    open: bool = False  # whether the table is shown from the start
    legend: tuple[tuple[str, str], ...] = ()  # (css, name)
    says: str = ""


OURS_AND_TORCH = (("ours", "NumPy"), ("torch", "PyTorch"))


def panels(*bodies: Markup, titles: tuple[str, ...] = ()) -> Markup:
    """Figures side by side where there is room."""
    out = []
    for k, body in enumerate(bodies):
        head = Markup("<h4>{}</h4>").format(titles[k]) if titles else Markup("")
        out.append(Markup('<div class="panel">{}{}</div>').format(head, body))
    return Markup('<div class="panels">{}</div>').format(Markup("").join(out))
