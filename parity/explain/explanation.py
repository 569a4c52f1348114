"""Why code is wrong, in sentences: what reproduces each wrong result, on inputs drawn afterwards as well.

    dW is PyTorch's reversed along FH and FW
    dx is PyTorch's for W in the order (FN, C, FW, FH), reshaped to (FN, C, FH, FW) without being transposed

A result that nothing reproduces is described by where its wrong numbers are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from parity.adapters.bench import Raised
from parity.adapters.subject import Subject
from parity.explain.axes import views
from parity.explain.exact import KINDS as EXACT
from parity.explain.exact import bits, whole
from parity.explain.letters import spelled_out
from parity.explain.maps import listed
from parity.explain.search import EXACTLY, FAILS, Case, Finding, findings, reference, same
from parity.explain.wiring import Ask, Wiring, wiring
from parity.kinds import OPTIMIZER_KINDS, Probe, kind_of
from scratchcnn.typing import Array

WIDER = 6  # inputs of three images


@dataclass(frozen=True)
class Explanation:
    """`sentences` are reproduced on every input, fresh ones included; `regions` describe the rest.

    findings     behind the sentences
    unexplained  wrong results that no sentence is about
    missing      results that are not there at all
    wiring       which numbers meet in one wrong entry, where that can be read off
    first        the result that is printed first
    """

    sentences: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    unexplained: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    wiring: Wiring | None = field(default=None, repr=False)
    first: str = ""

    @property
    def example(self) -> str:
        """The smallest pair of numbers that should meet and do not, or do and should not."""
        return self.wiring.sentence if self.wiring is not None else ""

    @property
    def complete(self) -> bool:
        """Whether the sentences account for every wrong result."""
        return bool(self.sentences) and not self.unexplained

    def lines(self) -> list[str]:
        """For the report, each with its title."""
        texts = [
            *(("why", text) for text in self.sentences),
            *(("wrong part", text) for text in self.regions),
        ]
        texts.sort(key=lambda one: not _is_about(self.first, one[1]))
        lines = [f"{title:12} {text}" for title, text in texts]
        return [*lines, f"{'for example':12} {self.example}"] if self.example else lines

    def __str__(self) -> str:
        return "; ".join([*self.sentences, *self.regions])


def asker(subject: Subject) -> Ask:
    """The arrays that the code gives for a probe; none where it raises."""

    def ask(probe: Probe) -> dict[str, Any]:
        try:
            return {n: a for n, a in subject.results(probe).items() if isinstance(a, np.ndarray)}
        except Raised:
            return {}

    return ask


def explain(cases: Sequence[Case], ask: Ask, seed: int = 0, first: str = "") -> Explanation:
    """The sentences for what was seen, as far as they hold on fresh inputs of the same geometries too.

    What is said of the result `first` comes first. Raises what asking the code does.
    """
    if not cases:
        return Explanation()
    cases = [replace(case, found=_arrays(case.found, case.right)) for case in cases]
    cases += _wider(cases, ask, np.random.default_rng([seed, 3]))
    with np.errstate(all="ignore"):
        found, unexplained = findings(cases)
        kept, fallen = _confirmed(found, cases, ask, seed)
    missing = tuple(
        n for n in dict.fromkeys(n for c in cases for n in c.right) if all(n not in c.found for c in cases)
    )
    unexplained = [*unexplained, *fallen]
    said = sorted(_sentences(kept), key=lambda text: not _is_about(first, text))
    texts = spelled_out(cases[0].probe.kind, said, [case.probe for case in cases])
    sentences = [*texts, *(f"{name} is missing" for name in missing)]
    met = _wiring([*(one.tensor for one in kept), *unexplained], cases, ask)
    regions = [text for name in unexplained if (text := region(name, cases))]
    return Explanation(tuple(sentences), tuple(regions), tuple(kept), tuple(unexplained), missing, met, first)


def _is_about(name: str, text: str) -> bool:
    """Whether a result of that name is among those that the text begins with: `dW and db are ...`."""
    subject, *_ = re.split(r" (?:is|are) ", text, maxsplit=1)
    return name in re.split(r", | and ", subject)


def _arrays(found: Mapping[str, Any], right: Mapping[str, Array]) -> dict[str, Array]:
    """Those results that are arrays, and that there are to be."""
    return {name: a for name, a in found.items() if isinstance(a, np.ndarray) and name in right}


def _sentences(found: Sequence[Finding]) -> list[str]:
    """One sentence per cause: results with the same one are named together."""
    by_says: dict[str, list[str]] = {}
    for finding in found:
        by_says.setdefault(finding.says, []).append(finding.tensor)
    return [sentence(names, says) for says, names in by_says.items()]


def sentence(names: Sequence[str], says: str) -> str:
    """`out and dx are PyTorch's for W reversed along FH and FW`."""
    says = says.replace("its right value", "PyTorch's")
    if list(names) == ["params"]:
        return f"the update is {says}"
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} {says}"


# -- fresh inputs ---------------------------------------------------------------------------------
def fresh(probe: Probe, rng: np.random.Generator) -> Probe:
    """The same geometry with other numbers: whole ones where they make every sum exact."""
    if probe.kind in EXACT and probe.kind != "dropout" and bits(probe)[0] >= 8:
        return replace(whole(probe, rng), id=f"{probe.id}, fresh")
    drawn = {"args": _drawn(probe.args, rng), "inputs": _drawn(probe.inputs, rng)}
    if probe.kind == "penalty_loss":  # penalties are squared distances
        drawn["inputs"]["x"] = np.abs(drawn["inputs"]["x"])
    if "x" in probe.inputs:
        drawn["inputs"]["x"] = kind_of(probe.kind).inside(drawn["inputs"]["x"])
    if "t" in probe.inputs:
        t = probe.inputs["t"]
        drawn["inputs"]["t"] = rng.permutation(t) if t.ndim == 2 else rng.permuted(t)
    return replace(probe, id=f"{probe.id}, fresh", **drawn)


def _wider(cases: Sequence[Case], ask: Ask, rng: np.random.Generator) -> list[Case]:
    """Fresh inputs of three images where only one or two were seen, which hide the order of images."""
    found = []
    for case in [c for c in cases if any(not same(a, c.right[n]) for n, a in c.found.items())][:WIDER]:
        inputs = case.probe.inputs
        x = inputs.get("x", inputs.get("input_data"))
        if x is None or case.probe.kind in OPTIMIZER_KINDS or x.ndim < 2 or len(x) > 2:
            continue
        three = {k: np.resize(a, (3, *a.shape[1:])) if len(a) == len(x) else a for k, a in inputs.items()}
        probe = replace(fresh(replace(case.probe, inputs=three), rng), id=f"{case.probe.id}, three images")
        right = reference(probe)
        results = _arrays(ask(probe), right)
        if results:
            found.append(Case(probe, results, {n: a for n, a in right.items() if n in case.right}))
    return found


def _drawn(values: Any, rng: np.random.Generator) -> Any:
    if isinstance(values, dict):
        return {
            k: np.abs(_drawn(v, rng)) + 0.25 if k == "running_var" else _drawn(v, rng)
            for k, v in values.items()
        }
    if isinstance(values, list):
        return [_drawn(v, rng) for v in values]
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or not values.size:
        return values
    spread = values.std() or max(float(np.abs(values).max()), 1.0)
    found = (values.mean() + spread * rng.standard_normal(values.shape)).astype(np.float32).astype(np.float64)
    return np.where(values == 0, 0.0, found) if (values == 0).all() else found


def _confirmed(
    found: Sequence[Finding], cases: Sequence[Case], ask: Ask, seed: int
) -> tuple[list[Finding], list[str]]:
    """The findings that give every number on fresh inputs of every geometry, and the others' results."""
    if not found:
        return [], []
    rng, standing = np.random.default_rng([seed, 15]), list(found)
    for case in cases:
        if not standing:
            break
        probe = fresh(case.probe, rng)
        results = {n: a for n, a in ask(probe).items() if isinstance(a, np.ndarray)}
        probe.known["found"] = results
        standing = [one for one in standing if holds(one, probe, results)]
    return standing, [one.tensor for one in found if one not in standing]


