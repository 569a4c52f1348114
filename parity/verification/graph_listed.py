"""The functions of a graph of variables in a file, as in the first steps of *Deep Learning from Scratch 3*.

class Function: __call__ makes a Variable of what forward gives      the base
class Square(Function): forward, backward                            a function
def square(x): return Square()(x)                                    the same, of which y.backward() is asked

Each of them is judged by its own forward, and so is the variable, where it has no arithmetic.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from parity.adapters.arguments import plain
from parity.verification.held import is_engine
from parity.verification.listed_names import Listed

GOES = ("forward", "backward")
AROUND = ("asarray", "asvariable", "astensor", "asnode")  # what such a function calls besides


def with_graph(body: Sequence[ast.stmt], found: Sequence[Listed], kind: str) -> list[Listed]:
    """What was found in a file, those of a graph as that kind."""
    names, others, calling = _of_graph(body)
    there, known = {one.name for one in found}, {one.name for one in found if one.kind}
    names |= others - known - {calling[name] for name in known & calling.keys()}
    if not names:
        return [*found]
    items = [Listed(one.name, kind) if one.name in names else one for one in found]
    defined = [node.name for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    more = [Listed(name, kind) for name in dict.fromkeys(defined) if name in names - there]
    return [one for one in items if "," not in one.name or not names & {*one.name.split(",")}] + more


def _of_graph(body: Sequence[ast.stmt]) -> tuple[set[str], set[str], dict[str, str]]:
    """The names of all that is judged by its own forward, of what is where it is none of the kinds, and the
    class that each function calls.

    Of an engine with arithmetic, whose functions are called as kinds, all but its operators are the second.
    """
    classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
    bases = {name for name, node in classes.items() if _is_base(node)}
    variables = {name for base in bases for name in _made(classes[base], classes)} - bases
    functions = {name for name in classes if _is_function(name, classes, bases)}
    given = {ast.unparse(node.value) for node in _operators(body)}
    whole = any(is_engine(classes[name]) for name in variables) or bool(given)
    back = {name for name in variables if "backward" in _own(classes[name])}
    calling = {n.name: _calls(n, functions) for n in body if isinstance(n, ast.FunctionDef)}
    found = functions - {calling[name] for name in given & calling.keys()}
    same = {name for name, cls in calling.items() if cls and name not in given} if back else set()
    if whole or not functions:
        return set(), found | same, calling
    return found | back | same, set(), calling


def _is_base(node: ast.ClassDef) -> bool:
    """Whether its instances are called, and the rest of it is written by others."""
    own = _own(node)
    return "__call__" in own and not any(name in own and not _is_stub(own[name]) for name in GOES)


def _is_function(name: str, classes: Mapping[str, ast.ClassDef], bases: set[str], depth: int = 8) -> bool:
    """Whether it goes forward and back by methods of its own, and is called by a base."""
    chain = [name]
    while len(chain) < depth:
        above = [ast.unparse(base) for base in classes[chain[-1]].bases]
        following = next((one for one in above if one in classes and one not in chain), "")
        if not following:
            break
        chain.append(following)
    if name in bases or chain[-1] not in bases:
        return False
    methods = [_own(classes[one]) for one in chain]
    first = [next((own[way] for own in methods if way in own), None) for way in GOES]
    return all(method is not None and not _is_stub(method) and not method.decorator_list for method in first)


def _own(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}


def _is_stub(node: ast.FunctionDef) -> bool:
    """Whether it says nothing but a docstring, `pass`, or that it is still to be written."""
    return all(
        isinstance(line, (ast.Pass, ast.Raise))
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in node.body
    )


def _made(base: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> Iterator[str]:
    """The classes whose instances a base makes where it is called."""
    for node in ast.walk(_own(base)["__call__"]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes:
            yield node.func.id


def _operators(body: Sequence[ast.stmt]) -> Iterator[ast.Assign]:
    """Where classes are given operators: `Variable.__add__ = add`."""
    for part in (part for one in body for part in ast.walk(one)):
        match part:
            case ast.Assign(targets=[ast.Attribute(attr=name)]) if (
                name.startswith("__") and "array" not in name
            ):
                yield part


def _calls(node: ast.FunctionDef, functions: set[str]) -> str:
    """The function of the graph that it is: it makes one, calls it, and does nothing else; "" elsewhere."""
    calls = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
    made = [one.id for one in calls if isinstance(one, ast.Name) and one.id in functions]
    kept = {
        target.id
        for part in ast.walk(node)
        if isinstance(part, ast.Assign)
        for target in part.targets
        if isinstance(target, ast.Name)
    }
    for one in calls:
        if isinstance(one, ast.Name) and not (
            one.id in functions or one.id in kept or plain(one.id) in AROUND
        ):
            return ""
        if isinstance(one, ast.Attribute):
            return ""
    return made[0] if len(made) == 1 else ""
