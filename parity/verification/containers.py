"""A class that is handed its layers: are its outputs theirs in a row, and its gradients the chain rule's?

It is put together of the layers and losses of its own file, small and with random weights. Its gradients are
held to central differences of its loss, or of its outputs with a gradient that it is handed. Of each call the
layers note what they are given: so that what is wrong is the container's, a layer's, or not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from parity.adapters.network_words import is_step
from parity.adapters.own_network_subject import Looked, OwnSubject, OwnWay
from parity.checks.culprit import Culprit
from parity.comparison.gates import held
from parity.comparison.records import Place, record
from parity.verification.verdict import OF_LAYERS, RIGHT, First, Verdict

KIND = "network"
OF_LOSS = f"{OF_LAYERS}, and its gradients those of its loss"
OF_DOUT = f"{OF_LAYERS}, and its gradients the chain rule's"
SHORT = "it goes forward without the last of its layers, which it may take for its loss"
BEYOND = "what its layers compute"
Check = Callable[[OwnSubject, OwnWay, Verdict, int], None]


def check_container(network: OwnSubject, verdict: Verdict, seed: int, check: Check) -> None:
    """Each method that gives gradients or trains, in the ways that run; the verdict is of all of them."""
    right: dict[str, Verdict] = {}
    wrong: dict[str, Verdict] = {}
    why: dict[str, str] = {}
    for number in range(network.ways):
        way = network.use(number)
        method = way.called.partition("gradients by ")[2].partition("(")[0]
        if method in right:
            continue
        trial = replace(verdict, records=[], not_checked=[], remarks=[], buts=[])
        looked = network.looked(seed)
        if not way.fails:
            check(network, way, trial, seed)
        is_right = not way.fails and trial.outcome in RIGHT
        lacks = any(text.endswith("which were not found") for text in trial.not_checked)
        bug = (
            looked.forward
            or looked.step
            or (looked.backward if lacks or not is_right else "")
            or ("" if is_right or way.fails else looked.start)
        )
        if bug and (looked.forward or looked.step or not looked.wrong):
            wrong.setdefault(method, _wrong(trial, bug))
        elif looked.short:
            why.setdefault(method, SHORT)
        elif is_right:
            right[method] = _right(trial, looked, way, method)
            wrong.pop(method, None)
        elif way.fails:
            continue
        elif looked.wrong:
            names = ", ".join(dict.fromkeys(looked.wrong))
            why.setdefault(
                method, f"its layer {names} is not right itself: its backward is not that of its forward"
            )
        else:
            why.setdefault(
                method,
                trial.unchecked
                or "its gradients are not those of its loss, and whether it, a "
                "layer or the loss is to blame is not known",
            )
    _together(verdict, right, wrong, {name: text for name, text in why.items() if name not in right | wrong})


def _together(
    verdict: Verdict, right: dict[str, Verdict], wrong: dict[str, Verdict], why: dict[str, str]
) -> None:
    """What all of its methods come to."""
    found = next(iter([*wrong.values(), *right.values()]), None)
    if found is None:
        verdict.unchecked = next(iter(why.values()), "")
        return
    others = [f"{name} ({text})" for name, text in why.items()]
    also = [name for name in right if right[name] is not found]
    verdict.records, verdict.called, verdict.claim = found.records, found.called, found.claim
    verdict.first, verdict.culprit, verdict.buts = found.first, found.culprit, found.buts
    verdict.not_checked = [*found.not_checked, *others]
    verdict.remarks = [*found.remarks, *([f"the same by {', '.join(also)}"] if also and not wrong else [])]


def _right(trial: Verdict, looked: Looked, way: OwnWay, method: str) -> Verdict:
    of_dout = ", dout (" in way.called
    if looked.whole and not way.of_outputs:
        trial.claim = OF_DOUT if of_dout else OF_LOSS
    rest = [text for text in trial.not_checked if not text.startswith("outputs")]
    still = (
        [f"the step of {method}, which changed no weights"]
        if way.source == "kept" and is_step(method)
        else []
    )
    dx = ["the gradient of its input, which it does not return"] if of_dout and not looked.dx else []
    trial.not_checked = [BEYOND, *([] if looked.whole else ["its outputs"]), *still, *dx, *rest]
    return trial


def _wrong(trial: Verdict, bug: str) -> Verdict:
    """Wrong for what its calls show, whatever the numbers are."""
    row = next((r for r in trial.records if not r.ok), None)
    if row is None:
        phase, tensor = ("backward", "gradients") if "going forward" not in bug else ("forward", "outputs")
        row = record(Place(KIND, "float64", "cpu"), KIND, phase, tensor, held((), bug))
        trial.records = [row]
    trial.unchecked, trial.buts, trial.claim = "", [], OF_LAYERS
    trial.not_checked = [BEYOND]
    trial.first = trial.first if trial.first is not None and trial.first.record is row else First(row)
    trial.culprit = Culprit(KIND, row.phase, row.tensor, bug)
    return trial
