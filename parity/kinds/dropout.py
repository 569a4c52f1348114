"""Dropout, whose probes bring the mask, so that both sides drop the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import scratchcnn as sc
from parity.kinds.kind import Operation, Options
from parity.kinds.probe import Probe, Rng, needs, normal, quarters
from parity.kinds.windows import images

if TYPE_CHECKING:
    from torch import Tensor


def dropout(a: dict[str, Tensor], o: Options) -> Tensor:
    if "mask" not in a:  # inference
        return a["x"] * 1
    keep = 1 - o["dropout_ratio"]
    return a["x"] * a["mask"] / keep if keep else a["x"] * 0


def _dropouts(rng: Rng) -> Iterator[Probe]:
    # A ratio of 0.5 cannot show which share is meant, so it does not come first.
    for name, shape, ratio in (
        ("2x3", (2, 3), 0.3),
        ("ratio 0.5", (3, 5), 0.5),
        ("images", (2, 3, 4, 5), 0.25),
    ):
        mask = rng.random(shape) >= ratio
        mask.flat[0], mask.flat[-1] = True, False
        args = {"dropout_ratio": ratio}
        asked = needs(images=len(shape) > 2)
        yield Probe("dropout", name, args, {"x": normal(rng, *shape), "mask": mask}, asked)
        yield Probe("dropout", f"{name}, inference", args, {"x": normal(rng, *shape)}, asked)


def _real_dropouts(rng: Rng) -> Iterator[Probe]:
    for shape, ratio in (((7, 10), 0.1), ((100, 50), 0.5), ((32, 1000), 0.75), ((7, 16, 5, 5), 0.9)):
        args, mask = {"dropout_ratio": ratio}, rng.random(shape) >= ratio
        name = f"ratio {ratio}, {'x'.join(map(str, shape))}"
        x, asked = quarters(rng, *shape), needs(images=len(shape) > 2)
        yield Probe("dropout", name, args, {"x": x, "mask": mask}, asked)


def _timed_dropout(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs = images(rng, N, side)
    return {"dropout_ratio": 0.5}, inputs | {"mask": rng.random(inputs["x"].shape) >= 0.5}


DROPOUT = Operation(
    name="dropout",
    formula=dropout,
    probes=_dropouts,
    ours=sc.Dropout,
    switches=True,
    call="cls(dropout_ratio); forward(x, train_flg=True) -> out, backward(dout) -> dx; .mask is read or set",
    aliases=("dropoutlayer",),
    order=("dropout_ratio",),
    real=_real_dropouts,
    timed=_timed_dropout,
)

KINDS = (DROPOUT,)
