"""Right layers that are wrong under one condition: from eight channels on, for 11x11, at the hundredth call.

Small probes and a single call see none of these. Each condition is put around our own layer; the result that
it spoils is off by a thousandth of its size. A condition is killed when the checks fail on an input, or in a
life, that meets it; one that no input meets is a hole in the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from parity.checks.long_life import by_image
from parity.kinds import OPTIMIZER_KINDS, kind_of
from scratchcnn.typing import Array

Sizes = dict[str, int]
OFF = 1 + 2.0**-10  # what a spoiled result is multiplied by
UP_TO: dict[str, tuple[int, ...]] = {
    "N": (4, 7, 8, 32, 64, 100),
    "C": (4, 5, 8, 16, 64, 100, 256, 512, 2048),
    "FN": (7, 16, 64, 256, 512, 2048),
    "H": (5, 8, 16, 28, 56, 200),
    "kernel": (4, 6, 7, 11),
    "stride": (2, 3, 4),
    "pad": (2, 3),
    "groups": (3, 4, 32, 96),
    "inputs": (8, 13, 64, 400, 4320, 9216, 25088),
    "outputs": (5, 10, 84, 120, 1000, 4096),
    "classes": (5, 11, 100, 1000),
    "window": (4, 5, 7, 11),
    "size": (6, 8, 11),
    "percent": (51, 75, 90),
    "parameters": (100, 10_000, 100_000),
    "steps": (3, 8, 20, 100, 200),
    "arrays": (3, 8, 20),
}
OF_KIND: dict[str, tuple[str, ...]] = {
    "convolution": ("N", "C", "FN", "H", "kernel", "stride", "pad", "groups"),
    "partial_convolution": ("N", "H"),
    "im2col": ("N", "C", "H", "kernel", "stride", "pad"),
    "col2im": ("N", "C", "H", "kernel", "stride", "pad"),
    "max_pooling": ("N", "C", "H", "window", "stride", "pad"),
    "average_pooling": ("N", "C", "H", "window", "stride", "pad"),
    "min_pooling": ("N", "C", "H", "window", "stride", "pad"),
    "max_pooling_options": ("N", "C", "H", "stride"),
    "average_pooling_options": ("N", "C", "H", "window", "stride", "pad"),
    "image_padding": ("N", "C", "H"),
    "adaptive_average_pooling": ("N", "C", "H"),
    "global_average_pooling": ("N", "C", "H"),
    "subsampling": ("N", "H"),
    "affine": ("N", "inputs", "outputs"),
    "affine_last_axis": ("N",),
    "rbf": ("N", "inputs"),
    "softmax": ("N", "classes"),
    "softmax_axis": ("N", "C", "H"),
    "softmax_with_loss": ("N", "classes"),
    "penalty_loss": ("N", "classes"),
    "weighted_cross_entropy": ("N", "classes"),
    "mean_squared_error": ("N", "classes"),
    "mean_absolute_error": ("N", "classes"),
    "huber_loss": ("N", "classes"),
    "hinge_loss": ("N", "classes"),
    "multiclass_hinge_loss": ("N", "classes"),
    "binary_cross_entropy": ("N", "classes"),
    "lrn": ("N", "C", "H", "size"),
    "batch_norm": ("N", "C", "H"),
    "batch_norm_options": ("N", "C", "H"),
    "layer_norm": ("N", "inputs"),
    "layer_norm_options": ("N", "C", "H"),
    "dropout": ("N", "percent"),
    **dict.fromkeys(OPTIMIZER_KINDS, ("parameters", "steps", "arrays")),
}
LARGEST = {  # the sizes that the zoo reaches, where that is less than the table's
    "max_pooling": {"C": 512},
    "average_pooling": {"C": 512},
    "min_pooling": {"C": 512},
    "max_pooling_options": {"C": 256, "stride": 2},
    "average_pooling_options": {"C": 512},
    "image_padding": {"C": 512},
    "softmax_axis": {"C": 512, "H": 28},
    "adaptive_average_pooling": {"C": 512, "H": 14},
    "global_average_pooling": {"H": 8},
    "im2col": {"C": 512},
    "col2im": {"C": 512},
    "partial_convolution": {"H": 14},
    "subsampling": {"H": 28},
    "rbf": {"inputs": 84},
    "lrn": {"C": 256, "H": 55},
    "batch_norm": {"H": 56},
    "batch_norm_options": {"H": 56},
    "layer_norm": {"inputs": 4320},
    "layer_norm_options": {"C": 64, "H": 28},
}
# Of a layer that is not named above: an activation, say.
PLAIN = {"N": 100, "C": 512, "H": 56, "inputs": 4320}
# Sizes at which alone a layer is wrong: the first layer of a network for MNIST, one class, two, eleven.
Holds = Callable[[Sizes], bool]


def _exactly(**wanted: int) -> Holds:
    """Whether a call has just these sizes."""
    return lambda sizes: all(sizes.get(name) == n for name, n in wanted.items())


def _one_channel(sizes: Sizes) -> bool:
    return sizes.get("C") == 1 and sizes["N"] > 1


def _strided_1x1(sizes: Sizes) -> bool:
    return sizes.get("kernel") == 1 and sizes["stride"] > 1


CLASSES = tuple((f"{n} classes", _exactly(classes=n)) for n in (1, 2, 10, 11, 1000))
EXACTLY: dict[str, tuple[tuple[str, Holds], ...]] = {
    "convolution": (
        ("5x5 on one channel", _exactly(kernel=5, C=1)),
        ("11x11", _exactly(kernel=11)),
        ("7x7 on three channels", _exactly(kernel=7, C=3)),
        ("1x1 with a stride", _strided_1x1),
    ),
    "softmax_with_loss": CLASSES,
    "softmax": CLASSES,
    "lrn": (("a window of 8", _exactly(size=8)),),
    "max_pooling": (("one channel, several images", _one_channel),),
    "average_pooling": (("one channel, several images", _one_channel),),
}


@dataclass(frozen=True)
class Condition:
    """One condition on the sizes of a call, and the result that it spoils.

    spoils  "forward" or "backward"
    """

    kind: str
    name: str
    holds: Holds
    spoils: str

    def factory(self) -> Callable[..., Any]:
        """Builds our layer of the kind with the condition around it."""
        return partial(_spoiled, self)


def conditions(kind: str) -> Iterator[Condition]:
    """Every condition on sizes of a kind, for its forward and its backward."""
    named: list[tuple[str, Holds]] = list(EXACTLY.get(kind, ()))
    role = kind_of(kind).role
    plain = role == "layer" and kind not in OF_KIND
    for size in PLAIN if plain else OF_KIND.get(kind, ()):
        most = (PLAIN if plain else LARGEST.get(kind, {})).get(size, max(UP_TO[size]))
        for least in (n for n in UP_TO[size] if n <= most):
            named.append((f"{size} >= {least}", partial(_at_least, size, least)))
    for name, holds in named:
        yield Condition(kind, name, holds, "forward")
        if role in ("layer", "loss"):
            yield Condition(kind, name, holds, "backward")


def _at_least(size: str, least: int, sizes: Sizes) -> bool:
    return sizes.get(size, 0) >= least


def sizes_of(args: dict[str, Any], inputs: Sequence[Array]) -> Sizes:
    """What the conditions ask about, from a call's arguments and arrays."""
    found: Sizes = {}
    x: Array = np.asarray(inputs[0]) if inputs else np.zeros(0)
    shape: tuple[int, ...] = x.shape
    found["N"] = len(x) if x.ndim else 1
    if "input_shape" in args:
        found["N"], found["C"], found["H"], _ = args["input_shape"]
    elif x.ndim == 4:
        found["C"], found["H"] = shape[1], max(shape[2:])
    elif x.ndim == 2:
        found["C"] = found["classes"] = shape[1]
    found["inputs"] = x.size // max(found["N"], 1)
    W = args.get("W")
    if isinstance(W, np.ndarray) and W.ndim == 4:
        found["FN"], found["kernel"] = len(W), max(W.shape[2:])
    elif isinstance(W, np.ndarray):
        found["outputs"] = W.shape[-1]
    if "filter_h" in args:
        found["kernel"] = max(args["filter_h"], args["filter_w"])
    if "pool_h" in args:
        found["window"] = max(args["pool_h"], args["pool_w"])
    for name in ("stride", "pad", "groups", "size"):
        if name in args:
            found[name] = int(np.max(args[name]))
    found.setdefault("stride", 1)
    if "dropout_ratio" in args:
        found["percent"] = round(100 * args["dropout_ratio"])
    return found


