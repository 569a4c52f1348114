"""What a verification found, as data and as text that a learner can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from parity.adapters.features import unmarked
from parity.adapters.subject import FRESH
from parity.adapters.wire import clean
from parity.checks.culprit import Culprit
from parity.comparison.records import Record, frame
from parity.comparison.wording import excess
from parity.explain.exact import Certificate
from parity.explain.explanation import Explanation
from parity.faults.diagnose import PLAIN, UNKNOWN, Diagnosis
from parity.kinds.followed import in_words, parts_of
from parity.verification.hints import hint, hint_for_network, mean_of_batch
from parity.verification.slight_names import besides_names
from parity.verification.unchecked import ENDED

OPTION = " other than "  # of what is not checked: an option that kept its default
GRADIENTS = ("gradients", "dx", "dW", "db", "dgamma", "dbeta")
OWN_LOSS = "own loss"  # the judge of a network without a twin
OF_OWN_LOSS = "its gradients are those of its own loss"
OF_OWN_FORWARD = "its backward is the gradient of its own forward"  # of what is none of the kinds
OF_LAYERS = "its outputs are those of its layers one after another"  # how the claim of a container begins
OF_ITS_ROWS = "the rows of its weights, and central differences of its own forward, in float64"
OF_ITS_LAYERS = "central differences of its loss in float64, and what its layers were given and gave"
OWN_JUDGE = (
    "central differences of its own {}, in float64: what it computes forward was compared with nothing"
)
OF_ROWS = (
    "its forward gives the rows of its weights that its input names, and its backward is the gradient of it"
)
OF = {
    OF_OWN_LOSS: "loss",
    OF_OWN_FORWARD: "forward",
    OF_ROWS: "forward",
}  # whose central differences they are
NUMPY_JUDGE = "NumPy (scratchcnn's loops and textbook, float64), which equals PyTorch on these inputs"

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class First:
    """The first thing that is wrong, on the smallest input: both values."""

    record: Record
    ours: Any = None
    theirs: Any = None
    inputs: str = ""


Outcome = Literal["right", "right_but", "wrong", "not_checked"]
RIGHT = ("right", "right_but")


@dataclass
class Verdict:
    """`ok` is True when everything that was checked is right, or differs exactly as declared.

    It is True as well where the numbers are right and something else is not (`buts`), unless the
    verification was strict. `outcome` says which of the four it is.

    findings      one row a result, as a DataFrame
    culprit       layer, phase and tensor that are wrong first, None when nothing is
    diagnosis     the known bug that explains every observation, or unknown
    reproduction  five lines to paste
    not_checked   what the implementation lacks, in words: not a full pass while there is anything
    declared      the declared difference that was found, exactly as declared
    complaint     why a declared difference does not hold
    largest       the last and largest of the inputs of real size that were tried
    suggestion    an adapter to be filled in, where it could not be called
    adapter       the same as an adapter, to be kept in a file
    called        how it was called, where that was found by trial
    wrong_function  of a function and its backward the latter, where it alone is wrong
    functions     a function and its backward by their names, where the two were checked together
    gradient_of   of such a backward that has a verdict of its own, the function
    forward_buts  of such a function alone what is not right although its numbers are
    remarks       what is no error, since PyTorch does the same, and yet good to know
    ending        how its process ended, where it did not by itself: it hung, crashed, printed without end
    unfinished    why not everything was tried: then it is not right, and need not be wrong
    sizes         random sizes that were tried besides the inputs of `findings`
    where         the code ran
    always        what it comes to whatever it is given, where no number could be compared for that
    listed        of a network every wrong tensor, the largest difference first
    judge         "torch", "numpy", or "own loss" of a network without a twin and of what is none of the kinds
    claim         what is right of those
    certificate   what the comparison by == on whole numbers came to, where it was made
    explanation   which small change of the reference gives the wrong numbers, or where they are
    """

    kind: str
    name: str
    ok: bool
    records: list[Record] = field(repr=False)
    culprit: Culprit | None = None
    diagnosis: Diagnosis = UNKNOWN
    reproduction: str = ""
    not_checked: Sequence[str] = ()
    declared: str = ""
    complaint: str = ""
    ending: str = ""
    unfinished: str = ""
    sizes: int = 0
    where: str = ""
    output: str = field(default="", repr=False)
    largest: str = ""
    called: str = ""
    wrong_function: str = ""
    functions: tuple[str, str] = ("", "")
    gradient_of: str = ""
    forward_buts: Sequence[str] = ()
    adapter: str = field(default="", repr=False)
    remarks: Sequence[str] = ()
    first: First | None = field(default=None, repr=False)
    listed: Sequence[str] = ()
    buts: Sequence[str] = ()
    habits: Sequence[str] = ()
    unchecked: str = ""
    always: str = ""
    suggestion: str = ""
    certificate: Certificate | None = field(default=None, repr=False)
    judge: str = "torch"
    claim: str = OF_OWN_LOSS
    explanation: Explanation | None = field(default=None, repr=False)

    def unmark(self) -> Verdict:
        """What was raised, in its own words: without the mark of what was raised on purpose."""
        self.records = [_unmarked(row) for row in self.records]
        self.unchecked, self.ending = unmarked(self.unchecked), unmarked(self.ending)
        self.always = unmarked(self.always)
        self.unfinished, self.complaint = unmarked(self.unfinished), unmarked(self.complaint)
        self.not_checked = [*map(unmarked, self.not_checked)]
        self.listed, self.remarks = [*map(unmarked, self.listed)], [*map(unmarked, self.remarks)]
        if self.culprit is not None:
            self.culprit = replace(self.culprit, sentence=unmarked(self.culprit.sentence))
        if self.first is not None:
            self.first = replace(self.first, record=_unmarked(self.first.record))
        return self

    @property
    def findings(self) -> pd.DataFrame:
        return frame(self.records)

    @property
    def wrong(self) -> pd.DataFrame:
        """The rows of `findings` that failed."""
        table = self.findings
        return table[~table["ok"]]

    @property
    def outcome(self) -> Outcome:
        """right; right_but: the numbers are, something else is not; wrong; not_checked: no verdict."""
        if self.unchecked:
            return "not_checked"
        if self.complaint:
            return "wrong"
        failed = not all(row.ok for row in self.records) and not self.declared
        if self.unfinished and (not failed or self.buts):
            return "not_checked"
        if self.buts:
            return "right_but"
        return "right" if self.records and not failed else "wrong"

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        lines = self._lines()
        if self.judge == "torch":
            return "\n".join(lines)
        own = self.judge == OWN_LOSS
        if own and not self.records:
            return "\n".join(lines)
        lines.insert(min(2, len(lines)), f"judge        {self._own_judge() if own else NUMPY_JUDGE}")
        text = "\n".join(lines).replace("PyTorch's    ", "differences  " if own else "NumPy's      ")
        return by_judge(text, self.judge).replace('"PyTorch:"', '"NumPy:"')

    def _own_judge(self) -> str:
        if self.claim.startswith(OF_LAYERS):
            return OF_ITS_LAYERS
        if self.claim == OF_ROWS:
            return OF_ITS_ROWS
        return OWN_JUDGE.format(OF.get(self.claim, "outputs"))

    @property
    def says_exact(self) -> str:
        """The certificate's sentence, with the judge that was used; "" where there is none."""
        return by_judge(self.certificate.says, self.judge) if self.certificate is not None else ""

    @property
    def says_why(self) -> dict[str, Any] | None:
        """Sentences, regions and example of the explanation, with the judge that was used."""
        why = self.explanation
        if why is None:
            return None
        return {
            "sentences": tuple(by_judge(text, self.judge) for text in why.sentences),
            "regions": tuple(by_judge(text, self.judge) for text in why.regions),
            "example": by_judge(why.example, self.judge),
        }

    @property
    def asks_for_an_adapter(self) -> bool:
        """Whether an adapter would help: there is one to be filled in, and code that it could call."""
        return bool(self.suggestion) and "still to be written" not in self.unchecked

    def without_suggestion(self) -> str:
        """The report without the adapter to be filled in."""
        return str(replace(self, suggestion=""))

    def _lines(self) -> list[str]:
        outcome = self.outcome
        lines = [f"{clean(self.name)} as {parts_of(self.kind)[0]}: {self.headline}"]
        plain = [row for row in self.records if row.phase in PLAIN and not row.tensor.startswith("running_")]
        if self.always:
            lines.append(f"always       {self.always}")
        elif outcome != "not_checked" or any(row.ok for row in plain):
            lines.append(f"checked      {self._checked()}")
        if self.certificate is not None and (outcome != "wrong" or self.certificate.outcome != "exact"):
            lines.append(f"exact        {self.certificate.says}")
        if self.called:
            lines.append(f"called       {self.called.removeprefix('called ')}")
        if self.where and self.where != FRESH:
            lines.append(f"it ran       {self.where}")
        silent = outcome == "not_checked" and not any(row.ok for row in self.records)  # the headline says it
        if self.not_checked and not silent and (outcome != "right" or self.declared):
            lines.append(f"not checked  {', '.join(self.not_checked)}")
        if self.declared:
            lines.append(f"declared     {self.declared}: {self.diagnosis}")
        if self.complaint:
            lines.append(f"declared     {self.complaint}")
        lines += [f"by design    {text}, as in the book" for text in self.habits]
        lines += [f"but          {text}" for text in self.buts if text not in self.habits]
        if self.first is not None:
            lines += self._first(self.first)
        for title, text in zip(["all wrong", *[""] * len(self.listed)], self.listed, strict=False):
            lines.append(f"{title:12} {text}")
        if self.ending and self.ending != (self.first and self.first.record.why):
            lines.append(f"then it      {self.ending}")
        if self.unfinished and outcome == "wrong":
            lines.append(f"then it      {self.unfinished}")
        if outcome in ("wrong", "right_but") and self.culprit is not None:
            lines.append(f"where        {self.culprit.sentence}")
            if not self.ending and self.judge != OWN_LOSS:
                lines.append(f"diagnosis    {self._diagnosis()}")
                lines += [f"that is      {meant}" for meant in [mean_of_batch(self.diagnosis.fault)] if meant]
            if self.explanation is not None:
                lines += self.explanation.lines()
        if outcome in RIGHT:
            lines += [f"remark       {text}" for text in self.remarks]
        if outcome != "right" and self.output:
            lines.append(f"it printed   {clean(self.output, 200)}")
        if outcome == "not_checked" and self.asks_for_an_adapter:
            lines.append("an adapter could say how; then --adapter file.py:Mine")
            lines += [f"    {line}" for line in self.suggestion.splitlines()]
        if outcome != "right" and self.reproduction:
            lines.append("reproduce")
            lines += [f"    {line}" for line in self.reproduction.splitlines()]
        return lines

    @property
    def headline(self) -> str:
        """What the verdict is, in a sentence."""
        outcome, both = self.outcome, f" as {in_words(self.kind)}" if parts_of(self.kind)[1] else ""
        if outcome == "not_checked":
            return f"could not be checked: {self.unchecked or f'it {self.unfinished}'}"
        if self.always:
            return "WRONG, whatever it is given"
        if outcome == "wrong":
            return f"WRONG{both}" + (f" in {self.wrong_function}" if self.wrong_function else "")
        if outcome == "right_but" and self.habits:
            others = [text for text in self.buts if text not in self.habits]
            more = f"; besides, {'; '.join(others)}" if others else ""
            declared = f"as declared ({self.declared}); otherwise " if self.declared else ""
            return f"{declared}right, but for the book's habits: {'; '.join(self.habits)}{more}"
        if outcome == "right_but":
            declared = f"as declared ({self.declared}); otherwise " if self.declared else ""
            own = self.judge == OWN_LOSS
            unseen = ", ".join(
                text for text in self.not_checked if own or OPTION in text or text in GRADIENTS
            )
            more = f"; not checked: {unseen}" if unseen else ""
            if own:
                return f"right on what was checked, but {'; '.join(self.buts)}{more}"
            return f"{declared}the numbers are right{both}, but {'; '.join(self.buts)}{more}"
        if self.declared:
            return f"differs from PyTorch exactly as declared ({self.declared}), right otherwise"
        if self.judge == OWN_LOSS and outcome == "right":
            return f"right on what was checked: {self.claim}; not checked: {', '.join(self.not_checked)}"
        if self.not_checked:
            return f"right on what was checked{both}; not checked: {', '.join(self.not_checked)}"
        if self.gradient_of:
            return f"right, the same gradients of {self.gradient_of} as PyTorch's"
        return f"right{both}, the same function as PyTorch's"

    def _checked(self) -> str:
        probes = len({row.case for row in self.records if row.case})
        dtypes = " and ".join(dict.fromkeys(row.dtype for row in self.records))
        wrong = sum(not row.ok for row in self.records)
        sizes = f" and {self.sizes} random sizes" if self.sizes else ""
        inputs = f"{probes} inputs{sizes} in {dtypes}, " if probes else f"{dtypes}, "
        largest = f"; the largest {self.largest}" if self.largest else ""
        if self.claim.startswith(OF_LAYERS):
            return f"{inputs}{len(self.records)} results: {wrong or 'none'} differ"
        if self.judge == OWN_LOSS:
            of = OF.get(self.claim, "")
            against = f"its own {of}" if of else "the chain rule of its outputs"
            return f"{inputs}{len(self.records)} gradients against {against}: {wrong or 'none'} differ"
        against = f"{inputs}{len(self.records)} results against PyTorch's"
        if self.outcome == "not_checked":
            return f"{sum(row.ok for row in self.records)} results against PyTorch's, all right{largest}"
        if self.outcome == "right_but" and self.habits:
            differ = f"{wrong} differ, all by" if wrong else "none differs but for"
            return f"{against}: {differ} the book's habits{largest}"
        if self.outcome == "right_but":
            return f"{against}: no number wrong, {wrong} not as they should be{largest}"
        return f"{against}: {wrong or 'none'} wrong{largest}"

    def _first(self, first: First) -> list[str]:
        row = first.record
        phase = "" if row.phase in ENDED else row.phase
        where = ", ".join(filter(None, [row.layer if row.layer != self.kind else "", phase, row.tensor]))
        lines = [
            f"{self._title():12} {where}"
            + (f", on the input {row.case!r}" if row.case else "")
            + (f" ({row.dtype})" if phase else "")
        ]
        if first.inputs:
            lines.append(f"input        {first.inputs}")
        if not row.why:
            lines.append(f"what         {excess(row.max_abs, row.allowed)}")
        elif self.outcome != "not_checked" or row.why not in self.headline:
            lines.append(f"what         {row.why}")
        wrong = self.outcome == "wrong"
        of_network = self.kind == "network" or self.judge == OWN_LOSS
        advice = hint_for_network(row) if of_network else hint(row, first.ours, first.theirs, wrong)
        if not _fits(first.theirs) or not _fits(first.ours):
            first = _cut(first)
        precision = _telling(first.ours, first.theirs)
        for title, array in (("ours", first.ours), ("PyTorch's", first.theirs)):
            if array is not None:
                lines.append(f"{title:12} " + _text(array, precision))
        if advice:
            lines.append(f"hint         {advice}")
        return lines

    def _title(self) -> str:
        """What the first of the failed results is called."""
        return {"not_checked": "it stopped at", "right_but": "seen first"}.get(self.outcome, "first wrong")

    def _diagnosis(self) -> str:
        if not self.diagnosis.fault:
            return str(self.diagnosis)
        besides = besides_names(self.diagnosis.besides)
        return f"{self.diagnosis} [{' + '.join([self.diagnosis.fault, *besides])}]"