def holds(finding: Finding, probe: Probe, results: Mapping[str, Any]) -> bool:
    """Whether the finding gives the numbers that the code gave for this probe."""
    tolerance = (
        EXACTLY if probe.kind in EXACT and probe.kind != "dropout" else max(1e-9, kind_of(probe.kind).rtol)
    )
    try:
        if probe.kind in OPTIMIZER_KINDS:
            made = finding.compute(probe)
            return all(same(results[name], a, tolerance) for name, a in made.items() if name in results)
        if finding.tensor not in results:
            return True
        made, seen = finding.compute(probe), results[finding.tensor]
        if same(seen, made, tolerance):
            return True
        if finding.size is None or made.shape != seen.shape:
            return False
        return bool(np.abs(made - seen).max(initial=0) <= EXACTLY * finding.size(probe))
    except FAILS:
        return False


# -- where it is wrong ----------------------------------------------------------------------------
def region(name: str, cases: Sequence[Case]) -> str:
    """Where the wrong numbers of a result are, on the smallest input where some are right.

    It is a place only where all numbers there are wrong, and the same axes say it on most other inputs; else
    the numbers are wrong where the values fell.
    """
    shown = [c for c in cases if name in c.found and c.found[name].shape == c.right[name].shape]
    wrong = [(c, _mask(c.found[name], c.right[name])) for c in shown]
    wrong = [(c, mask) for c, mask in wrong if mask.any()]
    if not wrong:
        return ""
    case, mask = min(wrong, key=lambda one: (one[1].all(), one[1].size))
    total = f"{name} is wrong in {int(mask.sum())} of {mask.size} numbers on {case.probe.id!r}"
    partly = [(c, m) for c, m in wrong if not m.all() and m.sum() > 1]
    there = _where(name, case, mask)
    agree = [_where(name, c, m).keys() == there.keys() for c, m in partly]
    if not there or mask.sum() == 1 or not _is_block(mask) or 2 * sum(agree) <= len(agree):
        return total
    parts = [f"{letter} = {listed([str(i) for i in at])}" for letter, at in there.items()]
    return f"{total}: only where {', '.join(parts)}"


