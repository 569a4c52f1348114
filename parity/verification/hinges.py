"""Which hinge loss a definition is, as its source has it: that of two classes or of several, or another one.

Several classes show in scores that are chosen by their labels, `scores[np.arange(N), y]`, two in a product of
score and label. A ranking of positive and negative scores, a squared hinge, one of the largest margin alone,
one of labels 0 and 1, and one that takes the weights of a linear classifier are none of the kinds.
"""

from __future__ import annotations

import ast

BINARY, SEVERAL = "hinge_loss", "multiclass_hinge_loss"
KINDS = (BINARY, SEVERAL)
LARGEST = ("max", "amax")


def hinge_of(node: ast.stmt) -> str | None:
    """The kind; None where it is another loss."""
    if isinstance(node, ast.FunctionDef):
        asked = len(node.args.args) - len(node.args.defaults)
        if asked != 2 and not (node.args.args and node.args.args[0].arg == "self"):
            return None
    parts = list(ast.walk(node))
    if any(_is_square(part) or _is_largest(part) or _is_of_zeros(part) for part in parts):
        return None
    if any(map(_chooses, parts)) or (any(map(_is_of_one_hot, parts)) and any(map(_sums_rows, parts))):
        return SEVERAL
    return BINARY if any(map(_is_product, parts)) else None


def _chooses(part: ast.AST) -> bool:
    """Whether it is an entry of a matrix by row and column, or compares a class with a label."""
    match part:
        case ast.Subscript(slice=ast.Tuple(elts=[_, _, *_] as places)):
            return not any(isinstance(place, (ast.Slice, ast.Constant)) for place in places)
        case ast.Subscript(value=ast.Subscript()):
            return True
        case ast.Call(func=ast.Attribute(attr="eye" | "choose" | "take_along_axis")):
            return True
    return False


def _is_square(part: ast.AST) -> bool:
    match part:
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=2 | 2.0)):
            return True
        case ast.Call(func=ast.Attribute(attr="square")):
            return True
    return False


def _is_largest(part: ast.AST) -> bool:
    """Whether it is the maximum along an axis."""
    match part:
        case ast.Call(func=ast.Attribute(attr=name), args=args, keywords=keywords) if name in LARGEST:
            return any(one.arg == "axis" for one in keywords) or (
                len(args) == 2 and ast.unparse(args[1]) in ("1", "-1")
            )
    return False


def _is_of_zeros(part: ast.AST) -> bool:
    """Whether it makes labels -1 and 1 of 0 and 1: 2 * y - 1."""
    match part:
        case ast.BinOp(left=ast.BinOp(op=ast.Mult()) as twice, op=ast.Sub(), right=ast.Constant(value=1)):
            return any(isinstance(one, ast.Constant) and one.value == 2 for one in (twice.left, twice.right))
    return False


def _is_of_one_hot(part: ast.AST) -> bool:
    """Whether it is where a one-hot label is: np.where(target > 0, x, 0)."""
    match part:
        case ast.Call(func=ast.Attribute(attr="where"), args=[ast.Compare(), *_]):
            return True
    return False


def _sums_rows(part: ast.AST) -> bool:
    match part:
        case ast.Call(func=ast.Attribute(attr="sum"), keywords=keywords):
            return any(one.arg == "axis" for one in keywords)
    return False


def _is_product(part: ast.AST) -> bool:
    """Whether two things that are no numbers are multiplied."""
    match part:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return not any(isinstance(one, ast.Constant) for one in (left, right))
        case ast.Call(func=ast.Attribute(attr="multiply"), args=[_, _, *_]):
            return True
    return False
