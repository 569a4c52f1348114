"""What functions take that are a step of an optimizer, as their source shows. Needs nothing but Python."""

from __future__ import annotations

import ast

from parity.adapters.arguments import plain
from parity.adapters.layers_given import LAYER, LAYERS, MODEL
from parity.adapters.made_steps import made_step
from parity.adapters.numbered_arguments import is_descent_of_arguments
from parity.adapters.optimizer_names import DECAYS, OPTIONS, RATES, SLOPE, SLOPES
from parity.adapters.rule_constants import SCHEDULE
from parity.adapters.stateful import HANDED


def takes_gradients(node: ast.FunctionDef) -> bool:
    """Whether one of its parameters is a gradient or a model, or one of the function that it makes; a whole
    descent of f from x0 takes none."""
    if made_step(node) is not None:
        return True
    names = [plain(p.arg) for p in node.args.args]
    known = (*SLOPES, *MODEL, *LAYERS, *LAYER)
    return any(name in known or name.startswith(("d", "g")) for name in names)


def takes_options(node: ast.FunctionDef) -> bool:
    """Whether it takes an array, its gradient and a dict of options."""
    names = [plain(p.arg) for p in node.args.args]
    return len(names) == 3 and names[0] in HANDED and names[1] in (*SLOPES, *SLOPE) and names[2] in OPTIONS


def is_descent(node: ast.FunctionDef) -> bool:
    """Whether it takes arrays, gradients and a rate, or a model and a rate, and at most a weight decay."""
    if is_descent_of_arguments([p.arg for p in node.args.args]):
        return True
    names = [plain(p.arg) for p in _without_schedule(node)]
    arrays = [name for name in names if name not in (*DECAYS, *RATES)]
    both = (arrays, arrays[::-1]) if len(arrays) == 2 else ()
    of_arrays = any(one in HANDED and other in (*SLOPES, *SLOPE) for one, other in both)
    of_model = len(arrays) == 1 and arrays[0] in (*MODEL, *LAYERS, *LAYER)
    return sum(name in RATES for name in names) == 1 and (of_arrays or of_model)


def _without_schedule(node: ast.FunctionDef) -> list[ast.arg]:
    """Its parameters without a decay of the rate whose default is none."""
    args = node.args.args
    defaults = [None] * (len(args) - len(node.args.defaults)) + [ast.unparse(d) for d in node.args.defaults]
    return [
        arg
        for arg, default in zip(args, defaults, strict=True)
        if plain(arg.arg) not in SCHEDULE or default not in ("0", "0.0", "1", "1.0", "None")
    ]
