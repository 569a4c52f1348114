"""The network as a user calls it: what is checked here is what runs.

The other checks look inside a network by replacing its layers' methods, and such a network runs each layer on
the whole batch. Nothing is replaced here. At a batch that is large enough, `gradient` and `predict` split it
over the threads, as they do for everybody:

    textbook              scores, loss, dx and gradients from the code that one reads in the layers' classes
    predict as called     the scores of a batch in more parts than there are threads
    gradient as called    the loss, dx and every gradient of a batch of uneven parts, of two calls in a row;
                          the first call's gradients are compared after the second
    backward by hand      the same from the book's loop over `layers` after `loss`, which is never split,
                          with a prediction in between

The tensor `parts` shows how the batch was split, `code` whether the layers' fast implementations ran. Where
the batch was not split, or other code ran, nothing of the phase counts as compared, and that record fails.
Where NumPy's BLAS has one thread, two are used.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from parity.checks.network_outputs import LOSS, Key, Reference
from parity.checks.zero_gradients import cancelled
from parity.comparison.gates import Comparison, held
from parity.comparison.records import BY_HAND, GRADIENT, PREDICT, TEXTBOOK, Place, Record, record
from parity.kinds.kind import to_numpy
from parity.kinds.tensors import place as place_on
from parity.reference.trace import Masks, Trace, injected, trace_torch
from scratchcnn import fast
from scratchcnn.fast import batch_split, threads
from scratchcnn.fast.dispatch import IMPLEMENTATIONS, FastMemory
from scratchcnn.layers import BatchNormalization, Container
from scratchcnn.networks import Network
from scratchcnn.typing import Array

THREADS = 2  # at least

Results = dict[Key, Any]
SCORES, DX, CODE = ("out", "scores"), ("dx", "x"), ("code", "layers")
SECOND = "second call"


@dataclass(frozen=True)
class Call:
    """One call of a network, and what PyTorch's gives.

    phase   what to call it in the records
    run     makes the call, as often as it wants: gives the results by the case of their records
    split   of how many images the batch is that is to be split; 0 where it need not be
    shown   whether it has to be shown what ran: that the batch was split, and which code it was
    """

    phase: str
    run: Callable[[Network], dict[str, Results]]
    reference: Reference
    split: int = 0
    shown: bool = True


def check_as_called(place: Place, network: Network, calls: Iterable[Call]) -> Iterator[Record]:
    """A record per tensor of every call, and those that show what ran."""
    for call in calls:
        parts = Parts()
        try:
            with at_least_two_threads(), parts.noted():
                found = call.run(network)
        except Exception as error:
            why = held((), f"raised {type(error).__name__}: {error}")
            yield record(place, "network", call.phase, "the call", why)
            continue
        if call.split and call.shown:
            backward = LOSS in call.reference.exact
            yield record(place, "batch", call.phase, "parts", parts.comparison(call.split, backward))
        for case, results in found.items():
            if CODE in results and call.shown:
                yield record(place, "layers", call.phase, "code", results[CODE], case)
            yield from call.reference.compare(place, results, call.phase, case)


# -- the calls --------------------------------------------------------------------------------------
def predicted(network: Network, x: Array) -> dict[str, Results]:
    return {"": {SCORES: network.predict(x)}}


def differentiated(network: Network, x: Array, t: Array, masks: Masks) -> dict[str, Results]:
    """Two calls, as in two steps of a training whose rate is 0."""
    with injected(network, masks):
        return {case: _gradient(network, x, t) for case in ("", SECOND)}


def _gradient(network: Network, x: Array, t: Array) -> Results:
    grads = network.gradient(x, t)
    found: Results = {LOSS: np.asarray(network.last_loss), DX: network.dx}
    return found | {("grad", name): grad for name, grad in grads.items()}


def by_hand(network: Network, x: Array, t: Array, masks: Masks) -> dict[str, Results]:
    """The book's loop, as one writes it after `loss`; the accuracy of a few images is printed in between."""
    with injected(network, masks):
        loss = network.loss(x, t)
        network.predict(x[:1])
        code = which_code(network, is_fast=True)
        dout = network.last_layer.backward(1)
        for layer in reversed(list(network.layers.values())):
            dout = layer.backward(dout)
    found: Results = {CODE: code, LOSS: np.asarray(loss), DX: dout}
    return {"": found | {("grad", name): layer.grads[key] for name, (layer, key) in network._owners.items()}}


