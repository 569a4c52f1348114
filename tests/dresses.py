"""Layers of the book's protocol, right ones and faults, in the clothes of other people's code.

A dress is a class with a constructor, weights, layouts and calls of its own around one layer in the book's
protocol, which it hides. What the layer gets wrong, the dressed class gets wrong: writes into x, dout and the
weights go through, and nothing is copied that the layer does not copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from parity.adapters.isolate import Limits
from parity.faults import Fault
from parity.faults.diagnose import lasting_probes, observe
from parity.kinds import ELEMENTWISE
from parity.kinds.probe import Probe
from parity.kinds.probes import shared_probes
from parity.verification.observe import Request, Seen, observe_target

OIHW_HWIO, HWIO_OIHW = (2, 3, 1, 0), (3, 2, 0, 1)
LAST, FIRST = (0, 2, 3, 1), (0, 3, 1, 2)  # channels
POOLS = ("max_pooling", "average_pooling", "min_pooling")
ACTIVATIONS = (*ELEMENTWISE, "softmax")
ELEMENTS = (*ACTIVATIONS, "flatten", "global_average_pooling")


def pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


class Tensor:
    """Of a small engine: what a call gave, and how its gradient goes back."""

    def __init__(self, data: Any):
        self.data, self.grad, self.back = np.asarray(data), None, None

    def __mul__(self, other: Tensor) -> Tensor:
        return Tensor(self.data * other.data)

    def add(self, gradient: Any) -> None:
        self.grad = gradient if self.grad is None else self.grad + gradient

    def backward(self, gradient: Any) -> None:
        self.back(gradient)


class Dressed:
    """Hides the layer; brings its arrays up to date before a call, and back what it wrote into them."""

    PARAMS: tuple[str, ...] = ()
    BUFFERS: tuple[str, ...] = ()
    MAKE: Callable[..., Any]

    def wear(self, arrays: dict[str, Any], **options: Any) -> None:
        self.names, self.options, self.hidden = {}, options, None
        for name, (attribute, array) in arrays.items():
            self.names[name] = attribute
            setattr(self, attribute, array)

    def theirs(self, name: str) -> Any:
        """An array of ours, as the layer has it."""
        array = getattr(self, self.names[name])
        array = array.data if isinstance(array, Tensor) else array
        return None if array is None else self.to_book(name, array)

    def to_book(self, name: str, array: Any) -> Any:
        return array

    from_book = to_book

    def layer(self) -> Any:
        arrays = {name: self.theirs(name) for name in self.names}
        if self.hidden is None:
            made = type(self).MAKE(**arrays, **self.options)
            self.hidden = lambda: made
            if not getattr(self, "training", True):
                made.eval()
            return made
        inner = self.hidden()
        for name, array in arrays.items():
            held = getattr(inner, name, None)
            if isinstance(held, np.ndarray) and held is not array:
                held[...] = array
        return inner

    def written(self) -> None:
        """What the layer wrote into its arrays is written into ours."""
        for name in self.names:
            ours, held = self.theirs(name), getattr(self.hidden(), name, None)
            same = isinstance(held, np.ndarray) and ours is not None and held.shape == ours.shape
            if same and not np.array_equal(ours, held, equal_nan=True):
                ours[...] = held

    def gradient(self, name: str) -> Any:
        found = getattr(self.hidden(), f"d{name}", None)
        return None if found is None else self.from_book(name, found)

    def _run(self, x: Any) -> Any:
        inner = self.layer()
        out = inner.forward(x)
        if "p" in vars(self) and self.training:
            self.x, self.mask = x, inner.mask
        self.written()
        return out

    def _give_back(self, dout: Any) -> Any:
        inner = self.hidden()
        set_from_outside = "mask" in vars(self) and self.mask is not inner.mask
        if set_from_outside:  # as if it had been drawn
            inner.inject(self.mask)
            inner.forward(self.x)
        dx = inner.backward(dout)
        if set_from_outside:
            inner.inject(None)
            self.mask = inner.mask
        self.written()
        return dx

    def train(self) -> None:
        self.training = True
        if self.hidden is not None:
            self.hidden().train()

    def eval(self) -> None:
        self.training = False
        if self.hidden is not None:
            self.hidden().eval()


# -- constructors -----------------------------------------------------------------------------------
def _conv(W: str, b: str, shape: Callable[..., tuple[int, ...]], wrap: Callable[[Any], Any]) -> Any:
    def __init__(
        self: Any,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        weight = wrap(np.zeros(shape(out_channels, in_channels // groups, *pair(kernel_size))))
        arrays = {"W": (W, weight), "b": (b, wrap(np.zeros(out_channels)) if bias else None)}
        options = {"stride": stride, "pad": padding, "dilation": dilation, "groups": groups}
        self.wear(
            arrays,
            **{k: v for k, v in options.items() if v not in ((0, 1)[k != "pad"], ((0, 1)[k != "pad"],) * 2)},
        )

    return __init__


def _pool(kind: str) -> Any:
    def of_max(
        self: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False
    ) -> None:
        h, w = pair(kernel_size)
        stride = (h, w) if stride is None else stride
        self.wear(
            {}, pool_h=h, pool_w=w, stride=stride, pad=padding, **({"ceil_mode": True} if ceil_mode else {})
        )

    def of_average(
        self: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        of_max(self, kernel_size, stride, padding, ceil_mode)
        if not count_include_pad:
            self.options["count_include_pad"] = False

    return of_average if kind == "average_pooling" else of_max


def _dense(W: str, b: str, transposed: bool, wrap: Callable[[Any], Any]) -> Any:
    def __init__(self: Any, in_features: int, out_features: int) -> None:
        shape = (out_features, in_features) if transposed else (in_features, out_features)
        self.wear({"W": (W, wrap(np.zeros(shape))), "b": (b, wrap(np.zeros(out_features)))})

    return __init__


def _norm(wrap: Callable[[Any], Any]) -> Any:
    def __init__(self: Any, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        arrays = {
            "gamma": ("gamma", wrap(np.ones(num_features))),
            "beta": ("beta", wrap(np.zeros(num_features))),
            "running_mean": ("running_mean", np.zeros(num_features)),
            "running_var": ("running_var", np.ones(num_features)),
        }
        self.training = True
        self.wear(arrays, momentum=1 - momentum)

    return __init__


def _layer_norm(wrap: Callable[[Any], Any]) -> Any:
    def __init__(self: Any, normalized_shape: int, eps: float = 1e-5) -> None:
        """Of rows, and of sequences (N, T, D)."""
        self.axis = -1  # its code names one
        gamma, beta = wrap(np.ones(normalized_shape)), wrap(np.zeros(normalized_shape))
        self.wear({"gamma": ("gamma", gamma), "beta": ("beta", beta)})

    return __init__


def _dropout(self: Any, p: float = 0.5) -> None:
    self.training, self.p = True, p
    self.wear({}, dropout_ratio=p)


def _plain(self: Any) -> None:
    self.wear({})


def _tanh(self: Any, amplitude: float = 1.0, slope: float = 1.0) -> None:
    self.wear({}, amplitude=amplitude, slope=slope)


def _leaky(self: Any, alpha: float = 0.2) -> None:
    self.wear({}, negative_slope=alpha)


def _elu(self: Any, alpha: float = 1.0) -> None:
    self.wear({}, alpha=alpha)


def _gelu(self: Any, approximate: str = "none") -> None:
    self.wear({}, approximate=approximate)


def _lrn(self: Any, size: int, alpha: float, beta: float, k: float) -> None:
    self.wear({}, size=size, alpha=alpha, beta=beta, k=k)


def _constructor(kind: str, W: str, b: str, shape: Any, transposed: bool, wrap: Any = lambda a: a) -> Any:
    if kind == "convolution":
        return _conv(W, b, shape, wrap)
    if kind == "affine":
        return _dense(W, b, transposed, wrap)
    if kind == "batch_norm":
        return _norm(wrap)
    if kind == "layer_norm":
        return _layer_norm(wrap)
    if kind in POOLS:
        return _pool(kind)
    return {
        "dropout": _dropout,
        "lrn": _lrn,
        "tanh": _tanh,
        "leaky_relu": _leaky,
        "elu": _elu,
        "gelu": _gelu,
    }.get(kind, _plain)


def _params(kind: str) -> tuple[str, ...]:
    if kind in ("batch_norm", "layer_norm"):
        return "gamma", "beta"
    return ("W", "b") if kind in ("convolution", "affine") else ()


def _swap(self: Any, name: str, array: Any) -> Any:
    return array.T if name == "W" and array.ndim == 2 else array


# -- dresses ----------------------------------------------------------------------------------------
def torch_like(make: Any, kind: str) -> Any:
    """torch.nn's constructors; gradients in attributes."""

    def forward(self: Any, x: Any) -> Any:
        return self._run(x)

    def backward(self: Any, grad_output: Any) -> Any:
        dx = self._give_back(grad_output)
        for name in _params(kind):
            setattr(self, f"{self.names[name]}_grad", self.gradient(name))
        return dx

    init = _constructor(kind, "weight", "bias", lambda *sizes: sizes, True)
    space = {"__init__": init, "forward": forward, "backward": backward, "to_book": _swap, "from_book": _swap}
    return _cls(make, space)


