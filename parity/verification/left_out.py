"""What a file defines beside what is checked, each with the reason: nothing is passed over in silence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from parity.adapters.definitions import parsed, with_lambdas
from parity.adapters.engine_backward import backward_in
from parity.adapters.engine_expressions import ALIASES
from parity.adapters.members import WORDS, is_derivative
from parity.kinds import kind_of
from parity.kinds.names import kind_by_words
from parity.verification.held import is_engine, of_class
from parity.verification.listed_names import Listed
from parity.verification.listing import aliases_of, assigned_operators, is_adapter, is_stub, is_the_same
from parity.verification.other_layers import reason_for
from parity.verification.verdict import Verdict

METHOD = "a method; of methods activations, losses and operators of an engine alone are checked"
OPERATOR = "not checked: an operator that has no verdict of its own"
HELPER = "used by what was checked"
TOGETHER = "checked with its function"
GRADIENT = "a gradient that was not checked with its function"
ALONE = "a gradient whose function is not in the file: nothing but its own code says what it is handed"
STUB = "still to be written"
TEST = "a test"
ADAPTER = "an adapter"
PLURAL = {
    HELPER: "used by what was checked",
    GRADIENT: "gradients that were not checked with their functions",
    ALONE: "gradients whose functions are not in the file: nothing but their code says what they are handed",
    STUB: "still to be written",
    OPERATOR: "not checked: operators that have no verdict of their own",
    METHOD: "methods, of which activations, losses and operators of an engine alone are checked",
    TEST: "tests",
    ADAPTER: "adapters",
}
_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
SIGNS = {
    *(before + name for before in ("", "r", "i") for name in _BINARY),
    *("neg", "pos", "abs", "lt", "le", "gt", "ge", "eq", "ne", "getitem"),
}
TURNED = ("T", "mT", "H")
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def left_out(
    path: Path, found: Sequence[Listed], checked: Sequence[tuple[Listed, Verdict]]
) -> dict[str, str]:
    """Name -> why it has no verdict of its own, in the order of the file.

    `found` is what `listed` gives, `checked` what of it has a verdict.
    """
    nodes = _definitions(path)
    named = {part for one in found if one.kind for part in one.name.split(",")}
    called = {name for one, verdict in checked for name in _functions_called(verdict.called, one, nodes)}
    given = _given_as_operators(path, named) & nodes.keys()
    used = given | _used(
        given | {re.split(r"[.\[(]", part)[0] for one, _ in checked for part in one.name.split(",")}, nodes
    )
    reasons: dict[str, str] = {}
    methods = list(_methods(nodes, named))
    for name in [*_candidates(nodes, named), *methods]:
        if name in methods:
            reasons[name] = _of_method(name, nodes, named)
            continue
        node, own = nodes[name.split(".")[0]], name.rpartition(".")[2]
        base = _words(own) - WORDS
        if own in called:
            reasons[name] = TOGETHER
        elif own.startswith(("test_", "Test")):
            reasons[name] = TEST
        elif isinstance(node, ast.ClassDef) and is_adapter(node):
            reasons[name] = ADAPTER
        elif own in used:
            reasons[name] = HELPER
        elif isinstance(node, ast.FunctionDef) and is_stub(node):
            reasons[name] = STUB
        elif is_derivative(own) and any(base == _words(one.rpartition(".")[2]) - WORDS for one in named):
            reasons[name] = GRADIENT
        elif isinstance(node, ast.FunctionDef) and _is_of_a_layer(own):
            reasons[name] = ALONE
        else:
            reasons[name] = reason_for(own)
    return reasons


def _is_of_a_layer(name: str) -> bool:
    """Whether a function is the gradient of a layer by its name: batchnorm_backward, MaxPool_Backward."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    layer = re.sub(r"_*(backward|backprop|bprop|bwd)(_pass|_naive)?_*", "", spaced)
    kind = kind_by_words(layer) if layer != spaced else None
    return bool(kind) and kind_of(str(kind)).role == "layer"


def _given_as_operators(path: Path, named: set[str]) -> set[str]:
    """The functions that classes are given as operators that have a verdict: `Variable.__add__ = add`."""
    body = [node for _, tree in parsed(path) for node in tree.body]
    return {
        function
        for cls, operators in assigned_operators(body).items()
        for operator, function in operators.items()
        if f"{cls}.{operator}" in named
    }