def textbook_scores(network: Network, x: Array) -> dict[str, Results]:
    with fast.textbook():
        return predicted(network, x)


def textbook_gradient(network: Network, x: Array, t: Array, masks: Masks) -> dict[str, Results]:
    with fast.textbook(), injected(network, masks):
        return {"": _gradient(network, x, t) | {CODE: which_code(network, is_fast=False)}}


def which_code(network: Network, is_fast: bool) -> Comparison:
    """Whether the last forward was that of the fast implementations, or of the classes: by what it left in
    the layers for their backward."""
    layers = [layer for _, layer in network.layers.leaves() if type(layer).__name__ in IMPLEMENTATIONS]
    ran = [layer for layer in layers if layer._memory is not None]
    other = [layer.label for layer in ran if isinstance(layer._memory, FastMemory) != is_fast]
    if is_fast:  # a layer leaves what is rare to its class
        other = other if len(other) == len(ran) else []
    if not ran or other:
        code = "the fast implementations" if is_fast else "the textbook's code"
        why = f"not compared: {', '.join(other) or 'the layers'} did not run {code}"
        return held((len(ran),), why)
    return held((len(ran),))


@dataclass
class Sides:
    """Where PyTorch's results come from: its float64 network, and in float32 its own runs in that dtype.

    network   ours under test
    exact     PyTorch's, of the same weights
    runs      PyTorch's networks in float32, the plain one first; none in float64
    """

    network: Network
    exact: nn.Module
    runs: Sequence[nn.Module] = ()

    def scores(self, x: Array) -> Reference:
        reference = Reference({SCORES: self._scores(self.exact, x)}, self.network.dtype.name)
        for module in self.runs:
            reference.add({SCORES: self._scores(module, x)})
        return reference

    def _scores(self, module: nn.Module, x: Array) -> Array:
        weights = next(module.parameters())
        try:
            with torch.no_grad():
                out = module.eval()(place_on(x, weights.device, weights.dtype))
        finally:
            module.train()
        return np.asarray(self.network.scores(to_numpy(out)))

    def gradients(self, x: Array, t: Array, masks: Masks, exact: Trace | None = None) -> Reference:
        """`exact` is the trace of PyTorch's float64 run, where there is one of this batch already."""
        if exact is None:
            exact = trace_torch(self.exact, self.network, x.astype(np.float64), t, masks)
        zeros = cancelled(self.network, exact)
        reference = Reference(self._results(exact), self.network.dtype.name, zeros)
        for module in self.runs:
            reference.add(self._results(trace_torch(module, self.network, x, t, masks)))
            module.zero_grad()
        return reference

    def _results(self, trace: Trace) -> Results:
        """PyTorch has no gradient for a parameter that the loss does not reach: it is 0."""
        found: Results = {LOSS: np.asarray(trace.loss), DX: trace.dx}
        for name, array in self.network.params.items():
            grad = trace.grads.get(name)
            found["grad", name] = np.zeros_like(array, trace.loss.dtype) if grad is None else grad
        return found


@dataclass
class Batches:
    """The inputs of the calls: a batch to be split, one of many parts to predict, a smaller one for the
    textbook; `exact` is PyTorch's float64 trace of the first, where there is one."""

    x: Array
    t: Array
    masks: Masks
    many: Array
    few: int
    exact: Trace | None = field(default=None, repr=False)


