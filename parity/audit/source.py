"""The source of a class with one small thing changed: what is written by accident, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from parity.adapters.definitions import code_of

AXES = ("transpose", "reshape", "moveaxis", "swapaxes")


@dataclass(frozen=True)
class SourceMutant:
    """The whole file with the change, and what it is: `line 12: = for +=`."""

    name: str
    source: str


def source_mutants(path: Path, name: str, most: int = 40) -> list[SourceMutant]:
    """Every single change in that class or function and in the functions of its file, at most `most` of them.

    Raises libcst.ParserSyntaxError where the file cannot be read.
    """
    wrapper = MetadataWrapper(cst.parse_module(code_of(path)))
    asked = {part.strip().partition(".")[0] for part in name.split(",")}
    look = _Change(asked)
    wrapper.visit(look)
    step = max(1, -(-len(look.found) // most))
    mutants = []
    for number in range(0, len(look.found), step):
        module = wrapper.visit(_Change(asked, number))
        mutants.append(SourceMutant(look.found[number], module.code))
    return mutants


class _Change(cst.CSTTransformer):
    """Lists all places for a change in `found`; makes the one of this number."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, names: set[str], number: int = -1):
        super().__init__()
        self.names, self.number = names, number
        self.found: list[str] = []
        self.depth = 0  # of classes and functions that are looked into

    def _enter(self, node: cst.ClassDef | cst.FunctionDef) -> bool:
        if self.depth or isinstance(node, cst.FunctionDef) or node.name.value in self.names:
            self.depth += 1
            return True
        return False  # another class

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return self._enter(node)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return self._enter(node)

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        self.depth -= original_node.name.value in self.names or self.depth > 1
        return updated_node

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self.depth -= 1
        return updated_node

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:
        first = node.body[0]
        return not (isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString))  # a docstring

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        return False

    def _here(self, node: cst.CSTNode, what: str) -> bool:
        """Whether this place is the one to change."""
        if not self.depth:
            return False
        line = self.get_metadata(PositionProvider, node).start.line
        self.found.append(f"line {line}: {what}")
        return len(self.found) - 1 == self.number

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        operator = updated_node.operator
        for old, new, what in (
            (cst.Add, cst.Subtract, "- for +"),
            (cst.Subtract, cst.Add, "+ for -"),
            (cst.Multiply, cst.Divide, "/ for *"),
            (cst.Divide, cst.Multiply, "* for /"),
        ):
            if isinstance(operator, old) and self._here(original_node, what):
                return updated_node.with_changes(operator=new())
        if isinstance(operator, (cst.Add, cst.Subtract)) and self._here(
            original_node, "the last term dropped"
        ):
            return updated_node.left
        return updated_node

    def leave_AugAssign(
        self, original_node: cst.AugAssign, updated_node: cst.AugAssign
    ) -> cst.AugAssign | cst.Assign:
        if isinstance(updated_node.operator, cst.AddAssign) and self._here(original_node, "= for +="):
            return cst.Assign([cst.AssignTarget(updated_node.target)], updated_node.value)
        return updated_node

    def leave_Slice(self, original_node: cst.Slice, updated_node: cst.Slice) -> cst.Slice:
        for end in ("lower", "upper"):
            value = getattr(updated_node, end)
            if value is not None and self._here(original_node, f"the {end} end of a slice off by one"):
                more = cst.BinaryOperation(
                    value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]),
                    cst.Add(),
                    cst.Integer("1"),
                )
                return updated_node.with_changes(**{end: more})
        return updated_node

    def leave_Integer(self, original_node: cst.Integer, updated_node: cst.Integer) -> cst.Integer:
        value = updated_node.evaluated_value
        if self._here(original_node, f"{value + 1} for {value}"):
            return updated_node.with_changes(value=str(value + 1))
        return updated_node

    def leave_ComparisonTarget(
        self, original_node: cst.ComparisonTarget, updated_node: cst.ComparisonTarget
    ) -> cst.ComparisonTarget:
        for old, new, what in (
            (cst.GreaterThan, cst.GreaterThanEqual, ">= for >"),
            (cst.GreaterThanEqual, cst.GreaterThan, "> for >="),
            (cst.LessThan, cst.LessThanEqual, "<= for <"),
            (cst.LessThanEqual, cst.LessThan, "< for <="),
        ):
            if isinstance(updated_node.operator, old) and self._here(original_node, what):
                return updated_node.with_changes(operator=new())
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        name = getattr(getattr(updated_node.func, "attr", None), "value", "")
        args = updated_node.args
        if name in AXES and len(args) >= 2:
            for i in range(len(args) - 1):
                if (
                    args[i].keyword is None
                    and args[i + 1].keyword is None
                    and self._here(original_node, f"arguments {i + 1} and {i + 2} of {name} exchanged")
                ):
                    swapped = list(args)
                    swapped[i], swapped[i + 1] = (
                        args[i].with_changes(value=args[i + 1].value),
                        args[i + 1].with_changes(value=args[i].value),
                    )
                    return updated_node.with_changes(args=swapped)
        return updated_node
