"""Functions that are the gradient of a loss which the file does not define: `mse_prime(y, t)` and no more."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from parity.adapters.arguments import plain
from parity.adapters.members import WORDS, is_derivative
from parity.adapters.signatures import is_backward_of
from parity.kinds import kind_of
from parity.kinds.names import kind_by_words
from parity.kinds.spelling import respelled
from parity.verification import huber_arguments
from parity.verification.loss_formulas import is_the_rest

KINDS = (
    *("softmax_with_loss", "mean_squared_error", "mean_absolute_error", "huber_loss"),
    "hinge_loss",
    "binary_cross_entropy",
)
OF_OTHERS = {"and", "check", "checking", "numerical", "numeric", "test", "plot", "delta", "deltas"}
OF_LOSSES = {"derivative", "of", "the", "wrt"}


def lone_gradients(nodes: Mapping[str, ast.ClassDef | ast.FunctionDef]) -> dict[str, str]:
    """Those among the definitions of a file, and the kind of the loss that each is the gradient of."""
    functions = {name: node for name, node in nodes.items() if isinstance(node, ast.FunctionDef)}
    helpers = {
        part.id
        for node in nodes.values()
        if isinstance(node, ast.ClassDef)
        for part in ast.walk(node)
        if isinstance(part, ast.Name)
    }
    found = {}
    for name, node in functions.items():
        kind = _kind(name, node)
        others = [other for other in functions if other != name]
        if kind and name not in helpers and not any(is_backward_of(name, other, others) for other in others):
            found[name] = kind
    return found


def _kind(name: str, node: ast.FunctionDef) -> str:
    """The kind of a gradient of two arguments by the rest of its name; "" where it is none."""
    args = node.args
    if len(args.args) - len(args.defaults) != 2 or args.vararg or not is_derivative(respelled(name)):
        return ""
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", respelled(name)).lower())
    rest = [word for word in words if word not in WORDS | OF_LOSSES]
    if {*words} & OF_OTHERS or not rest:
        return ""
    kind = kind_by_words("_".join(rest)) or ""
    if kind == "softmax_with_loss" and "softmax" not in plain(name) and _divides_by_the_rest(node):
        kind = "binary_cross_entropy"
    if kind == huber_arguments.KIND and not huber_arguments.takes_a_pair(node):
        return ""
    return kind if kind in KINDS and kind_of(kind).role == "loss" else ""


def _divides_by_the_rest(node: ast.AST) -> bool:
    """Whether it divides by 1 - something, as the gradient of two classes does."""
    for part in ast.walk(node):
        match part:
            case (
                ast.BinOp(op=ast.Div(), right=divisor)
                | ast.Call(func=ast.Attribute(attr="divide"), args=[_, divisor, *_])
            ):
                if any(is_the_rest(one) for one in ast.walk(divisor)):
                    return True
    return False
