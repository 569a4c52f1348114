"""What an implementation looks like from outside, as plain data. Needs NumPy alone."""

from __future__ import annotations

import dis
import inspect
import sys
from types import CodeType, SimpleNamespace
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.array_letters import letters_in
from parity.adapters.asked_axes import asked_for_axes, taken_for_one_hot
from parity.adapters.axis_names import images_of_file, named_axes
from parity.adapters.called import Live
from parity.adapters.class_counts import counts_in
from parity.adapters.code_objects import (
    attributes_read,
    attributes_written,
    codes_of,
    constants_in,
    defined_in,
    padding_words_in,
)
from parity.adapters.constants_renamed import renamed
from parity.adapters.emptied import emptied_by
from parity.adapters.engine import DATA, is_engine, takes_gradient
from parity.adapters.engine_methods import OfEngine
from parity.adapters.first_numbers import takes_first_numbers
from parity.adapters.flat_outputs import FLATTENS, said_to_be_flat
from parity.adapters.loose_names import kwargs_read, names_read
from parity.adapters.members import is_bare, siblings
from parity.adapters.names_in_steps import begins_at_second
from parity.adapters.own_counts import counted_elsewhere
from parity.adapters.own_steps import stepped
from parity.adapters.parameter_uses import uses_of
from parity.adapters.reach import described, lists_of_numbers
from parity.adapters.rule_names import steps_of
from parity.adapters.sizes_by_shape import shapes_in
from parity.adapters.step_meant import given_gradients, meant_by
from parity.adapters.sure_errors import gives_nothing, says_none
from parity.adapters.three_axes import speaks_of_sequences, sums_over_two
from parity.adapters.training_flag import words_in
from parity.adapters.unread import never_used, unread
from parity.adapters.updates import UPDATE

Parameters = list[dict[str, Any]]
TURNS = {"transpose", "moveaxis", "swapaxes", "rollaxis", "permute_dims", "T", "einsum", "order"}


