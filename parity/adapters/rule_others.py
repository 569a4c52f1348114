"""What parameters of an optimizer's step get that are neither arrays nor constants, as its source shows.

One that only names a state gets the number of its array, or its name; a dict of options and state gets the
constants; what nothing reads gets nothing. Needs nothing but Python.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.layers_given import LAYER, LAYERS, MODEL, WEIGHTS
from parity.adapters.optimizer_names import BATCH, COUNTS, MOMENTS, ONE, OPTIONS, TOGETHER
from parity.adapters.parameter_uses import DIVISOR, KEY, TABLE, UNUSED
from parity.adapters.rule_constants import NOTHING
from parity.adapters.rule_names import KEYS, is_slope

PENALTIES = ("reg", "penalty", "l2", "l1", "lambda", "lambd")  # how a part of the step is called that is 0
ARRAYS = (*ONE, *TOGETHER, *(word.lower() for word in WEIGHTS), "x")


def others_of(
    params: Sequence[Mapping[str, Any]], given: Collection[str], uses: Mapping[str, str]
) -> dict[str, str]:
    """Parameter -> "key", "table", "batch_size", "zero" or NOTHING; `given` are those that get a constant."""
    words = {p["name"]: plain(p["name"]) for p in params if p["required"] and p["name"] not in given}
    slopes = [name for name, word in words.items() if is_slope(word) and uses.get(name) != UNUSED]
    found: dict[str, str] = {}
    for name, word in words.items():
        use, rest = uses.get(name, ""), [n for n in words if n != name and n not in slopes]
        of_model = not slopes and any(words[n] in (*MODEL, *LAYERS) for n in rest)
        beside = bool(slopes) and any(words[n] in ARRAYS and uses.get(n) not in (TABLE, UNUSED) for n in rest)
        if use == TABLE and name not in slopes and (word in OPTIONS or beside):
            found[name] = "table"
        elif use == KEY and word not in (*KEYS, *COUNTS) and slopes:
            found[name] = "key"
        elif use == DIVISOR and slopes and word in (*BATCH, "m", "n", "size"):
            found[name] = "batch_size"
        elif use == UNUSED and beside and word in LAYER:
            found[name] = "key"  # the layers have one optimizer
        elif use == UNUSED and word not in (*KEYS, *COUNTS, *LAYER) and not is_slope(word):
            found[name] = NOTHING if beside or of_model or (slopes and not _is_known(word)) else ""
        elif word.startswith(PENALTIES) and not is_slope(word) and slopes:
            found[name] = "zero"
    return {name: what for name, what in found.items() if what}


def _is_known(word: str) -> bool:
    return word in (*ARRAYS, *KEYS, *COUNTS, *MOMENTS, "b", "bias", "biases") or is_slope(word)
