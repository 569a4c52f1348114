"""A whole network on whole numbers: equal to PyTorch's by `==`, forward and backward, with no tolerance.

Where x, W and dout of a layer are whole and at most 2^k in size, and no sum has more than K terms,
2k + log2 K + 3 <= 53 keeps every partial sum exact in float64, in any order; the 3 bits are for the sums of
up to eight layers' results where branches meet. So two right programs give the same bits.

Numbers grow from layer to layer. Where those that arrive at a layer leave the bound (or are not whole, after
an average), they are compared and then replaced by fresh small whole numbers, the same on both sides: there
a new stage begins. The reference decides where. A layer whose formula is rounded (sigmoid, tanh, local
response normalization, averages of other than a power of two) is skipped: what arrives is compared, what
leaves is fresh. Batch normalization infers, its scales powers of two; dropout infers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from parity.kinds import kind_of_layer
from parity.kinds.kind import to_numpy
from parity.reference.networks import TORCH_NETWORKS
from parity.reference.trace import module_at, torch_gradients
from parity.reference.weights import copy_to_torch
from scratchcnn.layers import (
    AdaptiveAveragePooling,
    BatchNormalization,
    Layer,
    PartialConvolution,
    Pooling,
    SideHead,
    SoftmaxWithLoss,
)
from scratchcnn.networks import NETWORKS, Network
from scratchcnn.typing import Array

MANTISSA = 53
SPARE = 3  # bits, for the sum of up to eight results where branches meet
SMALL = 3  # fresh numbers and weights are whole, from -3 to 3
IMAGES = 2
EXACT = (  # kinds whose sums and choices are exact on whole numbers
    *("convolution", "partial_convolution", "affine", "flatten", "relu", "max_pooling", "min_pooling"),
    *("subsampling", "rbf", "dropout", "batch_norm"),
)
DEFAULT = ("simple_conv_net", "lenet", "lenet5", "alexnet", "vgg16", "googlenet", "resnet50")

# Smaller images and hidden layers, where the published ones take long: ours, and what PyTorch's must know.
_HIDDEN = {"hidden_size": 256}
SIZES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "alexnet": ({"input_dim": (3, 67, 67), **_HIDDEN}, {"input_size": 67, **_HIDDEN}),
    "alexnet_torchvision": ({"input_dim": (3, 64, 64), **_HIDDEN}, _HIDDEN),
    "googlenet": ({"input_dim": (3, 256, 256)}, {}),  # its heads need 14x14 to 16x16
    "googlenet_bn": ({"input_dim": (3, 128, 128)}, {}),
    **{name: ({"input_dim": (3, 64, 64), **_HIDDEN}, _HIDDEN) for name in NETWORKS if name.startswith("vgg")},
    **{name: ({"input_dim": (3, 64, 64)}, {}) for name in NETWORKS if name.startswith("resnet")},
}

Outcome = Literal["match", "mismatch", "undecided"]
Key = tuple[str, str]  # a layer's path; x, out, dout, dx or d<parameter>
Shape = tuple[int, ...]


@dataclass
class Exact:
    """What the comparison by `==` came to.

    outcome  match; mismatch; undecided: something could not be compared
    says     what was compared, or what differs first
    tensors, numbers  how many were compared
    stages   parts that begin with fresh numbers, going forward and going backward
    skipped  how many layers have a rounded formula, by kind
    k, K     the bound: whole numbers up to 2^k, sums of up to K terms
    images   their shape, (N, C, H, W)
    """

    network: str
    images: Shape = ()
    outcome: Outcome = "match"
    says: str = ""
    tensors: int = 0
    numbers: int = 0
    stages: tuple[int, int] = (1, 1)
    skipped: dict[str, int] = field(default_factory=dict)
    k: int = 0
    K: int = 0

    @property
    def bound(self) -> str:
        return f"whole numbers up to 2^{self.k}, sums of up to {self.K:,} terms"


class _OutOfBound(Exception):
    """The reference's own numbers cannot be promised to be exact."""


class _Different(Exception):
    """The message is the first tensor and element."""


def build(name: str, seed: int) -> tuple[Network, nn.Module]:
    """Both networks in float64, of the size in SIZES, with the same whole numbers as weights."""
    sizes, theirs = SIZES.get(name, ({}, {}))
    network = NETWORKS[name](rng=seed, dtype=np.float64, **sizes)
    make_whole(network, np.random.default_rng([seed, 53]))
    module = TORCH_NETWORKS[name](**theirs).to(torch.float64)
    module.our_paths = {path: network.torch_path(path) for path, _ in network.layers.leaves()}  # type: ignore[assignment]
    copy_to_torch(network, module)
    return network, module