def about(factory: Any) -> dict[str, Any]:
    """What can be read off it without a call.

    what       "class", "function", "pair" or "object"
    name       what it is called
    signature  its parameters: name, whether it is required, the default as Python writes it
    axes       how its source names the axes of images and kernels
    flat       the arguments that its own words call (N,), where it makes any array so
    turns_axes whether its own code puts axes in another order
    images     how its file names the axes of images where it turns any; "" where it does not or in two ways
    methods    the same of each method
    asks_for_axes  whether its own code reads the number of axes of an array
    argmaxed   the arguments of which its own code takes the argmax
    counted    the arguments whose axes its own code counts, where it reads the number of axes of any
    stubs      the methods that are still to be written, which are not among those
    nothing    the methods and functions that compute something, and neither return nor keep it
    none       the methods that return None in so many words
    functions  the same of each function beside it
    tensors    the classes beside it that are tensors of an autograd engine
    seeded     those of them whose backward may take the gradient of its result
    on_nodes   the functions and methods that may be made for those: they name neither NumPy nor math, or
               read what a node has
    engine     of an operator or method of an autograd engine, what of it is the engine's
    numbers    whether it is one of an engine of single numbers
    kept       the attributes that its constructor sets, and the numbers of its class, which methods read
    unset      the attributes that its methods read and nothing of it sets: its caller is to
    reset      the attributes that its methods for the next step set, such as gradients that add up until then
    literals   the fractions between 0 and 1 in its code, its class, and what it reads of its file
    first_numbers  whether its source takes the first number of a row
    shapes     the shapes of the arrays that a class makes, by its constructor's parameters
    class_counts  the whole numbers that its source gives as a size, of which one may be that of the classes
    classes    the other classes of the file of a class
    softmax_in  the methods in whose own code the word softmax stands
    stepped    for each method of a class the attributes from which its code takes something off
    uses       of the methods that may make a step, or of a function: what it does with its parameters
    returns    of the same what it is meant to return, and what says so: see `step_meant`
    unread     the constructor's parameters that nothing reads
    loose      what a constructor reads of its `**kwargs`
    from_second  whether its code goes through a list from the second on
    count      for each method the attribute with the number of its step, if only another method sets it
    modes      the words for training and inference in its own code
    pads       the words for padding in its own code
    sequences  whether its source speaks of inputs of three axes (N, T, D)
    sums_over_two  whether its source sums over the first two axes by number
    speaks_of_axes  whether its code names any axis
    letters    the names of weights and biases that stand in the code of a class, as texts
    """
    pair = factory if isinstance(factory, tuple) else (factory,)
    one = pair[0]
    what = "pair" if len(pair) > 1 else "class" if isinstance(one, type) else "function"
    if not callable(one) or (what == "function" and not hasattr(one, "__code__") and len(pair) == 1):
        what = "object" if not callable(one) else "callable"
    beside = getattr(one, "__globals__", None) or vars(sys.modules.get(getattr(one, "__module__", ""), sys))
    functions: dict[str, Any] = {}
    if what != "class":
        written = {k: v for k, v in beside.items() if inspect.isfunction(v) and (v is one or not is_stub(v))}
        functions = written | siblings(one)
    functions |= {getattr(f, "__name__", ""): f for f in pair if what == "pair"}
    read = _names_read(one)
    turns_axes = any(_names_read(c) & TURNS for c in (one.__mro__[:-1] if isinstance(one, type) else [one]))
    tensors = {k: v for k, v in beside.items() if isinstance(v, type) and is_engine(v)}
    of_engine = isinstance(one, type) and issubclass(one, OfEngine)
    return {
        "what": what,
        "name": ", ".join(getattr(f, "__name__", type(f).__name__) for f in pair),
        "names": [getattr(f, "__name__", "") for f in pair],
        "signature": parameters(one),
        "axes": named_axes(one),
        "asks_for_axes": "ndim" in read,
        "argmaxed": taken_for_one_hot(functions_of(factory)) if "argmax" in read else [],
        "counted": asked_for_axes(functions_of(factory)) if "ndim" in read else [],
        "flat": said_to_be_flat(one, functions_of(factory)) if read & FLATTENS else [],
        "turns_axes": turns_axes,
        "images": images_of_file(one) if turns_axes else "",
        "methods": _methods(one) if isinstance(one, type) else {},
        "stubs": _stubs(one) if isinstance(one, type) else [],
        "nothing": _give_nothing(one),
        "none": _say_none(one) if isinstance(one, type) else [],
        "functions": {name: parameters(f) for name, f in functions.items()},
        "kept": _kept(one) if isinstance(one, type) else [],
        "unset": _unset(one) if isinstance(one, type) else [],
        "reset": _reset(one) if isinstance(one, type) else [],
        "literals": _literals(one, beside) if isinstance(one, type) else [],
        "first_numbers": takes_first_numbers(functions_of(factory)),
        "class_counts": counts_in(one, functions_of(factory)),
        "shapes": shapes_in(one) if isinstance(one, type) else [],
        "classes": list(classes_beside(one)) if isinstance(one, type) else [],
        "tensors": list(tensors),
        "seeded": [name for name, value in tensors.items() if takes_gradient(value)],
        "on_nodes": _on_nodes(one, functions, tensors) if tensors else [],
        "engine": one.says if of_engine else "",
        "numbers": of_engine and not one.engine.of_arrays,
        "softmax_in": _naming("softmax", one) if isinstance(one, type) else [],
        "stepped": stepped(functions_of(one)) if isinstance(one, type) else {},
        "uses": _uses(one),
        "loose": _loose(one) if isinstance(one, type) else [],
        "returns": meant_by(given_gradients(_stepping(one))),
        "from_second": begins_at_second(one),
        "unread": unread(one) if isinstance(one, type) else [],
        "count": counted_elsewhere(one) if isinstance(one, type) else {},
        "sequences": speaks_of_sequences(one, functions_of(factory)),
        "sums_over_two": sums_over_two(functions_of(factory)),
        "speaks_of_axes": _speaks_of_axes(functions_of(factory)),
        "modes": words_in(codes_of(one)),
        "pads": padding_words_in(codes_of(one)),
        "letters": letters_in(codes_of(one)) if isinstance(one, type) else [],
    }


