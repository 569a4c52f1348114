"""The names of an optimizer's methods, and what each parameter of a step gets. Needs NumPy alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.code_objects import codes_of, constants_in
from parity.adapters.layers_given import BIASES, LAYER, WEIGHTS
from parity.adapters.optimizer_names import COUNTS, SLOPE, SLOPES
from parity.adapters.rule_constants import ITS_MOMENTS

VERBS, THINGS = (  # of other names: update_parms, apply_to_layer
    "update|updates|apply|step|optimi[sz]e|adjust|perform|take|make|run|descend",
    "params?|parms?|parameters?|weights?|bias|biases|grads?|gradients?|layers?|model|network|net|variables?|vars?|"
    "steps?|updates?|all|to|on|with|by|the|of|and|one|single|descent|optimizer|optimizing|rule",
)
STEP = (
    *("update", "step", "updateparams", "updateweights", "updateparameters", "apply", "applygradients"),
    *("optimize", "applygradient", "__call__", "call", "updates", "fit", "get_updates", "applygrads"),
    *("updateparam", "updateweight", "updatelayer", "updatelayers", "applyupdate", "applyupdates"),
    *("callparam", "updateparameter", "updatevariable", "updatevalue", "optimizegradient", "nextpoint"),
    *("optimise", "optimizestep", "optimizerstep", "takestep", "gradientstep", "performupdate", "minimize"),
    *("optimizer", "optimizers"),
)
OTHER_STEP = re.compile(f"({VERBS})({THINGS})*")
KEYS = (
    *("name", "key", "k", "paramname", "layername", "id", "paramid", "index", "idx", "i"),
    *("layerid", "layeridx", "layerindex", "layernum", "layernumber", "layerno", "layerkey", "layeri"),
    *("paramkey", "paramidx", "paramindex", "varname", "weightname", "pid", "uid", "layern"),
)
NUMBER_KEYS = (
    "index",
    "idx",
    "i",
    "layerindex",
    "layeridx",
    "layernum",
    "layernumber",
    "paramidx",
    "paramindex",
)
BEFORE = ("preupdate", "prestep", "beforeupdate", "beforestep")  # how names of methods begin
AFTER = ("postupdate", "poststep", "afterupdate", "afterstep")
ENDS = ("grad", "grads", "gradient", "gradients")  # of a gradient's name
OF_BIAS = re.compile("(d|g|grads?|gradients?|nabla|delta)(b|bias|biases)|(b|bias|biases)(grads?|gradients?)")
HATS = ("mhat", "vhat", "shat", "mcorrected", "vcorrected", "mcorr", "vcorr", "mcap", "vcap")  # of moments
EMPTY = ("zerograd", "resetgrad", "cleargrad", "zerodelta", "resetdelta")
OF_STEP = re.compile(  # methods that return the step; they get gradients alone
    "(get|compute|calc|calculate|find|make)?_?(the)?_?(updates?|steps?|deltas?|changes?|direction|gradients?)"
    "(_?(values?|steps?|updates?))?"
)


def steps_of(methods: Iterable[str]) -> list[str]:
    """The methods whose names say that they make a step, the likeliest first."""
    known = [
        name for word in STEP for name in methods if name == word or (plain(name) == word and name[0] != "_")
    ]
    other = [
        name
        for name in methods
        if name[0] != "_" and (OTHER_STEP.fullmatch(plain(name)) or OF_STEP.fullmatch(plain(name)))
    ]
    return list(dict.fromkeys([*known, *other]))


def numbered_words(factory: Any) -> tuple[str, str]:
    """What its code calls weights and biases before their numbers: W and b, or w, as in `params["w1"]`."""
    texts = {one for one in constants_in(codes_of(factory)) if isinstance(one, str)}
    stems = {re.sub("^d|_?[0-9]+$", "", text) for text in texts}
    w = next((word for word in WEIGHTS if word in stems), "W")
    return w, next((word for word in BIASES if word in stems), "b")


def is_slope(word: str) -> bool:
    """Whether a parameter of that plain name is a gradient, or all of them."""
    known = word in (*SLOPES, *SLOPE) or word.startswith("grad")
    return known or word.endswith(("grad", "grads", "gradient", "gradients"))


def in_order(params: list[dict[str, Any]]) -> list[str]:
    """What each parameter of an update of one array, or of a weight and its bias, gets; nothing if unknown.

    "key", "w" and "dw", or "w", "b", "dw" and "db"; beside them "t", the number of the step, and of one array
    also its moments, "moment 1", "moment 2" and what is made of them.
    """
    words = [plain(p["name"]) for p in params]
    keys = [word for word in words if word in KEYS]
    counters = [word for word in words if word in COUNTS and word not in keys]
    slopes = [word for word in words if word.startswith(("d", "g")) and word not in keys]
    slopes += [word for word in words if word.endswith(("grad", "grads", "gradient")) and word not in slopes]
    arrays = [word for word in words if word not in (*keys, *counters, *slopes)]
    kept = (*ITS_MOMENTS, *HATS)
    moments = [word for word in arrays[1:] if word in kept] if len(slopes) == 1 else []
    arrays = [word for word in arrays if word not in moments]
    counts = (len(keys), len(arrays), len(slopes))
    more = len(counters) == 1 or 0 < len(moments) < 5
    if counts not in ((1, 1, 1), (0, 2, 2), (1, 2, 2), *[(0, 1, 1)] * more) or len(counters) > 1:
        return []
    given = dict(zip([*keys, *counters], [*["key"] * len(keys), *["t"] * len(counters)], strict=True))
    given |= {word: f"moment {i}" for i, word in enumerate(moments, start=1)}
    slopes.sort(key=words.index)
    given |= dict(zip(arrays, ("w", "b"), strict=False)) | dict(zip(slopes, ("dw", "db"), strict=False))
    return [given[word] for word in words]


def of_layer(params: list[dict[str, Any]]) -> list[str]:
    """What an update of one layer is given, "layer" and "grads" or "dw" and "db"; nothing if unknown."""
    words = [plain(p["name"]) for p in params]
    if not words or words[0] not in LAYER:
        return []
    if len(words) == 2 and words[1] in (*SLOPES, *SLOPE):
        return ["layer", "grads"]
    known = (word.startswith(("d", "g", "nabla")) or word.endswith(ENDS) for word in words[1:])
    if len(words) != 3 or not all(known):
        return []
    of_bias = [bool(OF_BIAS.fullmatch(word)) for word in words[1:]]
    return ["layer", "db", "dw"] if of_bias == [True, False] else ["layer", "dw", "db"]
