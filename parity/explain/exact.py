"""Proof instead of tolerance: whole numbers, on which every sum of products is exact in any order.

With |x|, |W| <= 2^k and K terms, 2k + log2 K < 53, float64 holds every partial sum of every order exactly.
So all correct orders give the same bits, and the comparison is `==`.

Two polynomials of degree d that differ agree at a random point with probability at most d/|S|, each
coordinate drawn from |S| values (Schwartz and Zippel). Three draws per geometry make that (d/|S|)^3. The
bound is for code that neither branches on its data nor divides by it: such code computes a polynomial.
Divisions by the size of a window are exact as well, since the inputs are drawn as multiples of it.

What excuses a difference is rounding, and rounding is not additive: where the error of a sum of two inputs
is the sum of their errors, and larger than sums of this length can be rounded, the formula is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.subject import Subject
from parity.comparison.gates import UNIT, largest, refused
from parity.comparison.records import Place, Record, record
from parity.kinds import Probe, Tensors, kind_of
from scratchcnn.typing import Array

DRAWS = 3  # per geometry
PAIRS = 8  # sums of two inputs, where a difference must be judged
DEGREE = 2  # of out, dx and dW in x, W, b and dout together
MANTISSA = 53
MOST = 1e-10  # of the sum of the terms' sizes: no transform of float64 is that far off
LEAST = 64  # roundings of the sum of the terms' sizes: an error that is smaller accuses nobody
PHASE = "whole numbers"
SUMS = (
    "convolution",
    "partial_convolution",
    "affine",
    "average_pooling",
    "adaptive_average_pooling",
    "global_average_pooling",
    "subsampling",
    "rbf",
    "dropout",
)
COPIES = ("im2col", "col2im", "flatten")  # no product and no choice: nothing excuses a difference
CHOICES = ("max_pooling", "min_pooling", "relu")  # they branch on their data
KINDS = (*SUMS, *COPIES, *CHOICES)
EXCUSE = "its arithmetic is not exact on whole numbers (Winograd, FFT, reciprocals)"

Outcome = Literal["exact", "rounded", "wrong", "no"]


@dataclass(frozen=True)
class Certificate:
    """What the comparison by `==` came to.

    outcome  exact; rounded: not the same bits, by no more than rounding explains; wrong: by more; no: it
             does not apply
    says     the line of the report
    probes, tensors  what was compared
    passes   probability with which a wrong polynomial passes; NaN where nothing is said about it
    """

    outcome: Outcome
    says: str
    probes: int = 0
    tensors: tuple[str, ...] = ()
    passes: float = math.nan


def no_certificate(kind: str) -> Certificate:
    """For a kind whose arithmetic is rounded whatever the inputs."""
    return Certificate("no", f"does not apply to {kind}, whose formula is rounded: the tolerance stands")


# -- inputs ---------------------------------------------------------------------------------------
def bits(probe: Probe) -> tuple[int, int]:
    """(k, L): numbers up to 2^k in size, times L, the common multiple of what the kind divides by.

    K, the number of terms of a sum, is at most one more than the largest array has numbers.
    """
    terms, common = 1 + max(a.size for a in _arrays(probe)), _divisors(probe)
    spare = MANTISSA - 1 - math.ceil(math.log2(terms)) - math.ceil(math.log2(common))
    return min(20, spare // 2), common


def _divisors(probe: Probe) -> int:
    """The least common multiple of the sizes of windows that the kind may divide by."""
    args, x = probe.args, probe.inputs.get("x")
    if probe.kind == "average_pooling":
        return math.lcm(*range(1, args["pool_h"] + 1)) * math.lcm(*range(1, args["pool_w"] + 1))
    if x is None or probe.kind not in ("adaptive_average_pooling", "global_average_pooling"):
        return 1
    sizes = [args.get("out_h", 1), args.get("out_w", 1)]
    most = [min(n, -(-n // out) + 1) for n, out in zip(x.shape[2:], sizes, strict=True)]
    return math.lcm(*range(1, most[0] + 1)) * math.lcm(*range(1, most[1] + 1))


def whole(probe: Probe, rng: np.random.Generator) -> Probe:
    """The probe with whole numbers up to 2^k in every array of floats, in its inputs multiples of L."""
    k, common = bits(probe)

    def drawn(values: dict[str, Any], factor: int) -> dict[str, Any]:
        def draw(a: Array) -> Array:
            return factor * rng.integers(-(2**k), 2**k + 1, a.shape).astype(np.float64)

        floats = {n: a for n, a in values.items() if isinstance(a, np.ndarray) and a.dtype.kind == "f"}
        return values | {name: draw(a) for name, a in floats.items()}

    return replace(probe, args=drawn(probe.args, 1), inputs=drawn(probe.inputs, common))


def suits(probe: Probe) -> bool:
    """Whether the kind's arithmetic is exact on whole numbers of this geometry."""
    if probe.kind == "dropout" and "mask" in probe.inputs:
        return bool(probe.args["dropout_ratio"] == 0.5)
    return probe.kind in KINDS and bits(probe)[0] >= 8


