"""The layers, losses and optimizers that stand beside a container, and how each is built small.

What a class is, its constructor and its name show; whether it does it right is not asked here. Needs NumPy
alone.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.handed_layers import class_node
from parity.adapters.loss_arguments import meanings_of
from parity.adapters.members import WORDS, is_derivative
from parity.adapters.network_builds import RATE
from parity.adapters.network_results import number_of
from parity.adapters.network_words import FORWARDS, gives_gradients, is_loss, meaning_of_built
from parity.adapters.optimizer_names import RATES
from parity.adapters.stand_ins import Dense, Descent, HalfSquares, Tanh

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leakyrelu", "elu", "softplus", "swish", "silu", "gelu", "selu")
AROUND = re.compile(
    "activations?|layer|function|func|fn|act|module|^my|^np|unit|output|hidden|logistic(?=sigmoid)"
)
DENSE = re.compile("dense|linear|affine|fullyconnected|fullconnected|^fc|fc$|fclayer|innerproduct|layer$")
NOT_DENSE = re.compile("conv|pool|norm|drop|embed|recurrent|rnn|lstm|gru|attention|loss|input|optimi")
PLAIN_DESCENT = re.compile("sgd|gradientdescent|vanilla|^gd$|stochastic")
NOT_PLAIN = re.compile("momentum|nesterov|adam|rms|adagrad|adadelta")
GIVES = (*("calculate", "forward", "__call__", "loss", "compute", "call", "calc", "value", "cost", "error"),)
DERIVES = re.compile("back|grad|prime|deriv|delta")


@dataclass(frozen=True)
class Made:
    """One way to make a layer: what is typed after its name, and what makes it."""

    words: str
    make: Callable[[], Any]


@dataclass(frozen=True)
class Loss:
    """What is handed as a loss and as its derivative; of another such loss its number for (out, t), and its
    derivative."""

    words: str
    value: Any
    prime: Any
    number: Callable[[Any, Any], Any] | None
    slope: Any = None


@dataclass
class Parts:
    """What a module has: dense layers by (I, O), activations, softmaxes, losses and optimizers."""

    dense: list[Callable[[int, int], Made]]
    activations: list[Made]
    softmax: list[Made]
    losses: list[Loss]
    optimizers: list[Made]
    ours: tuple[str, ...] = ()  # what its file has none of, so that it is given ours


def parts_of(cls: type) -> Parts:
    """Those that stand beside a class, in the order of its module."""
    there = beside(cls)
    classes = [one for one in there.values() if isinstance(one, type) and one is not cls]
    classes = [
        one for one in classes if not one.__module__.startswith(("numpy", "builtins", "typing", "abc"))
    ]
    pairs = list(_pairs_of_functions(there))
    curves = [pair for pair in pairs if _curve(pair[0].__name__) in ACTIVATIONS]
    dense = [ways for one in classes for ways in _dense(one, there)]
    found = [made for one in classes for made in _activations(one, curves)]
    softmax = [made for curve, made in found if curve == "softmax"]
    ranked = sorted((pair for pair in found if pair[0] != "softmax"), key=lambda p: ACTIVATIONS.index(p[0]))
    losses = [loss for one in classes for loss in _losses(one)]
    losses += [Loss(repr(word), word, None, None) for word in words_of_losses(cls)]
    losses += [_pair_of_losses(*pair) for pair in pairs if is_loss(pair[0].__name__)]
    optimizers = [made for one in classes for made in _optimizers(one)]
    losses.sort(key=lambda loss: "ross" in loss.words or "ntropy" in loss.words)
    return _with_ours(cls, Parts(dense, [made for _, made in ranked], softmax, losses, optimizers))


def _with_ours(cls: type, parts: Parts) -> Parts:
    """With layers, a loss and an optimizer of ours, where there are none and the container asks for them."""
    ours = []
    asked = " ".join(plain(p.name) for p in _all_asked(cls))
    if not any(
        goes_both_ways(one) for one in beside(cls).values() if isinstance(one, type) and one is not cls
    ):
        parts.dense = [lambda i, o: Made(f"Dense({i}, {o})", lambda: Dense(i, o))]
        parts.activations = [Made("Tanh()", Tanh)]
        ours.append("layers")
    if not parts.losses and re.search("loss|cost|criterion|objective", asked):
        handed, held = HalfSquares(), HalfSquares()
        parts.losses = [Loss("HalfSquares()", handed, handed.backward, held.forward, held.backward)]
        ours.append("loss")
    if not parts.optimizers and "opti" in asked:
        parts.optimizers = [Made("Descent()", Descent)]
        ours.append("optimizer")
    parts.ours = tuple(ours)
    return parts


def _all_asked(cls: type) -> list[inspect.Parameter]:
    """The parameters of its constructor and its methods."""
    functions = [cls, *(getattr(cls, name) for name in methods_of(cls))]
    return [p for function in functions for p in asked_of(function) or ()]


def beside(cls: type) -> Mapping[str, Any]:
    """The names of the module that a class was written in."""
    functions = [value for value in vars(cls).values() if inspect.isfunction(value)]
    return functions[0].__globals__ if functions else {}


def asked_of(function: Any) -> list[inspect.Parameter] | None:
    """The parameters that it asks for; None where that cannot be seen."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def methods_of(cls: type) -> list[str]:
    """The names of its methods, without Python's own but for `__call__`."""
    names = dict.fromkeys(name for one in cls.__mro__ if one is not object for name in vars(one))
    public = [name for name in names if not name.startswith("__") or name == "__call__"]
    return [name for name in public if callable(getattr(cls, name, None))]


