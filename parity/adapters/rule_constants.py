"""The constants of an optimizer: which parameter, attribute or number of its code gives each of them.

Needs NumPy alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from parity.adapters.arguments import NORMS, bind, plain, room, spellings
from parity.adapters.layers_given import ways_for
from parity.adapters.optimizer_names import (
    BATCH,
    DECAYS,
    EPSILON,
    MOMENTS,
    RATES,
    SLOPES,
    SMALL,
    TOGETHER,
    rate_of,
)
from parity.adapters.recipe import recipe
from parity.adapters.rule_runs import WORDS
from parity.adapters.stateful import AVERAGED, CONSTANTS, KINDS, averaged

HANDED = (*TOGETHER, "layers")
ITS_MOMENTS = ("momentum", *MOMENTS)  # of one array, in a method's parameters
MOMENTUM = (
    *("momentum", "mu", "mom", "momentumrate", "momentumcoefficient", "momentumcoeff", "momentumfactor"),
    "beta",
)
VELOCITIES = (  # attributes
    *("v", "velocity", "velocities", "vel", "vs", "vt", "update", "updates", "lastupdate", "prevupdate"),
    *("wupdt", "change", "delta", "deltas", "lastdelta", "prevdelta"),
)
BY_VELOCITY = ("gamma", "rho", "alpha")  # momentum's constant where there is a velocity
NESTEROV = ("nesterov", "usenesterov", "isnesterov")
SCHEDULE = (
    "decay",
    "lrdecay",
    "learningratedecay",
    "decayrate",
    "lrdecayrate",
)  # of the rate, by its own code
SHRINKS = ("l2decay", "l2", "l2reg", "l2lambda", "l1", "l1decay", "reg", "regularization", "regstrength")
FACTOR = 0.3  # the least default of such a decay that multiplies the rate, and is 1 where it is off
EPS = {
    "adam": 1e-8,
    "adamw": 1e-8,
    "rmsprop": 1e-8,
    "adagrad": 1e-10,
    "adadelta": 1e-6,
    "adamax": 1e-8,
    "nadam": 1e-8,
}  # PyTorch's
WRITTEN: dict[str, tuple[dict[str, float], ...]] = {  # PyTorch's, and the paper's
    **dict.fromkeys(("adam", "adamw", "adamax", "nadam"), ({"beta1": 0.9, "beta2": 0.999},)),
    "adadelta": ({"decay_rate": 0.9}, {"decay_rate": 0.95}),
}
WEIGHTS_OF_ALL, BIASES_OF_ALL = ("weights", "w", "ws", "weight"), ("biases", "b", "bs", "bias")
LEAST = 0.5  # of what may be one of these
SIZES = {  # what a constructor may ask for beside its constants
    "batch_size": BATCH,
    "sizes": (
        *("layersdim", "layersdims", "layerdims", "layerdim", "dims", "layersizes", "layerssizes", "sizes"),
        *("layersize", "networksizes", "networkdims", "nnlayers"),
    ),
    "shape": ("shape", "paramshape", "gradshape", "size", "wsize", "weightsize", "paramsize"),
    "shapes": ("shapes", "alllayers", "paramshapes", "layershapes", "weightshapes", "shapeslist"),
    "count": ("nparams", "numparams", "nparameters", "numparameters", "nweights", "numweights", "paramcount"),
    "shape of W": ("wshape", "weightshape", "weightsshape", "shapew"),
    "shape of b": ("bshape", "biasshape", "biasesshape", "shapeb"),
}


EMPTY_SIZES = ("None", "()", "(0,)", "(0, 0)", "(1, 1)")  # defaults of a shape that is to be given
NOTHING = "nothing"  # what a parameter gets that nothing reads


def size_of(name: str) -> str:
    """Which size a parameter of that name gets; "" for none."""
    return next((what for what, words in SIZES.items() if plain(name) in words), "")


def sized(about: dict[str, Any], kind: str) -> dict[str, str]:
    """The parameters that get sizes: by which gradients are divided that are sums over a batch, those of the
    layers, and shapes of arrays; and those that are required, and that nothing reads."""
    found = {}
    bound = bind(parameter_names(about["signature"] or ()), recipe(kind)) if about["what"] == "class" else {}
    for p in about["signature"] or ():
        what = size_of(p["name"])
        empty = p["default"] in EMPTY_SIZES and what not in ("sizes", "count")
        if what and (what == "batch_size" or p["required"] or empty):
            found[p["name"]] = what
        elif p["required"] and p["name"] in about["unread"] and p["name"] not in bound:
            found[p["name"]] = NOTHING
    return found


def has_moments(about: dict[str, Any], kind: str) -> bool:
    """Whether a step may be handed moments: not that of plain gradient descent, which knows no momentum."""
    of_methods = [n for m in about["methods"].values() for n in parameter_names(filter(None, m or ()))]
    names = [*parameter_names(about["signature"] or ()), *of_methods]
    return kind != "sgd" or any(plain(name) in (*MOMENTUM, *BY_VELOCITY) for name in names)


def numbers_of(
    params: list[dict[str, Any]], taken: Collection[str], kind: str, moments: bool = True
) -> dict[str, str]:
    """The constants that a method is given at each call: its parameter -> the argument.

    `taken` are those that the constructor takes or keeps: of these only a rate is one that has to be given.
    Without moments, `m` is the size of a batch.
    """
    own = {name: CONSTANTS[name] for name in KINDS.get(kind, ())}
    tables: dict[str, Sequence[str]] = {"lr": RATES, **own}
    tables |= {"weight_decay": DECAYS} | ({"eps": EPSILON} if kind in EPS else {})
    tables |= {"betas": ("betas",)} if "beta1" in tables else {}
    tables |= {"batch_size": BATCH if moments else (*BATCH, "m")}
    found: dict[str, str] = {}
    for p in params:
        word = plain(p["name"])
        argument = next((a for a, words in tables.items() if word in words and a not in found.values()), "")
        state = moments and "lr" in taken  # an array that the caller keeps
        moment = p["required"] and word in ITS_MOMENTS and state
        if argument and not moment and (argument not in taken or (p["required"] and argument == "lr")):
            found[p["name"]] = argument
    return found


def parameter_names(params: Iterable[dict[str, Any]]) -> list[str]:
    return [p["name"] for p in params]


def odd_rate(about: dict[str, Any], kind: str) -> str:
    """What the constructor calls the rate, where that is eps and the kind has no small constant."""
    if about["what"] == "function" or kind in EPS:
        return ""
    found = rate_of([p["name"] for p in about["signature"] or ()])
    return found if plain(found) in EPSILON else ""


def odd_constant(about: dict[str, Any], kind: str) -> str:
    """What the constructor calls the constant of momentum or RMSProp, where that is no name of it alone; ""
    for none."""
    found = averaged(about["signature"] or (), kind)
    return found or (momentum_by_velocity(about) if kind in ("momentum", "nesterov") else "")


def momentum_by_velocity(about: dict[str, Any]) -> str:
    """Momentum's constant under a name that others have too, beside a rate and a velocity; "" for none."""
    words = {plain(name): name for name in parameter_names(about["signature"] or ())}
    velocity = any(plain(name) in VELOCITIES for name in about["kept"])
    named = {*words} & {*MOMENTUM, *BY_VELOCITY}
    if about["what"] != "class" or not velocity or len(named) != 1 or not {*words} & {*RATES} - named:
        return ""
    return next((words[word] for word in named if word in BY_VELOCITY), "")


