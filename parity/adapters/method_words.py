"""Which methods are forward and backward where no name is one that everybody uses.

`fc_forward` of a dense layer, `forward_batch`, `foward`; `value` beside `diff`, `convolve` of a convolution.
A name is read this way only where no method of the class has a usual one, and only where one alone can be
meant. Needs NumPy alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable

from parity.adapters.arguments import plain
from parity.adapters.name_parts import parts
from parity.kinds.spelling import spelled

AHEAD = {"forward", "forwards", "fwd", "feedforward", "fprop", "ff"}
BACK = {"backward", "backwards", "bwd", "backprop", "bprop", "backpropagate", "backpropagation", "bp"}
SLOPE = {
    *("gradient", "gradients", "grad", "grads", "derivative", "derivatives", "deriv", "prime", "diff"),
    *("derivada", "derivee", "derivata", "ableitung", "gradiente"),
}
# Parts of names of methods that do something else with gradients, outputs or layers.
OTHER = {
    *("zero", "set", "update", "clip", "reset", "apply", "check", "numerical", "numeric", "init", "add"),
    *("accumulate", "weight", "weights", "bias", "biases", "save", "load", "plot", "print", "show", "test"),
    *("second", "store", "clear", "has", "is", "use", "enable", "disable", "step", "all", "layers"),
}
VALUES = {  # what gives the value, as a whole name
    *("value", "values", "val", "result", "results", "eval", "evaluate", "process", "transform", "act"),
    *("getoutput", "computeoutput", "calculateoutput", "calcoutput", "activationfunction", "outputs"),
    *("activationfunc", "actfunc", "infer", "inference", "getvalue", "calculatevalue", "getresult"),
    *("fire", "call", "pass", "forwardfn", "perform", "operation", "map", "squash"),
    *("aplicar", "ativar", "activar", "calcular", "appliquer", "activer", "calculer", "anwenden"),
    *("berechnen", "aktivieren", "applica", "attiva", "calcola"),  # what other languages call it
    *("propaga", "propagar", "propagacion", "propagacao", "adelante", "avanzar", "avance", "avant"),
    *("avancar", "propager", "vorwarts", "vorwaerts", "avanti", "qianxiang"),
}
BACK_ABROAD = (  # how what goes back begins in other languages
    *("retropropag", "retroced", "atras", "haciaatras", "paratras", "arriere", "retroprop", "indietro"),
    *("ruckwarts", "rueckwaerts", "fanxiang", "retroalimenta"),
)
VERBS = {  # what a layer of the kind does, as a whole name
    "convolution": {"convolve", "conv", "conv2d", "convolution", "correlate", "convolution2d"},
    "max_pooling": {"pool", "pooling", "maxpool", "maxpooling", "subsample", "downsample"},
    "average_pooling": {"pool", "pooling", "avgpool", "averagepool", "averagepooling", "subsample"},
    "batch_norm": {"normalize", "normalise", "norm", "batchnorm"},
    "layer_norm": {"normalize", "normalise", "norm", "layernorm", "ln"},
    "dropout": {"drop", "dropout", "applydropout", "applymask"},
    "flatten": {"flatten", "flat"},
    "affine": {"dot", "linear", "multiply", "affine", "weightedsum"},
}
SPELT = ("forward", "backward", "feedforward", "backprop", "backpropagate", "backpropagation", "derivative")
LIKE = 0.87  # of difflib's ratio: one letter lost or added of seven


UNDOES = {  # what its backward does, as a whole name
    "max_pooling": {"unpool", "unpooling", "depool", "upsample", "maxunpool", "poolback"},
    "average_pooling": {"unpool", "unpooling", "depool", "upsample", "avgunpool", "poolback"},
    "flatten": {"unflatten", "deflatten", "reshapeback", "inverse", "unreshape", "restore"},
}


def with_words(
    methods: Iterable[str], kind: str, forward: Collection[str], backward: Collection[str]
) -> dict[str, str]:
    """Each method with its plain name, or with `forward`, `backward` or `derivative` where it must be that.

    `forward` and `backward` are the usual names, as plain ones.
    """
    found = {name: plain(name) for name in methods}
    if not set(found.values()) & {"forward", "call", "backward"}:
        _by_the_layer_s_name(found, kind)
    public = [name for name in found if name[0] != "_"]
    if not set(found.values()) & {*forward}:
        public = [name for name in public if not _is_another_s(name, kind)]
        _name_one(found, public, "forward", (_is_ahead, lambda name: plain(name) in VERBS.get(kind, ())))
        if "forward" not in found.values():
            _name_one(found, public, "forward", (lambda name: plain(name) in VALUES,))
        if (
            len(public) == 1
            and found[public[0]] != "forward"
            and not {*parts(public[0])} & (BACK | SLOPE | OTHER)
        ):
            found[public[0]] = "forward"  # the only one there is
    if not {found[name] for name in public} & {*backward}:
        others = [name for name in public if found[name] != "forward" and not _is_another_s(name, kind)]
        _name_one(found, others, "backward", (_is_back, lambda name: plain(name) in UNDOES.get(kind, ())))
        if "backward" not in found.values():
            _name_one(found, others, "derivative", (_is_slope,))
    return found


def _by_the_layer_s_name(found: dict[str, str], kind: str) -> None:
    from parity.kinds.names import kind_by_words  # not in the process that runs foreign code

    for way in ("forward", "backward"):
        named = [n for n in found if n.endswith(f"_{way}") and kind_by_words(n[: -len(way) - 1]) == kind]
        if len(named) == 1:
            found[named[0]] = way


def _name_one(
    found: dict[str, str], names: Iterable[str], word: str, rules: Iterable[Callable[[str], bool]]
) -> None:
    """Give the word to the one method that the first rule with any names; to none where it names several."""
    for rule in rules:
        named = [name for name in names if rule(name)]
        if named:
            if len(named) == 1:
                found[named[0]] = word
            return


def _is_another_s(name: str, kind: str) -> bool:
    """Whether the rest of the name is that of another kind: `fc_backward` in a convolution."""
    from parity.kinds.names import kind_by_words  # not in the process that runs foreign code

    rest = [part for part in parts(name) if part not in AHEAD | BACK | SLOPE]
    return bool(rest) and kind_by_words("_".join(rest)) not in (None, kind)


def _is_ahead(name: str) -> bool:
    own = {*parts(name)}
    return bool(own & AHEAD or _spelt(name) in AHEAD) and not own & (BACK | OTHER)


def _is_back(name: str) -> bool:
    own = {*parts(name)}
    back = (
        own & BACK
        or plain(name).startswith(BACK_ABROAD)
        or _spelt(name) in BACK
        or {"back", "propagate"} <= own
        or {"back", "prop"} <= own
    )
    return bool(back) and not own & (AHEAD | OTHER)


def _is_slope(name: str) -> bool:
    own = {*parts(name)}
    return bool(own & SLOPE or _spelt(name) == "derivative") and not own & OTHER


def names_weights_alone(name: str) -> bool:
    """Whether a method computes gradients by its name, and does not go back: `compute_gradients`."""
    own = {*parts(name)}
    return bool(own & SLOPE) and not own & BACK and "back" not in own


def _spelt(name: str) -> str:
    """The usual word of which this is a misspelling; "" for none."""
    word = spelled(plain(name))
    return word if word in SPELT else next(iter(difflib.get_close_matches(word, SPELT, 1, LIKE)), "")
