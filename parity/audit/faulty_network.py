"""Known bugs of whole networks put into somebody's: between its layers, and in the classes of its layers.

A network as the book has it: `layers`, a dict or a list of objects with forward and backward, `params`, and
`gradient(x, t)`. A bug between layers is put in right after the network was made.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from parity.audit.alike import NotApplied
from parity.faults.catalogue.networks import NETWORK_FAULTS, NetworkFault
from parity.kinds import ELEMENTWISE, kind_of
from parity.kinds.names import kind_by_name

ACTIVATIONS = ELEMENTWISE
SWITCHED = ("dropout", "batch_norm")
SQUASHING = ("sigmoid", "tanh", "silu", "lrn")
OF_WEIGHTS = "it is a bug of copying weights from another framework"
NOT_TOLD = "a network's shortcuts and branches cannot be told from outside"


class _Passing:
    """A layer that is called and whose result is dropped, going forward or coming back."""

    def __init__(self, layer: Any, way: str):
        self.layer, self.way = layer, way

    def forward(self, x: Any, *args: Any, **given: Any) -> Any:
        out = self.layer.forward(x, *args, **given)
        return x if self.way == "forward" else out

    def backward(self, dout: Any) -> Any:
        return dout if self.way == "backward" else self.layer.backward(dout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.layer, name)


def places_of(network: Any, *kinds: str) -> list[tuple[Any, Any]]:
    """Container and key of every layer of these kinds, in order."""
    box = _box(getattr(network, "layers", None))
    pairs = list(box.items()) if isinstance(box, dict) else list(enumerate(box))
    return [(box, key) for key, layer in pairs if kind_by_name(type(layer).__name__) in kinds]


def _box(layers: Any) -> Any:
    """The dict or list of layers, also where a container holds it; an empty one where there is none."""
    if isinstance(layers, (dict, list)):
        return layers
    for held in vars(layers).values() if hasattr(layers, "__dict__") else ():
        inner = list(held.values()) if isinstance(held, dict) else held
        if isinstance(inner, list) and inner and all(hasattr(one, "forward") for one in inner):
            return held
    return []


def _skip(way: str) -> Callable[[Any], None]:
    def apply(network: Any) -> None:
        found = places_of(network, *ACTIVATIONS)
        if not found:
            raise NotApplied("its layers have no activation")
        box, key = found[len(found) // 2]
        box[key] = _Passing(box[key], way)

    return apply


def _one_instance(network: Any) -> None:
    found = places_of(network, *ACTIVATIONS)
    for (box, first), (_, second) in itertools.pairwise(found):
        if type(box[first]) is type(box[second]):
            box[second] = box[first]
            return
    raise NotApplied("no two of its layers are the same activation")


def _exchanged_names(network: Any) -> None:
    shapes: dict[tuple[int, ...], Any] = {}
    for name, array in getattr(network, "params", {}).items():
        if array.shape in shapes:
            network.gradient = _exchanging(network.gradient, shapes[array.shape], name)
            return
        shapes[array.shape] = name
    raise NotApplied("no two of its parameters have one shape")


def _exchanging(own: Callable[..., Any], a: str, b: str) -> Callable[..., Any]:
    @functools.wraps(own)
    def gradient(*args: Any, **given: Any) -> Any:
        grads = own(*args, **given)
        return {**grads, a: grads[b], b: grads[a]}

    return gradient


def _swapped(network: Any) -> None:
    for box, key in places_of(network, "max_pooling", "average_pooling"):
        keys = list(box) if isinstance(box, dict) else list(range(len(box)))
        before = keys[keys.index(key) - 1] if keys.index(key) else None
        if before is not None and kind_by_name(type(box[before]).__name__) in (
            "sigmoid",
            "tanh",
            "lrn",
            "silu",
        ):
            box[before], box[key] = box[key], box[before]
            return
    raise NotApplied("no pooling of it follows a squashing layer")


def _in_eval(network: Any) -> None:
    found = places_of(network, *SWITCHED)
    if not found:
        raise NotApplied("it has no layer that does something else in training")
    for box, key in found:
        layer = box[key]
        own = layer.forward

        @functools.wraps(own)
        def forward(x: Any, *args: Any, own: Any = own, **given: Any) -> Any:
            return own(x, False)

        layer.forward = forward


APPLIED: dict[str, Callable[[Any], None]] = {
    "layer-skipped-forward": _skip("forward"),
    "layer-skipped-backward": _skip("backward"),
    "neighbours-swapped": _swapped,
    "one-instance-twice": _one_instance,
    "gradients-under-each-others-names": _exchanged_names,
    "left-in-eval": _in_eval,
}


def network_faults() -> Iterator[tuple[NetworkFault, str]]:
    """Every known bug between layers, and why it cannot be put into a network from outside; "" if it can."""
    for fault in NETWORK_FAULTS.values():
        why = "" if fault.name in APPLIED else OF_WEIGHTS if fault.family == "weights" else NOT_TOLD
        yield fault, why


def faulty_network(person: type, fault: NetworkFault, problems: list[str]) -> type:
    """A subclass of the network with the bug; what cannot be done goes to `problems`."""
    own_init = person.__init__  # type: ignore[misc]

    @functools.wraps(own_init)
    def __init__(self: Any, *args: Any, **given: Any) -> None:
        own_init(self, *args, **given)
        try:
            APPLIED[fault.name](self)
        except NotApplied as why:
            problems.append(str(why))
        except (AttributeError, TypeError, KeyError) as error:
            problems.append(f"its layers cannot be reached ({type(error).__name__})")

    return type(person.__name__, (person,), {"__init__": __init__, "__module__": person.__module__})


def layer_classes(module: ModuleType, network: str) -> dict[str, str]:
    """The classes of layers and losses that the network's file knows: name -> kind."""
    found = {}
    for name, thing in vars(module).items():
        kind = kind_by_name(name) if isinstance(thing, type) and name != network else None
        if kind is not None and kind_of(kind).role in ("layer", "loss"):
            found[name] = kind
    return found
