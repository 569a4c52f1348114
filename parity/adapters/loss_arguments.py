"""Which argument of a loss is the output and which the target, as far as their names tell.

Most losses of outputs are the same when the two are exchanged, and their gradients are not. So the order is
never found by trying: names decide, and where they do not, the output comes first. A cross entropy takes the
logarithm of its output: there the source decides before the names (`logarithms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parity.adapters.arguments import plain

TARGETS = {  # in lower case and without underscores
    *("t", "label", "labels", "target", "targets", "truth", "groundtruth", "gt", "actual", "trueval"),
    *("truelabels", "onehot", "expected", "yb", "trues", "tlabel", "desired", "correct", "answer", "answers"),
    *("reference", "goal", "observed", "ground", "real", "ideal", "teacher", "tgt", "lbl", "desiredoutput"),
    *("expectedoutput", "targetoutput", "actualvalue", "actualvalues", "trueoutput"),
}
OUTPUTS = {
    *("output", "outputs", "out", "yhat", "predicted", "score", "scores", "logits", "estimate", "estimated"),
    *("guess", "estimates", "yh", "al", "a2", "a3", "hypothesis", "h", "forecast", "predictions", "prob"),
    *("probs", "ao", "networkoutput", "modeloutput", "approx", "yp", "dvalues"),
}
ENDS_OF_TARGETS = ("target", "truth", "label", "labels", "real")


OF_LOGARITHMS = ("softmax_with_loss", "weighted_cross_entropy", "binary_cross_entropy")
Pairs = tuple[tuple[str, str], ...]  # (parameter, meaning)


def meanings_of(words: Sequence[str]) -> list[str]:
    """ "x" for the output, "t" for the target and "" for what neither its name nor the other's tells."""
    found = [_own(plain(word)) for word in words]
    if "y" in map(plain, words):  # the target beside an output, and the output beside a target
        at = [plain(word) for word in words].index("y")
        found[at] = "x" if "t" in found else "t"
    if found == ["x", "x"]:  # mse(y_hat, y_pred)
        named = ["pred" in plain(word) for word in words]
        found = ["x" if one else "t" for one in named] if sum(named) == 1 else found
    if found.count("") == 1 and len(found) == 2:
        found[found.index("")] = "t" if "x" in found else "x"
    return found


def order_in_words(pairs: Sequence[Sequence[str]]) -> str:
    """What is assumed of the order where the names of (parameter, "x" or "t") do not tell; else ""."""
    both = [(name, meaning) for name, meaning in pairs if meaning in ("x", "t")]
    if "" not in meanings_of([name for name, _ in both]):
        return ""
    names = {meaning: name for name, meaning in both}
    said = f"{names.get('x')} is taken for the output, {names.get('t')} for the target"
    return f"{said}: their names do not say"


def by_logarithm(pairs: Pairs, about: dict[str, Any], name: str) -> Pairs:
    """The pairs, with output and target exchanged where that function takes the logarithm of the target.

    Not where its derivative divides by the other one: then the two contradict each other, and names decide.
    """
    given = {parameter.lstrip("*"): meaning for parameter, meaning in pairs}
    logged = about.get("logarithms", {}).get(name, "")
    divisors = {divisor for other, divisor in about.get("divisors", {}).items() if other != name}
    if given.get(logged) != "t" or any(given.get(divisor) == "x" for divisor in divisors):
        return pairs
    return _exchanged(pairs)


def by_divisor(pairs: Pairs, about: dict[str, Any], name: str) -> Pairs:
    """The pairs of a gradient alone, exchanged where that function divides by what they call the target."""
    divisor = about.get("divisors", {}).get(name, "")
    if (divisor, "t") not in [(parameter.lstrip("*"), meaning) for parameter, meaning in pairs]:
        return pairs
    return _exchanged(pairs)


def _exchanged(pairs: Pairs) -> Pairs:
    other = {"x": "t", "t": "x"}
    return tuple((parameter, other.get(meaning, meaning)) for parameter, meaning in pairs)


def output_by_logarithm(pairs: Pairs, about: dict[str, Any], name: str) -> str:
    """The output as the logarithm shows it, where the names of these pairs do not say so; else ""."""
    logged = str(about.get("logarithms", {}).get(name, ""))
    names = [parameter.lstrip("*") for parameter, meaning in pairs if meaning in ("x", "t")]
    is_output = (logged, "x") in [(parameter.lstrip("*"), meaning) for parameter, meaning in pairs]
    return logged if is_output and said_of(logged, names) != "x" else ""


def said_of(name: str, names: Sequence[str]) -> str:
    """What the names of both arguments say of that one: "x", "t" or ""."""
    return dict(zip(names, meanings_of(names), strict=True)).get(name, "")


def tells_by_logarithm(about: dict[str, Any]) -> bool:
    """Whether a logarithm shows for some method what the names of its two arguments do not say."""
    for name, logged in about.get("logarithms", {}).items():
        way = about.get("methods", {}).get(name) or ()
        names = [p["name"] for p in way if p is not None and p["required"]]
        if len(names) == 2 and logged in names and said_of(logged, names) != "x":
            return True
    return False


def names_a_reduction(default: str) -> bool:
    """Whether the default of a `reduction`, as Python writes it, is one of PyTorch's words."""
    return default.strip("\"'") in ("mean", "sum", "none")


def _own(word: str) -> str:
    both = word, word.removeprefix("y")  # y_output, y_desired
    if "pred" in word or "hat" in word or OUTPUTS.intersection(both):
        return "x"
    if "true" in word or TARGETS.intersection(both) or word.endswith(ENDS_OF_TARGETS):
        return "t"
    return ""