# -- the layers ------------------------------------------------------------------------------------
def _spoiled(condition: Condition, *args: Any, **options: Any) -> Any:
    """Our function's result, or our layer or optimizer, spoiled where the condition holds."""
    kind = kind_of(condition.kind)
    names = [*kind.order, *kind.optional]
    given = dict(zip(names, args, strict=False)) | options
    if kind.role == "function":
        sizes = sizes_of(given, list(args[:1]) or [options[next(iter(options))]])
        out = kind.ours(*args, **options)
        return out * OFF if condition.holds(sizes) else out
    made = kind.ours(*args, **options)
    (_spoil_update if kind.role == "optimizer" else _spoil_layer)(made, condition, given)
    return made


def _spoil_layer(layer: Any, condition: Condition, given: dict[str, Any]) -> None:
    forward, backward = layer.forward, layer.backward
    met = [False]

    def spoiled_forward(x: Array, *more: Any, **options: Any) -> Any:
        met[0] = condition.holds(sizes_of(given, [x]))
        out = forward(x, *more, **options)
        return _off(out) if met[0] and condition.spoils == "forward" else out

    def spoiled_backward(*dout: Any) -> Any:
        dx = backward(*dout)
        return _off(dx) if met[0] and condition.spoils == "backward" else dx

    layer.forward, layer.backward = spoiled_forward, spoiled_backward


