"""Curves as SVG: one small panel each, narrow enough to be read on a phone at full size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from parity.report.figures.scales import Scale, around

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 24, 34


WHOLE_NUMBERS = ("epoch", "step")  # axes without fractions


@dataclass(frozen=True)
class Series:
    """css: `ours`, `torch`, `difference`, `second` or `third`, which sets colour and dash."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    css: str
    marks: bool = False


def line_chart(
    title: str,
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    y: Scale | None = None,
    x: Scale | None = None,
    height: int = HEIGHT,
    x_names: Sequence[str] = (),
) -> Markup:
    """One panel; `x_names` labels the axis with names, one per point, instead of numbers."""
    x = x or around([v for s in series for v in s.x])
    y = y or around([v for s in series for v in s.y])
    bottom = BOTTOM + (46 if x_names else 0)
    box = _Box(WIDTH, height + (46 if x_names else 0), bottom, x, y)
    parts = [_grid(box, x_label, y_label, x_names)]
    for s in series:
        points = [(box.px(a), box.py(b)) for a, b in zip(s.x, s.y, strict=True) if math.isfinite(b)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline class="line {s.css}" points="{path}"/>')
        if s.marks:
            parts += [f'<circle class="dot {s.css}" cx="{a:.1f}" cy="{b:.1f}" r="2.6"/>' for a, b in points]
    return Markup(
        f'<svg viewBox="0 0 {box.width} {box.height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


@dataclass(frozen=True)
class _Box:
    width: int
    height: int
    bottom: int
    x: Scale
    y: Scale

    def px(self, value: float) -> float:
        return LEFT + self.x(value) * (self.width - LEFT - RIGHT)

    def py(self, value: float) -> float:
        return self.height - self.bottom - self.y(value) * (self.height - self.bottom - TOP)


def _grid(box: _Box, x_label: str, y_label: str, x_names: Sequence[str]) -> str:
    floor, right = box.height - box.bottom, box.width - RIGHT
    parts = []
    for value, label in box.y.ticks(5):
        at = box.py(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 6}" y="{at + 3.5:.1f}">{escape(label)}</text>')
    if x_names:
        for k, name in enumerate(x_names):
            at = box.px(k)
            turned = f'transform="rotate(-55 {at:.1f} {floor + 12})"'
            parts.append(
                f'<text class="tick end" x="{at:.1f}" y="{floor + 12}" {turned}>{escape(name)}</text>'
            )
    else:
        whole = x_label in WHOLE_NUMBERS
        for value, label in box.x.ticks(6):
            if whole and value != int(value):
                continue
            at = box.px(value)
            parts.append(f'<text class="tick middle" x="{at:.1f}" y="{floor + 14}">{escape(label)}</text>')
        parts.append(f'<text class="name end" x="{right}" y="{box.height - 4}">{escape(x_label)}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{floor}" y2="{floor}"/>')
    if y_label:
        parts.append(f'<text class="name" x="2" y="10">{escape(y_label)}</text>')
    return "".join(parts)
