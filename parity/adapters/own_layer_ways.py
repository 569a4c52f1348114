"""How a layer that is none of the kinds is built and called, as data and in words. Needs NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from parity.adapters.loss_arguments import meanings_of
from parity.adapters.own_layer_inputs import ANY, Form
from parity.adapters.own_layer_parts import of_role

INPUT, WEIGHT = "input", "weight"  # the first step of a place
TIMES_DOUT, SLOPE, JACOBIAN = "times dout", "slope", "jacobian"  # what a backward gives


@dataclass(frozen=True)
class Inputs:
    """What the parameters of a forward are given: arrays of these shapes, and these values."""

    shapes: dict[str, tuple[int, ...]]
    fixed: dict[str, Any]
    order: tuple[str, ...] = ()  # of both, where it is known


@dataclass(frozen=True)
class Way:
    """How it is built and called, and what its backward gives.

    roles  of each parameter of the backward
    by     the inputs whose gradients are returned, in their order
    sure   whether names and trials leave no other way to read it
    """

    kwargs: dict[str, Any]
    words: str
    form: Form
    domain: str
    inputs: Inputs
    roles: tuple[tuple[str, str], ...]
    gives: str
    by: tuple[str, ...]
    sure: bool


@dataclass
class Results:
    out: Any
    held: Any  # the object after its forward
    cache: Any
    values: dict[str, Any] = field(default_factory=dict)


class Said:
    """The words for how something is called; it knows its names and its way."""

    name: str
    forward_name: str
    backward_name: str
    is_class: bool
    way: Way | None
    other: dict[str, float]
    tried: list[str]

    @property
    def gives_both(self) -> bool:
        """Whether one function returns its value and the gradient."""
        return False

    def described(self) -> str:
        """How it was called, in a line."""
        way = self.way
        assert way is not None
        built = f"{self.name}({way.words}); " if self.is_class else ""
        asked = ", ".join(way.inputs.order or (*way.inputs.shapes, *way.inputs.fixed))
        values = "" if way.domain == ANY else f", numbers {way.domain}"
        then = ", which returns both" if self.gives_both else f", then {self._call(way)}"
        text = f"called as {built}{self.forward_name}({asked}){then}; "
        text += f"{way.form.name}{values}"
        if way.gives == SLOPE:
            text += "; it gives the slope, times dout"
        elif way.gives == JACOBIAN:
            text += "; it gives the Jacobian"
        if self.other:
            text += f"; also with {self.other_words()}"
        return f"{text}; {said}" if (said := self.said()) else text

    def other_words(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in self.other.items())

    def said(self) -> str:
        """Which reading of its backward's arguments or results was taken that its names do not force."""
        assert self.way is not None
        texts = []
        names = list(self.way.inputs.shapes)
        for name, role in self.way.roles:
            if role == "out" and len(self.way.roles) == 1:
                texts.append(f"{self.backward_name}({name}) takes what {self.forward_name} gives")
        open_ = len(self.way.by) == 1 and "x" not in meanings_of(names[:2])
        if open_ and self.way.by[0] != names[0]:
            texts.append(f"its gradient is that by {self.way.by[0]}")
        return "; ".join(texts)

    def _call(self, way: Way) -> str:
        given = ", ".join(
            name if role.removeprefix("in:") == name else f"{name}={of_role(role)}"
            for name, role in way.roles
        )
        return f"{self.backward_name}({given})"

    def _shapes(self, inputs: Inputs) -> str:
        return ", ".join(f"{name} {shape}" for name, shape in inputs.shapes.items())

    def _note(self, text: str) -> None:
        text = " ".join(text.split())[:300]
        if text not in self.tried:
            self.tried.append(text)