def goes_both_ways(cls: type) -> bool:
    """Whether it has a forward and a backward."""
    words = [plain(name) for name in methods_of(cls)]
    forward = any(word in FORWARDS or word.startswith("forward") for word in words)
    return forward and any(gives_gradients(name) for name in methods_of(cls))


# -- layers -----------------------------------------------------------------------------------------
def _dense(cls: type, there: Mapping[str, Any]) -> Iterator[Callable[[int, int], Made]]:
    """Ways to build a layer of two sizes."""
    asked = asked_of(cls)
    if asked is None or NOT_DENSE.search(plain(cls.__name__)) or not goes_both_ways(cls):
        return
    shapes = [p for p in asked if not _is_activation(p.name)]
    curves = [p for p in asked if _is_activation(p.name)]
    sizes = [_size(p.name) for p in shapes]
    if len(shapes) != 2 or len(curves) > 1:
        return
    if set(sizes) != {"I", "O"}:
        if not DENSE.search(plain(cls.__name__)):
            return
        sizes = ["I", "O"]

    def way(extra: Any) -> Callable[[int, int], Made]:
        def build(inputs: int, outputs: int) -> Made:
            values = {"I": inputs, "O": outputs}
            kwargs = {p.name: values[size] for p, size in zip(shapes, sizes, strict=True)}
            kwargs |= {p.name: extra for p in curves}
            args = ", ".join(_said(kwargs[p.name]) for p in asked)
            return Made(f"{cls.__name__}({args})", lambda: cls(**kwargs))

        return build

    if not curves:
        yield way(None)
        return
    for word in ("tanh", "sigmoid", "relu"):
        yield way(word)
    for name, value in there.items():
        if isinstance(value, type) and _curve(name) in ("tanh", "sigmoid", "relu") and asked_of(value) == []:
            yield way(value())


def _said(value: Any) -> str:
    return repr(value) if isinstance(value, (int, str)) else f"{type(value).__name__}()"


def _size(name: str) -> str:
    """Whether a parameter is the width of the input or of the output."""
    meaning, word = meaning_of_built(name), plain(name)
    if meaning in ("I", "O", "H"):
        return "I" if meaning == "I" else "O"
    if word.endswith("in") or word.startswith(("in", "prev")):
        return "I"
    return "O" if word.endswith("out") or word.startswith(("out", "unit")) else ""


def _is_activation(name: str) -> bool:
    return "activation" in name.lower() or plain(name) in ("act", "actfn", "func", "nonlinearity")


def _activations(cls: type, curves: list[tuple[Any, Any]]) -> Iterator[tuple[str, Made]]:
    """(which, how it is made) of an activation by its name, or of one that is handed a function and its
    derivative."""
    asked = asked_of(cls)
    if asked is None or not goes_both_ways(cls) or "loss" in plain(cls.__name__):
        return
    curve = _curve(cls.__name__)
    if not asked and (curve in ACTIVATIONS or curve == "softmax"):
        yield curve, Made(f"{cls.__name__}()", cls)
    words = [plain(p.name) for p in asked]
    if (
        len(asked) == 2
        and "activ" in words[0]
        and is_derivative(asked[1].name)
        and not is_derivative(words[0])
    ):
        for f, df in curves or [(_tanh, _tanh_prime)]:
            made = Made(f"{cls.__name__}({f.__name__.lstrip('_')}, ...)", partial(cls, f, df))
            yield _curve(f.__name__), made
    if len(asked) == 1 and "activ" in plain(cls.__name__):
        for word in ("tanh", "sigmoid", "relu"):
            try:
                cls(word)
            except Exception:
                continue
            yield word, Made(f"{cls.__name__}({word!r})", partial(cls, word))