def _of_method(name: str, nodes: dict[str, Definition], named: set[str]) -> str:
    """Why a method has no verdict of its own."""
    holder, _, own = name.rpartition(".")
    node = nodes[holder]
    given = aliases_of(node) if isinstance(node, ast.ClassDef) else {}
    if own in given and is_the_same(own, given) and f"{holder}.{ALIASES[own]}" in named:
        return TOGETHER
    return OPERATOR if own in TURNED or _is_operator(own) else METHOD


def _definitions(path: Path) -> dict[str, Definition]:
    body = [node for _, tree in parsed(path) for node in tree.body]
    nodes: dict[str, Definition] = {node.name: node for node in with_lambdas(body)}
    return nodes | {node.name: node for node in body if isinstance(node, ast.AsyncFunctionDef)}


def _candidates(nodes: dict[str, Definition], named: set[str]) -> Iterable[str]:
    """What is not checked by its own name; of a class of which only functions are checked, its other ones."""
    for name, node in nodes.items():
        inner = [one for one in named if one.startswith((f"{name}.", f"{name}[", f"{name}("))]
        if name in named or any(f"{name}{sign}" in "".join(inner) for sign in "[("):
            continue
        if not inner or not isinstance(node, ast.ClassDef):
            yield name
            continue
        held = [one for one in of_class(node) if "[" not in one.target]
        if not any(one.method for one in held):
            yield from (one.target for one in held if one.target not in named)
        else:
            yield name


def _functions_called(called: str, one: Listed, nodes: dict[str, Definition]) -> set[str]:
    """The functions in `called as relu(x), relu_backward(x), times dout`; of a class its methods are none."""
    node = nodes.get(re.split(r"[.\[(]", one.name)[0])
    methods = (
        {held.name for held in node.body if isinstance(held, ast.FunctionDef)}
        if isinstance(node, ast.ClassDef) and "." not in one.name
        else set()
    )
    return {*re.findall(r"(\w+)\(", called)} - methods


def _used(checked: set[str], nodes: dict[str, Definition]) -> set[str]:
    """The definitions of the file that those use, and what these use in turn."""
    found, left = set(), [name for name in checked if name in nodes]
    while left:
        for part in ast.walk(nodes[left.pop()]):
            if isinstance(part, ast.Name) and part.id in nodes and part.id not in found:
                found.add(part.id)
                left.append(part.id)
    return found


def _words(name: str) -> set[str]:
    """`ReluBackward` and `relu_backward` -> relu, backward; without forward, which a derivative's lacks."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return set(re.findall(r"[a-z0-9]+", spaced)) - {"forward"}


def _methods(nodes: dict[str, Definition], named: set[str]) -> Iterable[str]:
    """Methods named for a layer in a class that is none, and the others of an engine's number."""
    for name, node in nodes.items():
        if not isinstance(node, ast.ClassDef) or name in named:
            continue
        for one in of_class(node):
            own = one.target.rpartition(".")[2]
            layer = re.sub(r"_*(forward|backward)_*", "", own)
            known = one.engine or (layer != own and kind_by_words(layer))
            if one.method and known and one.target not in named and not backward_in([own]) and own[0] != "_":
                yield one.target
        if is_engine(node):
            yield from (one for one in _operators(node) if one not in named)


def _operators(cls: ast.ClassDef) -> Iterable[str]:
    """What Python calls by a sign, as `1 - x`, or reads as a value, as `x.T`; also under a second name."""
    for node in cls.body:
        match node:
            case ast.FunctionDef(name=name) if _is_operator(name) or _is_property(node):
                yield f"{cls.name}.{name}"
            case ast.Assign(targets=targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                yield from (f"{cls.name}.{name}" for name in names if _is_operator(name))


def _is_operator(name: str) -> bool:
    """Whether it is a method that Python calls by a sign: `__rsub__`, `__iadd__`, `__lt__`, `__getitem__`."""
    return name.startswith("__") and name.strip("_") in SIGNS


def _is_property(node: ast.FunctionDef) -> bool:
    """Whether it is read as a value and computes one: not where it only gives what the node holds."""
    read = any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list)
    return read and node.name in TURNED