def _loose(cls: type) -> Parameters:
    """The parameters that a constructor reads of its `**kwargs`, or hands on to its base's."""
    constructor = inspect.getattr_static(cls, "__init__", None)
    if not inspect.isfunction(constructor) or not constructor.__code__.co_flags & inspect.CO_VARKEYWORDS:
        return []
    listed = inspect.signature(constructor).parameters
    names = [name for name in names_read(cls) or () if name not in listed]
    return [{"name": name, "required": False, "default": "None"} for name in names]


def _uses(one: Any) -> dict[str, dict[str, str]]:
    """What each method that may make a step does with its parameters, and its constructor, or a function."""
    own = functions_of(one) if isinstance(one, type) else {}
    made = {name: own[name] for name in ("__init__",) if name in own}
    return {name: uses_of(function) for name, function in {**_stepping(one), **made}.items()}


def _stepping(one: Any) -> dict[str, Any]:
    """The methods that may make a step, or a function."""
    if not isinstance(one, type):
        return {getattr(one, "__name__", ""): one}
    own = functions_of(one)
    return {name: own[name] for name in steps_of(own) if name in own}


def _speaks_of_axes(functions: dict[str, Any]) -> bool:
    """Whether one of them names an axis, as a keyword or as a parameter."""
    return any({"axis", "axes", "keepdims"} & _names_read(function) for function in functions.values())


def classes_beside(cls: type) -> dict[str, type]:
    """The other classes that were written where it was, by their names."""
    names = vars(sys.modules.get(cls.__module__, sys))
    own = {name: held for name, held in names.items() if isinstance(held, type) and held is not cls}
    return {name: held for name, held in own.items() if held.__module__ == cls.__module__}


def functions_of(factory: Any) -> dict[str, Any]:
    """The methods of a class by name; of a function it and those whose names have its own in them."""
    pair = factory if isinstance(factory, tuple) else (factory,)
    if isinstance(pair[0], type):
        found: dict[str, Any] = {}
        for cls in reversed(pair[0].__mro__[:-1]):
            found |= {name: getattr(held, "__func__", held) for name, held in vars(cls).items()}
        return {name: held for name, held in found.items() if inspect.isfunction(held)}
    own = {getattr(one, "__name__", ""): one for one in pair}
    beside = {**getattr(pair[0], "__globals__", {}), **siblings(pair[0])} if len(pair) == 1 else {}
    stem = plain(next(iter(own)))
    beside = {n: f for n, f in beside.items() if inspect.isfunction(f) or inspect.ismethod(f)}
    return {name: held for name, held in beside.items() if stem and stem in plain(name)} | own


def parameters(call: Any) -> Parameters | None:
    """Each parameter that has a name or comes by its place; None where they cannot be known.

    Of one that the code never names "unused" is true.
    """
    try:
        found = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return None
    unused = never_used(call)
    return [
        {
            "name": ("*" if p.kind is p.POSITIONAL_ONLY else "") + p.name,
            "required": p.default is p.empty,
            "default": "" if p.default is p.empty else repr(p.default)[:80],
        }
        | ({"unused": True} if p.name in unused else {})
        for p in found
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]


def _methods(cls: type) -> dict[str, Parameters | None]:
    found: dict[str, Parameters | None] = {}
    bare = is_bare(cls)
    for name in dir(cls):
        method = inspect.getattr_static(cls, name, None)
        if isinstance(method, (staticmethod, classmethod)):
            found[name] = parameters(getattr(cls, name))
        elif inspect.isfunction(method) and (not name.startswith("__") or name == "__call__"):
            if is_stub(method):
                continue
            own = (parameters(method) or [None])[0 if bare else 1 :]  # type: ignore[list-item]
            read = [{"name": n, "required": False, "default": "None"} for n in kwargs_read(method)]
            found[name] = [*own, *read] if own else _many(method)
    if [p["name"][0] for p in found.get("__call__") or ()] == ["*"] and len(found.get("forward") or ()) > 1:
        found["__call__"] = [p | {"name": f"*{p['name']}"} for p in found["forward"] or ()]  # hands it on
    return _chosen(cls, found) | found


