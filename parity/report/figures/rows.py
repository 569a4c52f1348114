"""Charts of named rows: HTML with positions in percent, so that they fit any width."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from parity.report.figures.scales import Scale

BREAK = Markup("_<wbr>")


@dataclass(frozen=True)
class Bar:
    """One row: a bar from `start` to `value`, a whisker over an interval, and a text at its end."""

    name: str
    value: float
    text: str
    css: str = "ours"
    detail: str = ""
    interval: tuple[float, float] | None = None


def bars(title: str, rows: Sequence[Bar], scale: Scale, start: float, mark: str = "") -> Markup:
    """Bars that begin at `start`, where there is a line with the text `mark`."""
    at = 100 * scale(start)
    out = [f'<div class="rows" role="img" aria-label="{escape(title)}">']
    for row in rows:
        a, b = sorted((at, 100 * scale(row.value)))
        whisker = ""
        if row.interval:
            low, high = (100 * scale(end) for end in row.interval)
            whisker = f'<i class="whisker" style="left:{low:.2f}%;width:{max(high - low, 0.3):.2f}%"></i>'
        out.append(
            f'<div class="row"><span class="rowname">{_breakable(row.name)}'
            f"{f'<small>{escape(row.detail)}</small>' if row.detail else ''}</span>"
            f'<span class="track"><i class="bar {row.css}" style="left:{a:.2f}%;width:{b - a:.2f}%"></i>'
            f'{whisker}<i class="zero" style="left:{at:.2f}%"></i></span>'
            f'<span class="rowvalue">{escape(row.text)}</span></div>'
        )
    return Markup("".join([*out, _axis(scale, mark, at), "</div>"]))


def strip(
    title: str,
    rows: Iterable[tuple[str, str, Sequence[float], str, Mapping[str, str]]],
    scale: Scale,
    limit: float,
    limit_text: str,
) -> Markup:
    """One tick per value: rows of (name, css, values, text at the end, the columns that name the row in its
    table), with a line at `limit`. The page's script shows the row of the tick under the pointer."""
    at = 100 * scale(limit)
    out = [f'<div class="rows" role="img" aria-label="{escape(title)}">']
    for name, css, values, end, where in rows:
        named = escape(json.dumps({**where, "low": scale.low, "high": scale.high}))
        places: dict[int, int] = {}
        for value in values:
            place = round(400 * scale(value))
            places[place] = places.get(place, 0) + 1
        path = "".join(
            f"M{p / 4:.2f} {10 - min(9, 3 + n / 2):.1f}V{10 + min(9, 3 + n / 2):.1f}"
            for p, n in places.items()
        )
        out.append(
            f'<div class="row"><span class="rowname">{_breakable(name)}</span>'
            f'<span class="track strip" data-ticks="{named}">'
            f'<svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true"><path class="{css}" '
            f'd="{path}"/></svg><i class="zero limit" style="left:{at:.2f}%"></i></span>'
            f'<span class="rowvalue">{escape(end)}</span></div>'
        )
    return Markup("".join([*out, _axis(scale, limit_text, at), "</div>"]))


def _breakable(name: str) -> Markup:
    """The name, with permission to break the line after an underscore."""
    return escape(name).replace("_", BREAK)


def _axis(scale: Scale, mark: str, at: float) -> str:
    ticks = "".join(
        f'<span style="left:{100 * scale(value):.2f}%">{escape(label)}</span>'
        for value, label in scale.ticks(6)
    )
    shown = f'<em style="left:{at:.2f}%">{escape(mark)}</em>' if mark else ""
    track = f'<span class="track ticks">{ticks}{shown}</span>'
    return f'<div class="row axisrow"><span></span>{track}<span></span></div>'
