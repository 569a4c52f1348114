"""Which loss a function or class is whose name says no more than that: `loss(y, t)`, `compute_cost(AL, Y)`.

Its source says it: a logarithm is that of a cross entropy, of two classes where 1 - y has one too; squares
alone are those of a squared error, absolute values alone those of an absolute one. What has both, a square
root, a maximum or a branch by size is another loss.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from parity.adapters.arguments import plain
from parity.adapters.loss_arguments import meanings_of
from parity.adapters.signatures import FORWARD
from parity.kinds.names import LOSS_AROUND
from parity.kinds.spelling import respelled

LOSS = {"loss", "cost", "error", "criterion", "objective", "losses"}
SAYS_NOTHING = {
    "onehot",
    "one",
    "hot",
    "total",
    "get",
    "network",
    "net",
    "batch",
    "losses",
    "calculate",
    "sum",
    "euclidean",
}
LOGARITHMS = {"log", "log2", "log10"}
OTHERS = {"sqrt", "maximum", "minimum", "max", "cosh", "norm", "std", "var", "corrcoef", "where", "cumsum"}
OF_SCORES = {"max", "maximum", "minimum", "where"}  # beside a logarithm they keep it finite
ABSOLUTE = {"abs", "absolute", "fabs"}
SQUARE = {"square"}
TWO = (2, 2.0)


def is_any_loss(name: str) -> bool:
    """Whether a name says that it is a loss, and not which one: Loss, compute_cost, onehot_loss."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", respelled(name)).lower())
    return bool({*words} & LOSS) and {*words} <= LOSS_AROUND | SAYS_NOTHING


def takes_a_pair(built_of: Sequence[str], forward: ast.FunctionDef) -> bool:
    """Whether a forward asks for two things, or for one beside labels that its constructor asks for."""
    args = forward.args.args[1 : len(forward.args.args) - len(forward.args.defaults)]
    own = meanings_of([*built_of, *(arg.arg for arg in args)])
    return len(args) == 2 or (len(built_of) == 1 and sorted(own) == ["t", "x"])


def kind_by_formula(node: ast.AST) -> str:
    """The kind of loss that the source shows; "" where it shows none."""
    called = {_called(part) for part in ast.walk(node) if isinstance(part, ast.Call)}
    if called & LOGARITHMS:
        if called & (OTHERS - OF_SCORES) or not _logs_one_name(node):
            return ""
        return "binary_cross_entropy" if logs_of_the_rest(node) else "softmax_with_loss"
    if called & OTHERS or any(isinstance(part, (ast.If, ast.IfExp, ast.Compare)) for part in ast.walk(node)):
        return ""
    squares = called & SQUARE or any(_is_square(part) for part in ast.walk(node))
    absolute = called & ABSOLUTE
    if bool(squares) == bool(absolute):
        return ""
    return "mean_squared_error" if squares else "mean_absolute_error"


def squashes_first(node: ast.AST) -> bool:
    """Whether a loss of outputs, or a forward of its class, has an exponential or a softmax in it."""
    ways = node.body if isinstance(node, ast.ClassDef) else [node]
    forwards = [way for way in ways if isinstance(way, ast.FunctionDef) and _is_forward(way, node)]
    calls = [_called(part) for way in forwards for part in ast.walk(way) if isinstance(part, ast.Call)]
    return any(name == "exp" or "softmax" in name.lower() or "sigmoid" in name.lower() for name in calls)


def _is_forward(way: ast.FunctionDef, node: ast.AST) -> bool:
    return way is node or plain(way.name) in FORWARD


def logs(node: ast.AST) -> list[ast.Call]:
    """The calls of a logarithm in it."""
    return [part for part in ast.walk(node) if isinstance(part, ast.Call) and _called(part) in LOGARITHMS]


def logs_of_the_rest(node: ast.AST) -> bool:
    """Whether a logarithm of 1 - something is written in it."""
    parts = (part for call in logs(node) for argument in call.args for part in ast.walk(argument))
    return any(is_the_rest(part) for part in parts)


def is_the_rest(node: ast.AST) -> bool:
    """Whether it is 1 - something."""
    match node:
        case ast.BinOp(left=ast.Constant(value=one), op=ast.Sub()):
            return one == 1
    return False


def _logs_one_name(node: ast.AST) -> bool:
    """Whether its logarithms are all of one thing, as no divergence's are."""
    found = {
        part.attr if isinstance(part, ast.Attribute) else part.id
        for call in logs(node)
        for part in _first_names(call.args[0] if call.args else call)
    }
    return len(found) == 1


def _first_names(node: ast.expr) -> list[ast.Name | ast.Attribute]:
    """The names of what it is made of: `y` of `y[i] + 1e-7`, `self.y` of `np.clip(self.y, a, b)`."""
    match node:
        case ast.Name():
            return [node]
        case ast.Attribute(value=ast.Name(id="self" | "ctx")):
            return [node]
        case ast.Subscript(value=value):
            return _first_names(value)
        case ast.UnaryOp(operand=value):
            return _first_names(value)
        case ast.BinOp(left=left, right=right):
            return [*_first_names(left), *(name for name in _first_names(right) if not _is_small(name))]
        case ast.Call(args=[first, *_]):
            return _first_names(first)
        case ast.Call(func=ast.Attribute(value=value)):
            return _first_names(value)
    return []


def _is_small(node: ast.Name | ast.Attribute) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr
    return any(word in name.lower() for word in ("eps", "delta", "small", "tiny"))


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _is_square(node: ast.AST) -> bool:
    """Whether it is the second power of something, or a product with itself."""
    match node:
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=power)):
            return power in TWO
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return ast.dump(left) == ast.dump(right)
        case ast.Call(args=[_, ast.Constant(value=power)]):
            return _called(node) in ("power", "pow") and power in TWO
    return False
