"""A network on top of somebody's autograd engine, seen as a network of arrays: `MLP(3, [4, 1])` of `Value`.

Each list of nodes that it holds is a parameter, and so is each other node. It is built anew for each call,
from the same arguments, and its nodes are given the numbers of the parameters. Its loss is a sum of its
outputs, each times a number of its own, so that the gradients come from its own forward and the engine's
backward alone. Needs NumPy alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from parity.adapters.engine import Engine, NoGradient, is_engine
from parity.adapters.network_arrays import CODE, Place, parts_of, shown
from parity.adapters.network_random import seed

DEEPEST, MOST = 7, 4000
FORWARDS = ("__call__", "forward", "predict")
SAYS = (
    "of {}; loss: a sum of its outputs, each times a number; gradients: what backward() leaves in its nodes"
)


class OfNodes:
    """A network's parameters as arrays, and its outputs, loss and gradients for rows of numbers.

    built, engines  its class, and those of its file that may be its nodes'
    """

    built: type
    engines: list[Engine]

    def __init__(self, *args: Any, **kwargs: Any):
        self.given = (args, kwargs)
        network = self.made()
        found = [(engine, [*groups(network, engine.cls)]) for engine in self.engines]
        self.at = next((i for i, (_, own) in enumerate(found) if own), 0)
        self.params = {shown(place): self.numbers(held) for place, held in found[self.at][1]}

    @property
    def engine(self) -> Engine:
        return self.engines[self.at]

    def forward(self, x: Any) -> Any:
        outs = self.nodes(self.filled(), x)
        if self.engine.of_arrays:
            return np.asarray(self.engine.value(outs), float)
        return np.array([[float(np.asarray(self.engine.value(node)).item()) for node in row] for row in outs])

    def loss(self, x: Any, t: Any) -> float:
        out = self.forward(x)
        return float((out * _weights(out.shape)).sum())

    def gradient(self, x: Any, t: Any) -> dict[str, Any]:
        network = self.filled()
        outs = self.nodes(network, x)
        if self.engine.of_arrays:
            self.started(outs)
        else:
            parts = [node for row in outs for node in row]
            by = _weights((len(outs), len(outs[0]))).ravel().tolist()
            total = parts[0] * self.engine.node(by[0])
            for node, weight in zip(parts[1:], by[1:], strict=True):
                total = total + node * self.engine.node(weight)
            self.engine.start(total)
        return {shown(place): self.numbers(held, True) for place, held in groups(network, self.engine.cls)}

    # -- of nodes -----------------------------------------------------------------------------------
    def made(self) -> Any:
        seed(0)
        args, kwargs = self.given
        return type(self).built(*args, **kwargs)

    def filled(self) -> Any:
        """One with the numbers of the parameters."""
        network = self.made()
        for place, held in groups(network, self.engine.cls):
            values = self.params[shown(place)]
            for node, value in zip(held, values, strict=True) if isinstance(held, list) else [(held, values)]:
                self.engine.write(node, value)
        return network

    def nodes(self, network: Any, x: Any) -> Any:
        """What it gives for the rows: a node, or of numbers a list of nodes for each."""
        call = next(getattr(network, name) for name in FORWARDS if hasattr(network, name))
        if self.engine.of_arrays:
            return call(self.engine.node(x))
        rows = [call([self.engine.node(one) for one in row]) for row in x.tolist()]
        return [list(row) if isinstance(row, (list, tuple)) else [row] for row in rows]

    def started(self, out: Any) -> None:
        if self.engine.way is None:
            raise NoGradient("no way was found to hand its backward a gradient other than 1")
        self.engine.way(out, _weights(np.shape(self.engine.value(out))))

    def numbers(self, held: Any, gradients: bool = False) -> Any:
        """Of a node, or of a list of nodes, what each holds or the gradient that it was left."""
        if isinstance(held, list):
            return np.array([self.numbers(node, gradients) for node in held])
        value = np.array(self.engine.value(held), float)
        grad = self.engine.gradient(held) if gradients else value
        return np.zeros_like(value) if grad is None else np.array(grad, float)


def of_nodes(found: Any) -> Any:
    """The face of a class whose file has an autograd engine; None for any other."""
    if not isinstance(found, type):
        return None
    names = next((f.__globals__ for f in vars(found).values() if inspect.isfunction(f)), {})
    every = {id(c): c for c in names.values() if isinstance(c, type) and is_engine(c)}
    engines = [Engine(c) for c in every.values() if not issubclass(found, c)]
    if not engines:
        return None
    known = {"built": found, "engines": engines, "__signature__": inspect.signature(found)}
    return type(found.__name__, (OfNodes,), known | {"__module__": found.__module__})


def groups(held: Any, cls: type) -> Iterator[tuple[Place, Any]]:
    """The nodes in it with their places, those of one list together; each once."""
    level: list[tuple[Place, Any]] = [((), held)]
    seen = {id(held)}
    for _ in range(DEEPEST):
        below: list[tuple[Place, Any]] = []
        for place, value in level:
            for step, part in parts_of(value):
                if isinstance(part, (*CODE, np.ndarray)) or part is None or id(part) in seen:
                    continue
                seen.add(id(part))
                many = isinstance(part, list) and bool(part) and all(isinstance(one, cls) for one in part)
                if many or isinstance(part, cls):
                    yield (*place, step), part
                elif isinstance(part, (list, tuple, Mapping)) or hasattr(part, "__dict__"):
                    below.append(((*place, step), part))
        level = below if len(seen) < MOST else []


def _weights(shape: tuple[int, ...]) -> Any:
    """A number for each output, none of which is another's."""
    size = int(np.prod(shape, dtype=int))
    return (1.0 + np.arange(size) / 4 - size / 6).reshape(shape)