def make_whole(network: Network, rng: np.random.Generator) -> None:
    """Draw whole weights, and running variances that make the scales of batch normalization powers of 2."""
    for _, layer in network.layers.leaves():
        for array in {**layer.params, **layer.buffers}.values():
            array[...] = _fresh(array.shape, rng)
        if isinstance(layer, PartialConvolution):
            layer.W *= layer.connections[:, :, None, None]
        if isinstance(layer, BatchNormalization):
            layer.running_var[...] = 0.25 ** rng.integers(0, 3, layer.running_var.shape) - layer.eps
            layer.gamma[...] = rng.choice([-2, -1, 1, 2], layer.gamma.shape)


def check_exact(name: str, seed: int = 0, pair: tuple[Network, nn.Module] | None = None) -> Exact:
    """Compare x and out, dout and dx of every layer, and every gradient, in the order of the run.

    `pair`, if given, is compared instead of what `build` gives.
    """
    network, module = build(name, seed) if pair is None else pair
    _infer(network, module)
    rng = np.random.default_rng([seed, 54])
    x, plan = _fresh((IMAGES, *network.input_dim), rng), _Plan(network, rng)
    found = Exact(name, x.shape)
    try:
        _run_torch(module, network, x, plan)
    except _OutOfBound as error:
        return replace(found, outcome="undecided", says=str(error), k=plan.k, K=plan.K)
    found = replace(found, stages=plan.stages, skipped=dict(plan.skipped), k=plan.k, K=plan.K)
    met: set[Key] = set()

    def compare(path: str, tensor: str, ours: Any) -> None:
        theirs = plan.found[path, tensor]
        if isinstance(ours, np.ndarray) and ours.ndim == 4 and theirs.ndim == 2:
            theirs = theirs.reshape(len(theirs), *ours.shape[1:])  # the book's Affine takes images
        if why := _difference(f"{path}.{tensor}", ours, theirs):
            raise _Different(why)
        met.add((path, tensor))
        found.tensors, found.numbers = found.tensors + 1, found.numbers + theirs.size

    try:
        _run_ours(network, x, plan, compare)
    except _Different as error:
        return replace(found, outcome="mismatch", says=str(error))
    except Exception as error:
        return replace(found, outcome="mismatch", says=f"ours raised {type(error).__name__}: {error}")
    if left := [key for key in plan.found if key not in met]:
        return replace(found, outcome="undecided", says=f"ours did not compute {'.'.join(left[0])}")
    if zeros := [key for key, array in plan.found.items() if not array.any()]:
        says = f"{'.'.join(zeros[0])} is 0 everywhere, which shows nothing"
        return replace(found, outcome="undecided", says=says)
    return replace(found, says=f"{found.tensors:,} tensors of {found.numbers:,} numbers are equal (==)")


def _infer(network: Network, module: nn.Module) -> None:
    """Inference on both sides, but with the heads that only training runs."""
    network.eval()
    module.eval()
    if heads := _heads(network):
        module.training = True  # of the whole; its layers infer
        for head in heads:
            head.training = True


def _heads(network: Network) -> list[SideHead]:
    return [layer for layer in network.layers.values() if isinstance(layer, SideHead)]


def _difference(name: str, ours: Any, theirs: Array) -> str:
    """The first element that differs; "" where all are equal."""
    if not isinstance(ours, np.ndarray) or ours.shape != theirs.shape:
        shape = ours.shape if isinstance(ours, np.ndarray) else type(ours).__name__
        return f"{name} is {shape}, PyTorch's {theirs.shape}"
    different = ours != theirs  # NaN differs from everything
    if not different.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(different)[0])
    place, share = ", ".join(map(str, at)), f"{different.sum():,} of {different.size:,} numbers differ"
    return f"{name}[{place}] is {ours[at]:.17g}, PyTorch's {theirs[at]:.17g}; {share}"