def channels_last(make: Any, kind: str) -> Any:
    """Images (N, H, W, C), kernels (FH, FW, C, FN), gradients in a dict."""

    def forward(self: Any, inputs: Any) -> Any:
        out = self._run(inputs.transpose(FIRST) if inputs.ndim == 4 else inputs)
        return out.transpose(LAST) if np.ndim(out) == 4 else out

    def backward(self: Any, grads: Any) -> Any:
        dx = self._give_back(grads.transpose(FIRST) if grads.ndim == 4 else grads)
        self.gradients = {self.names[name]: self.gradient(name) for name in _params(kind)}
        return dx.transpose(LAST) if np.ndim(dx) == 4 else dx

    def to_book(self: Any, name: str, array: Any) -> Any:
        return array.transpose(HWIO_OIHW) if np.ndim(array) == 4 else array

    def from_book(self: Any, name: str, array: Any) -> Any:
        return array.transpose(OIHW_HWIO) if np.ndim(array) == 4 else array

    init = _constructor(kind, "kernels", "bias", lambda o, i, h, w: (h, w, i, o), False)
    space = {"__init__": init, "forward": forward, "backward": backward, "to_book": to_book}
    return _cls(make, space | {"from_book": from_book})


def single_image(make: Any, kind: str) -> Any:
    """One image (C, H, W) or one row (in,) at a time; gradients under other names."""

    def fprop(self: Any, image: Any) -> Any:
        return self._run(image[None])[0]

    def bprop(self: Any, delta: Any) -> Any:
        dx = self._give_back(delta[None])
        for name in _params(kind):
            setattr(self, f"d_{self.names[name]}", self.gradient(name))
        return dx[0]

    init = _constructor(kind, "kernels", "biases", lambda *sizes: sizes, False)
    return _cls(make, {"__init__": init, "fprop": fprop, "bprop": bprop})


