"""Whether a method that trains makes one plain step of gradient descent, as its source shows.

Read are the method and those of its class that it calls. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from parity.adapters.arguments import plain
from parity.adapters.logarithms import definition_of
from parity.adapters.network_calls import Call
from parity.adapters.network_words import LASTS, gives_gradients, is_gradient, meanings_of_call

OTHER_RULES = re.compile("adam|rmsprop|adagrad|adadelta|beta2|secondmoment")
FEWEST = 2  # passes of a loop that are no single step


def not_one_step(cls: type, name: str) -> str:
    """Why it is none; "" where nothing speaks against it."""
    for node in _reached(cls, name):
        counts = _counts(node)
        for part in ast.walk(node):
            if isinstance(part, ast.While):
                return "goes on in a while loop"
            match part:
                case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[ast.Name(id=count)])) if (
                    plain(count) in LASTS and counts.get(count, 0) >= FEWEST
                ):
                    return f"makes {counts[count]} steps"
                case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(n))])) if (
                    n >= FEWEST
                ):
                    return f"makes {n} steps"
                case ast.Name(id=word) | ast.Attribute(attr=word) if OTHER_RULES.search(plain(word)):
                    return "takes no plain step of gradient descent"
    return ""


def _counts(node: ast.FunctionDef) -> dict[str, int]:
    """The names that a function sets to a whole number itself: `epochs = 1000`."""
    found = {}
    for part in ast.walk(node):
        match part:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(n))):
                found[name] = n
    return found


def loops_over_rows(cls: type, name: str, call: Call) -> bool:
    """Whether it goes through the rows of its input one by one."""
    inputs = {parameter for parameter, meaning in call.given if meaning in ("x", "t")}
    for node in _reached(cls, name):
        names = [arg.arg for arg in node.args.args]
        inputs |= {
            n for n, meaning in zip(names, meanings_of_call(names), strict=True) if meaning in ("x", "t")
        }
        for part in ast.walk(node):
            if isinstance(part, (ast.For, ast.comprehension)) and is_of_rows(part.iter, inputs):
                if isinstance(part, ast.For) and _only_adds_up(part):
                    continue
                return True
    return False


def _only_adds_up(loop: ast.For) -> bool:
    """Whether nothing but local numbers change in it: no attribute, and no method of its own is called."""
    parts = [part for line in loop.body for part in ast.walk(line)]
    stored = [part for part in parts if isinstance(part, (ast.Attribute, ast.Subscript))]
    own = (part.func for part in parts if isinstance(part, ast.Call))
    return not any(isinstance(part.ctx, ast.Store) for part in stored) and not any(
        isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "self" for f in own
    )


def counts_rows(cls: type, name: str, call: Call) -> bool:
    """Whether it takes the first axis of its input for its rows: `len(X)`, `X.shape[0]`, `axis=0`."""
    inputs = {parameter for parameter, meaning in call.given if meaning in ("x", "t")}
    for node in _reached(cls, name):
        for part in ast.walk(node):
            match part:
                case ast.keyword(arg="axis", value=ast.Constant(value=0)):
                    return True
                case (
                    ast.Subscript(
                        value=ast.Attribute(value=ast.Name(id=one), attr="shape"), slice=ast.Constant(value=0)
                    )
                    | ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=one)])
                ) if one in inputs:
                    return True
    return False


def is_called_per_row(cls: type, name: str) -> bool:
    """Whether a method of the class calls that one for each row: `for x, y in batch: self.backprop(x, y)`."""
    for own in vars(cls):
        node = definition_of(vars(cls)[own]) if own != name and callable(vars(cls)[own]) else None
        for part in ast.walk(node) if node is not None else ():
            if isinstance(part, ast.For) and _takes_rows_apart(part):
                called = {n.attr for n in ast.walk(part) if isinstance(n, ast.Attribute)}
                if name in called and gives_gradients(name):
                    return True
    return False


def _takes_rows_apart(loop: ast.For) -> bool:
    match loop:
        case ast.For(target=ast.Tuple(elts=[_, _]), iter=ast.Name() | ast.Call(func=ast.Name(id="zip"))):
            return True
        case ast.For(target=ast.Name(id=i), iter=ast.Call(func=ast.Name(id="range"), args=[_])):
            return any(_is_row_of(part, i) for line in loop.body for part in ast.walk(line))
    return False


def _is_row_of(node: ast.AST, i: str) -> bool:
    """`X[i]`"""
    match node:
        case ast.Subscript(slice=ast.Name(id=at), ctx=ast.Load()):
            return at == i
    return False


def clips(cls: type, name: str) -> bool:
    """Whether it clips its gradients."""
    return any(clips_in(node) for node in _reached(cls, name))


def clips_in(node: ast.AST) -> bool:
    """Whether the definition of a function clips gradients."""
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Attribute(attr="clip"), args=[first, *_]) if is_gradient(
                getattr(first, "id", getattr(first, "attr", ""))
            ):
                return True
    return False


def is_of_rows(node: ast.expr, inputs: set[str]) -> bool:
    """Whether a loop goes through rows: over those inputs, or so many numbers as they have rows."""
    match node:
        case ast.Name(id=name):
            return name in inputs
        case ast.Call(func=ast.Name(id="zip" | "enumerate"), args=args):
            return any(is_of_rows(one, inputs) for one in args)
        case ast.Call(func=ast.Name(id="range"), args=[last]):
            return _counts_rows(last, inputs)
        case ast.Call(func=ast.Name(id="range"), args=[_, last]):
            return _counts_rows(last, inputs)
    return False


def _counts_rows(node: ast.expr, inputs: set[str]) -> bool:
    """`len(X)`, `X.shape[0]`, `m` or `n_samples`."""
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
            return name in inputs
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape")):
            return name in inputs
        case ast.Name(id=name):
            return plain(name) in ("m", "n", "nsamples", "numsamples", "samples", "ntrain", "numtrain")
    return False


def _reached(cls: type, name: str) -> Iterator[ast.FunctionDef]:
    """The definition of a method, and those of the methods of its class that it calls."""
    seen, left = set[str](), [name]
    while left:
        own = left.pop()
        node = definition_of(getattr(cls, own, None)) if own not in seen else None
        seen.add(own)
        if isinstance(node, ast.FunctionDef):
            yield node
            called = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
            left += [
                f.attr
                for f in called
                if isinstance(f, ast.Attribute) and callable(getattr(cls, f.attr, None))
            ]