def geometries(cases: Iterable[Probe]) -> list[Probe]:
    """One probe of each geometry among them: those that differ in their numbers alone are the same."""
    found: dict[Any, Probe] = {}
    for probe in cases:
        if suits(probe):
            found.setdefault(_geometry(probe), probe)
    return list(found.values())


def _geometry(probe: Probe) -> Any:
    values = {**probe.args, **probe.inputs}
    return tuple((n, a.shape if isinstance(a, np.ndarray) else repr(a)) for n, a in sorted(values.items()))


def _arrays(probe: Probe) -> list[Array]:
    arrays = [a for a in {**probe.args, **probe.inputs}.values() if isinstance(a, np.ndarray)]
    shape = probe.args.get("input_shape")  # col2im's result
    return [*arrays, np.empty(shape)] if shape is not None else arrays


# -- the comparison -------------------------------------------------------------------------------
def certify(
    subject: Subject, kind: str, cases: Sequence[Probe], seed: int = 0, unseen: Iterable[str] = ()
) -> tuple[Certificate, list[Record]]:
    """Compare by `==` on whole numbers: the certificate, and a failing record per wrong tensor.

    For code that passes the gates on `cases`. `unseen` are results that cannot be had. Raises what asking
    the code does.
    """
    if kind not in KINDS:
        return no_certificate(kind), []
    rng, probes, worst, passes = np.random.default_rng([seed, 53]), 0, 0.0, 0.0
    tensors: dict[str, None] = {}
    wrong: dict[str, Record] = {}
    for case in geometries(cases):
        k, _ = bits(case)
        for _ in range(DRAWS):
            probe = whole(case, rng)
            found, exact = _results(subject, probe), kind_of(kind).reference(probe)
            compared = [n for n, a in exact.items() if n not in unseen and _comparable(found.get(n), a)]
            probes, passes = probes + bool(compared), max(passes, (DEGREE / (2 ** (k + 1) + 1)) ** DRAWS)
            tensors |= dict.fromkeys(compared)
            for name in compared:
                if name in wrong or np.array_equal(found[name], exact[name]):
                    continue
                off = _off(found[name], exact[name], _sizes(probe)[name])
                worst = max(worst, off)
                excused = kind in SUMS and (
                    off < 32 * UNIT["float64"] or (off < MOST and not _is_additive(subject, case, name, rng))
                )
                if not excused:
                    wrong[name] = _record(kind, case, name, found[name], exact[name])
    return _certificate(kind, tuple(tensors), probes, passes, worst, wrong), list(wrong.values())