def _many(method: Any) -> Parameters:
    """`*inputs` of a method that takes nothing else, as one parameter that comes by its place."""
    found = inspect.signature(method).parameters.values()
    names = [p.name for p in found if p.kind is p.VAR_POSITIONAL]
    return [{"name": f"*{name}", "required": True, "default": ""} for name in names]


def _stubs(cls: type) -> list[str]:
    named = ((name, inspect.getattr_static(cls, name, None)) for name in dir(cls) if name[:2] != "__")
    return [name for name, method in named if inspect.isfunction(method) and is_stub(method)]


def _give_nothing(one: Any) -> list[str]:
    own = functions_of(one) if isinstance(one, type) else {getattr(one, "__name__", ""): one}
    return [name for name, function in own.items() if name != "__init__" and gives_nothing(function)]


def _say_none(cls: type) -> list[str]:
    return [name for name, function in functions_of(cls).items() if says_none(function)]


def _names_read(one: Any) -> set[str]:
    """The attributes and functions, and the arguments by keyword, that its own code names."""
    methods = vars(one).values() if isinstance(one, type) else [one]
    codes = [getattr(getattr(m, "__func__", m), "__code__", None) for m in methods]
    found = {name for code in codes if code is not None for name in code.co_names}
    consts = [c for code in codes if code is not None for c in code.co_consts if isinstance(c, tuple)]
    return found | {name for names in consts for name in names if isinstance(name, str)}


def _kept(cls: type) -> list[str]:
    """The attributes that its constructor sets, and the numbers of the class, which other methods read."""
    found = _constants(cls)
    for c in cls.__mro__[:-1]:
        if inspect.isfunction(constructor := vars(c).get("__init__")):
            found |= attributes_written(constructor.__code__) - renamed(constructor)
            if "__init__" not in constructor.__code__.co_names:  # those of its bases do not run
                break
    return sorted(found & {name for code in _codes(cls) for name in attributes_read(code)})


def _unset(cls: type) -> list[str]:
    """The attributes that its methods read and no method sets."""
    own = defined_in(cls)
    codes = [*_codes(cls), *(v.__code__ for n, v in own.items() if n == "__init__" and inspect.isfunction(v))]
    there = {*dir(cls)}.union(*(attributes_written(code) for code in codes))
    return sorted(set().union(*(attributes_read(code) for code in codes)) - there)


def _reset(cls: type) -> list[str]:
    """The attributes that a method for the next step sets anew, or fills with zeros."""
    own = defined_in(cls).items()
    steps = [value for name, value in own if inspect.isfunction(value) and plain(name) in UPDATE]
    return sorted({name for one in steps for name in attributes_written(one.__code__) | emptied_by(one)})


def _constants(cls: type) -> set[str]:
    """The numbers of the class that its methods read off `self`; none where one may read them off a class."""
    classes = {*(c.__name__ for c in cls.__mro__), "type", "__class__"}
    own = defined_in(cls)
    of_class = any(isinstance(value, classmethod) for value in own.values())
    if of_class or any(classes & {*code.co_names} for code in _codes(cls)):
        return set()
    return {name for name, value in own.items() if type(value) in (int, float) and not name.startswith("__")}


def _literals(cls: type, beside: Any) -> list[float]:
    found: set[Any] = set()
    for c in cls.__mro__[:-1]:
        found |= {value for value in vars(c).values() if type(value) is float}
        functions = [getattr(v, "fget", getattr(v, "__func__", v)) for v in vars(c).values()]
        for code in [f.__code__ for f in functions if inspect.isfunction(f)]:
            there = [*constants_in([code]), *(beside.get(name) for name in code.co_names)]
            found |= {value for value in there if type(value) is float}
    return sorted(value for value in found if 0 < value < 1)


def _naming(word: str, cls: type) -> list[str]:
    """Its methods that compare something with that word, as far as their constants show."""
    own = {name: constants_in([function.__code__]) for name, function in functions_of(cls).items()}
    return [
        name for name, consts in own.items() if any(isinstance(c, str) and c.lower() == word for c in consts)
    ]


