"""Which functions are steps from 0 to 1: by their names, and by what is written in them.

`step(x)` may be one, and `step(params, grads)` is an optimizer's. A perceptron's step of -1 and 1 is another
function.
"""

from __future__ import annotations

import ast
import re

from parity.adapters.arguments import plain

BEFORE, AFTER = (
    "(my|np|numpy|simple)?(unit|binary|heaviside|hard)?",
    "(activation)?(function|func|fn|vec)?(ex|example|np|array)?",
)
NAME = f"{BEFORE}(step|threshold){AFTER}"
OF_TWO_VALUES = ("unit", "binary", "heaviside")  # in a name: 0 and 1
THRESHOLDS = {"heaviside", "where"}


def is_step(name: str, node: ast.stmt) -> bool:
    """Whether a function of one argument is called a step, and compares."""
    if not isinstance(node, ast.FunctionDef) or not re.fullmatch(NAME, plain(name)):
        return False
    asked = len(node.args.args) - len(node.args.defaults)
    return asked == 1 and node.args.args[0].arg != "self" and _compares(node)


def is_bipolar(node: ast.AST) -> bool:
    """Whether a step has a -1 in it or takes the sign, and its name does not say that it is of 0 and 1."""
    name = plain(getattr(node, "name", ""))
    return not any(word in name for word in OF_TWO_VALUES) and any(map(_is_of_signs, ast.walk(node)))


def _compares(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Compare) or _called(part) in THRESHOLDS for part in ast.walk(node))


def _is_of_signs(part: ast.AST) -> bool:
    match part:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=one)):
            return one == 1
    return _called(part) == "sign"


def _called(part: ast.AST) -> str:
    return ast.unparse(part.func).rpartition(".")[2] if isinstance(part, ast.Call) else ""
