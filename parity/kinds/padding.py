"""Padding of images: zeros, or pixels of the image, whose gradients come back to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import scratchcnn as sc
from parity.kinds.kind import LAYER, Operation, Options
from parity.kinds.probe import Probe, Rng, needs, normal, quarters
from parity.kinds.torch_when_used import F

if TYPE_CHECKING:
    from torch import Tensor

NAME = "image_padding"
MODES = ("zeros", "reflect", "replicate", "circular")


def sides(pad: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """1, (1, 2) or ((1, 0), (2, 2)) -> ((top, bottom), (left, right))."""
    height, width = (pad, pad) if isinstance(pad, int) else pad
    return tuple((p, p) if isinstance(p, int) else p for p in (height, width))  # type: ignore[return-value]


def pad(a: dict[str, Tensor], o: Options) -> Tensor:
    (top, bottom), (left, right) = sides(o["pad"])
    mode = o.get("mode", "zeros")
    return F.pad(a["x"], (left, right, top, bottom), "constant" if mode == "zeros" else mode)


# id, x shape, pad
BORDERS: list[tuple[str, tuple[int, ...], Any]] = [
    ("nothing", (2, 2, 3, 4), 0),
    ("1 pixel", (1, 1, 3, 2), 1),
    ("2 pixels", (2, 3, 4, 5), 2),
    ("(1, 2)", (2, 2, 3, 5), (1, 2)),
    ("one more at the right and bottom", (2, 2, 4, 5), ((1, 2), (0, 1))),
    ("at the left and top alone", (2, 3, 4, 3), ((2, 0), (1, 0))),
    ("wider than half the image", (2, 1, 4, 5), ((3, 2), (4, 4))),
]


def _probes(rng: Rng) -> Iterator[Probe]:
    for mode in MODES:
        for name, shape, border in BORDERS:
            args = {"pad": border} | ({} if mode == "zeros" else {"mode": mode})
            asked = needs(mode=mode != "zeros", pairs=not isinstance(border, int))
            yield Probe(NAME, f"{mode}: {name}", args, {"x": normal(rng, *shape)}, asked)


def _real(rng: Rng) -> Iterator[Probe]:
    for shape, border in (
        ((1, 3, 224, 224), ((2, 3), (2, 3))),
        ((7, 6, 28, 28), 2),
        ((32, 16, 10, 10), (1, 2)),
        ((2, 512, 7, 7), 3),
        ((100, 8, 12, 12), 1),
    ):
        for mode in MODES:
            args = {"pad": border} | ({} if mode == "zeros" else {"mode": mode})
            asked = needs(mode=mode != "zeros", pairs=not isinstance(border, int))
            case = f"{mode}: {border} around {'x'.join(map(str, shape))}"
            yield Probe(NAME, case, args, {"x": quarters(rng, *shape)}, asked)


IMAGE_PADDING = Operation(
    name=NAME,
    formula=pad,
    probes=_probes,
    ours=sc.Pad,
    linear=True,
    call=f"cls(pad, mode='zeros'){LAYER}; pad is a number, (height, width) or "
    "((top, bottom), (left, right)); mode is zeros, reflect, replicate or circular",
    order=("pad",),
    optional={"mode": "zeros"},
    real=_real,
)

KINDS = (IMAGE_PADDING,)
