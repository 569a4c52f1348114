"""The bench for a whole network: it holds somebody's network, calls it, and looks inside where it may.

The requests are those of `Bench` and the ones below; after `of_layer` the bench is one for that layer's
class. Needs NumPy alone.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from parity.adapters.bench import as_raised, copied, plain
from parity.adapters.conventions import adapter_of
from parity.adapters.load import load
from parity.adapters.own_layer_bench import OwnLayerBench
from parity.adapters.wire import Odd, clean

if TYPE_CHECKING:
    from parity.kinds.protocols import NetworkLike

NEEDED = ("params", "loss", "gradient")
LOSS_LAYERS = ("last_layer", "lastLayer", "loss_layer")


class NetworkBench(OwnLayerBench):
    """One network under test."""

    def __init__(self, factory: Any = None):
        super().__init__(factory)
        self._built: NetworkLike | None = None
        self._two: tuple[NetworkLike, NetworkLike] | None = None
        self._found: Any = None  # the class, or the object
        self._layers: dict[str, Any] = {}
        self._passed: dict[str, dict[str, Any]] = {}  # by layer: x, out, dout and dx of the last `traced`
        self._seen = set[str]()

    def open_network(self, target: str | None) -> dict[str, Any]:
        """Build it, and what can be said of it without a call."""
        with as_raised():
            self._found = found = load(target) if target is not None else self._factory
            self._built = found() if isinstance(found, type) else found
            lacks = [name for name in NEEDED if not hasattr(self._network, name)]
            about: dict[str, Any] = {"class": clean(type(self._network).__name__, 80), "lacks": lacks}
            if lacks:
                return about
            params = self._network.params
            params = params if isinstance(params, Mapping) else {}
            self._layers = dict(_layers(self._network))
            layers = [self._about(path, layer) for path, layer in self._layers.items()]
            shape = getattr(self._network, "input_dim", None)
            return about | {
                "params": {str(name): _outline(array) for name, array in dict(params).items()},
                "input_dim": list(shape) if isinstance(shape, (list, tuple)) else None,
                "predicts": callable(getattr(self._network, "predict", None)),
                "layers": layers,
            }

    def open_another(self) -> bool:
        """Build a second one, for `use`: of the same class (then True), or else a copy of the object."""
        with as_raised():
            again = isinstance(self._found, type)
            self._two = self._network, self._found() if again else copy.deepcopy(self._network)
        return again

    def use(self, number: int) -> None:
        """From now on calls and parameters are those of the first (0) or of the second (1)."""
        if self._two is not None:
            self._built = self._two[number]

    @property
    def _network(self) -> NetworkLike:
        assert self._built is not None, "open_network comes first"
        return self._built

    def _about(self, path: str, layer: Any) -> dict[str, Any]:
        """A layer's name, what its class and its bases are called, and which of the parameters it holds."""
        own = [*getattr(layer, "__dict__", {}).values(), *(getattr(layer, "params", None) or {}).values()]
        params = self._network.params if isinstance(self._network.params, Mapping) else {}
        holds = [name for name, array in params.items() if any(a is array for a in own)]
        mode = getattr(layer, "mode", "")
        classes = [clean(cls.__name__, 80) for cls in type(layer).__mro__]
        return {"path": path, "classes": classes, "mode": str(mode)[:80], "holds": holds}

    def array(self, name: str) -> Any:
        """The parameter of that name, as it is now."""
        with as_raised():
            return plain(self._network.params[name])

    def set_array(self, name: str, value: NDArray[Any]) -> None:
        """Write into the parameter, as an optimizer does."""
        with as_raised():
            self._network.params[name][...] = value

    def call(self, method: str, fields: Sequence[NDArray[Any]]) -> dict[str, Any]:
        """What `loss`, `gradient` or `predict` gives, and what the call left of its arguments."""
        with as_raised():
            found = getattr(self._network, method)(*fields)
        return {"value": _result(found), "arguments": copied(list(fields))}

    def traced(self, x: NDArray[Any], t: NDArray[Any]) -> None:
        """One `loss` and one `gradient` with every layer noting what passes through it; see `passed`."""
        self._passed, self._seen = {path: {} for path in self._layers}, set()
        objects = [id(layer) for layer in self._layers.values()]
        with ExitStack() as stack, as_raised():
            for path, layer in self._layers.items():
                if objects.count(id(layer)) == 1 and stack.enter_context(_noted(layer, self._passed[path])):
                    self._seen.add(path)
            self._network.loss(x.copy(), t.copy())
            self._network.gradient(x, t)

    def passed(self, path: str, names: Sequence[str]) -> dict[str, Any]:
        """What passed through a layer, and its attributes of these names, where it has them.

        `seen` is whether calls of it were noted at all: not where it stands in two places of the network.
        """
        layer, found = self._layers[path], dict[str, Any]()
        with as_raised():
            held = {**(getattr(layer, "params", None) or {})}
            grads = getattr(layer, "grads", None)
            for key, grad in grads.items() if isinstance(grads, Mapping) else ():  # under W or under dW
                held[key if str(key).startswith("d") and key in names else f"d{key}"] = grad
            for name in names:
                if name in held or hasattr(layer, name):
                    found[name] = _attribute(held.get(name, getattr(layer, name, None)))
        return {"passed": dict(self._passed[path]), "attributes": found, "seen": path in self._seen}

    def of_layer(self, path: str) -> None:
        """From now on this is the bench of that layer's class, in the book's protocol."""
        self._factory, self._adapter = type(self._layers[path]), adapter_of("book")