# -- the bound, and where a stage begins ----------------------------------------------------------
class _Plan:
    """What the reference computes, and which arrays are replaced by fresh ones on both sides.

    found    by layer path and tensor (x, out, dout, dx, d<parameter>): what is to be compared, as it arrived
    fresh    what it is replaced by
    skipped  layers with a rounded formula, by kind
    douts    of the scores, and of each head's, small and whole: what the losses would send back is rounded
    """

    def __init__(self, network: Network, rng: np.random.Generator):
        self.layers, self.rng = dict(network.layers.leaves()), rng
        self.douts = [_fresh((IMAGES, network.output_size), rng) for _ in range(1 + len(_heads(network)))]
        self.found: dict[Key, Array] = {}
        self.fresh: dict[Key, Array] = {}
        self.skips: set[str] = set()
        self.k = self.K = 0

    @property
    def skipped(self) -> Counter[str]:
        return Counter(kind_of_layer(self.layers[path]).name for path in sorted(self.skips))

    @property
    def stages(self) -> tuple[int, int]:
        forward = sum(tensor in ("x", "out") for _, tensor in self.fresh)
        return 1 + forward, 1 + len(self.fresh) - forward

    def bind(self, shapes: dict[str, tuple[Shape, Shape]]) -> None:
        """Fix k and K from the shapes of each layer's x and out; raises _OutOfBound for other weights."""
        for path, (x, _) in shapes.items():
            if not _is_exact(self.layers[path], x):
                self.skips.add(path)
        self.K = max(_terms(self.layers[path], *shape) for path, shape in shapes.items())
        self.k = (MANTISSA - SPARE - math.ceil(math.log2(self.K))) // 2
        for path, layer in self.layers.items():
            for key, array in layer.params.items():
                if not _is_whole(array) or np.abs(array).max() > 2**self.k:
                    raise _OutOfBound(f"{path}.{key} has weights that are not whole, or above 2^{self.k}")

    def meet(self, path: str, tensor: str, array: Array) -> Array:
        """The reference's array as it arrives: note it, and give what the run goes on with."""
        arrives = tensor in ("x", "dout")
        if arrives or path not in self.skips:
            self.found[path, tensor] = array
            most = np.abs(array).max(initial=0)
            if arrives and _is_whole(array) and most <= 2**self.k:
                return array
            if not arrives and _is_whole(array):
                if most > 2 ** (MANTISSA - SPARE):
                    raise _OutOfBound(f"{path}.{tensor} leaves the bound with {most:.17g}")
                return array
        fresh = self.fresh[path, tensor] = _fresh(array.shape, self.rng)
        return fresh


def _fresh(shape: Shape, rng: np.random.Generator) -> Array:
    return rng.integers(-SMALL, SMALL + 1, shape).astype(np.float64)


def _is_whole(array: Array) -> bool:
    return bool((array == np.rint(array)).all())