def _unmarked(row: Record) -> Record:
    why = unmarked(row.why)
    return row if why == row.why else replace(row, why=why)


def by_judge(text: str, judge: str) -> str:
    """A text about PyTorch's numbers, plain or escaped, as one about the judge's that was used."""
    if judge in ("torch", OWN_LOSS):
        return text
    for theirs, named in (("PyTorch's", "NumPy's"), ("PyTorch&#x27;s", "NumPy&#x27;s")):
        text = text.replace(theirs, named)
    return text.replace("from PyTorch ", "from the judge in NumPy ")


def _fits(array: Any, most: int = 36) -> bool:
    return np.size(array) <= most


def _telling(ours: Any, theirs: Any) -> int:
    """As few digits as make the two differ."""
    if ours is None or theirs is None:
        return 6
    return next((d for d in (6, 9, 12) if _text(ours, d) != _text(theirs, d)), 6)


def _text(array: Any, precision: int) -> str:
    """The array below the margin of the report, without numpy's empty lines."""
    text = np.array2string(np.asarray(array), precision=precision, suppress_small=True)
    return ("\n" + " " * 13).join(line for line in text.splitlines() if line.strip())


def _cut(first: First) -> First:
    """Of large arrays only the number that is furthest off."""
    if first.ours is None or first.theirs is None:
        return First(first.record, None, None, first.inputs)
    ours, theirs = np.asarray(first.ours), np.asarray(first.theirs)
    if ours.shape != theirs.shape or ours.dtype.kind not in "fiub":
        return First(first.record, None, None, first.inputs)
    off = np.abs(np.nan_to_num(ours.astype(float)) - theirs)
    at = np.unravel_index(int(off.argmax()), off.shape)
    return First(first.record, ours[at], theirs[at], f"{first.inputs}; shown at {tuple(map(int, at))}")
