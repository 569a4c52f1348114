"""Which argument of a kind each parameter of somebody's class or function stands for.

By its name, by another name that people give it, and only then by its place: never where the name says that
the place means something else. Needs nothing but Python.
"""

from __future__ import annotations

import dis
import functools
import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any

from parity.adapters.loose_names import names_read
from parity.adapters.recipe import Recipe

# In lower case and without underscores, as `plain` makes them.
ALIASES: dict[str, tuple[str, ...]] = {
    "W": ("weight", "weights", "w", "kernel", "kernels", "filter", "filters", "filt", "filts"),
    "b": ("bias", "biases"),
    "x": ("input", "inputs", "inp"),
    "t": ("y", "label", "labels", "target", "targets"),
    "stride": ("strides", "s", "step"),
    "pad": ("padding", "p", "pads", "margin"),
    "dilation": ("dilations", "dilate"),
    "groups": ("group", "numgroups"),
    "axis": ("dim", "ax", "axes"),
    "pool_h": ("poolheight", "windowh", "windowheight", "kernelh", "kernelheight", "kh", "ph", "hh"),
    "pool_w": ("poolwidth", "windoww", "windowwidth", "kernelw", "kernelwidth", "kw", "pw", "ww"),
    "filter_h": ("filterheight", "kernelh", "kernelheight", "fieldheight", "kh", "fh", "hh"),
    "filter_w": ("filterwidth", "kernelw", "kernelwidth", "fieldwidth", "kw", "fw", "ww"),
    "input_data": ("x", "input", "image", "images", "img"),
    "input_shape": ("xshape", "shape", "imageshape", "imgshape"),
    "col": ("cols", "columns"),
    "dropout_ratio": ("ratio", "rate", "dropoutrate", "dropoutprob", "dropratio", "droprate", "dropprob"),
    "gamma": ("scale", "g", "gain"),
    "beta": ("shift", "b", "offset"),
    "running_mean": ("runningmu", "movingmean"),
    "running_var": ("runningvariance", "movingvar", "movingvariance"),
    "lr": ("learningrate", "lrate", "eta", "stepsize", "initlr", "initiallr", "initlearningrate", "baselr"),
    "momentum": ("mu",),
    "decay_rate": ("rho", "decay"),
    "beta1": ("b1", "decay1", "rho1", "betaone", "betam"),
    "beta2": ("b2", "decay2", "rho2", "betatwo", "betav"),
    "weight_decay": ("wd", "weightdecayrate"),
}
WRITTEN = {"lr": ("learning_rate", "step_size"), "weight_decay": ("weight_decay_rate",)}
# One number for both axes.
BOTH_AXES = ("kernelsize", "kernel", "poolsize", "windowsize", "window", "filtersize", "ksize", "k", "size")
AXES = (("pool_h", "pool_w"), ("filter_h", "filter_w"))
# Words of a name that says what it is: it stands for no argument of a kind, wherever it comes.
TELLING = {
    *("format", "layout", "mode", "type", "method", "ceil", "include", "count", "return", "indices", "order"),
    *("initializer", "initialization", "activation", "act", "regularizer", "regularization", "reg"),
    *(
        "l1",
        "l2",
        "clip",
        "threshold",
        "verbose",
        "debug",
        "device",
        "train",
        "training",
        "trainable",
        "flag",
    ),
    *(
        "padding",
        "dilation",
        "dilations",
        "groups",
        "nesterov",
        "amsgrad",
        "centered",
        "maximize",
        "dampening",
    ),
    *("decay", "schedule", "scheduler", "warmup", "epochs", "inplace", "random", "seed"),
}
# Names that never stand for an argument of a kind, wherever they come.
ELSE = {
    "inchannels",
    "outchannels",
    "infeatures",
    "outfeatures",
    "numfeatures",
    "features",
    "nfeatures",
    "channels",
    "inputchannels",
    "outputchannels",
    "nin",
    "nout",
    "inputsize",
    "outputsize",
    "insize",
    "outsize",
    "inputdim",
    "outputdim",
    "indim",
    "outdim",
    "units",
    "nunits",
    "ninputs",
    "noutputs",
    "ninput",
    "noutput",
    "nneurons",
    "neurons",
    "numinputs",
    "numoutputs",
    "fanin",
    "fanout",
    "inch",
    "outch",
    "cin",
    "cout",
    "filternum",
    "filtershape",
    "kernelshape",
    "poolshape",
    "bias",
    "numfilters",
    "nfilters",
    "numclasses",
    "nclasses",
    "hiddensize",
    "name",
    "activation",
    "keepprob",
    "rng",
    "seed",
    "dtype",
    "eps",
    "epsilon",
    "axis",
    "init",
    "weightinitstd",
    "params",
    "grads",
    "gradients",
    "convparam",
    "poolparam",
    "hparameters",
    "options",
    "config",
    *BOTH_AXES,
}
BOUNDS = ("max", "maxvalue", "cap", "ceiling", "limit", "upper", "clip")  # of an activation
SCHEDULES = ("schedule", "scheduler", "lrschedule", "lrscheduler", "learningrateschedule")
NORMS = ("clipnorm", "clipvalue", "gradclip", "maxnorm", "maxgradnorm")  # of gradients
REGULARIZERS = ("regularizer", "kernelregularizer", "weightregularizer", "biasregularizer")
OF_LAYER_BEFORE = (  # the activation there, whose derivative is taken in backward
    *("activationlastlayer", "lastactivation", "lastlayeractivation", "prevactivation", "activationprev"),
    *("previousactivation", "activationprevlayer", "prevlayeractivation"),
)
FUNCTIONS = ("activation", "act", "activationfunction", "nonlinearity", *OF_LAYER_BEFORE)
MAY_BE_NONE = (*BOUNDS, *FUNCTIONS, *NORMS, *SCHEDULES, *REGULARIZERS)
INPUTS = ("x", "input_data", "input_shape", "col")  # a name of one of these is no size and no weight
GIVEN = ("stride", "pad")  # handed over whatever they are, since a class may have a default of its own
MANGLED = re.compile(r"^_[A-Za-z]\w*?__(?=[A-Za-z])(?!\w*__$)")
Bound = dict[str, tuple[str, ...]]  # parameter -> the argument that it stands for, or both of a window