def _where(name: str, case: Case, mask: Array) -> dict[str, Array]:
    """Letter of an axis -> the indices at which something is wrong, of the axes that have others too."""
    places = [view for view in views(case.probe, name, case.right[name]) if view.shape == mask.shape]
    if mask.all() or not places:
        return {}
    there = zip(places[0].letters, _along(mask), strict=True)
    return {letter: np.flatnonzero(at) for letter, at in there if not at.all()}


def _along(mask: Array) -> list[Array]:
    """Of each axis at which indices something is wrong."""
    axes = range(mask.ndim)
    return [np.asarray(mask.any(axis=tuple(i for i in axes if i != axis))) for axis in axes]


def _is_block(mask: Array) -> bool:
    """Whether everything is wrong where all of the indices are."""
    return bool(mask.sum() == np.prod([at.sum() for at in _along(mask)]))


def _mask(found: Array, right: Array) -> Array:
    scale = max(float(np.abs(np.nan_to_num(right)).max(initial=0)), 1e-300)
    with np.errstate(invalid="ignore"):
        mask: Array = ~(np.abs(found - right) <= 1e-9 * scale) & ~(found == right)
    return mask


# -- the smallest example -------------------------------------------------------------------------
def _wiring(names: Sequence[str], cases: Sequence[Case], ask: Ask) -> Wiring | None:
    """Which number met which, of the first wrong result that can be read off, on the smallest input."""
    for name in names:
        wrong = [c for c in cases if name in c.found and not same(c.found[name], c.right[name])]
        for case in sorted(wrong, key=lambda c: sum(a.size for a in c.right.values()))[:2]:
            if (found := wiring(name, case.probe, ask)) is not None:
                return found
    return None