def _certificate(
    kind: str, tensors: tuple[str, ...], probes: int, passes: float, worst: float, wrong: dict[str, Record]
) -> Certificate:
    if not probes:
        return Certificate("no", "no geometry that it takes has exact sums on whole numbers")
    listed = ", ".join(tensors)
    if wrong:
        names = ", ".join(wrong)
        return Certificate(
            "wrong", f"{names} differ from PyTorch's on whole numbers, and not by rounding", probes, tensors
        )
    if worst:
        size = f"{worst:.1g} of the sum of its terms' sizes"
        says = f"equal to rounding, not bit for bit (within {size}): {EXCUSE}; the tolerance stands"
        return Certificate("rounded", says, probes, tensors)
    says = f"{listed} equal PyTorch's on {probes} whole-number probes, bit for bit"
    if kind in CHOICES:
        return Certificate("exact", f"{says} (no probability: {kind} branches on its data)", probes, tensors)
    says += f"; a wrong formula of degree {DEGREE} passes with probability below {_power(passes)}"
    return Certificate(
        "exact", f"{says}, unless it branches on its data or divides by it", probes, tensors, passes
    )


def _power(p: float) -> str:
    """The next power of ten above p."""
    return f"1e{math.ceil(math.log10(p))}"


def _results(subject: Subject, probe: Probe) -> Tensors:
    try:
        found = subject.results(probe)
    except Raised:  # a matter of the gates
        return {}
    return {name: a for name, a in found.items() if isinstance(a, np.ndarray)}


def _comparable(found: Any, exact: Array) -> bool:
    """Not what the gates have refused already."""
    return isinstance(found, np.ndarray) and found.shape == exact.shape and found.dtype == exact.dtype


def _sizes(probe: Probe) -> dict[str, float]:
    """|a| . |b| per result: the same formula on absolute values."""
    positive = probe.cast(np.float64)
    for arrays in (positive.args, positive.inputs):
        arrays.update(
            {k: np.abs(v) for k, v in arrays.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        )
    return {name: max(largest(a), 1.0) for name, a in kind_of(probe.kind).reference(positive).items()}


def _off(found: Array, exact: Array, size: float) -> float:
    return float(np.abs(found - exact).max()) / size


def _record(kind: str, case: Probe, name: str, found: Array, exact: Array) -> Record:
    at = np.unravel_index(int(np.abs(found - exact).argmax()), exact.shape)
    place = ", ".join(map(str, at))
    why = (
        f"on whole numbers, where every order of summation is exact, {name}[{place}] is {found[at]:.17g} "
        f"and PyTorch's is {exact[at]:.17g}; rounding does not explain it"
    )
    return record(Place("", "float64", "cpu"), kind, PHASE, name, refused(exact, why), case.id)


# -- rounding, or another formula ------------------------------------------------------------------
def _is_additive(subject: Subject, case: Probe, name: str, rng: np.random.Generator) -> bool:
    """Whether the error of some entry is a linear function of the input, and too large to be rounding."""
    counted, additive, large = np.zeros(()), np.ones((), bool), np.zeros((), bool)
    for a, b, both, none, size in _sums(subject, case, name, rng):
        noise = UNIT["float64"] * size
        most = np.maximum(np.maximum(np.abs(a), np.abs(b)), np.abs(both))
        close = np.abs(a + b - both - none) <= most / 16 + 4 * noise
        counts = most > 16 * noise
        large, additive, counted = (
            large | (most > LEAST * noise),
            additive & (close | ~counts),
            counted + counts,
        )
    return bool((large & additive & (counted >= PAIRS // 2)).any())


def _sums(
    subject: Subject, case: Probe, name: str, rng: np.random.Generator
) -> Iterator[tuple[Array, Array, Array, Array, float]]:
    """The errors at two inputs, at their sum and at zero, and |a| . |b|; in x for out, in dout else."""
    moved = "x" if name == kind_of(case.kind).out else "dout"
    if moved not in case.inputs:
        return
    for _ in range(PAIRS):
        first, second = whole(case, rng), whole(case, rng)
        a, b = first.inputs[moved], second.inputs[moved]
        errors = []
        for value in (a, b, a + b, np.zeros_like(a)):
            probe = replace(first, inputs=first.inputs | {moved: value})
            found, exact = _results(subject, probe).get(name), kind_of(case.kind).reference(probe)[name]
            if not _comparable(found, exact):
                return
            errors.append(found - exact)
        yield errors[0], errors[1], errors[2], errors[3], _sizes(first)[name]
