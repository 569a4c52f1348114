"""Which methods and functions are forward and backward, and what their parameters get, by their names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from parity.adapters import training_flag
from parity.adapters.arguments import plain
from parity.adapters.constants import constant_of, same_default
from parity.adapters.convention import Convention
from parity.adapters.fed import fed_calls
from parity.adapters.loss_arguments import by_logarithm, meanings_of, names_a_reduction
from parity.adapters.meanings import (
    BOTH_SIDES,
    MODE_NAMES,
    MODES,
    SIDES,
    STRINGS,
    meanings,
    padding_word,
    share_of_old,
)
from parity.adapters.method_words import with_words
from parity.adapters.name_parts import meanings_of_parts
from parity.adapters.options import grouped, is_group, pools_windows
from parity.adapters.recipe import is_reduced, recipe
from parity.adapters.short_names import in_full
from parity.adapters.updates import REGULAR

FORWARD = (
    *(
        "forwardbatch",  # beside a forward of one row
        "forward",
        "__call__",
        "call",
        "fprop",
        "forwardpass",
        "forwardprop",
        "forwardpropagation",
        "feedforward",
    ),
    *("forwardpropagate", "propagate", "fwd", "apply", "compute", "predict", "activate", "run", "f", "loss"),
    *(
        "calculate",
        "computeloss",
        "calc",
        "calcloss",
        "calloss",
        "lossforward",
        "forwardloss",
        "getcost",
        "calccost",
        "calcost",
        "function",
        "fn",
        "func",
        "activation",
        "output",
        "calculateloss",
        "cost",
        "computecost",
        "calculatecost",
        "getloss",
        "lossfn",
        "lossfunction",
        "error",
        "evaluate",
        "execute",
    ),
)
BACKWARD = (
    *(
        "backward",
        "backword",
        "backprop",
        "bprop",
        "backwardpass",
        "backwardprop",
        "backwardpropagation",
        "backpropagation",
    ),
    *(
        "backpropagate",
        "backwardpropagate",
        "back",
        "bwd",
        "gradient",
        "grad",
        "derivative",
        "prime",
        "deriv",
    ),
    *(
        "df",
        "d",
        "dfunc",
        "delta",
        "gradients",
        "lossgradient",
        "lossgrad",
        "calcgradient",
        "computegradient",
        "diff",
    ),
    *("dfunction", "calculategradient", "losspprime", "lossprime", "derive", "dloss", "activationderivative"),
    *("lossderivative", "costderivative", "costprime", "costgradient", "dcost", "computegrad", "calcgrad"),
    *("getgradient", "getgrad", "calculategrad", "calcderivative", "computederivative", "gradloss"),
    *(
        "calculatederivative",
        "fprime",
        "lossbackward",
        "backwardloss",
        "derivate",
        "dervivative",
        "derivativeofloss",
        "calcdelta",
        "computedelta",
        "differential",
        "differentiate",
        "activationprime",
        "activationgrad",
        "activationgradient",
        "dactivation",
        "functionprime",
        "functionderivative",
    ),
)
DERIVATIVE = (
    "gradient",
    "grad",
    "derivative",
    "prime",
    "deriv",
    "df",
    "dfunc",
    "diff",
    "dfunction",
    "derive",
    "derivate",
    "dervivative",
    "differential",
    "differentiate",
)
DOUT = {
    *(
        "dout",
        "grad",
        "gradout",
        "gradoutput",
        "outputgradient",
        "outputgrad",
        "dvalues",
        "delta",
        "da",
        "dz",
        "d",
    ),
    *(
        "upstream",
        "upstreamgrad",
        "upstreamgradient",
        "dy",
        "gradient",
        "error",
        "dldout",
        "dldo",
        "accumgrad",
        "g",
    ),
    *(
        "outputerror",
        "dldy",
        "dlout",
        "topdiff",
        "douts",
        "dnext",
        "gradnext",
        "gradientoutput",
        "grads",
        "deltas",
    ),
    *(
        "dl",
        "dloss",
        "doutput",
        "dldz",
        "dlda",
        "dloutput",
        "err",
        "nextgrad",
        "backgrad",
        "dh",
        "gout",
        "eta",
        "gy",
    ),
    *(
        "dj",
        "incominggrad",
        "lossgradient",
        "lossgrad",
        "gradin",
        "dprev",
        "din",
        "dvalue",
        "gradz",
        "grada",
        "dEdY".lower(),
    ),
    *(
        "outgrad",
        "dlossdout",
        "djdout",
        "doutdx",
        "residual",
        "signal",
        "backpropdelta",
        "upgrad",
        "prevgrad",
        "dact",
    ),
}
X = {
    "x",
    "input",
    "inputs",
    "inp",
    "data",
    "z",
    "images",
    "image",
    "xs",
    "aprev",
    "a",
    "inputdata",
    "img",
    "batch",
    "value",
}
T = {
    *(
        "t",
        "y",
        "ytrue",
        "label",
        "labels",
        "target",
        "targets",
        "truth",
        "groundtruth",
        "gt",
        "actual",
        "trueval",
    ),
    *(
        "truelabels",
        "onehot",
        "ytarget",
        "expected",
        "yb",
        "ytruth",
        "trues",
        "yreal",
        "tlabel",
        "yactual",
        "truey",
    ),
}
ACTIVATED = {"a", "y", "s", "out", "output", "outputs", "activated", "activation", "sig", "fx", "h", "result"}
OF_OUTPUT = ("sigmoid", "tanh", "elu", "selu")  # their derivatives are written in terms of x or of the output
SAME_SIGN = ("relu", "leaky_relu")  # a cache that forward does not return may be x, which is as good as out
OF_INPUT = {"z", "zs", "input", "inputs", "inp", "preactivation", "net", "netinput", "logits", "u"}
CONTEXT = (
    "ctx",
    "context",
)  # of a function of a framework, an object in which forward keeps what backward needs
CACHE = {"cache", "caches", "memory", "saved", "old", "linearcache", "activationcache", "store"}
MASKS = {"mask", "masks", "dropoutmask", "dropmask", "binarymask", "d", "m", "r", "u"}  # beside dout
OUT = {"out", "output", "outputs", "y", "s", "activated", "result", "a", "activation", "softmaxoutput"}
PROBABILITIES = {
    "probs",
    "prob",
    "probabilities",
    "dist",
    "softmax",
    "sm",
    "p",
    "yhat",
}  # of a softmax's backward
OF_GRADIENTS = {
    "d",
    "g",
    "grad",
    "dl",
    "dld",
    "dj",
    "djd",
    "de",
    "ded",
    "dloss",
    "dlossd",
    "dout",
    "upstream",
}
KEEP = ("savecache", "keepcache", "storecache", "cacheinput", "cacheinputs", "saveforbackward", "save")
FLAG = {"derivative", "deriv", "derivate", "prime", "backward", "grad", "gradient", "diff"}
Calls = tuple[str, tuple[tuple[str, str], ...]]


def _pairs(
    params: Sequence[dict[str, Any]] | None, way: str, kind: str, c: Convention, constant: bool = False
) -> Iterator[tuple[tuple[str, str], ...]]:
    """What each parameter of a method gets, the likeliest first; nothing where one is unknown.

    An activation's constant that has a default is given if `constant` says so, or if forward is given it.
    """
    role = recipe(kind).role
    params = [p for p in params or () if p is not None]
    words = [plain(p["name"]) for p in params]
    outputs = {*_gradients_by_name(words).values()}  # y beside dy
    if way == "backward" and kind == "softmax" and len(words) > 1 and set(words) & T - outputs:
        return  # with labels it is the gradient of the loss after it
    found: list[list[str | None]] = []
    for p, word in zip(params, words, strict=True):
        own = constant_of(kind, p)
        options: list[str] = [own] if own else _options(word, words, way, kind, role, c, p["name"])
        if padded := padding_word(p["default"], kind):
            options = [padded]
        elif p["default"].startswith(("((", "[(", "([", "[[")):
            options = [BOTH_SIDES if meaning == "pad" else meaning for meaning in options]
        elif p["default"].startswith(("(", "[")):
            options = [PAIRS.get(meaning, meaning) for meaning in options]
        if p["required"]:
            switched_off = ["=False"] if way == "backward" and word.endswith("flag") else []
            unused = ["=None"] if p.get("unused") else []
            found.append([*(options or switched_off or _again(word, words, way, c) or unused)])
            continue
        if own:
            found.append([own if constant or own in {m for _, m in c.forward_args} else None])
            continue
        if word == "reduction" and is_reduced(kind):
            found.append([word if p["required"] or names_a_reduction(p["default"]) else None])
            continue
        if word == "alpha" and not (recipe(kind).params or meanings(word, kind)):
            found.append([None])
            continue
        if kind == "batch_norm" and way == "forward" and "momentum" in meanings(word, kind):
            found.append([*share_of_old(p["default"])] or [None])
            continue
        given = (*_GIVEN, *recipe(kind).order) if kind in ("lrn", "softmax_axis") else _GIVEN
        keep = [m for m in options if m in given or m in c.passed or m.startswith("=")]
        if way == "backward" and "dout" in options and role == "layer":
            keep = ["dout"] if not any("dout" in others for others in found) else []
        found.append([keep[0] if keep else None])
    if way == "backward" and c.constructor is not None and kind in TAKES_DOUT:
        found = _with_dout(found)
    if c.constructor is None and way == "forward" and pools_windows(kind):
        found = _with_a_window(found)
    if way == "backward" and len(c.out.path) > 1:
        found = _beside_a_cache(found)
    known = {m for options in found for m in options}
    unknown = [i for i, options in enumerate(found) if not options]
    left = _by_place(way, role, known, len(unknown))
    if way == "backward" and c.constructor is None and recipe(kind).params and {"dout", "W"} <= known:
        left = left or (("x",) if len(unknown) == 1 and not {"x", "cache"} & known else ())
    for i, meaning in zip(unknown, left, strict=False):
        found[i] = [meaning]
    if not all(found):
        return
    several = itertools.islice(itertools.product(*found), MOST_READINGS)
    for chosen in sorted(several, key=_is_mixed)[:MOST_CALLS]:
        yield tuple((p["name"], m) for p, m in zip(params, chosen, strict=True) if m is not None)


def _again(word: str, words: Sequence[str], way: str, c: Convention) -> list[str]:
    """x, for what a function calls as the one before it calls x, where the gradient has a name of its own."""
    if way == "forward" or c.constructor is not None or not any(w.startswith(("d", "grad")) for w in words):
        return []
    return ["x"] if word in {plain(name) for name, meaning in c.forward_args if meaning == "x"} else []


MOST_READINGS, MOST_CALLS = 64, 12  # of the parameters of one method


def _is_mixed(chosen: Sequence[str | None]) -> bool:
    """Whether some sizes of a window, its stride and its padding are pairs and others one number."""
    return len({meaning in PAIRS for meaning in chosen if meaning in (*PAIRS, *PAIRS.values())}) > 1


TAKES_DOUT = (
    "convolution",
    "affine",
    "batch_norm",
    "layer_norm",
    "dropout",
    "flatten",
    *MODES,
)  # never f'(x) alone


def _with_dout(found: list[list[str | None]]) -> list[list[str | None]]:
    """The only array that a backward of weights or of windows takes is dout, whatever it is called."""
    arrays = [i for i, options in enumerate(found) if set(options) & {"x", "out", "dout"}]
    outs = [i for i in arrays if found[i] == ["out"]]
    if len(outs) == 2 and not any("dout" in options for options in found):  # backward(out, input, output)
        return [["dout"] if i == outs[0] else options for i, options in enumerate(found)]
    if len(arrays) != 1 or "dout" in found[arrays[0]] or not all(found):
        return found
    return [["dout"] if i == arrays[0] else options for i, options in enumerate(found)]


def _beside_a_cache(found: list[list[str | None]]) -> list[list[str | None]]:
    """Beside what forward returned for it a backward takes dout, whatever its name: backward(output, old)."""
    if len(found) != 2 or sum("cache" in options for options in found) != 1:
        return found
    return [["dout"] if options == ["out"] else options for options in found]


def _with_a_window(found: list[list[str | None]]) -> list[list[str | None]]:
    """A pooling function that asks for one thing more than images, and for no window: that is the window."""
    known = {m for options in found for m in options}
    if (
        known & {"kernel", "(FH,FW)", "FH", "pool_h"}
        or sum(not options for options in found) != 1
        or "x" not in known
    ):
        return found
    return [options or ["kernel", "(FH,FW)"] for options in found]


def _by_place(way: str, role: str, known: set[str | None], count: int) -> Sequence[str]:
    """What parameters of unknown names get: x before t in a loss, else the one thing that every call has."""
    back = ("=1",) if role == "loss" else ("dout",)
    wanted = back if way == "backward" else ("x", "t") if role == "loss" else ("x",)
    left = [meaning for meaning in wanted if meaning not in known]
    return left if len(left) == count or (role == "loss" and way == "forward") else ()


PAIRS = {"stride": "(SH,SW)", "pad": "(PH,PW)", "kernel": "(FH,FW)"}  # of two numbers, by their default
_GEOMETRY = (
    "stride",
    "pad",
    "dilation",
    "groups",
    "kernel",
    "ratio",
    "keep",
    *PAIRS.values(),
    BOTH_SIDES,
    *SIDES,
    *STRINGS,
)
_GIVEN = (
    "training",
    "inference",
    "mode",
    "rate",
    "optimizer",
    "t",
    *_GEOMETRY,
)  # although they have defaults


RATES = (
    *("lr", "learningrate", "rate", "alpha", "learnrate", "eta", "stepsize"),
    *("alfa", "tasa", "tasaaprendizaje", "taxa", "taxaaprendizado", "taxadeaprendizado", "lernrate"),
)
OF_TIME = ("timestep", "epoch", "iteration")  # which call it is, of a forward


def _options(
    word: str, words: Sequence[str], way: str, kind: str, role: str, c: Convention, name: str = ""
) -> list[str]:
    if word in CONTEXT and (way == "forward" or "context" in {m for _, m in c.forward_args}):
        return ["context"]
    if way == "forward" and c.constructor is None and len(words) == 1 and kind in ("softmax", *SAME_SIGN):
        return ["x"]  # of a function of one thing, also where that is called eta
    if word in (*CACHE, *CONTEXT):
        return ["cache", "x"] if way == "backward" and kind in SAME_SIGN else ["cache"]
    if word in ("optimizer", "optim", "opt"):
        return ["optimizer"]
    if way == "backward" and word == "eta" and not set(words) & (DOUT - {"eta"}):
        return ["dout"]
    if way == "backward" and word == "alpha" and not (recipe(kind).params or meanings(word, kind)):
        return ["=0.01"]  # what every backward of a network takes, or a constant: then its default stays
    if way == "backward" and word in RATES:
        return ["rate"]
    if way == "backward" and not word and set(words) - {""}:
        return ["=None"]  # what is called _ is not looked at
    if way == "backward" and word.endswith("rate") and set(words) & DOUT and not meanings(word, kind):
        return ["rate"]  # learnin_rate
    if way == "backward" and word in REGULAR and role == "layer" and not meanings(word, kind):
        return ["=0.0"]
    if word in ("batchsize", "nbatch", "nsamples", "numsamples", "minibatchsize", "batchlen"):
        return ["N"]
    if way == "backward" and word == "m" and c.constructor is not None and set(words) & DOUT:
        return ["N"]
    if "batch" in c.forward and word in ("m", "n", "") and {*words} & (X | DOUT):
        return ["N"]  # beside the batch its number, also where that is called _
    if kind in MODES and word in MODE_NAMES:
        return list(meanings(word, kind))
    if way == "forward" and word in KEEP:
        return ["=True"]
    switching = training_flag.meaning_of(word)
    if switching and (switching != "inference" or (way == "forward" and role != "loss")):
        return [switching]
    if (
        word in ("params", "parameters", "weights")
        and way == "forward"
        and c.constructor is None
        and "W" in c.passed
        and not any("W" in meanings(other, kind) for other in words)
    ):
        return ["[W;b]", "[w:W;b:b]", "[W:W;b:b]", "[weights:W;bias:b]"]
    if is_group(word) and role == "layer":
        again = [m for name, m in c.forward_args if plain(name) == word and m.startswith("{")]
        return again if way == "backward" else [*grouped(kind)]
    if role == "loss":
        again = [m for name, m in c.forward_args if plain(name) == word and m in ("x", "t")]
        if way == "backward" and again:
            return again
        return _of_outputs(word, words, way) if is_reduced(kind) else _of_loss(word, words, way)
    if way == "backward" and kind == "dropout" and word in MASKS and {*words} & (DOUT - MASKS):
        return ["cache"]
    if way == "backward" and kind == "softmax" and (found := _beside_its_gradient(word, words, c)):
        return found
    if way == "backward" and word in DOUT:
        return ["dout"]
    if way == "backward" and (word in ACTIVATED if kind in OF_OUTPUT else word in OUT - {"a", "s"}):
        return ["out"]
    given = ("x", "I", "O") if c.constructor is None and "W" in c.passed else ("x",)  # sizes that W has
    named = [m for m in meanings(word, kind) if m not in given]
    if not named and c.constructor is None and pools_windows(kind):
        named = [*meanings_of_parts(name, kind)]
    if not named and c.constructor is not None and word in OF_TIME and way == "forward":
        return ["=0"]
    passed = [m for m in named if m in c.passed]
    if passed:
        return passed
    if word in X or (way == "backward" and word in OF_INPUT and not recipe(kind).params):
        return ["x"]
    if c.constructor is None and kind == "convolution" and word in KERNELS and not _others_are_weights(words):
        return ["W", *named]
    if c.constructor is None and named:
        return [*dict.fromkeys([*named, *(PAIRS[m] for m in named if m in PAIRS)])]
    if kind == "softmax_axis" and "axis" in named:
        return ["axis"]
    return [m for m in named if m in _GEOMETRY] or _by_its_parts(word, words, way)


KERNELS = (
    "k",
    "f",
    "kern",
    "ker",
    "krn",
    "mask",
    "flt",
    "fltr",
    "filtr",
)  # of a function that has no other weights


def _others_are_weights(words: Sequence[str]) -> bool:
    """Whether one of the parameters of a function is its weights by name."""
    return any("W" in meanings(word, "convolution") for word in words)


def _gradients_by_name(words: Sequence[str]) -> dict[str, str]:
    """`dL_ddist` and `gb`, each with what it is the gradient of among those words, as plain ones."""
    return {g: w for g in words for w in words if g != w and g.removesuffix(w) in OF_GRADIENTS}


def _beside_its_gradient(word: str, words: Sequence[str], c: Convention) -> list[str]:
    """What a softmax and its gradient get in backward(b, gb) and in backward(dist, dL_ddist)."""
    gradients = _gradients_by_name(words)
    if word in gradients:
        return ["dout"]
    if word in {plain(name) for name, meaning in c.forward_args if meaning == "x"}:
        return []
    return ["out"] if word in gradients.values() or word in PROBABILITIES else []


def _by_its_parts(word: str, words: Sequence[str], way: str) -> list[str]:
    """A longer name by what it begins or ends with: dconv_prev, conv_in, grad_of_output."""
    if way == "backward" and word.startswith(("d", "grad", "err", "upstream")) and not set(words) & DOUT:
        return ["dout"]
    if way == "backward" and word.startswith("prev") and set(words) & X and not set(words) & DOUT:
        return ["dout"]  # of the layer after it, which comes first in backward
    if word.endswith(("in", "orig", "original")) or "input" in word or "prev" in word:
        return ["x"]
    return []


def _of_loss(word: str, words: Sequence[str], way: str) -> list[str]:
    if word in ("y", "yhat", "ypred", "p") and any(w in T - {"y"} for w in words):
        return ["x"]
    if word in T:
        return ["t"]
    if (
        word in X
        or "pred" in word
        or word in ("logits", "scores", "output", "outputs", "yhat", "out", "z", "score")
    ):
        return ["x"]
    if way == "backward" and word in ("dvalues",):
        return ["probabilities", "x"]  # those that it kept, or those of forward once more
    if way == "backward" and word in (
        "probs",
        "prob",
        "probabilities",
        "softmax",
        "softmaxout",
        "softmaxprobs",
    ):
        return ["cache", "probabilities"]  # returned beside the loss, or kept
    return ["=1"] if way == "backward" and word in DOUT else []


def _of_outputs(word: str, words: Sequence[str], way: str) -> list[str]:
    """Of a loss per output, of which backward may take the outputs once more."""
    if way == "backward" and word in DOUT - {"dvalues"}:
        return ["=1"]
    taken = [other for other in words if way == "forward" or other not in DOUT - {"dvalues"}]
    meaning = dict(zip(taken, meanings_of(taken), strict=True)).get(word, "")
    return [meaning] if meaning else []


def forward_calls(
    about: dict[str, Any], kind: str, c: Convention
) -> Iterator[tuple[str, tuple[tuple[str, str], ...], str, str]]:
    """Method or function, its arguments, and the tensor class that wraps them; the likeliest first."""
    tensors = about["tensors"]
    if c.constructor is None:
        name = about["names"][0]
        for args in _pairs(about["signature"], "forward", kind, c, _agreed(about, kind)):
            if _is_whole(args, kind, c):
                given = by_logarithm(args, about, name)
                given = training_flag.in_its_words(given, about["signature"], about["modes"])
                for tensor in tensors if name in about["on_nodes"] else ():
                    yield f"function {name}", given, tensor, ""
                yield f"function {name}", given, "", ""
        return
    engine = any(
        any(step in ("data", "value", "array") for _, step in p[0].path[1:]) for p in c.stored.values() if p
    )
    methods = words_of_methods(about["methods"], kind)
    no_backward = not any(word in BACKWARD for word in methods.values())

    def on_nodes(name: str) -> bool:
        return no_backward and name in about["on_nodes"]

    for word in FORWARD:
        for name in [n for n, w in methods.items() if n == word or (w == word and n[0] != "_")]:
            of_batch = replace(c, forward=name) if "batch" in name else c
            for args in _pairs(about["methods"][name], "forward", kind, of_batch):
                if not ("x" in c.built_with or any(meaning == "x" for _, meaning in args)):
                    continue
                if not _is_whole(args, kind, c):
                    continue
                args = by_logarithm(args, about, name)
                args = training_flag.in_its_words(args, about["methods"][name], about["modes"])
                ways = (
                    [*tensors] if engine and tensors else [*tensors, ""] if on_nodes(name) else ["", *tensors]
                )
                for tensor in ways:
                    yield name, args, tensor, ""
            if name == "__call__" and _takes_any(about["methods"][name]):
                for args in _pairs(about["methods"].get("forward"), "forward", kind, c):
                    if len(args) > 1:
                        yield name, tuple((f"*{parameter}", m) for parameter, m in args), "", ""
    for name, parameter in (
        fed_calls(about["methods"], methods, FORWARD) if recipe(kind).role == "layer" else ()
    ):
        yield name, ((parameter, "x"),), "", ""


def _takes_any(params: Sequence[dict[str, Any]] | None) -> bool:
    """Whether a method takes `*inputs` and nothing else, to be handed on to its forward."""
    return [p["name"][0] for p in params or () if p is not None] == ["*"]


def gradient_calls(about: dict[str, Any], kind: str, c: Convention) -> Iterator[tuple[tuple[str, str], ...]]:
    """What a function that is the gradient of a loss, and has none beside it, is given."""
    for args in _pairs(about["signature"], "forward", kind, c):
        if _is_whole(args, kind, c):
            yield args


def words_of_methods(methods: Iterable[str], kind: str) -> dict[str, str]:
    """Each method with its plain name; with `forward` or `backward` where only that can be meant."""
    return with_words(methods, kind, FORWARD, BACKWARD)


def _is_whole(args: Sequence[Sequence[str]], kind: str, c: Convention) -> bool:
    """Whether a loss is given an output and a target: `mse(errors)` takes what is neither."""
    given = {meaning for _, meaning in (*(c.constructor or ()), *args)}
    return recipe(kind).role != "loss" or {"x", "t"} <= given


def backward_calls(
    about: dict[str, Any], kind: str, c: Convention
) -> Iterator[tuple[str, tuple[tuple[str, str], ...], bool]]:
    """Method or function, its arguments, and whether it gives a derivative; the likeliest first."""
    if c.tensor:
        if c.tensor in about["seeded"]:
            yield "backward", (("*gradient", "dout"),), True
            yield "backward", (("*gradient", "dout"),), False
        yield "backward", (), False
        return
    if c.constructor is None:
        yield from _function_backwards(about, kind, c)
        return
    methods = words_of_methods(about["methods"], kind)
    found = False
    for word in BACKWARD:
        for name in [n for n, w in methods.items() if w == word and n[0] != "_"]:
            params = about["methods"][name] or []
            for call in _as_derivative(params, word, name, kind, c):
                if kind not in TAKES_DOUT or "dout" in {meaning for _, meaning in call[1]}:
                    found = True
                    yield call
    if not found and kind in TAKES_DOUT:
        yield from _by_their_gradient(about, kind, c)


def _by_their_gradient(
    about: dict[str, Any], kind: str, c: Convention
) -> Iterator[tuple[str, tuple[tuple[str, str], ...], bool]]:
    """The methods of any name that take a gradient and no other array."""
    for name, params in about["methods"].items():
        own = [p for p in params or () if p is not None]
        words = {plain(p["name"]) for p in own if p["required"]}
        if name[0] == "_" or plain(name) in FORWARD or not words & (DOUT - {"d", "g", "eta"}):
            continue
        for args in _pairs(own, "backward", kind, c):
            if {meaning for _, meaning in args} <= {"dout", "rate", "N"}:
                yield name, args, False


def _as_derivative(
    params: Sequence[dict[str, Any]], word: str, name: str, kind: str, c: Convention
) -> Iterator[tuple[str, tuple[tuple[str, str], ...], bool]]:
    words = [plain(p["name"]) for p in params if p is not None]
    alone = recipe(kind).role == "layer" and not any(w in DOUT for w in words)
    alone = alone and not (kind == "softmax" and _gradients_by_name(words))
    named = any(word.endswith(d) for d in DERIVATIVE) or "derivative" in word
    named = named or (c.constructor is None and word.startswith("d"))
    constants = c.constructor is None and not any(p["required"] for p in params if p is not None)
    if alone and named and (constants or not words or words[0] in X | OUT):
        required = [p for p in params if p["required"] or constant_of(kind, p)]
        if len(required) == 1 and words[0] in ACTIVATED:
            yield name, ((required[0]["name"], "out"),), True
            return
        if len(required) == 2 and words[1] in ACTIVATED and words[0] not in ACTIVATED - {"a"}:
            yield name, ((required[0]["name"], "x"), (required[1]["name"], "out")), True
            return
        for args in _pairs(required, "forward", kind, c):
            yield name, args, True
        return
    asked = [plain(p["name"]) for p in params if p is not None and p["required"]]
    if is_reduced(kind) and len([w for w in asked if w not in DOUT - {"dvalues"}]) > 2:
        return  # delta(z, a, y) goes through the activation before the loss as well
    for args in _pairs(params, "backward", kind, c):
        yield name, args, False


def _function_backwards(
    about: dict[str, Any], kind: str, c: Convention
) -> Iterator[tuple[str, tuple[tuple[str, str], ...], bool]]:
    first = about["names"][0]
    own = about["signature"] or []
    for p in own:
        if plain(p["name"]) in FLAG and not p["required"]:
            others = [q for q in own if q["required"] or constant_of(kind, q)]
            for args in _pairs(others, "forward", kind, c):
                yield f"function {first}", (*args, (p["name"], "=True")), recipe(kind).role != "loss"
            return
    for name in _beside(about):
        word = plain(name)
        for call in _as_derivative(about["functions"].get(name) or [], word, f"function {name}", kind, c):
            if kind != "affine" or "dout" in {meaning for _, meaning in call[1]}:
                yield call


def _beside(about: dict[str, Any]) -> list[str]:
    """The functions that may be the backward of this one."""
    first = about["names"][0]
    own = [n for n in about["functions"] if _belongs(n, first)]
    found = about["names"][1:] or [n for n in own if not _is_anothers(n, first, about["functions"])]
    if found:
        return found
    there = {plain(name) for name in about["functions"]}
    others = [name for name in about["functions"] if _is_derivative_of(name, first, there)]
    return others if len(others) == 1 else []


def _is_anothers(name: str, first: str, there: Iterable[str]) -> bool:
    """Whether a derivative belongs to a function there of a longer name: mse_loss_grad to mse_loss."""
    longer = [other for other in there if len(plain(other)) > len(plain(first))]
    return any(_belongs(name, other) for other in longer)


def is_backward_of(name: str, first: str, there: Iterable[str]) -> bool:
    """Whether a function is the backward of that one by their names, among those of that file."""
    return _belongs(name, first) or _is_derivative_of(name, first, {plain(one) for one in there})


AROUND_LOSSES = {
    "loss",
    "cost",
    "error",
    "fn",
    "func",
    "function",
    "compute",
    "calculate",
    "calc",
    "activation",
}


OF_FUNCTION = {"fn", "func", "function"}


def _is_derivative_of(name: str, first: str, there: set[str]) -> bool:
    """Whether a derivative has the words of that function but for `loss` and the like, or for their spelling,
    also where one is short for the other: cross_entropy_loss and cross_entropy_grad, bce_prime and
    binary_cross_entropy. Not where it is another one's by its whole name."""
    from parity.kinds.spelling import spelled  # not in the process that runs foreign code

    def words(text: str) -> list[str]:
        return [
            spelled(w) for w in re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower())
        ]

    known = {*BACKWARD, "d", "der", "dx", "dz"}
    rest = [word for word in words(name) if word not in known]
    if len(rest) == len(words(name)) or "".join(rest) in there - {plain(first)}:
        return False
    mine, own = ([w for w in in_full(both) if w not in AROUND_LOSSES] for both in (rest, words(first)))
    if not own:  # activation_derivative of activation_function
        mine, own = ([w for w in both if w not in OF_FUNCTION] for both in (rest, words(first)))
    return bool(own) and mine == own