def _outline(array: Any) -> Any:
    """dtype and shape of a plain array, or an Odd."""
    found = plain(array)
    return found if isinstance(found, Odd) else [found.dtype.str, list(found.shape)]


def _result(found: Any) -> Any:
    """Plain numbers, arrays, and dicts of them; an Odd for anything else."""
    if isinstance(found, Mapping):
        return {str(name): plain(value) for name, value in found.items()}
    if isinstance(found, (bool, int, float)):
        return float(found)
    return plain(found)


def _attribute(value: Any) -> Any:
    """A layer's argument: numbers and texts, alone or in a tuple, and arrays; an Odd for anything else."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value if not isinstance(value, str) else clean(value, 80)
    if isinstance(value, (list, tuple)):
        return tuple(_attribute(v) for v in value)
    return plain(value)


def _layers(network: NetworkLike) -> Iterator[tuple[str, Any]]:
    """(name, layer) of what has a forward, in the order of the computation, the loss last."""
    layers: Any = getattr(network, "layers", None)
    named: list[tuple[str, Any]] = []
    if hasattr(layers, "leaves"):
        named = list(layers.leaves())
    elif isinstance(layers, Mapping):
        named = [(str(name), layer) for name, layer in layers.items()]
    elif isinstance(layers, Iterable):
        named = [(f"{type(layer).__name__} {i}", layer) for i, layer in enumerate(layers, start=1)]
    named = [(name, layer) for name, layer in named if callable(getattr(layer, "forward", None))]
    if loss := next((getattr(network, name) for name in LOSS_LAYERS if hasattr(network, name)), None):
        named = [*((name, layer) for name, layer in named if layer is not loss), ("loss", loss)]
    elif named and _takes_labels(named[-1][1]):
        named[-1] = ("loss", named[-1][1])
    yield from named


def _takes_labels(layer: Any) -> bool:
    """Whether its forward cannot be called with one argument."""
    try:
        signature = inspect.signature(layer.forward)
        signature.bind(None, None)
    except (TypeError, ValueError):
        return False
    with suppress(TypeError):
        signature.bind(None)
        return False
    return True


@contextmanager
def _noted(layer: Any, passed: dict[str, Any]) -> Iterator[bool]:
    """The layer notes what passes through it, unless it cannot be patched; whether it does."""
    forward, backward = getattr(layer, "forward", None), getattr(layer, "backward", None)
    if forward is None or backward is None:
        yield False
        return

    def noting_forward(x: Any, *args: Any, **options: Any) -> Any:
        passed["x"] = plain(x)
        if args:
            passed["t"] = plain(args[0])
        out = forward(x, *args, **options)
        passed["out"] = _number(out)
        return out

    def noting_backward(*args: Any, **options: Any) -> Any:
        passed["dout"] = _number(args[0] if args else 1.0)
        dx = backward(*args, **options)
        passed["dx"] = plain(dx)
        return dx

    patched = False
    with suppress(AttributeError):
        layer.forward, layer.backward = noting_forward, noting_backward
        patched = True
    try:
        yield patched
    finally:
        for name in ("forward", "backward"):
            getattr(layer, "__dict__", {}).pop(name, None)


def _number(value: Any) -> Any:
    """A plain array; of a plain number too."""
    return np.asarray(float(value)) if isinstance(value, (bool, int, float)) else plain(value)
