"""A function and its backward were checked together: the verdict on each of them by itself.

The pair is one thing to check, and two things that its author wrote. Where the function is right and its
derivative is wrong, the function is not to blame, and a program that asks for either finds it by its name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from parity.adapters.definitions import parsed, with_lambdas
from parity.adapters.signatures import is_backward_of
from parity.comparison.records import Record
from parity.faults.diagnose import PLAIN
from parity.verification.listing import NETWORK, SUFFIXES, listed
from parity.verification.own_listed import OWN_LAYER
from parity.verification.unchecked import FORWARD_IS_RIGHT, compared
from parity.verification.verdict import GRADIENTS, RIGHT, Verdict

ALWAYS = "has no result, whatever it is given, so that its gradient was given nothing"
OF_FORWARD = re.compile(r"\((out|loss)\)$")  # at the end of what is said of forward's result alone


def by_function(verdict: Verdict, body: Sequence[ast.stmt]) -> list[Verdict]:
    """The verdict, or that on the function and that on its backward, by their names.

    One it stays where there is one function or a class, where two are named together and nothing is wrong,
    where the backward gave no number, and where both are wrong: then its gradient may be that of its forward.
    """
    if verdict.kind == OWN_LAYER:
        return _of_own(verdict)
    names = _named(verdict, body)
    if names is None:
        return [verdict]
    function, backward = names
    own, other = _rows_of(verdict, "forward"), _rows_of(verdict, "backward")
    if verdict.outcome in RIGHT and "," not in verdict.name and any(map(compared, other)):
        return [verdict, _backward_of_right(verdict, backward, function, other)]
    if verdict.outcome == "wrong" and verdict.wrong_function:
        return [_forward_alone(verdict, function, backward, own), _of_other(verdict, backward)]
    if verdict.unchecked.endswith(FORWARD_IS_RIGHT):
        rest = verdict.unchecked.removesuffix(FORWARD_IS_RIGHT).strip()
        alone = _forward_alone(verdict, function, backward, own)
        return [alone, replace(_of_other(verdict, backward), unchecked=rest)]
    if verdict.outcome == "wrong" and verdict.always and not any(map(compared, own)):
        left = _part(verdict, backward, unchecked=f"{function.rpartition(':')[2]} {ALWAYS}")
        return [replace(verdict, name=function), left]
    if verdict.outcome == "wrong" and other and all(row.ok for row in other) and not verdict.always:
        return [replace(verdict, name=function), _backward_of_right(verdict, backward, function, other)]
    return [verdict]


def _of_own(verdict: Verdict) -> list[Verdict]:
    """Of what is none of the kinds: where the derivative is not its gradient, the function is not blamed."""
    first, _, second = verdict.name.partition(",")
    backward = second or verdict.functions[1]
    if not backward or verdict.always:
        return [verdict]
    before = first.rpartition(":")[0]
    name = f"{before}:{backward}" if before else backward
    if verdict.outcome in RIGHT and not second:
        return [verdict, replace(verdict, name=name, gradient_of=verdict.functions[0])]
    if verdict.outcome != "wrong":
        return [verdict]
    why = f"it is none of the kinds, and {backward} beside it is not its gradient"
    return [_part(verdict, first, unchecked=why), _of_other(verdict, name)]


def _named(verdict: Verdict, body: Sequence[ast.stmt]) -> tuple[str, str] | None:
    """Both names as targets have them, where the file defines the two functions, or a class of it does."""
    function, backward = verdict.functions
    if not function and verdict.always:  # before any way of calling them was found
        function, _, backward = verdict.name.rpartition(":")[2].partition(",")
    whole = verdict.name.partition(",")[0]
    first, opened, choice = whole.partition("(")
    before = first.removesuffix(function)
    if not function or function == backward or not backward.isidentifier() or before == first:
        return None
    holder = re.split(r"[:/]", before)[-1].rstrip(".")
    inner = [node.body for node in body if isinstance(node, ast.ClassDef) and node.name == holder]
    there = {name for part in (inner[-1:] if holder else [body]) for name in _names_in(part)}
    return (whole, before + backward + opened + choice) if backward in there else None


def _names_in(body: Iterable[ast.stmt]) -> Iterator[str]:
    """What a file or class defines or assigns."""
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _rows_of(verdict: Verdict, phase: str) -> list[Record]:
    return [row for row in verdict.records if row.phase == phase]


def _part(
    verdict: Verdict, name: str, rows: Sequence[Record] = (), *, unchecked: str = "", buts: Iterable[str] = ()
) -> Verdict:
    """The verdict on one of the two, with what of that on both holds for either."""
    part = Verdict(verdict.kind, name, not unchecked, [*rows], unchecked=unchecked, buts=[*buts])
    part.where, part.judge = verdict.where, verdict.judge
    if not unchecked:
        part.called, part.adapter = verdict.called, verdict.adapter
        part.sizes, part.largest = verdict.sizes, verdict.largest
    return part


def _forward_alone(verdict: Verdict, name: str, backward: str, rows: Sequence[Record]) -> Verdict:
    """The function, whose numbers are right, beside a backward that is not."""
    alone = _part(verdict, name, rows, buts=verdict.forward_buts)
    alone.not_checked = [text for text in verdict.not_checked if text not in GRADIENTS]
    alone.output = verdict.output
    what = "raised on every input" if verdict.outcome == "not_checked" else "is wrong"
    alone.remarks = [f"its gradient is not part of this: {backward.rpartition(':')[2]} {what}"]
    return alone


def _of_other(verdict: Verdict, name: str) -> Verdict:
    """What was found of both, which is the backward's."""
    return replace(verdict, name=name, wrong_function="")


def _backward_of_right(verdict: Verdict, name: str, function: str, rows: Sequence[Record]) -> Verdict:
    """The backward, whose gradients are right."""
    contracts = [r for r in verdict.records if r.phase not in PLAIN and r.tensor.startswith("d") and r.ok]
    buts = [text for text in verdict.buts if not OF_FORWARD.search(text)]
    found = _part(verdict, name, [*rows, *contracts], buts=buts)
    found.habits = [text for text in verdict.habits if text in buts]
    found.not_checked, found.declared = verdict.not_checked, verdict.declared
    found.gradient_of = function.rpartition(":")[2]
    found.remarks = [f"{found.gradient_of} itself is wrong"] if verdict.outcome == "wrong" else []
    return found


def function_beside(target: str) -> str:
    """`file.py:mse` of `file.py:mse_prime`, by their names; "" where the file has no such function."""
    where, _, name = target.rpartition(":")
    path = Path(where.removesuffix(":"))
    try:
        if path.suffix not in SUFFIXES or not path.is_file():
            return ""
        found = [one for one in listed(path) if one.kind not in ("", NETWORK)]
        functions = {
            node.name
            for _, tree in parsed(path)
            for node in with_lambdas(tree.body)
            if isinstance(node, ast.FunctionDef)
        }
    except (SyntaxError, ValueError, OSError, RecursionError):
        return ""
    if name not in functions or any(name in one.name.split(",") for one in found):
        return ""
    first = next((one.name for one in found if is_backward_of(name, one.name, functions - {name})), "")
    return f"{where}:{first}" if first else ""


def of_backward(verdict: Verdict, target: str) -> Verdict:
    """Of the verdict on both the part of the backward that was asked for; all of it where it has none."""
    where = target.rpartition(":")[0]
    body = [node for _, tree in parsed(Path(where.removesuffix(":"))) for node in tree.body]
    return next((part for part in by_function(verdict, body) if part.name == target), verdict)