def holders(about: dict[str, Any]) -> tuple[str, ...]:
    """The parameters of the constructor that get the arrays: params or params and grads, weights and biases,
    layers or a model; they are required or None where they are not given. One array is the first required."""
    if about["what"] == "function":
        return ()
    asked = [p["name"] for p in about["signature"] or () if p["required"] or p["default"] == "None"]
    for name, after in zip(asked, [*asked[1:], ""], strict=False):
        word, beside = plain(name), plain(after)
        if beside in (SLOPES if word in HANDED else ()):
            return name, after
        if word in WEIGHTS_OF_ALL and beside in BIASES_OF_ALL:
            return name, after
        if word in HANDED or ways_for(word, held=True):
            return (name,)
    first = next((p for p in about["signature"] or () if p["required"]), None)
    return (first["name"],) if first and plain(first["name"]) in WORDS["start"] else ()


def _constants_taken(about: dict[str, Any]) -> list[str]:
    """The parameters of the constructor without what holds the arrays."""
    held = holders(about)
    return [name for name in parameter_names(about["signature"] or ()) if name not in held]


def taken_by_constructor(about: dict[str, Any], kind: str) -> list[str]:
    """The arguments of the kind that the constructor takes, under whatever name."""
    return taken_under(_constants_taken(about), kind, odd_rate(about, kind), odd_constant(about, kind))


def taken_under(names: Iterable[str], kind: str, rate: str, average: str) -> list[str]:
    """The arguments of the kind that parameters of these names take, of which one may be the rate or the
    constant of an average under a name that is not its own; they are nothing else by their places."""
    odd = {"lr": rate, AVERAGED.get(kind, ("",))[0]: average}
    own = room([name for name in names if name not in odd.values()], recipe(kind))
    return [*own, *(argument for argument, name in odd.items() if name)]