class Misfit(TypeError):
    """The class or function cannot be given what the kind gives it."""


def parameters(call: Callable[..., Any]) -> list[str] | None:
    """The names of what it takes, in order; None where any name goes or nothing can be known."""
    found = signature(call)
    return None if found is None else list(found)


def signature(call: Callable[..., Any]) -> dict[str, inspect.Parameter] | None:
    """Its parameters by name, in order; None where any name goes or nothing can be known."""
    if isinstance(call, (type, FunctionType, functools.partial)):
        return _signature(call)
    if isinstance(call, MethodType) and isinstance(call.__func__, FunctionType):
        return _of_method(call.__func__)
    return _signature.__wrapped__(call)


@lru_cache(maxsize=4096)
def _of_method(function: FunctionType) -> dict[str, inspect.Parameter] | None:
    """That of a method, which is the same for each object."""
    return _signature.__wrapped__(MethodType(function, object()))


@lru_cache(maxsize=4096)
def _signature(call: Callable[..., Any]) -> dict[str, inspect.Parameter] | None:
    try:
        found = inspect.signature(call).parameters
    except (TypeError, ValueError):
        return None
    loose = next((name for name, p in found.items() if p.kind is p.VAR_KEYWORD), None)
    own = {name: p for name, p in found.items() if name != loose}
    if loose is not None and _reads(call, loose):
        read = names_read(call) if isinstance(call, type) else None
        return None if read is None else {**own, **{name: p for name, p in read.items() if name not in own}}
    return own


def _reads(call: Callable[..., Any], name: str) -> bool:
    """Whether its code looks at that parameter; what it swallows unseen is not taken."""
    built = getattr(call, "__init__", call) if isinstance(call, type) else call
    code = getattr(inspect.unwrap(built), "__code__", None)
    if code is None or name not in code.co_varnames + code.co_cellvars:
        return True
    loads = (one.argval for one in dis.get_instructions(code) if one.opname.startswith("LOAD"))
    return any(name in (argval if isinstance(argval, tuple) else (argval,)) for argval in loads)