def _codes(cls: type) -> list[CodeType]:
    """The code of its methods and properties, but for the constructors'."""
    own = defined_in(cls)
    functions = [
        getattr(v, "fget", getattr(v, "__func__", v)) for name, v in own.items() if name != "__init__"
    ]
    return [function.__code__ for function in functions if inspect.isfunction(function)]


def _chosen(cls: type, methods: dict[str, Parameters | None]) -> dict[str, Parameters | None]:
    """Methods that its constructor chooses, the first of each: `self.forward = self.forward_fast`."""
    constructor = inspect.getattr_static(cls, "__init__")
    code = list(dis.get_instructions(constructor)) if inspect.isfunction(constructor) else []
    found: dict[str, Parameters | None] = {}
    for read, _, write in zip(code, code[1:], code[2:], strict=False):
        if write.opname == "STORE_ATTR" and read.opname.startswith("LOAD_") and read.argval in methods:
            found.setdefault(str(write.argval), methods[read.argval])
    return found


def _on_nodes(one: Any, functions: dict[str, Any], tensors: dict[str, type]) -> list[str]:
    """The functions and methods that name neither NumPy nor math, or that read what a node has."""
    own = {n: inspect.getattr_static(one, n, None) for n in dir(one)} if isinstance(one, type) else {}
    codes = {n: getattr(f, "__code__", None) for n, f in (own | functions).items()}
    of_nodes, plainly = {*DATA, *tensors}, {"np", "numpy", "math"}
    methods = {name for cls in tensors.values() for name in dir(cls) if name[0] != "_"}
    of_nodes |= methods - {*dir(np.ndarray), *dir(np), "backward"}  # `logits.softmax()`
    names = {n: set(code.co_names) for n, code in codes.items() if code}
    return [n for n, read in names.items() if not plainly & read or of_nodes & read]


QUIET = ("RESUME", "NOP", "POP_TOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE")
REFUSES = ("RESUME", "PUSH_NULL", "CALL", "PRECALL", "LOAD_CONST", "RAISE_VARARGS", "LOAD_GLOBAL", "CACHE")


def is_stub(function: Any) -> bool:
    """Whether it is still to be written: `pass`, a docstring alone, or `raise NotImplementedError`."""
    code = list(dis.get_instructions(function))
    if all(one.opname in QUIET for one in code):
        returned = [one.argval for one in code if one.opname in ("LOAD_CONST", "RETURN_CONST")]
        return not any(value is not None for value in returned)
    named = {one.argval for one in code if one.opname == "LOAD_GLOBAL"}
    return named == {"NotImplementedError"} and all(one.opname in REFUSES for one in code)


def small_constant(built: Any) -> list[Any]:
    """The attribute in which it keeps the eps beside its variance, and the number."""
    names = vars(built) if hasattr(built, "__dict__") else {}
    floats = ([name, value] for name, value in names.items() if type(value) is float)
    return next(([name, v] for name, v in floats if plain(name) in ("eps", "epsilon") and 0 < v < 1), [])


def momentum_kept(built: Any) -> list[Any]:
    """The attribute in which it keeps the momentum of running statistics, and the number."""
    names = vars(built) if hasattr(built, "__dict__") else {}
    own = [[n, v] for n, v in names.items() if type(v) is float and 0 < v < 1 and "momentum" in plain(n)]
    return own[0] if len(own) == 1 else []


def functions_kept(built: Any) -> dict[str, Parameters]:
    """The functions that it holds in attributes of its own, with what they take: `self.f = f`."""
    own = vars(built) if hasattr(built, "__dict__") else {}
    found: dict[str, Parameters] = {}
    for name, value in own.items():
        if isinstance(value, np.ufunc) and value.nin == 1:
            found[name] = [{"name": "*x", "required": True, "default": ""}]
        elif inspect.isfunction(value) and not is_stub(value):
            found[name] = parameters(value) or []
    return found


def held(live: Live) -> list[dict[str, Any]]:
    """Every array that a convention can find, as `reach.described` gives it."""
    roots = {name: getattr(live, name) for name in ("object", "out", "back", "x", "passed", "options")}
    there = SimpleNamespace(**{k: v for k, v in roots.items() if v is not None})
    return described(there) + lists_of_numbers(there)