def _terms(layer: Layer, x: Shape, out: Shape) -> int:
    """K, the most terms of a sum of this layer, forward or backward, each at most 2^2k in size."""
    W = layer.params.get("W", layer.buffers.get("W"))
    places: int = IMAGES * math.prod(out[2:])
    if W is None:  # windows; and the scales of batch normalization and subsampling, up to 8
        return max(8 * places if layer.params else 1, math.prod(x[2:]))
    size: int = max(W.size // W.shape[0], W.size // W.shape[1])
    squares = 4 if kind_of_layer(layer).name == "rbf" else 1  # (x - W)^2 <= 2^(2k + 2)
    return max(places, squares * (1 + size))


def _is_exact(layer: Layer, x: Shape) -> bool:
    """Whether the layer's arithmetic is exact on whole numbers of this shape."""
    kind = kind_of_layer(layer).name
    if kind == "global_average_pooling":
        return _is_power_of_2(math.prod(x[2:]))
    if isinstance(layer, AdaptiveAveragePooling):
        return all(
            _is_power_of_2(-(-(i + 1) * n // out) - i * n // out)
            for n, out in zip(x[2:], (layer.out_h, layer.out_w), strict=True)
            for i in range(out)
        )
    if kind == "average_pooling":
        assert isinstance(layer, Pooling)
        same = (layer.pad == (0, 0) or layer.count_include_pad) and layer.divisor_override is None
        return same and not layer.ceil_mode and _is_power_of_2(layer.pool_h * layer.pool_w)
    return kind in EXACT


def _is_power_of_2(n: int) -> bool:
    return n & (n - 1) == 0


# -- PyTorch's side -------------------------------------------------------------------------------
class _Gate(torch.autograd.Function):
    """What enters or leaves a layer goes through `plan.meet`, in both directions."""

    @staticmethod
    def forward(ctx: Any, a: torch.Tensor, plan: _Plan, path: str, enters: bool) -> torch.Tensor:
        ctx.plan, ctx.path, ctx.back = plan, path, "dx" if enters else "dout"
        return torch.from_numpy(plan.meet(path, "x" if enters else "out", to_numpy(a).copy()).copy())

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        dout = ctx.plan.meet(ctx.path, ctx.back, to_numpy(grads[0]).copy())
        return torch.from_numpy(dout.copy()), None, None, None


def _run_torch(module: nn.Module, network: Network, x: Array, plan: _Plan) -> None:
    plan.bind(_shapes(module, network))
    handles = []
    for path in plan.layers:
        handles += _gated(module_at(module, path), path, plan)
    try:
        module.zero_grad(set_to_none=True)
        scores = module(torch.from_numpy(x).requires_grad_())
        scores = scores if isinstance(scores, tuple) else (scores,)
        douts = [torch.from_numpy(a) for a in plan.douts]
        torch.autograd.backward(scores, douts)
    finally:
        for handle in handles:
            handle.remove()
    for name, array in torch_gradients(module, network).items():
        path, _, key = network._paths[name].rpartition(".")
        plan.found[path, f"d{key}"] = array.copy()
    module.zero_grad(set_to_none=True)


def _gated(target: nn.Module, path: str, plan: _Plan) -> list[Any]:
    through: Callable[..., torch.Tensor] = _Gate.apply

    def enter(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (through(inputs[0], plan, path, True),)

    def leave(_: nn.Module, inputs: Any, out: torch.Tensor) -> Any:
        return through(out, plan, path, False)

    return [target.register_forward_pre_hook(enter), target.register_forward_hook(leave)]


def _shapes(module: nn.Module, network: Network) -> dict[str, tuple[Shape, Shape]]:
    """Each layer's x and out, from one image."""
    shapes: dict[str, tuple[Shape, Shape]] = {}

    def noted(path: str) -> Callable[..., None]:
        def note(_: nn.Module, inputs: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
            shapes[path] = tuple(inputs[0].shape), tuple(out.shape)

        return note

    paths = [path for path, _ in network.layers.leaves()]
    handles = [module_at(module, path).register_forward_hook(noted(path)) for path in paths]
    try:
        with torch.no_grad():
            module(torch.zeros(1, *network.input_dim, dtype=torch.float64))
    finally:
        for handle in handles:
            handle.remove()
    return shapes


# -- our side -------------------------------------------------------------------------------------
def _run_ours(network: Network, x: Array, plan: _Plan, compare: Callable[[str, str, Any], None]) -> None:
    dout, *of_heads = plan.douts
    with ExitStack() as stack:
        for path, layer in network.layers.leaves():
            stack.enter_context(_compared(layer, path, plan, compare))
        for head, cotangent in zip(_heads(network), of_heads, strict=True):
            stack.enter_context(_sent_back(head, cotangent))
        network.layers.forward(x)
        network.layers.backward(dout)


@contextmanager
def _compared(
    layer: Layer, path: str, plan: _Plan, compare: Callable[[str, str, Any], None]
) -> Iterator[None]:
    """What enters and leaves the layer is compared, and replaced where the plan says so, in the `with`."""
    before: dict[str, Any] = {n: vars(layer)[n] for n in ("forward", "backward") if n in vars(layer)}

    def met(tensor: str, array: Any) -> Any:
        compare(path, tensor, array)
        fresh = plan.fresh.get((path, tensor))
        return array if fresh is None else fresh.reshape(array.shape).copy()

    def through(call: Callable[[Array], Array], enters: str, leaves: str) -> Callable[[Array], Array]:
        def run(a: Array) -> Array:
            a = met(enters, a)
            if path in plan.skips:
                return plan.fresh[path, leaves].copy()
            result: Array = met(leaves, call(a))
            for key in layer.params if leaves == "dx" else ():
                compare(path, f"d{key}", layer.grads.get(key))
            return result

        return run

    changed = {
        "forward": through(layer.forward, "x", "out"),
        "backward": through(layer.backward, "dout", "dx"),
    }
    vars(layer).update(changed)
    try:
        yield
    finally:
        del layer.forward, layer.backward
        vars(layer).update(before)
        layer.forget()


@contextmanager
def _sent_back(head: SideHead, dout: Array) -> Iterator[None]:
    """The head's loss sends back `dout` in the `with`."""
    criterion = head.criterion
    head.criterion = _Sends(dout)
    try:
        yield
    finally:
        head.criterion = criterion


class _Sends(SoftmaxWithLoss):
    def __init__(self, dout: Array):
        super().__init__()
        self.dout = dout

    def backward(self, dout: Any = 1) -> Array:
        return self.dout.copy()
