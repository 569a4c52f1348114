"""What `python -m parity check --against torch,jax,onnxruntime` prints about the further referees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape

from parity.checks.network import Case
from parity.cli.printing import mark
from parity.comparison.wording import inconclusive, percent
from parity.referees.base import OURS, Referee
from parity.referees.compare_voices import compare_voices
from parity.referees.outcome import UNDECIDED, NotCompared, Pair, RefereeOutcome, TensorOutcome

OWN_LINE = ("scores", "loss", "x")  # tensors with a line each; the parameters' gradients share one


def ask_referees(
    console: Console, cases: Iterable[Case], referees: Sequence[Referee], verbose: bool
) -> RefereeOutcome:
    """Compare all voices on each case, printing as it goes."""
    outcome = RefereeOutcome([], [])
    names = listed([OURS, *(referee.name for referee in referees)])
    for case in cases:
        console.rule(f"{case.network}  {case.dtype}  {names}  seed {case.seed}", align="left")
        with console.status(f"asking {names}"):
            entries = list(compare_voices(case, referees))
        tensors = [entry for entry in entries if isinstance(entry, TensorOutcome)]
        missing = [entry for entry in entries if isinstance(entry, NotCompared)]
        for text in lines(tensors, verbose):
            console.print(text)
        for entry in missing:
            failed = "[red]FAIL[/red] " if entry.fails else ""
            console.print(f"{entry.case:9} {failed}not compared: {escape(str(entry))}")
        outcome.tensors += tensors
        outcome.not_compared += missing
    return outcome


def lines(tensors: Sequence[TensorOutcome], verbose: bool) -> Iterator[str]:
    """One line per tensor; the parameters' gradients on which all agree share one unless verbose."""
    shared: dict[str, list[TensorOutcome]] = {}
    for entry in tensors:
        if entry.tensor in OWN_LINE or verbose or not entry.ok:
            yield line(entry)
        else:
            shared.setdefault(entry.case, []).append(entry)
    for case, group in shared.items():
        worst = max(group, key=lambda entry: entry.worst.comparison.margin)
        agree = f"gradients of {len(group)} parameters: {listed(worst.voices)} agree"
        yield f"{case:9} {agree}; largest difference {worst.tensor}, {pair_text(worst.worst)}  {mark(True)}"


def line(entry: TensorOutcome) -> str:
    what = {"x": "gradient of x"}.get(entry.tensor, entry.tensor)
    start = f"{entry.case:9} {what}: "
    if entry.ok:
        agree = f"{listed(entry.voices)} agree; largest difference {pair_text(entry.worst)}"
        return f"{start}{agree}  {mark(True)}"
    wrong = "; ".join(pair_text(pair) for pair in entry.pairs if not pair.comparison.ok)
    return f"{start}{who_differs(entry)}: {wrong}  {mark(False)}"


def who_differs(entry: TensorOutcome) -> str:
    """`ours is the outlier, torch and jax agree`, or why it is undecided."""
    outliers, voices = entry.outliers, entry.voices
    if outliers != [UNDECIDED]:
        others = [name for name in voices if name not in outliers]
        role = "is the outlier" if len(outliers) == 1 else "are outliers"
        return f"{listed(outliers)} {role}, {listed(others)} agree"
    if len(voices) == 2:
        return f"{listed(voices)} differ, undecided which is wrong with only two voices"
    return f"{listed(voices)} differ, undecided which is wrong since no majority agrees"


def pair_text(pair: Pair) -> str:
    """`ours - jax: 1.1e-15 of scale, 0.00011 % of what is allowed`"""
    names, comparison = f"{pair.left} - {pair.right}", pair.comparison
    if comparison.why:
        return f"{names}: {escape(comparison.why)}"
    names += " (float32)" if pair.dtype == "float32" else ""
    return f"{names}: {comparison.max_rel:.1e} of scale, {percent(comparison.margin)} of what is allowed"


def closing_lines(outcome: RefereeOutcome) -> Iterator[str]:
    """One line per network and dtype, then what was not compared, and which voice is the outlier."""
    groups: dict[tuple[str, str], list[TensorOutcome]] = {}
    for entry in outcome.tensors:
        groups.setdefault((entry.network, entry.dtype), []).append(entry)
    for (network, dtype), entries in groups.items():
        answered: dict[str, int] = {}
        for name in (name for entry in entries for name in entry.voices):
            answered[name] = answered.get(name, 0) + 1
        counts = ", ".join(f"{name} {count}" for name, count in answered.items())
        wrong = sum(not entry.ok for entry in entries)
        yield f"{network:16} {dtype:8} tensors compared: {counts}; {wrong} differ  {mark(not wrong)}"
    for missing in outcome.not_compared:
        yield escape(f"{missing.network:16} {missing.dtype:8} not compared: {missing.case}, {missing}")
    for name in outcome.unproven:
        yield f"[red]{escape(inconclusive(name))}[/red]"
    for name, found in outcome.outliers.items():
        first, share = found[0], f"{len(found)} of {len(outcome.tensors)} tensors"
        place = f"the first: {first.network} {first.case} {first.tensor} {first.dtype}"
        who = f"{who_differs(first)};" if name == UNDECIDED else f"{name} is the outlier in"
        yield f"[bold red]DISAGREE[/bold red]: {who} {share}; {place}"
    if outcome.ok:
        voices = list(dict.fromkeys(name for entry in outcome.tensors for name in entry.voices))
        yield f"[bold green]AGREE[/bold green]: {listed(voices)} on everything compared"
    elif not outcome.outliers:
        failed = [entry for entry in outcome.not_compared if entry.fails]
        why = str(failed[0]) if failed else "some tensors were never really tested"
        yield f"[bold red]DISAGREE[/bold red]: nothing differed, but {escape(why)}"


def listed(names: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