def bind(names: Sequence[str], how: Recipe, first: Sequence[str] = ()) -> Bound:
    """What each parameter stands for; one that stands for nothing is left out.

    Arguments of `first` come before the kind's own.
    """
    order = [*first, *how.order]
    wanted = list(dict.fromkeys([*order, *how.optional]))
    found: Bound = {name: (name,) for name in names if name in wanted}
    taken = set(found)
    pairs = [pair for pair in AXES if set(pair) <= set(order)]
    for name in [name for name in names if name not in found]:
        alias = next((a for a in wanted if a not in taken and _is_likeliest(name, a, names)), None)
        if alias is not None:
            found[name] = (alias,)
        elif pairs and not taken & set(pairs[0]) and plain(name) in BOTH_AXES:
            found[name] = pairs[0]
        taken |= set(found.get(name, ()))
    left = {
        argument: name
        for name, argument in zip(names, order, strict=False)
        if name not in found and argument not in taken and not _says_else(name, argument)
    }
    for pair in pairs:  # one size by its place is not that of one axis
        if len(left.keys() & {*pair}) == 1 and not taken & {*pair}:
            left = {argument: name for argument, name in left.items() if argument not in pair}
    return found | {name: (argument,) for argument, name in left.items()}


def _says_else(name: str, argument: str) -> bool:
    """Whether a name that is none of the kind's arguments says that it is something else than that one."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*", name)
    if plain(name) in ELSE or TELLING & {plain(word) for word in (name, *words)}:
        return True
    return argument not in INPUTS and any(plain(name) in _names(given) for given in INPUTS)


def _is_likeliest(name: str, argument: str, names: Sequence[str]) -> bool:
    """Whether it is a name of the argument, and none of the others is a likelier one: rho before decay."""
    known = _names(argument)
    here = [known.index(plain(other)) for other in names if plain(other) in known]
    return plain(name) in known and known.index(plain(name)) == min(here)


@lru_cache(maxsize=8192)
def plain(name: str) -> str:
    """`in_channels` -> `inchannels`, and `_Dense__w`, as Python keeps `self.__w` of a class, -> `w`."""
    name = MANGLED.sub("", name) if name.startswith("_") else name
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names(argument: str) -> tuple[str, ...]:
    return (plain(argument), *ALIASES.get(argument, ()))


def spellings(argument: str) -> tuple[str, ...]:
    """What an argument of a kind may also be called, as it is written: `beta1`, `beta_1`, `b1`."""
    spaced = (re.sub(r"(?<=[a-z])(?=[0-9])", "_", word) for word in _names(argument))
    return tuple(dict.fromkeys((argument, *_names(argument), *spaced, *WRITTEN.get(argument, ()))))


def room(names: Sequence[str], how: Recipe) -> list[str]:
    """The arguments of the kind that parameters of these names have room for, under the kind's names."""
    bound = bind(names, how)
    return [argument for name in names for argument in bound.get(name, (name,))]


def defaults(call: Any, how: Recipe) -> dict[str, Any]:
    """What holds for the arguments in GIVEN where they are not given."""
    found = (signature(call) if callable(call) else None) or {}
    bound = bind(list(found), how)
    own = {bound[name][0]: p.default for name, p in found.items() if name in bound}
    return {k: v for k, v in own.items() if k in GIVEN and v is not inspect.Parameter.empty}


def options(call: Any, how: Recipe, forward: str = "", without: Collection[str] = ()) -> dict[str, Any]:
    """The parameters beside the kind's own, of the constructor or function and of its forward, whose default
    is a number, a flag or a word, with it; None may stand for no bound, no activation or no schedule.

    `without` are parameters of the constructor that get something else.
    """
    call = call[0] if isinstance(call, tuple) else call
    calls = [call, *([getattr(call, forward, None)] if forward and isinstance(call, type) else [])]
    found: dict[str, Any] = {}
    for one in calls:
        own = (signature(one) if callable(one) else None) or {}
        own = {name: p for name, p in own.items() if one is not call or name not in without}
        bound = bind(list(own), how)
        fixed = getattr(one, "keywords", {})  # of a functools.partial
        found |= {name: p.default for name, p in own.items() if name not in bound and name not in fixed}
    return {
        name: default
        for name, default in found.items()
        if type(default) in (int, float, bool, str) or (default is None and plain(name) in MAY_BE_NONE)
    }


