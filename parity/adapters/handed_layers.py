"""Whether a class is a container: it is handed its layers, and goes forward through them.

Read off its source, where layers are handed to its constructor or added one by one. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from parity.adapters.arguments import plain
from parity.adapters.network_words import FORWARDS, gives_gradients, is_step
from parity.adapters.sources import tree_of_source

ADDS = re.compile(
    "(add|append|push|register|insert)(an?|the|new)?(layers?|modules?|blocks?|nodes?|component)?"
)
KEPT = ("list", "tuple", "deque", "array", "copy", "OrderedDict", "dict", "enumerate")
NOT_CONTAINERS = re.compile("trainer|optimi[sz]er|dataset|loader|loss|plot|visual|saver|scheduler|config")
FORWARD_WORDS = {*FORWARDS, "activation", "apply", "out"}
Method = ast.FunctionDef | ast.AsyncFunctionDef


def is_container(node: ast.ClassDef) -> bool:
    """Whether it is handed layers, calls a forward of each, and has a method that goes back or trains."""
    if NOT_CONTAINERS.search(plain(node.name)):
        return False
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    held = _given(methods) | _added(methods)
    learns = any(gives_gradients(m.name) or is_step(m.name) for m in methods)
    return bool(held) and learns and any(_goes_forward(method, held) for method in methods)


def goes_back(node: ast.ClassDef) -> bool:
    """Whether a container calls a method of its layers that gives gradients."""
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    held = _given(methods) | _added(methods)
    calls = (call.func for method in methods for call in calls_of_layers(method, held))
    return any(isinstance(f, ast.Attribute) and gives_gradients(f.attr) for f in calls)


def is_container_class(cls: type) -> bool:
    """The same of a class, where its source can be had."""
    node = class_node(cls)
    return node is not None and is_container(node)


def class_node(cls: type) -> ast.ClassDef | None:
    """The definition of a class; None where its source cannot be had."""
    tree = tree_of_source(cls)
    body = tree.body if tree is not None else ()
    return next((part for part in body if isinstance(part, ast.ClassDef)), None)


def adds_layers(name: str) -> bool:
    """Whether a method of that name adds a layer."""
    return bool(ADDS.fullmatch(plain(name)))


def _given(methods: list[ast.FunctionDef]) -> set[str]:
    """The attributes in which a method keeps what it was given, `self.layers = list(layers)`."""
    found = set()
    for method in methods:
        args = method.args
        given = {arg.arg for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs][1:]}
        given |= {args.vararg.arg} if args.vararg else set()
        for part in ast.walk(method):
            if (
                isinstance(part, (ast.Assign, ast.AnnAssign))
                and part.value is not None
                and _hands_on(part.value)
            ):
                names = {one.id for one in ast.walk(part.value) if isinstance(one, ast.Name)}
                if names & given:
                    targets = part.targets if isinstance(part, ast.Assign) else [part.target]
                    found |= {t.attr for t in targets if isinstance(t, ast.Attribute)}
    return found


def _hands_on(value: ast.expr) -> bool:
    """Whether what is given is kept as it is, and nothing built of it: `list(layers)`, `layers or []`."""
    calls = [part.func for part in ast.walk(value) if isinstance(part, ast.Call)]
    return all(
        isinstance(f, ast.Name | ast.Attribute) and ast.unparse(f).rpartition(".")[2] in KEPT for f in calls
    )


def _added(methods: list[ast.FunctionDef]) -> set[str]:
    """The attributes to which a method appends what it is given."""
    found = set()
    for method in methods:
        given = {arg.arg for arg in method.args.args[1:]}
        for part in ast.walk(method):
            if isinstance(part, ast.For) and given & {
                n.id for n in ast.walk(part.iter) if isinstance(n, ast.Name)
            }:
                given |= {n.id for n in ast.walk(part.target) if isinstance(n, ast.Name)}
        for part in ast.walk(method):
            match part:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr=held), attr="append" | "extend" | "insert"),
                    args=[*_, one],
                ) if _hands_on(one) and given & {n.id for n in ast.walk(one) if isinstance(n, ast.Name)}:
                    found.add(held)
                case ast.AugAssign(target=ast.Attribute(attr=held), value=value) if _hands_on(value) and (
                    given & {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
                ):
                    found.add(held)
    return found


def _goes_forward(method: ast.FunctionDef, held: set[str]) -> bool:
    return any(_is_forward(call) for call in calls_of_layers(method, held))


def _is_forward(call: ast.Call) -> bool:
    return not isinstance(call.func, ast.Attribute) or plain(call.func.attr) in FORWARD_WORDS


def calls_of_layers(method: ast.FunctionDef, held: set[str]) -> Iterator[ast.Call]:
    """The calls in loops over what is held, of what goes through it: `layer.forward(x)`, `layer(x)`."""
    for loop in ast.walk(method):
        if not isinstance(loop, ast.For):
            continue
        over = {n.attr for n in ast.walk(loop.iter) if isinstance(n, ast.Attribute)}
        inside = [part for line in loop.body for part in ast.walk(line)]
        ones = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)} if over & held else set()
        ones |= {name for part in inside if (name := _named(part, held))}
        for part in inside:
            if isinstance(part, ast.Call) and _is_of(part.func, ones, held):
                yield part


def _named(part: ast.AST, held: set[str]) -> str:
    """`layer` in `layer = self.layers[i]`."""
    match part:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript(value=ast.Attribute(attr=attr))):
            return name if attr in held else ""
    return ""


def _is_of(called: ast.expr, ones: set[str], held: set[str]) -> bool:
    """Whether a layer is called, or a method of one."""
    match called.value if isinstance(called, ast.Attribute) else called:
        case ast.Name(id=name):
            return name in ones
        case ast.Subscript(value=ast.Attribute(attr=attr)):
            return attr in held
    return False


def gradient_of(method: Method) -> set[str]:
    """The parameters that it hands to a layer's backward as they are: the gradient of its outputs."""
    given = {arg.arg for arg in method.args.args[1:]}
    alike = {name: name for name in given}
    for part in ast.walk(method):
        match part:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                value = _uncopied(value)
                if isinstance(value, ast.Name) and value.id in given:
                    alike[name] = value.id
    return {
        alike[part.args[0].id]
        for part in ast.walk(method)
        if isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and gives_gradients(part.func.attr)
        and part.args
        and isinstance(part.args[0], ast.Name)
        and part.args[0].id in alike
    }


def _uncopied(value: ast.expr) -> ast.expr:
    """`grad` of grad.copy()."""
    match value:
        case ast.Call(func=ast.Attribute(value=inner, attr="copy"), args=[]):
            return inner
    return value