def _agreed(about: dict[str, Any], kind: str) -> bool:
    """Whether an activation's constant may be given: its derivative takes it too, with the same default."""
    own, others = about["signature"] or [], _beside(about)
    if not others or any(plain(p["name"]) in FLAG for p in own):
        return True
    return same_default(kind, own, about["functions"].get(others[0]) or [])


def _belongs(name: str, first: str) -> bool:
    """Whether a function is the backward of the one of that name: conv_forward, conv_backward."""
    word, base = plain(name), plain(first)
    stem = base
    for part in ("forwardpropagation", "forwardpass", "forwardprop", "forward", "fprop", "fwd"):
        stem = stem.replace(part, "")
    if word == base or not stem:
        return False
    rest = word.replace(stem, "", 1)
    if rest == "p" and word[0] == "p" != stem[0]:  # prelu is another function than relu
        return False
    return stem in word and rest in {
        *BACKWARD,
        *(
            "d",
            "dd",
            "back",
            "backward",
            "backwards",
            "grad",
            "vjp",
            "der",
            "bp",
            "derivate",
            "d1",
            "backwardnaive",
            "dz",
            "dx",
            "outputtoderivative",
            "2deriv",
            "p",
            "derivativeof",
            "gradientof",
            "derivada",
            "derivadade",
            "derivee",
            "ableitung",
        ),
    }


def may_be_output(kind: str, name: str) -> bool:
    """Whether what a derivative takes under that name may be x or the output: `x` is both, `z` is not.

    Softmax's is all of a polynomial in the output, which nobody writes of scores: there any name may be it.
    """
    word = plain(name.lstrip("*"))
    return kind == "softmax" or (kind in OF_OUTPUT and word not in OF_INPUT and "input" not in word)


def handed_to_forward(about: dict[str, Any], kind: str, params: Sequence[str]) -> bool:
    """Whether some forward takes all these weights with each call."""
    words = words_of_methods(about["methods"], kind)
    ways = [about["methods"][name] for name in words if words[name] in FORWARD and name[0] != "_"]
    for way in ways:
        taken = {m for p in way or () if p is not None for m in meanings(p["name"], kind)}
        if params and set(params) <= taken:
            return True
    return False


def switch(about: dict[str, Any], c: Convention) -> tuple[Any, ...]:
    """How inference is switched on, if at all."""
    for p, meaning in c.forward_args:
        if meaning in ("training", "inference") or meaning.startswith(("mode", "{mode:")):
            return ("argument", p)
    return training_flag.by_method(about["methods"], about["modes"])