def self_updating(make: Any, kind: str) -> Any:
    """Gradient descent inside backward; nothing else is left of the gradients."""

    def forward(self: Any, input: Any) -> Any:
        return self._run(input)

    def backward(self: Any, output_gradient: Any, learning_rate: float) -> Any:
        dx = self._give_back(output_gradient)
        for name in _params(kind):
            attribute = self.names[name]
            if getattr(self, attribute) is not None:
                setattr(self, attribute, getattr(self, attribute) - learning_rate * self.gradient(name))
        return dx

    init = _constructor(kind, "weights", "bias", lambda *sizes: sizes, False)
    return _cls(make, {"__init__": init, "forward": forward, "backward": backward})


def engine(make: Any, kind: str) -> Any:
    """Tensors in, tensors out; gradients at the tensors."""

    def __call__(self: Any, x: Tensor) -> Tensor:
        out = Tensor(self._run(x.data))

        def back(gradient: Any) -> None:
            x.add(self._give_back(gradient))
            for name in _params(kind):
                if getattr(self, self.names[name]) is not None:
                    getattr(self, self.names[name]).add(self.gradient(name))

        out.back = back
        return out

    init = _constructor(kind, "weight", "bias", lambda *sizes: sizes, False, Tensor)
    return _cls(make, {"__init__": init, "__call__": __call__})


def _cls(make: Any, space: dict[str, Any]) -> Any:
    return type("Dress", (Dressed,), {**space, "MAKE": staticmethod(make), "__module__": __name__})


IMAGES = ("convolution", *POOLS)
WEIGHTS = ("convolution", "affine", "batch_norm", "layer_norm")
DRESSES: dict[str, tuple[Callable[[Any, str], Any], tuple[str, ...]]] = {
    "torch_like": (torch_like, (*IMAGES, "affine", "batch_norm", "layer_norm", "dropout", "lrn", *ELEMENTS)),
    "channels_last": (channels_last, (*IMAGES, "batch_norm", "global_average_pooling")),
    "single_image": (single_image, (*IMAGES, "affine", "global_average_pooling")),
    "self_updating": (self_updating, WEIGHTS),
    "engine": (engine, (*IMAGES, "affine", "batch_norm", "layer_norm", *ACTIVATIONS)),
}


# -- faults in them ---------------------------------------------------------------------------------
def killed(dressed: Any, kind: str) -> bool:
    """Whether a verdict on it would not be "right", or says what it keeps.

    A wrong number of a single call is enough; only what has none is held to the contracts, and only what
    keeps those is tried at other sizes.
    """
    single = Request(dressed, kind, "auto", shared_probes(kind), contracts=False, dtypes=("float64",))
    seen = observe_target(single, Limits(), isolated=False)
    if _shows(single, seen):
        return True
    way = seen.convention or "book"  # the trial would find the same
    held = Request(dressed, kind, way, shared_probes(kind), sizes=False)
    if _shows(held, observe_target(held, Limits(), isolated=False)):
        return True
    whole = Request(dressed, kind, way, shared_probes(kind))
    return _shows(whole, observe_target(whole, Limits(), isolated=False))


def _shows(request: Request, seen: Seen) -> bool:
    if seen.misfit or seen.ending or seen.remarks:
        return True
    ids = {probe.id for probe in [*seen.tried_of(request.cases), *seen.sized, *seen.random]} | {""}
    rows = [row for row in seen.observation.records if row.case in ids and row.tensor not in seen.unseen]
    return not all(row.ok for row in rows)


def shows_one_at_a_time(fault: Fault) -> bool:
    """Whether a fault shows at all in a layer that never sees more than one image."""
    cases = [part for probe in lasting_probes(fault.kind, 0) for part in _images(probe)]
    seen = observe(fault.kind, fault.make, cases=cases, seed=0)
    return not all(row.ok for row in seen.records)


def _images(probe: Probe) -> list[Probe]:
    """The probe's images, each in a batch of its own."""
    count = len(probe.inputs["x"])
    return [
        replace(probe, id=f"{probe.id}, {i}", inputs={k: a[i : i + 1] for k, a in probe.inputs.items()})
        for i in range(count)
    ]
