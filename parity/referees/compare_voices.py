"""Ask every voice the same question, in the dtypes that it supports, and compare every pair of answers.

A network that computes something else in training than in inference is compared in both modes:
`inference`, which every referee supports, and `training`, with the batch's statistics, auxiliary heads and
the same dropout masks for all. Gradients are compared only in float64: in float32 an input within rounding
of a kink (ReLU's zero, a pooling tie) moves them by more than rounding in correct implementations too (see
parity.checks.network).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
import torch

from parity.checks.gate import gate
from parity.checks.network import Case, batch_size_of, infers_otherwise
from parity.checks.zero_gradients import Cancelled, Sum, cancelled
from parity.comparison.gates import UNIT, Comparison, difference, largest, refused
from parity.referees.base import Answer, NoAnswer, Question, Referee
from parity.referees.ours import Ours
from parity.referees.outcome import NotCompared, Pair, TensorOutcome
from parity.reference import trace as tr
from parity.reference.model_pair import FEW, Images, nudge
from scratchcnn.layers import Dropout
from scratchcnn.networks import CHAPTER, NETWORKS, Network
from scratchcnn.typing import Array

INFERENCE, TRAINING = "inference", "training"
NUDGED = 3  # further float32 runs, with weights one ulp away: they show the spread of correct results


def compare_voices(case: Case, referees: Sequence[Referee]) -> Iterator[TensorOutcome | NotCompared]:
    """Every tensor of one network and dtype, and what was not compared."""
    network = NETWORKS[case.network](rng=case.seed)  # float32: the same start for both dtypes
    batch_size = case.batch_size or batch_size_of(case.network)
    x, t = Images(network, batch_size, case.seed).batch()
    masks = tr.draw_masks(tr.dropout_shapes(network), batch_size, np.random.default_rng([case.seed, 2]))
    wide = network.astype(np.float64)
    for training in (False, True) if training_differs(network) else (False,):
        question = Question(case.network, wide, x.astype(np.float64), t, masks, training)
        yield from VoiceComparison(case, question, network.astype(np.float32), [Ours(), *referees]).all()


def training_differs(network: Network) -> bool:
    """Whether the network computes something else in training than in inference."""
    leaves = [layer for _, layer in network.layers.leaves()]
    return infers_otherwise(network) or any(isinstance(layer, Dropout) for layer in leaves)


class VoiceComparison:
    """One question, and the answers of all voices to it."""

    def __init__(self, case: Case, question: Question, narrow: Network, voices: Sequence[Referee]):
        self.case, self.question, self.narrow = case, question, narrow
        self.mode = TRAINING if question.training else INFERENCE
        self.wide = case.dtype == "float64"
        self.not_compared: list[NotCompared] = []
        self.voices = [voice for voice in voices if self._can_run(voice)]
        self.float32_only = {voice.name: self._lacks_float64(voice) for voice in self.voices}
        self.answers: dict[tuple[str, str], Answer] = {}
        self.errors: dict[tuple[str, str], float] = {}

    def all(self) -> Iterator[TensorOutcome | NotCompared]:
        """First what is not compared, then one outcome per tensor."""
        for voice in list(self.voices):
            try:
                self._ask(voice)
            except NoAnswer as error:
                self.voices.remove(voice)
                self._note(voice, "everything", str(error), fails=True)
        if not self.wide:
            why = "compared in float64 only"
            yield NotCompared(self.case.network, self.mode, "float32", "all", "gradients", why)
        yield from self.not_compared
        zeros = self._zeros()
        for tensor in self._question(self.wide).tensors:
            answering = [v for v in self.voices if v.gradients or tensor in ("scores", "loss")]
            pairs = [self._pair(a, b, tensor, zeros.get(tensor)) for a, b in combinations(answering, 2)]
            if pairs:
                yield TensorOutcome(self.case.network, self.mode, self.case.dtype, tensor, pairs)

    # -- asking ----------------------------------------------------------------------------------
    def _can_run(self, voice: Referee) -> bool:
        if self.question.training and not voice.trains:
            self._note(voice, "everything", "it runs inference only")
            return False
        if self.wide and not voice.gradients:
            self._note(voice, "gradients", "it computes none")
        return True

    def _lacks_float64(self, voice: Referee) -> str:
        """Why the voice answers in float32 only, or an empty string."""
        try:
            why = voice.lacks("float64", self.question)
        except NoAnswer:
            return ""  # asking it will raise that again
        if why and self.wide:
            self._note(voice, "float64", f"{why}; compared in float32")
        return why

    def _note(self, voice: Referee, what: str, why: str, fails: bool = False) -> None:
        place = self.case.network, self.mode, self.case.dtype, voice.name
        self.not_compared.append(NotCompared(*place, what, why, fails))

    def _question(self, wide: bool) -> Question:
        gradients = wide and self.wide
        return self.question.with_network(self.question.network if wide else self.narrow, gradients)

    def _ask(self, voice: Referee) -> None:
        """Its float64 answer if it supports that, and its float32 answer if some comparison needs it."""
        if not self.float32_only[voice.name]:
            self.answers[voice.name, "float64"] = voice.answer(self._question(True))
        if not self.wide or any(self.float32_only.values()):
            self._ask_narrow(voice)

    def _ask_narrow(self, voice: Referee) -> None:
        """Its float32 answer, and how far that and the answers for weights one ulp away are from float64."""
        question = self._question(False)
        exact = self.answers.get((voice.name, "float64"))
        if exact is None:
            self.answers[voice.name, "float32"] = voice.answer(question)
            return
        runs = voice.answers(question, [self.narrow, *self.nudged])
        self.answers[voice.name, "float32"] = runs[0]
        for tensor in question.tensors:
            errors = (_error(run.get(tensor), exact.get(tensor)) for run in runs)
            self.errors[voice.name, tensor] = max(errors, key=_rank)

    @cached_property
    def nudged(self) -> list[Network]:
        few = self.case.network in CHAPTER or self.narrow.num_params < FEW
        return [nudged(self.narrow, seed) for seed in range(NUDGED if few else 1)]

    def _zeros(self) -> Cancelled:
        """The gradients that are 0 apart from rounding: of a bias that batch normalization removes again."""
        if not self.wide or not self.question.training:
            return {}
        trace = tr.trace_ours(self.question.network, self.question.x, self.question.t, self.question.masks)
        self.question.network.layers.forget()
        return cancelled(self.question.network, trace)

    # -- comparing two ---------------------------------------------------------------------------
    def _pair(self, left: Referee, right: Referee, tensor: str, zero: Sum | None) -> Pair:
        if self.float32_only[right.name] and not self.float32_only[left.name]:
            left, right = right, left  # compared with the one that has float64
        wide = self.wide and not self.float32_only[left.name]
        comparison = self._compare(left.name, right.name, tensor, wide, zero)
        return Pair(left.name, right.name, "float64" if wide else "float32", comparison)

    def _compare(self, left: str, right: str, tensor: str, wide: bool, zero: Sum | None) -> Comparison:
        shape = self._shape(tensor)
        needed = [(left, "float64" if wide else "float32"), (right, "float64")]
        needed += [] if wide else [(right, "float32")]
        for name, dtype in needed:
            if why := incomparable(self.answers.get((name, dtype), {}).get(tensor), shape, dtype):
                return refused(np.empty(shape), f"{name}: {why}")
        mine, exact = (self.answers[voice][tensor] for voice in needed[:2])
        if zero is not None:
            gates = (gate(array, exact, "float64", zero=zero) for array in (mine, exact))
            return max(gates, key=lambda comparison: comparison.margin)
        if wide:
            return gate(mine, exact, "float64")
        floor = UNIT["float32"] if tensor == "loss" else 0.0
        theirs = self.answers[right, "float32"][tensor]
        return gate(mine, exact, "float32", [theirs], self.errors[right, tensor], floor)

    def _shape(self, tensor: str) -> tuple[int, ...]:
        network, x = self.question.network, self.question.x
        known = {"scores": (len(x), network.output_size), "loss": (), "x": x.shape}
        return known[tensor] if tensor in known else network.params[tensor].shape


def incomparable(array: object, shape: tuple[int, ...], dtype: str) -> str:
    """Why an answer cannot be compared at all, or an empty string."""
    if not isinstance(array, np.ndarray | np.generic):
        return "missing" if array is None else f"expected an array, got {type(array).__name__}"
    if array.shape != shape:
        return f"shape {array.shape}, expected {shape}"
    if array.dtype != dtype:
        return f"dtype {array.dtype}, expected {dtype}"
    return "" if math.isfinite(largest(np.asarray(array))) else "not finite"


def nudged(network: Network, seed: int) -> Network:
    """A copy whose weights are one unit in the last place away, up or down at random."""
    other = network.astype(network.dtype)
    nudge(map(torch.from_numpy, other.params.values()), seed)  # the tensors share the arrays' memory
    return other


def _error(found: Array | None, exact: Array | None) -> float:
    if found is None or exact is None or found.shape != exact.shape:
        return math.inf
    return difference(found, exact)


def _rank(error: float) -> float:
    """NaN counts as the worst."""
    return math.inf if math.isnan(error) else error
