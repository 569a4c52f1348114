"""A picture with its words, and where its numbers stand."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Figure:
    """table: the table that holds every number of it; only: the rows and columns that belong to it."""

    title: str
    caption: str
    body: Markup
    table: str = ""
    keep: tuple[str, ...] = ()  # columns shown; all when empty
    where: str = ""  # `column=value column=value`: rows shown
    sort: str = ""  # column, `-` before it for the largest first
    open: bool = False  # whether the table stands open
    legend: tuple[tuple[str, str], ...] = ()  # (css, what it is)


OURS_AND_TORCH = (("ours", "NumPy"), ("torch", "PyTorch"))


def panels(*bodies: Markup, titles: tuple[str, ...] = ()) -> Markup:
    """Pictures side by side where there is room."""
    out = []
    for k, body in enumerate(bodies):
        head = Markup("<h4>{}</h4>").format(titles[k]) if titles else Markup("")
        out.append(Markup('<div class="panel">{}{}</div>').format(head, body))
    return Markup('<div class="panels">{}</div>').format(Markup("").join(out))
