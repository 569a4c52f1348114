"""Where between two layers of somebody's network the numbers go wrong, as far as the layers show it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from parity.checks.culprit import Culprit
from parity.verification.layer_evidence import handed_on
from parity.verification.network_checks import NetworkCheck
from scratchcnn.typing import Array

IMAGES = "the images"


def wrong_output(culprit: Culprit, check: NetworkCheck) -> Culprit:
    """A layer that computes "rightly from other weights" was checked individually."""
    if checked(check, culprit.layer):
        return culprit
    sentence = f"{culprit.layer} gets the right input and gives a wrong output"
    return Culprit(culprit.layer, "forward", "out", sentence)


def wiring(culprit: Culprit, check: NetworkCheck) -> Culprit:
    """Where between two layers whose numbers can be compared with the twin's the numbers go wrong."""
    if culprit.tensor in ("x", "out"):
        way = Way.forward(check)
        to: str | None = culprit.layer
    else:  # where the loss is named, it is what reaches the last of those layers
        way = Way.backward(check)
        compared = (path for path in way.order[1:] if path in check.exact.douts)
        to = next(compared, None) if culprit.layer == "loss" else culprit.layer
    if to not in way.order:
        return culprit
    before = way.order[: way.order.index(to)]
    start = next((path for path in reversed(before) if path in check.exact.outputs), before[0])
    return in_section(way, start, to)


@dataclass(frozen=True)
class Way:
    """One of the two ways through the layers: who comes after whom, what each gets and what each gives."""

    check: NetworkCheck
    name: str
    order: list[str]
    gets: dict[str, Array]
    gives: dict[str, Array]
    tensor: str
    product: str

    @classmethod
    def forward(cls, check: NetworkCheck) -> Way:
        order, trace = [IMAGES, *(path for path in check.layers if path != "loss")], check.trace
        return cls(check, "forward", order, trace.inputs, {IMAGES: check.x} | trace.outputs, "x", "output")

    @classmethod
    def backward(cls, check: NetworkCheck) -> Way:
        order, trace = [*reversed([path for path in check.layers if path != "loss"])], check.trace
        return cls(check, "backward", ["loss", *order], trace.douts, trace.dxs, "dout", "dx")


def in_section(way: Way, start: str, to: str) -> Culprit:
    """What is wrong between two layers, where the numbers are right at the start and wrong at the end."""
    section = way.order[way.order.index(start) : way.order.index(to) + 1]
    if idle := [path for path in section[1:] if path not in way.gets and way.check.layers[path].seen]:
        sentence = f"{idle[0]} was never called in the {way.name} pass"
        return Culprit(idle[0], "wiring", way.tensor, sentence)
    unseen = [path for path in section[:-1] if path != IMAGES and not checked(way.check, path)]
    if unseen or any("." in path for path in section):  # a nested layer's neighbour need not be its source
        also = f"; {', '.join(unseen)} could not be checked individually" if unseen else ""
        sentence = f"going {way.name} the numbers go wrong between {_the(start)} and {to}{also}"
        return Culprit(to, "wiring", way.tensor, sentence)
    for before, path in pairwise(section):
        if not handed_on(way.gives.get(before), way.gets.get(path)):
            given = IMAGES if before == IMAGES else f"the {way.product} of {_the(before)}"
            sentence = f"{path} does not get {given}"
            return Culprit(path, "wiring", way.tensor, sentence)
    sentence = (
        f"going {way.name} every layer from {_the(start)} to {to} is right and gets what the one before it "
        "gives; the twin computes something else there"
    )
    return Culprit(to, "wiring", way.tensor, sentence)


def _the(path: str) -> str:
    return "the loss" if path == "loss" else path


def checked(check: NetworkCheck, path: str) -> bool:
    """Whether the layer was compared individually."""
    return any(row.layer == path and row.phase == "alone" for row in check.records)
