"""What is known of one kind: its formula in PyTorch, the inputs to try, how it is called, its names.

A kind is an operation with a contract (`convolution`, `max_pooling`, `softmax_with_loss`, `adam`, ...). The
kinds of one family stand in one file (`parity.kinds.windows`, `parity.kinds.activations`, ...), and all that
the harness knows of a kind is a field there. JAX and ONNX, which are optional, have tables of their own.

The checks know a kind, never an implementation: ours, a user's and a deliberately broken one all meet the
same kinds.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from parity.comparison.gates import LOGIC, UNIT, largest
from parity.kinds import numpy_reference
from parity.kinds.probe import Array, Probe, Rng, Tensors
from parity.kinds.tensors import place
from parity.kinds.torch_when_used import torch

if TYPE_CHECKING:
    from torch import Tensor

    from scratchcnn.layers import Layer

Options = dict[str, Any]
Formula = Callable[[dict[str, "Tensor"], Options], "Tensor"]
Sizes = Callable[[Rng, int, int], tuple[dict[str, Any], dict[str, Any]]]
Role = Literal["layer", "loss", "function", "optimizer"]

# How a layer and an optimizer are called once they are built, for `Kind.call`.
LAYER = "; forward(x) -> out, backward(dout) -> dx"
UPDATE = "; update(params, grads) changes the arrays of params"


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """What every kind has; `Operation` and `OptimizerKind` add how the reference is computed.

    name        "convolution"
    probes      the inputs to try, smallest first, drawn from a generator
    ours        our class or function; `partial(Pooling, mode="max")` where an argument belongs to the kind
    role        how it is used: a layer, a loss, a function of arrays, an optimizer
    call        how an implementation is built and called, in one line; empty for a kind that the book does
                not have, which is never asked of anyone else's code
    aliases     other names of such a class, in lower case and without punctuation
    order       the leading arguments in the book's order, for a class that calls them something else
    optional    arguments that an implementation may lack, with what holds where they are not given
    params      the trained arrays; their gradients are results called d<name>
    buffers     arrays that forward changes; they are results too
    functions   arguments that are functions; a probe gives them as text (`parity.kinds.probe.function`)
    borrows     inputs that a call may change while it runs, and leaves as they were
    out         what the result is called
    switches    whether inference computes something else than training
    may_refuse  features of inputs that right code may refuse with a TypeError or ValueError
    within      the interval in which x lies, of a loss of probabilities; None: anywhere
    zero        results that are exactly 0 on every input
    dtypes      the dtypes in which it is checked
    rtol        how far a right float64 result may be off, of the tensor's largest value
    real        inputs of the sizes that networks have, as `probes`; see `parity.kinds.real_sizes`
    timed       arguments and inputs of a size at which time is spent in the layer, for a generator, a batch
                size and a side of the images; None where it is not timed
    """

    name: str
    probes: Callable[[Rng], Iterator[Probe]]
    ours: Callable[..., Any]
    role: Role = "layer"
    call: str = ""
    aliases: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    optional: Mapping[str, Any] = field(default_factory=dict)
    params: tuple[str, ...] = ()
    buffers: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    borrows: tuple[str, ...] = ()
    out: str = "out"
    switches: bool = False
    may_refuse: frozenset[str] = frozenset()
    within: tuple[float, float] | None = None
    zero: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("float64", "float32")
    rtol: float = LOGIC
    real: Callable[[Rng], Iterator[Probe]] | None = None
    timed: Sizes | None = None

    def reference(self, probe: Probe, dtype: Any = np.float64, device: str = "cpu") -> Tensors:
        """Every result of the kind on this probe, computed by PyTorch in `dtype` on `device`; inside
        `numpy_reference.judged_by("numpy")` by NumPy instead."""
        raise NotImplementedError

    def out_shape(self, probe: Probe) -> tuple[int, ...]:
        """The shape of its result on this probe."""
        return self.reference(probe)[self.out].shape

    def floors(self, probe: Probe, exact: Tensors, dtype: str = "float32") -> dict[str, float]:
        """sqrt(K) * u * (|a| . |b|) per result: what rounding alone may cost in a dtype."""
        raise NotImplementedError

    def inside(self, x: Array) -> Array:
        """x, with what lies beside `within` folded into it."""
        if self.within is None:
            return x
        low, high = self.within
        wide = high - low
        folded = low + np.abs(np.mod(x - low + wide, 2 * wide) - wide)
        return np.where((x < low) | (x > high), folded, x).astype(x.dtype)

    def fits(self, cls: type, instance: Any) -> bool:
        """Whether `cls` is our class of this kind, and the instance has the arguments that belong to it."""
        if isinstance(self.ours, functools.partial):
            fixed = self.ours.keywords
            return self.ours.func is cls and all(getattr(instance, k, v) == v for k, v in fixed.items())
        return self.ours is cls

    def arguments(self, layer: Layer) -> dict[str, Any]:
        """What one of our layers was built with: its arrays as they are now, and its other arguments."""
        arrays = {key: array.copy() for key, array in {**layer.params, **layer.buffers}.items()}
        others = [name for name in (*self.order, *self.optional) if name not in arrays]
        return arrays | {name: getattr(layer, name) for name in others}


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation(Kind):
    """A layer, a loss or a function, defined by PyTorch's own function; autograd has its gradients.

    formula  (tensors, options) -> output; `tensors` holds the arrays of args and inputs
    linear   whether |a| . |b| is the same function on absolute values (for the precision gate's floor)
    sizes    that floor's |a| . |b| where it is neither that nor the result's own largest value
    extra    further results after the call, from the same tensors (batch norm's running statistics)
    """

    formula: Formula
    linear: bool = False
    sizes: Callable[[Probe], dict[str, float]] | None = None
    extra: Callable[[dict[str, Tensor], Options], dict[str, Tensor]] | None = None

    @property
    def wrt(self) -> tuple[str, ...]:
        """The tensors that have a gradient."""
        return () if self.role == "function" else ("x", *self.params)

    def reference(self, probe: Probe, dtype: Any = np.float64, device: str = "cpu") -> Tensors:
        if numpy_reference.judge() == "numpy":
            return numpy_reference.results(self, probe, dtype)
        probe = probe.cast(dtype)
        arrays = {k: v for k, v in {**probe.args, **probe.inputs}.items() if isinstance(v, np.ndarray)}
        tensors = {k: place(np.ascontiguousarray(v), device) for k, v in arrays.items()}
        leaves = [tensors[name].requires_grad_() for name in self.wrt if name in tensors]
        options = {k: v for k, v in probe.args.items() if k not in tensors}
        out = self.formula(tensors, options)
        results = {self.out: to_numpy(out)}
        if leaves:
            # a loss has no dout; the sum has the same gradients, and spares torch's import of sympy
            total = (out * tensors["dout"]).sum() if "dout" in tensors else out.sum()
            grads = torch.autograd.grad(total, leaves)
            present = [name for name in self.wrt if name in tensors]
            results |= {f"d{name}": to_numpy(g) for name, g in zip(present, grads, strict=True)}
        if self.extra is not None:
            results |= {name: to_numpy(value) for name, value in self.extra(tensors, options).items()}
        return results

    def out_shape(self, probe: Probe) -> tuple[int, ...]:
        if numpy_reference.judge() == "numpy":
            return super().out_shape(probe)
        probe = probe.cast(np.float64)
        arrays = {k: v for k, v in {**probe.args, **probe.inputs}.items() if isinstance(v, np.ndarray)}
        tensors = {k: place(np.ascontiguousarray(v), "cpu") for k, v in arrays.items()}
        with torch.no_grad():
            out = self.formula(tensors, {k: v for k, v in probe.args.items() if k not in tensors})
        return tuple(out.shape)

    def floors(self, probe: Probe, exact: Tensors, dtype: str = "float32") -> dict[str, float]:
        sizes = {name: largest(a) for name, a in exact.items()}
        if self.linear:
            sizes = dict(self._of_absolutes(probe))
        if self.sizes is not None:
            sizes |= self.sizes(probe)
        work = sum(a.size for a in {**probe.args, **probe.inputs}.values() if isinstance(a, np.ndarray))
        return {
            name: math.sqrt(max(1, work // max(a.size, 1))) * UNIT[dtype] * sizes[name]
            for name, a in exact.items()
        }

    def _of_absolutes(self, probe: Probe) -> dict[str, float]:
        """|a| . |b| per result: its largest value on absolute values, computed once per probe."""
        key = f"{self.name} of absolute values by {numpy_reference.judge()}"
        if key not in probe.judged:
            positive = probe.cast(np.float64)
            for arrays in (positive.args, positive.inputs):
                arrays.update({k: np.abs(v) for k, v in arrays.items() if isinstance(v, np.ndarray)})
            probe.judged[key] = {name: largest(a) for name, a in self.reference(positive).items()}
        found: dict[str, float] = probe.judged[key]
        return found


def to_numpy(tensor: Tensor) -> Array:
    """A tensor's numbers, from whatever device it is on."""
    return tensor.detach().cpu().contiguous().numpy()


def without_defaults(args: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Only what differs from its default, so that an implementation without an option can be built.

    A pair of equal numbers is the same as the number: stride (1, 1) is stride 1.
    """

    def is_default(name: str, value: Any) -> bool:
        if name not in defaults or isinstance(value, np.ndarray):
            return False
        return bool(value == defaults[name] or value == (defaults[name], defaults[name]))

    return {name: value for name, value in args.items() if not is_default(name, value)}