def kept(about: dict[str, Any], kind: str) -> dict[str, str]:
    """The kind's constants that its code sets in an attribute and nothing takes: argument -> attribute."""
    if about["what"] != "class" or any(_is_pair(p) for p in about["signature"] or ()):
        return {}
    taken = taken_by_constructor(about, kind)
    found: dict[str, str] = {}
    for argument in recipe(kind).order:
        further = RATES if argument == "lr" else CONSTANTS.get(argument, ())
        for known in ([*map(plain, spellings(argument))], further):
            own = [name for name in about["kept"] if plain(name) in known]
            if argument not in (*taken, *found) and len(own) == 1:
                found[argument] = own[0]
    return found


def _is_pair(param: dict[str, Any]) -> bool:
    """Whether it is beta1 and beta2 in one."""
    word = plain(param["name"])
    return word == "betas" or (word == "beta" and param["default"].startswith(("(", "[")))


def written(about: dict[str, Any], kind: str) -> dict[str, float]:
    """The kind's constants that its code has as numbers, which are PyTorch's defaults or the paper's, and the
    only ones of their size; nothing where something takes one of them."""
    choices = WRITTEN.get(kind, ({},))
    names = [
        *_constants_taken(about),
        *(n for m in about["methods"].values() for n in parameter_names(filter(None, m or ()))),
    ]
    taken = {plain(name) for name in names}
    words = {word for argument in choices[0] for word in CONSTANTS[argument]} | {"betas"}
    large = {number for number in about["literals"] if number >= LEAST}
    usual = next((one for one in choices if large == {*one.values()}), {})
    return {} if taken & words else dict(usual)


def other_eps(about: dict[str, Any], kind: str) -> tuple[str, ...]:
    """The small constant of the constructor and its default, where that is another than PyTorch's."""
    named = (p for p in about["signature"] or () if plain(p["name"]) in SMALL)
    found = next(named, None)
    if found is None or kind not in EPS or found["default"] == repr(EPS[kind]):
        return ()
    return found["name"], found["default"]


def other_decay(about: dict[str, Any], kind: str) -> tuple[str, ...]:
    """The weight decay of the constructor and its default, where that is another than PyTorch's."""
    usual = recipe(kind).optional.get("weight_decay")
    named = (p for p in about["signature"] or () if plain(p["name"]) in DECAYS and not p["required"])
    found = next(named, None)
    the_same = {repr(usual), "None", *(["0"] if usual == 0 else ())}
    return () if found is None or found["default"] in the_same else (found["name"], found["default"])


def switched(about: dict[str, Any], kind: str) -> dict[str, Any]:
    """The momentum of the constructor that plain gradient descent is given as 0, and the flag of Nesterov's,
    where their defaults are others."""
    if about["what"] == "function" or kind not in ("sgd", "momentum", "nesterov"):
        return {}
    found: dict[str, Any] = {}
    by_velocity = momentum_by_velocity(about)
    for p in about["signature"] or ():
        momentum = plain(p["name"]) in MOMENTUM or p["name"] == by_velocity
        if momentum and kind == "sgd" and p["default"] not in ("0", "0.0", "None"):
            found[p["name"]] = 0.0
        elif plain(p["name"]) in NESTEROV and p["default"] != repr(kind == "nesterov"):
            found[p["name"]] = kind == "nesterov"
    return found


def off(about: dict[str, Any], kind: str) -> dict[str, float]:
    """The decay of the rate in the constructor, where its default is one, and what turns it off: 0, or 1 for
    a factor. A decay that may be the kind's own, or that of the weights, is left alone. The same of a bound
    of the gradients, and of a penalty that PyTorch's has not."""
    names = [plain(p["name"]) for p in about["signature"] or ()]
    own = kind in ("rmsprop", "adadelta") and not {*names} & {*CONSTANTS["decay_rate"]} - {*SCHEDULE}
    if about["what"] != "class" or own or kind == "adamw":
        return {}
    found = {}
    for p in about["signature"] or ():
        word, number = plain(p["name"]), _number(p["default"])
        if word in SCHEDULE and 0 < number < 1:
            found[p["name"]] = 1.0 if number >= FACTOR else 0.0
        elif p["required"] and word in ("decay", "dampening"):
            found[p["name"]] = 0.0
        elif word in NORMS and 0 < number < math.inf:
            found[p["name"]] = math.inf
        elif word in SHRINKS and 0 < number < 1:
            found[p["name"]] = 0.0
    return found


def _number(text: str) -> float:
    """The number that is written so; 0 for anything else."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def has_other_constants(about: dict[str, Any], kind: str) -> bool:
    """Whether its constants have names or defaults that `update(params, grads)` of the book does not."""
    ways = (other_eps, other_decay, odd_rate, odd_constant, switched, off)
    return any(way(about, kind) for way in ways)