def misfit(call: Any, how: Recipe, first: Sequence[str] = ()) -> str:
    """Why it cannot be given what the kind gives, as a sentence without its subject; nothing where it can."""
    if isinstance(call, tuple):
        return "it is a pair of functions, not a class; for two functions there is --adapter cs231n"
    if not callable(call):
        return f"it is an object of {type(call).__name__}; name the class, not an object of it"
    found = signature(call)
    if found is None:
        return _asks_for_more(call, how, first)
    bound = bind(list(found), how, first)
    given = {argument for arguments in bound.values() for argument in arguments}
    needed = [name for name in (*first, *how.order) if name not in given and name not in how.optional]
    more = [
        name
        for name, p in found.items()
        if name not in bound and p.default is p.empty and p.kind is not p.VAR_POSITIONAL
    ]
    if (how.role != "optimizer" and needed) or more:
        what = "its constructor" if isinstance(call, type) else "it"
        wanted = ", ".join([*first, *how.order]) or "nothing"
        return (
            f"{what} takes ({', '.join(found)}), not ({wanted}); it can be called as it is by an adapter: a "
            "subclass of parity.adapters.BookAdapter with its own build(factory, probe), named by --adapter"
        )
    return ""


def _asks_for_more(call: Callable[..., Any], how: Recipe, first: Sequence[str]) -> str:
    """Why it cannot be given just what the kind gives although it takes any name: it requires another."""
    try:
        found = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return ""
    known = {*first, *how.order, *how.optional}
    loose = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    more = [p.name for p in found if p.default is p.empty and p.kind not in loose and p.name not in known]
    return f"it requires {', '.join(more)}; an adapter can say what that is" if more else ""


def _is_default(value: Any, default: Any) -> bool:
    """Whether it is what holds where nothing is given; an array never is."""
    return not getattr(value, "ndim", 0) and bool(value == default)


def under_its_names(factory: Callable[..., Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of what takes any name, under those names that it has itself: `learning_rate` for lr."""
    try:
        found = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return dict(args)
    loose = (
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
        inspect.Parameter.POSITIONAL_ONLY,
    )
    free = [p.name for p in found if p.kind not in loose and p.name not in args]
    own = {argument: name for argument in args for name in free if _is_likeliest(name, argument, free)}
    taken = {argument: own[argument] for argument in args if argument in own and argument not in free}
    return {taken.get(argument, argument): value for argument, value in args.items()}


def call(factory: Callable[..., Any], args: Mapping[str, Any], how: Recipe, first: Sequence[str] = ()) -> Any:
    """`factory(**args)`, under the names that it has for them. Raises Misfit where it has none."""
    found = signature(factory)
    if found is None:
        return factory(**under_its_names(factory, args))
    if args.keys() <= found.keys():
        return factory(**args)
    bound, given, left = bind(list(found), how, first), {}, dict(args)
    for name, p in found.items():
        arguments = bound.get(name, ())
        values = [left.pop(a, how.optional.get(a, p.empty)) for a in arguments]
        if len(values) == 2 and values[0] != values[1]:
            raise NotImplementedError(f"{name} is one number for both axes")
        if values and values[0] is not p.empty and (arguments[0] in args or p.default is p.empty):
            given[name] = values[0]
    left = {k: v for k, v in left.items() if k not in how.optional or not _is_default(v, how.optional[k])}
    if left:
        raise Misfit(f"it takes no {', '.join(left)}")
    positional = [n for n, p in found.items() if p.kind is p.POSITIONAL_ONLY and n in given]
    return factory(*(given.pop(n) for n in positional), **given)