def calls(sides: Sides, batches: Batches, shown: bool = True, textbook: bool = True) -> Iterator[Call]:
    """One after another, so that no more than one call's references live. `shown` as in `Call`; without
    `textbook` neither side runs the calls of the textbook's code.

    What predicts comes before what trains on a batch that PyTorch may not see again: running statistics of
    both sides move in step.
    """
    x, t, masks, many, few = batches.x, batches.t, batches.masks, batches.many, batches.few
    small, labels, dropped = x[:few], t[:few], {path: mask[:few] for path, mask in masks.items()}
    if textbook:
        yield Call(TEXTBOOK, lambda n: textbook_scores(n, small), sides.scores(small), shown=shown)
    if textbook and (
        len(small) > 1 or not sides.runs
    ):  # in float32 the gradient of a single image hangs on single kinks
        reference = sides.gradients(small, labels, dropped)
        yield Call(TEXTBOOK, lambda n: textbook_gradient(n, small, labels, dropped), reference, shown=shown)
        del reference
    split = not starts_with_the_whole_batch(sides.network)
    yield Call(PREDICT, lambda n: predicted(n, many), sides.scores(many), split * len(many), shown)
    reference = sides.gradients(x, t, masks, batches.exact)
    batches.exact = None
    yield Call(GRADIENT, lambda n: differentiated(n, x, t, masks), reference, split * len(x), shown)
    yield Call(BY_HAND, lambda n: by_hand(n, x, t, masks), reference, shown=shown)


def starts_with_the_whole_batch(network: Network) -> bool:
    """Whether batch normalization is part of the first entry of `layers`: nothing comes before it that could
    be split (GoogLeNet with batch normalization, whose entries are blocks)."""
    first = next(iter(network.layers.values()))
    leaves = first.leaves() if isinstance(first, Container) else [("", first)]
    return any(isinstance(layer, BatchNormalization) for _, layer in leaves)


# -- threads ----------------------------------------------------------------------------------------
@contextmanager
def at_least_two_threads() -> Iterator[None]:
    """The library uses two threads inside the `with`, where it would use one."""
    if threads.count() >= THREADS:
        yield
        return
    library = threads.blas() or threads.Blas(lambda: 1, lambda _: None)
    size = library.get()
    library.set(THREADS)
    pretended = threads.Blas(lambda: THREADS, lambda _: None)  # for a BLAS that has no two threads to give
    with nullcontext() if library.get() >= THREADS else patch.object(threads, "blas", lambda: pretended):
        try:
            yield
        finally:
            library.set(size)


class Parts:
    """How a batch was split: the images of each part, and on which threads the parts ran."""

    def __init__(self) -> None:
        self.forward: list[int] = []
        self.backward: list[int] = []
        self.threads: set[int] = set()

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Inside the `with`, what the library runs part by part is counted; nothing else is different."""
        forward, backward = batch_split.run_forward, batch_split.run_backward

        def counted_forward(layers: Any, x: Array) -> Any:
            self._note(self.forward, x)
            return forward(layers, x)

        def counted_backward(layers: Any, dout: Array) -> Any:
            self._note(self.backward, dout)
            return backward(layers, dout)

        with (
            patch.object(batch_split, "run_forward", counted_forward),
            patch.object(batch_split, "run_backward", counted_backward),
        ):
            yield

    def _note(self, sizes: list[int], array: Array) -> None:
        sizes.append(len(array))
        self.threads.add(threading.get_ident())

    def comparison(self, images: int, backward: bool) -> Comparison:
        """Right where each call's images were all in parts, and there were several on several threads."""
        for way, seen in (("forward", self.forward), ("backward", self.backward))[: 1 + backward]:
            sizes = [size for size in seen if size < images]  # the others are of layers on the whole batch
            calls, left = divmod(sum(sizes), images)
            if len(sizes) < 2 * max(1, calls) or len(self.threads) < 2:
                why = f"not compared: the batch of {images} images was not split over threads going {way}"
                return held((len(sizes),), why)
            if left:
                why = f"the parts going {way} hold {sum(sizes)} images, which is no multiple of {images}"
                return held((len(sizes),), why)
        return held((len(sizes) // calls,))