def _curve(name: str) -> str:
    """`tanh` of TanhActivation."""
    return AROUND.sub("", plain(name))


def _tanh(x: Any) -> Any:
    return np.tanh(x)


def _tanh_prime(x: Any) -> Any:
    return 1 - np.tanh(x) ** 2


def _pairs_of_functions(there: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Functions of the module, and static ones of its classes, with their derivatives, by name."""
    functions: dict[str, Any] = {name: value for name, value in there.items() if inspect.isfunction(value)}
    for holder in [value for value in there.values() if isinstance(value, type)]:
        for name, value in vars(holder).items():
            if isinstance(value, staticmethod):
                functions.setdefault(name, value.__func__)
    slopes = {frozenset(_words(name) - WORDS): f for name, f in functions.items() if is_derivative(name)}
    for name, function in functions.items():
        if not is_derivative(name) and (slope := slopes.get(frozenset(_words(name)))) is not None:
            yield function, slope


def _words(name: str) -> set[str]:
    return set(re.findall("[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))


# -- losses and optimizers --------------------------------------------------------------------------
def words_of_losses(cls: type) -> list[str]:
    """The words in its source by which it knows losses, `"mse"`."""
    node = class_node(cls)
    texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)] if node is not None else []
    words = [
        one for one in texts if isinstance(one, str) and 2 < len(one) < 32 and one.replace("_", "a").isalpha()
    ]
    return list(
        dict.fromkeys(one for one in words if is_loss(one) and plain(one) not in ("loss", "error", "cost"))
    )


def _pair_of_losses(f: Any, df: Any) -> Loss:
    return Loss(f.__name__, f, df, by_names(f), df)


def _losses(cls: type) -> Iterator[Loss]:
    """A loss class: an object of it, whose methods are the loss and its derivative."""
    word = plain(cls.__name__)
    if not (is_loss(cls.__name__) or "loss" in word) or "regulari" in word or asked_of(cls) != []:
        return
    names = methods_of(cls)
    derives = [name for name in names if DERIVES.search(plain(name))]
    gives = sorted(
        (n for n in names if n in GIVES or plain(n) in GIVES),
        key=lambda n: GIVES.index(n if n in GIVES else plain(n)),
    )
    if not derives or not gives:
        return
    try:
        handed, held = cls(), cls()
        functions = [getattr(held, name) for name in gives]
        primes = [getattr(one, derives[0]) for one in (handed, held)]
    except Exception:
        return
    two = next((f for f in functions if len(asked_of(f) or ()) == 2), None)
    number = None if two is None else by_names(*functions)
    yield Loss(f"{cls.__name__}()", handed, primes[0], number, primes[1])


def by_names(*functions: Any) -> Callable[[Any, Any], Any]:
    """The number that the first of these gives for (out, t), each under the names that it has for them."""

    def number(out: Any, t: Any) -> Any:
        for function in functions:
            if len(asked_of(function) or ()) != 2:
                continue
            found = number_of(called_by_names(function, out, t))
            if found is not None:
                return found
        return None

    return number


def called_by_names(function: Any, out: Any, t: Any, turned: bool = False) -> Any:
    """What a function of an output and a target gives, each under its name; `turned`: under the other's."""
    values = {"x": t, "t": out} if turned else {"x": out, "t": t}
    order = (
        ["x", "t"][: len(asked_of(function) or ())]
        if not tells(function)
        else meanings_of([p.name for p in asked_of(function) or ()])
    )
    return function(*(np.array(values[meaning]) for meaning in order))


def tells(function: Any) -> bool:
    """Whether the names of a function of two show which is the output and which the target."""
    asked = asked_of(function) or []
    return len(asked) == 2 and set(meanings_of([p.name for p in asked])) == {"x", "t"}


def _optimizers(cls: type) -> Iterator[Made]:
    """Plain gradient descent, without a momentum."""
    word = plain(cls.__name__)
    if not PLAIN_DESCENT.search(word) or NOT_PLAIN.search(word):
        return
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return
    kwargs: dict[str, Any] = {}
    for p in parameters:
        if plain(p.name) in RATES:
            kwargs[p.name] = RATE
        elif p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            return
        elif isinstance(p.default, float) and p.default:
            kwargs[p.name] = 0.0  # a momentum, a decay
    said = ", ".join(f"{name}={value}" for name, value in kwargs.items())
    yield Made(f"{cls.__name__}({said})", lambda: cls(**kwargs))
