"""Whether a function that is called Huber's takes an output and a target, and not their difference."""

from __future__ import annotations

import ast

from parity.adapters.arguments import plain
from parity.adapters.constants import NAMES

KIND = "huber_loss"
CONSTANTS = {*NAMES[KIND], "mu", "sigma", "lam", "lambda"}
OF_ONE = {"residual", "residuals", "err", "error", "errors", "diff", "resid", "r", "e"}


def takes_a_pair(node: ast.stmt) -> bool:
    """Whether it asks for two things that are neither the constant nor a residual; so does any class."""
    if not isinstance(node, ast.FunctionDef) or (node.args.args and node.args.args[0].arg == "self"):
        return True
    asked = node.args.args[: len(node.args.args) - len(node.args.defaults)]
    words = [plain(arg.arg) for arg in asked]
    return sum(word not in CONSTANTS for word in words) == 2 and not {*words} & OF_ONE
