"""What `python -m parity check --against torch,jax,onnxruntime` does beyond PyTorch: ask, print, rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape

from parity.checks.network import Case
from parity.cli.printing import mark, percent
from parity.referees.base import OURS, Referee
from parity.referees.court import UNKNOWN, Finding, Gap, Pair, Ruling
from parity.referees.hearing import hear

WHOLE = ("scores", "loss", "x")  # tensors that get a line each; the parameters' gradients share one


def rule(console: Console, cases: Iterable[Case], referees: Sequence[Referee], verbose: bool) -> Ruling:
    """Hear all voices on each case, printing as it goes."""
    ruling = Ruling([], [])
    names = listed([OURS, *(referee.name for referee in referees)])
    for case in cases:
        console.rule(f"{case.network}  {case.dtype}  {names}  seed {case.seed}", align="left")
        with console.status(f"asking {names}"):
            heard = list(hear(case, referees))
        findings = [entry for entry in heard if isinstance(entry, Finding)]
        gaps = [entry for entry in heard if isinstance(entry, Gap)]
        for text in lines(findings, verbose):
            console.print(text)
        for gap in gaps:
            failed = "[red]FAIL[/red] " if gap.fails else ""
            console.print(f"{gap.case:9} {failed}not compared: {escape(str(gap))}")
        ruling.findings += findings
        ruling.gaps += gaps
    return ruling


def lines(findings: Sequence[Finding], verbose: bool) -> Iterator[str]:
    """A line a tensor; the gradients of parameters on which all agree share one unless verbose."""
    shared: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.tensor in WHOLE or verbose or not finding.ok:
            yield line(finding)
        else:
            shared.setdefault(finding.case, []).append(finding)
    for case, group in shared.items():
        worst = max(group, key=lambda finding: finding.worst.comparison.margin)
        agree = f"gradients of {len(group)} parameters: {listed(worst.voices)} agree"
        yield f"{case:9} {agree}; widest {worst.tensor}, {told(worst.worst)}  {mark(True)}"


def line(finding: Finding) -> str:
    what = {"x": "gradient of x"}.get(finding.tensor, finding.tensor)
    start = f"{finding.case:9} {what}: "
    if finding.ok:
        return f"{start}{listed(finding.voices)} agree; widest {told(finding.worst)}  {mark(True)}"
    wrong = "; ".join(told(pair) for pair in finding.pairs if not pair.comparison.ok)
    return f"{start}{who(finding)}: {wrong}  {mark(False)}"


def who(finding: Finding) -> str:
    apart, voices = finding.apart, finding.voices
    if apart != [UNKNOWN]:
        others = [name for name in voices if name not in apart]
        stand = "stands" if len(apart) == 1 else "stand"
        return f"{listed(apart)} {stand} apart from {listed(others)}, which agree"
    if len(voices) == 2:
        return f"{listed(voices)} differ, and of two it cannot be told which is wrong"
    return f"{listed(voices)} differ, and no majority agrees among itself: it cannot be told who is wrong"


def told(pair: Pair) -> str:
    """`ours - jax: 1.1e-15 of scale, uses 0.00011 % of what is allowed`"""
    names, comparison = f"{pair.left} - {pair.right}", pair.comparison
    if comparison.why:
        return f"{names}: {escape(comparison.why)}"
    names += " (float32)" if pair.dtype == "float32" else ""
    used = f"uses {percent(comparison.margin)} of what is allowed"
    return f"{names}: {comparison.max_rel:.1e} of scale, {used}"


def verdict(ruling: Ruling) -> Iterator[str]:
    """The closing lines: a line a network and dtype, what was not compared, and who stands apart."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in ruling.findings:
        groups.setdefault((finding.network, finding.dtype), []).append(finding)
    for (network, dtype), findings in groups.items():
        shares: dict[str, int] = {}
        for finding in findings:
            for name in finding.voices:
                shares[name] = shares.get(name, 0) + 1
        counts = ", ".join(f"{name} {count}" for name, count in shares.items())
        wrong = sum(not finding.ok for finding in findings)
        yield f"{network:16} {dtype:8} tensors compared: {counts}; {wrong} differ  {mark(not wrong)}"
    for gap in ruling.gaps:
        yield escape(f"{gap.network:16} {gap.dtype:8} not compared: {gap.case}, {gap}")
    for name in ruling.unproven:
        yield f"[red]proves nothing[/red]: all comparisons of {name} would pass zeros or a scaled twin"
    for name, found in ruling.accused.items():
        first, share = found[0], f"{len(found)} of {len(ruling.findings)} tensors"
        place = f"the first: {first.network} {first.case} {first.tensor} {first.dtype}"
        if name == UNKNOWN:
            yield f"[bold red]DISAGREE[/bold red]: {who(first)}; {share}, {place}"
        else:
            yield f"[bold red]DISAGREE[/bold red]: {name} stands apart in {share}; {place}"
    if ruling.ok:
        voices = list(dict.fromkeys(name for finding in ruling.findings for name in finding.voices))
        yield f"[bold green]AGREE[/bold green]: {listed(voices)} on everything compared"
    elif not ruling.accused:
        silent = [gap for gap in ruling.gaps if gap.fails]
        why = str(silent[0]) if silent else "not everything was really compared"
        yield f"[bold red]DISAGREE[/bold red]: nothing differed, but {escape(why)}"


def listed(names: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