def _off(a: Any) -> Any:
    """A thousandth more and a thousandth beside it, in the same dtype; also of a number."""
    spoiled = a * OFF + (OFF - 1)
    return type(a)(spoiled) if isinstance(a, np.generic | float) else spoiled.astype(a.dtype)


def _spoil_update(rule: Any, condition: Condition, given: dict[str, Any]) -> None:
    update, calls = rule.update, [0]

    def spoiled_update(params: dict[str, Array], grads: dict[str, Array]) -> None:
        calls[0] += 1
        update(params, grads)
        for p in params.values():
            if condition.holds({"parameters": p.size, "steps": calls[0], "arrays": len(params)}):
                p += p.dtype.type(OFF - 1)

    rule.update = spoiled_update


# -- conditions on a life --------------------------------------------------------------------------
CALLS = (3, 10, 50, 100)
READ_ONLY = "x read-only"
LAYOUTS: dict[str, Callable[[Array], bool]] = {
    "x in columns": lambda x: x.ndim > 1 and bool(x.flags.f_contiguous and not x.flags.c_contiguous),
    "x with gaps": lambda x: abs(x.strides[-1]) > x.itemsize if x.ndim and x.shape[-1] > 1 else False,
    "x backwards": lambda x: any(s < 0 for s in x.strides),
    READ_ONLY: lambda x: not x.flags.writeable,
}
ONE_SIGN: dict[str, Callable[[Array], bool]] = {
    "x all positive": lambda x: bool(x.size > 1 and (x > 0).all()),
    "x all zero": lambda x: not x.any(),
}
ODD_NUMBERS: dict[str, Callable[[Array], bool]] = {
    "x with NaN": lambda x: bool(np.isnan(x).any()),
    "x with infinity": lambda x: bool(np.isinf(x).any()),
}


def life_conditions(kind: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """(name, factory) of our layer, wrong from a call on, for a layout or sign, or with shared memory."""
    role = kind_of(kind).role
    if role == "optimizer":
        if kind != "sgd":  # which has no state
            yield "state on the class", partial(_shared_state, kind, {})
        return
    for n in CALLS:
        yield f"from call {n} on", partial(_wrong_from, kind, n)
    odd = ODD_NUMBERS if by_image(kind) else {}
    signs = ONE_SIGN if kind_of(kind).within is None else {}
    for name, holds in {**LAYOUTS, **signs, **odd}.items():
        if not (name == READ_ONLY and kind_of(kind).borrows):  # the caller never hands that over
            yield name, partial(_wrong_for, kind, holds)
    if role != "function":
        yield "memory on the class", partial(_shared_memory, kind, {})


def _wrong_from(kind: str, n: int, *args: Any, **options: Any) -> Any:
    """Ours, and off from the n-th call of one object on. A function counts its calls for ever."""
    if kind_of(kind).role == "function":
        _wrong_from.__dict__[kind] = count = _wrong_from.__dict__.get(kind, 0) + 1
        out = kind_of(kind).ours(*args, **options)
        return _off(out) if count % (2 * n) >= n else out
    layer, calls = kind_of(kind).ours(*args, **options), [0]
    forward = layer.forward

    def counted(x: Array, *more: Any, **given: Any) -> Any:
        calls[0] += 1
        out = forward(x, *more, **given)
        return _off(out) if calls[0] >= n else out

    layer.forward = counted
    return layer


def _wrong_for(kind: str, holds: Callable[[Array], bool], *args: Any, **options: Any) -> Any:
    """Ours, and off for arrays that lie in memory in one way, or have one sign."""
    if kind_of(kind).role == "function":
        array = next(a for a in (*args, *options.values()) if isinstance(a, np.ndarray))
        out = kind_of(kind).ours(*args, **options)
        return _off(out) if holds(array) else out
    layer = kind_of(kind).ours(*args, **options)
    forward = layer.forward

    def laid_out(x: Array, *more: Any, **given: Any) -> Any:
        out = forward(x, *more, **given)
        return _off(out) if holds(x) else out

    layer.forward = laid_out
    return layer


def _shared_memory(kind: str, shared: dict[str, Any], *args: Any, **options: Any) -> Any:
    """Ours, but backward is that of the object whose forward came last."""
    layer = kind_of(kind).ours(*args, **options)
    forward, backward = layer.forward, layer.backward

    def remembering(x: Array, *more: Any, **given: Any) -> Any:
        shared["backward"] = backward
        return forward(x, *more, **given)

    layer.forward = remembering
    layer.backward = lambda *dout: shared["backward"](*dout)
    return layer


def _shared_state(kind: str, shared: dict[str, Any], *args: Any, **options: Any) -> Any:
    """Our optimizer, whose state and count of steps are those of the object that stepped last."""
    rule = kind_of(kind).ours(*args, **options)
    update, names = rule.update, (*rule.slots, "iter")

    def sharing(params: dict[str, Array], grads: dict[str, Array]) -> None:
        for name in names:
            setattr(rule, name, shared.get(name, getattr(rule, name)))
        update(params, grads)
        shared.update({name: getattr(rule, name) for name in names})

    rule.update = sharing
    return rule
