"""Which number met which: read off with unit vectors and numbered weights, and drawn.

One unit vector after another goes in for x (or dout), the weights are 1, 2, 3, ...: each number that comes
out names the weight that met that input. For one entry of the result that makes two sets of cells, PyTorch's
and those of the code under test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np

from parity.kinds import Probe, kind_of
from scratchcnn.typing import Array

Ask = Callable[[Probe], Mapping[str, Any]]
Cell = tuple[int, ...]
KINDS = ("convolution", "partial_convolution", "affine", "im2col", "col2im", "flatten", "average_pooling")
MOST = 96  # unit vectors
SIDE, GAP, TOP = 26, 10, 64  # of a cell, between grids, above them; in pixels


@dataclass(frozen=True)
class Wiring:
    """One entry of a result, and what met there.

    result, entry   the result and the entry's place; shape is the result's
    moved, moved_shape  the array that unit vectors went in for
    tagged, tagged_shape  the array that was numbered: W or x; empty where the kind has none
    theirs, right   cell of `moved` -> what came out for a one there, of the code and of PyTorch
    """

    result: str
    entry: Cell
    shape: Cell
    moved: str
    moved_shape: Cell
    tagged: str
    tagged_shape: Cell
    theirs: Mapping[Cell, float]
    right: Mapping[Cell, float]

    @property
    def sentence(self) -> str:
        """`out[0, 1] meets x[0, 1] with W[1, 0], PyTorch's with W[0, 1]`: the first cell that differs."""
        cells = [cell for cell in {**self.right, **self.theirs} if self._of(cell)[0] != self._of(cell)[1]]
        cell = min(cells)
        got, right = self._of(cell)
        entry, unit = _at(self.result, self.entry), _at(self.moved, cell)
        if not self.tagged:
            return f"{entry} takes {_times(got)} {unit}, PyTorch's {_times(right)}"
        return f"{entry} meets {unit} with {self._tag(got)}, PyTorch's with {self._tag(right)}"

    def _of(self, cell: Cell) -> tuple[float, float]:
        return self.theirs.get(cell, 0.0), self.right.get(cell, 0.0)

    def _tag(self, value: float) -> str:
        if value == 0:
            return f"no {self.tagged}"
        if (place := self.tag(value)) is not None:
            return _at(self.tagged, place)
        return f"{'an' if self.tagged == 'x' else 'a'} {self.tagged} of {value:g}"

    def tag(self, value: float) -> Cell | None:
        """The cell of the numbered array that has this number."""
        size = int(np.prod(self.tagged_shape))
        if not self.tagged or not 1 <= value <= size or value != int(value):
            return None
        return tuple(int(i) for i in np.unravel_index(int(value) - 1, self.tagged_shape))

    # -- as text and as a picture -----------------------------------------------------------------
    def grids(self) -> list[tuple[str, Cell, dict[Cell, str]]]:
        """(name, shape, mark by cell) of the input, the numbered array and the result.

        both: the cell is met by both; right: by PyTorch's alone; theirs: by the code's alone; entry: the
        entry of the result.
        """
        met = {cell: _mark(*self._of(cell)) for cell in {**self.right, **self.theirs}}
        found = [(self.moved, self.moved_shape, met)]
        if self.tagged:
            used = [
                {c for v in side.values() if (c := self.tag(v)) is not None}
                for side in (self.theirs, self.right)
            ]
            tags = {c: "both" for c in used[0] & used[1]}
            tags |= {c: "theirs" for c in used[0] - used[1]} | {c: "right" for c in used[1] - used[0]}
            found.append((self.tagged, self.tagged_shape, tags))
        return [*found, (self.result, self.shape, {self.entry: "entry"})]

    def text(self) -> str:
        """Grids of characters: # both, - PyTorch's alone, + the code's alone, o the entry, . neither."""
        signs = {"both": "#", "right": "-", "theirs": "+", "entry": "o"}
        lines = [
            self.sentence,
            "# met by both, - by PyTorch's alone, + by this code alone, o the result's entry",
        ]
        for name, shape, marks in self.grids():
            for title, plane, offset in _planes(name, shape, marks):
                lines.append(title)
                rows, columns = plane
                for y in range(rows):
                    cells = [
                        signs.get(marks.get((*offset, y, z)[-len(shape) :], ""), ".") for z in range(columns)
                    ]
                    lines.append("  " + " ".join(cells))
        return "\n".join(lines)

    def svg(self) -> str:
        """The same as a picture, for light and dark pages."""
        parts, x, bottom = [], GAP, TOP
        for name, shape, marks in self.grids():
            y, width = TOP, 0
            for title, (rows, columns), offset in _planes(name, shape, marks):
                parts.append(f'<text class="label" x="{x}" y="{y - 6}">{escape(title)}</text>')
                for i in range(rows):
                    for j in range(columns):
                        mark = marks.get((*offset, i, j)[-len(shape) :], "none")
                        parts.append(_cell(x + j * SIDE, y + i * SIDE, mark))
                y += rows * SIDE + 24
                width = max(width, columns * SIDE, 9 * len(title))
            x, bottom = x + width + 3 * GAP, max(bottom, y)
        legend = (("both", "met by both"), ("right", "by PyTorch's alone"), ("theirs", "by this code alone"))
        for number, (mark, words) in enumerate(legend):
            parts.append(_cell(GAP, bottom + number * (SIDE + 6), mark))
            parts.append(f'<text x="{GAP + SIDE + 8}" y="{bottom + number * (SIDE + 6) + 18}">{words}</text>')
        height, wide = bottom + 3 * (SIDE + 6) + GAP, max(x, 8 * len(self.sentence) + 2 * GAP)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {height}" width="{wide}" '
            f'height="{height}" role="img" aria-labelledby="title">\n'
            f'<title id="title">{escape(self.sentence)}</title>\n<style>{STYLE}</style>\n'
            f'<rect class="page" width="{wide}" height="{height}"/>\n'
            f'<text class="head" x="{GAP}" y="24">{escape(self.sentence)}</text>\n'
            + "\n".join(parts)
            + "\n</svg>\n"
        )


STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1b1f24}.label{font-size:12px}.head{font-weight:600}"
    ".page{fill:#fff}.none{fill:#eef1f4;stroke:#b8c0c8}.both{fill:#9aa5b1;stroke:#5b6672}"
    ".right{fill:#2f7fd6;stroke:#174f8c}.theirs{fill:#e07b1f;stroke:#8f4a08}"
    ".entry{fill:#1b1f24;stroke:#1b1f24}"
    ".sign{fill:#fff;font-weight:700}"
    "@media (prefers-color-scheme:dark){text{fill:#e6e9ec}.page{fill:#14171a}"
    ".none{fill:#22272c;stroke:#454d55}.both{fill:#6b7783;stroke:#9aa5b1}"
    ".right{fill:#4c9bef;stroke:#a9d0fa}.theirs{fill:#f0953f;stroke:#ffd2a3}"
    ".entry{fill:#e6e9ec;stroke:#e6e9ec}.sign{fill:#14171a}}"
)
SIGNS = {"right": "\N{MINUS SIGN}", "theirs": "+"}  # so that colour is not all that tells them apart


def _cell(x: int, y: int, mark: str) -> str:
    text = f'<rect class="{mark}" x="{x}" y="{y}" width="{SIDE - 2}" height="{SIDE - 2}"/>'
    if mark in SIGNS:
        middle = (SIDE - 2) // 2
        text += f'<text class="sign" x="{x + middle - 4}" y="{y + middle + 5}">{SIGNS[mark]}</text>'
    return text


def _planes(name: str, shape: Cell, marks: Mapping[Cell, str]) -> list[tuple[str, tuple[int, int], Cell]]:
    """(title, rows and columns, leading indices) of the planes that have a marked cell, at most six."""
    if len(shape) < 2:
        return [(name, (1, shape[0] if shape else 1), ())]
    leading = list(dict.fromkeys(sorted(cell[:-2] for cell in marks)))[:6]
    return [
        (_at(name, (*lead, ":", ":")) if lead else name, (shape[-2], shape[-1]), lead) for lead in leading
    ]


def _mark(got: float, right: float) -> str:
    if got == right:
        return "both"
    return "right" if got == 0 else "theirs"


def _at(name: str, place: tuple[Any, ...]) -> str:
    return f"{name}[{', '.join(str(i) for i in place)}]"


def _times(value: float) -> str:
    return "nothing from" if value == 0 else f"{value:g} times"


# -- reading it off -------------------------------------------------------------------------------
def wiring(name: str, probe: Probe, ask: Ask) -> Wiring | None:
    """What met in the first entry of the result that differs; None where nothing does, or it is too large.

    Raises what asking the code does.
    """
    first = ("dout",) if name.startswith("d") else ("x", "input_data", "col")
    moved = next((k for k in first if k in probe.inputs), "")
    if probe.kind not in KINDS or not moved or name == "db":
        return None
    a, tagged = probe.inputs[moved], "x" if name == "dW" else "W"
    tags = probe.inputs.get("x") if tagged == "x" else probe.args.get("W")
    if a.size > MOST or (name == "dW" and tags is None):
        return None
    args, inputs = dict(probe.args), dict(probe.inputs)
    if isinstance(args.get("b"), np.ndarray):
        args["b"] = np.zeros_like(args["b"])
    if tags is not None:
        (inputs if tagged == "x" else args)[tagged] = np.arange(1.0, tags.size + 1).reshape(tags.shape)
    images = []
    for flat in range(a.size):
        unit = np.zeros(a.shape)
        unit.flat[flat] = 1
        one = replace(probe, args=args, inputs=inputs | {moved: unit})
        got, right = ask(one).get(name), kind_of(probe.kind).reference(one)[name]
        if not isinstance(got, np.ndarray) or got.shape != right.shape:
            return None
        images.append((np.unravel_index(flat, a.shape), got, right))
    return _first(
        name,
        moved,
        a.shape,
        tagged if tags is not None else "",
        np.shape(tags) if tags is not None else (),
        images,
    )


def _first(
    name: str,
    moved: str,
    moved_shape: Cell,
    tagged: str,
    tagged_shape: Cell,
    images: list[tuple[Any, Array, Array]],
) -> Wiring | None:
    for _, got, right in images:
        if not np.array_equal(got, right):
            at = np.unravel_index(int((got != right).argmax()), right.shape)
            cells = [(tuple(int(i) for i in cell), float(g[at]), float(r[at])) for cell, g, r in images]
            return Wiring(
                name,
                tuple(int(i) for i in at),
                right.shape,
                moved,
                moved_shape,
                tagged,
                tagged_shape,
                {cell: g for cell, g, _ in cells if g},
                {cell: r for cell, _, r in cells if r},
            )
    return None
