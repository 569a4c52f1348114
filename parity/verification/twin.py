"""The twin: the PyTorch module that somebody's network is meant to be, with that network's weights."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from parity.adapters.load import TargetError, load
from parity.adapters.wire import clean
from parity.checks.network_outputs import LOSS, Key, Reference
from parity.checks.zero_gradients import Sum
from parity.comparison.gates import largest
from parity.kinds.kind import to_numpy
from parity.reference.model_pair import OVER_KINKS, nudged
from parity.reference.trace import Trace
from parity.reference.weights import named_tensors
from parity.verification.names_map import Names, fitted, guessed
from scratchcnn.typing import Array

SCORES = ("out", "scores")
A_TWIN = "a network needs a twin: the torch module that it is meant to be (--twin file.py:Class)"
CANCELS = 1e-12  # of the terms' sum: what is left of it in float64 is rounding
TORCH_LAYERS = tuple(f"torch.nn.modules.{family}" for family in ("conv", "linear", "batchnorm"))


class NetworkMisuse(ValueError):
    """The network and the twin cannot be brought together as asked."""


class Twin:
    """The module in float64 and in training mode; `names` say which of its tensors is which of ours."""

    def __init__(self, twin: Any):
        if twin is None:
            raise NetworkMisuse(A_TWIN)
        path = list(sys.path)
        try:
            built = load(twin) if isinstance(twin, str) else twin
            built = copy.deepcopy(built) if isinstance(built, nn.Module) else built()
        except TargetError:
            raise
        except Exception as error:
            raise NetworkMisuse(f"the twin cannot be built: {_words(error)}") from error
        finally:
            sys.path[:] = path  # the modules beside the twin are nobody else's
        if not isinstance(built, nn.Module):
            raise NetworkMisuse(f"the twin must be a torch module, got {type(built).__name__}")
        if any(isinstance(m, nn.Dropout) and m.p > 0 for m in built.modules()):
            raise NetworkMisuse(DROPS)
        self.module = built.double().train().requires_grad_()
        self.names: Names = {}

    # -- bringing both together --------------------------------------------------------------------
    def take(self, params: Mapping[str, Array], names: Names | None) -> None:
        """Copy the network's weights. Raises NetworkMisuse where the names or shapes do not fit."""
        tensors = self._tensors()
        ours = {k: p.shape for k, p in params.items()}
        theirs = {k: tuple(v.shape) for k, v in tensors.items()}
        try:
            self.names = fitted(guessed(ours, theirs) if names is None else names, ours, theirs)
        except ValueError as error:
            raise NetworkMisuse(str(error)) from None
        self.copy(params)

    def copy(self, params: Mapping[str, Array]) -> None:
        """Write the network's weights into the module."""
        tensors = self._tensors()
        with torch.no_grad():
            for name, entry in self.names.items():
                array = params[name].T if entry.transposed else params[name]
                tensors[entry.theirs].copy_(torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64)))

    def _tensors(self) -> dict[str, nn.Parameter]:
        return {k: v for k, v in named_tensors(self.module).items() if isinstance(v, nn.Parameter)}

    def look_at(self, x: Array) -> int:
        """How many labels there are.

        Raises NetworkMisuse for a twin that nothing can be compared with: it does not take these images,
        draws random numbers, or its outputs are no scores.
        """
        shape = tuple(x.shape[1:])
        try:
            state = torch.get_rng_state()
            first = self.outputs(x)
            drew = not torch.equal(state, torch.get_rng_state())  # what is dropped may be 0 already
            others = (self.outputs(x) for _ in range(30 if drew else 1))
            same = all(np.array_equal(first, other, equal_nan=True) for other in others)
        except Exception as error:
            why = f"the twin does not take images of shape {shape}: {_words(error)}"
            raise NetworkMisuse(why) from error
        if first.ndim < 2 or len(first) != len(x) or (first.ndim > 2 and not self.own_loss()):
            raise NetworkMisuse(f"the twin's outputs must be of shape (N, classes), got {first.shape}")
        if not np.isfinite(first).all():
            raise NetworkMisuse(
                "the twin's outputs are not finite for random images and the network's weights"
            )
        if not same:
            raise NetworkMisuse(
                "the twin gives two answers for the same images, so it draws random numbers (F.dropout?), "
                "and both sides would draw their own: build both without"
            )
        classes = first.shape[1]
        sums = first.reshape(len(first), classes, -1).sum(axis=1)
        if not self.own_loss() and classes > 1 and first.min() >= 0 and np.allclose(sums, 1, atol=1e-9):
            raise NetworkMisuse(
                "the twin's outputs are probabilities (they sum to 1 for each image), and cross entropy "
                "takes them for scores: leave out its last softmax, or give it a loss(outputs, t) of its own"
            )
        labels = 2 if classes == 1 and self.own_loss() else classes  # one score decides between two
        try:
            self.run(copy.deepcopy(self.module), x, np.arange(len(x)) % labels)
        except Exception as error:
            raise NetworkMisuse(f"the twin's loss has no gradient: {_words(error)}") from error
        return int(labels)

    def comparable(self, anchors: Mapping[str, str]) -> dict[str, str]:
        """Those anchors (layer of ours -> module) whose module is one of PyTorch's own layers, and not of two
        layers: what a module that somebody wrote takes and gives need not be what our layer does."""
        modules = dict(self.module.named_modules())
        own = {path: name for path, name in anchors.items() if type(modules[name]).__module__ in TORCH_LAYERS}
        return {path: name for path, name in own.items() if list(own.values()).count(name) == 1}

    # -- its runs ----------------------------------------------------------------------------------
    def outputs(self, x: Array, training: bool = True, module: nn.Module | None = None) -> Array:
        """Its outputs, in training or in inference; it is left as it was."""
        used = copy.deepcopy(module or self.module).train(training)
        with torch.no_grad():
            found = used(torch.tensor(x, dtype=next(used.parameters()).dtype))
        if not isinstance(found, torch.Tensor):
            raise TypeError(f"forward must give one tensor, got {type(found).__name__}")
        return to_numpy(found)

    def columns(self, x: Array) -> int:
        """How many numbers im2col makes of one image, over all convolutions."""
        sizes, used = [0], copy.deepcopy(self.module)
        for module in used.modules():
            if isinstance(module, nn.Conv2d):
                window = int(np.prod(module.kernel_size)) * module.in_channels
                module.register_forward_hook(
                    lambda _, args, out, window=window: sizes.append(out[0, 0].numel() * window)
                )
        self.outputs(x, module=used)
        return sum(sizes)

    def infers_otherwise(self, x: Array) -> bool:
        """Whether its outputs in inference differ from those in training (batch normalization)."""
        return not np.array_equal(self.outputs(x), self.outputs(x, training=False))

    def runs(self, dtype: str) -> list[nn.Module]:
        """In float32 the module and copies whose weights are some units in the last place away; else none."""
        if dtype == "float64":
            return []
        return nudged([copy.deepcopy(self.module).float() for _ in (0, *OVER_KINKS)], OVER_KINKS)

    def scores(self, x: Array, training: bool) -> Reference:
        """What `predict` is held against."""
        reference = Reference({SCORES: self.outputs(x, training)}, x.dtype.name)
        for module in self.runs(x.dtype.name):
            reference.add({SCORES: self.outputs(x, training, module)})
        return reference

    def gradients(self, x: Array, t: Array, anchors: Mapping[str, str]) -> tuple[Reference, Trace]:
        """What `loss` and `gradient` are held against, and what passes through the modules at the anchors
        (ours -> theirs) in the float64 run."""
        terms: dict[str, Sum] = {}
        exact = self.run(self.module, x.astype(np.float64), t, anchors, terms)
        reference = Reference(_results(exact), x.dtype.name, _zeros(exact.grads, terms))
        for module in self.runs(x.dtype.name):
            reference.add(_results(self.run(module, x, t)))
        return reference, exact

    def run(
        self,
        module: nn.Module,
        x: Array,
        t: Array,
        anchors: Mapping[str, str] | None = None,
        terms: dict[str, Sum] | None = None,
    ) -> Trace:
        """Forward and backward: the trace under our names, in our layout; the terms of biases' gradients."""
        trace, found, handles = Trace(), dict(module.named_modules()), []
        for path, name in (anchors or {}).items():
            handles.append(found[name].register_forward_pre_hook(_note_input(trace, path)))
            handles.append(found[name].register_forward_hook(_note_output(trace, path)))
        for name, entry in self.names.items() if terms is not None else ():
            owner, _, key = entry.theirs.rpartition(".")
            if key == "bias" and type(found[owner]).__module__ in TORCH_LAYERS:
                handles.append(found[owner].register_forward_hook(_sum_of_terms(terms, name)))
        module.zero_grad(set_to_none=True)
        loss = self.loss(module, x, t)
        torch.autograd.backward(loss)
        for handle in handles:
            handle.remove()
        trace.loss, trace.grads = to_numpy(loss), dict(self._grads(module))
        return trace

    def loss(self, module: nn.Module, x: Array, t: Array) -> torch.Tensor:
        """Its own `loss(outputs, t)` where it has one, else cross entropy."""
        images = torch.tensor(x, dtype=next(module.parameters()).dtype, requires_grad=True)
        outputs = module(images.clone())  # which it may change in place
        loss: torch.Tensor = (self.own_loss(module) or F.cross_entropy)(outputs, torch.from_numpy(t))
        return loss

    def own_loss(self, module: nn.Module | None = None) -> Callable[..., torch.Tensor] | None:
        own: Any = getattr(module or self.module, "loss", None)
        return own if callable(own) else None

    def _grads(self, module: nn.Module) -> Iterator[tuple[str, Array]]:
        """PyTorch has no gradient for what the loss does not reach: it is 0."""
        tensors = named_tensors(module)
        for name, entry in self.names.items():
            tensor = tensors[entry.theirs]
            grad = to_numpy(torch.zeros_like(tensor) if tensor.grad is None else tensor.grad)
            yield name, grad.T if entry.transposed else grad

    def params(self, module: nn.Module) -> dict[str, Array]:
        """The module's parameters under our names, in our layout."""
        tensors = named_tensors(module)
        found = {name: to_numpy(tensors[entry.theirs]) for name, entry in self.names.items()}
        return {name: a.T if self.names[name].transposed else a for name, a in found.items()}

    # -- what if -----------------------------------------------------------------------------------
    def other_losses(self, x: Array, t: Array, right: float) -> Iterator[tuple[str, float]]:
        """What the loss is where one thing is another: what it is, and the loss; `right` is the right one."""
        images = len(x)
        yield f"{images} times PyTorch's, and {images} is the number of images", images * right
        yield f"PyTorch's divided by {images}, and {images} is the number of images", right / images
        yield "minus PyTorch's", -right
        outputs = self.outputs(x)
        if self.own_loss() or outputs.ndim != 2:
            return
        classes = outputs.shape[1]
        y = to_numpy(torch.softmax(torch.from_numpy(outputs), 1))
        yield "PyTorch's for the labels t + 1", _cross_entropy(outputs, (t + 1) % classes)
        yield "PyTorch's for the labels t - 1", _cross_entropy(outputs, (t - 1) % classes)
        yield "PyTorch's of the probabilities, so softmax is taken twice", _cross_entropy(y, t)
        y = y[np.arange(images), t]
        yield "PyTorch's with log(y + 1e-7) for log(y)", -float(np.log(y + 1e-7).mean())

    def with_channels_last(self, params: Mapping[str, Array], x: Array) -> Iterator[tuple[str, Array]]:
        """Per parameter that may follow a flatten: the outputs if its rows were in the order (H, W, C)."""
        channels = {m.out_channels for m in self.module.modules() if isinstance(m, nn.Conv2d)}
        for name, entry in self.names.items():
            owner = dict(self.module.named_modules()).get(entry.theirs.rpartition(".")[0])
            if not isinstance(owner, nn.Linear) or params[name].ndim != 2:
                continue
            size = owner.in_features
            for C in sorted(c for c in channels if 1 < c < size and size % c == 0):
                order = np.arange(size).reshape(size // C, C).T.ravel()  # (C, H, W) of rows in (H, W, C)
                weights = params[name] if entry.transposed else params[name].T  # (in, out)
                turned = weights[order] if entry.transposed else weights[order].T
                self.copy({**params, name: turned})
                try:
                    yield name, self.outputs(x)
                finally:
                    self.copy(params)


def log_softmax(scores: Array) -> Array:
    """The logarithms of the probabilities."""
    return to_numpy(F.log_softmax(torch.from_numpy(np.ascontiguousarray(scores)), 1))


def are_logarithms(scores: Array) -> bool:
    """Whether they are logarithms of probabilities."""
    return bool(np.allclose(np.exp(scores.astype(np.float64)).sum(axis=1), 1, atol=1e-6))


DROPS = "the twin drops at random, and both sides would draw their own masks: build both with ratio 0"


def _cross_entropy(scores: Array, t: Array) -> float:
    return float(F.cross_entropy(torch.from_numpy(scores), torch.from_numpy(t)))


def _results(trace: Trace) -> dict[Key, Array]:
    found: dict[Key, Array] = {LOSS: np.asarray(trace.loss)}
    return found | {("grad", name): grad for name, grad in trace.grads.items()}


def _sum_of_terms(terms: dict[str, Sum] | None, name: str) -> Callable[..., None]:
    """The size of what is summed up in a bias's gradient: dout (N, C, ...)."""

    def note(dout: torch.Tensor) -> None:
        sizes = np.abs(to_numpy(dout))
        channels = sizes.shape[1]
        total = sizes.reshape(len(sizes), channels, -1).sum(axis=(0, 2)).max()
        assert terms is not None
        terms[name] = Sum(float(total), sizes.size // channels)

    def hook(_: nn.Module, x: Any, out: torch.Tensor) -> None:
        _on_gradient(out, note)

    return hook


def _zeros(grads: Mapping[str, Array], terms: Mapping[str, Sum]) -> dict[str, Sum]:
    """The gradients of biases that are nothing but rounding, as before a batch normalization that trains."""
    return {
        name: of for name, of in terms.items() if of.size > 0 and largest(grads[name]) <= CANCELS * of.size
    }


# Hooks of tensors and no backward hooks of modules, which a network with ReLU(inplace=True) does not allow.
def _note_input(trace: Trace, path: str) -> Callable[..., Any]:
    def hook(_: nn.Module, args: tuple[torch.Tensor, ...]) -> Any:
        x = args[0].clone()  # its gradient is this module's part alone
        trace.inputs[path] = _copied(x)
        if x.requires_grad:
            _on_gradient(x, lambda dx: trace.dxs.update({path: _copied(dx)}))
        return (x, *args[1:])

    return hook


def _note_output(trace: Trace, path: str) -> Callable[..., None]:
    def hook(_: nn.Module, args: Any, out: torch.Tensor) -> None:
        trace.outputs[path] = _copied(out)
        _on_gradient(out, lambda dout: trace.douts.update({path: _copied(dout)}))

    return hook


def _on_gradient(tensor: Any, note: Callable[[torch.Tensor], None]) -> None:
    tensor.register_hook(note)


def _copied(tensor: torch.Tensor) -> Array:
    return to_numpy(tensor).copy()


def _words(error: Exception) -> str:
    return clean(f"{type(error).__name__}: {error}", 300)
