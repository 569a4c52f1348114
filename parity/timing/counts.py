"""Counts that do not wobble: what our network asks of NumPy, in a process of its own, apart from the clock.

    python -m parity.timing.counts lenet 100 float32   ->   {"forward": {"numpy_calls": 333, ...}, ...}

In that process every module of scratchcnn is loaded with its calls and operators wrapped, so that each one
that reaches NumPy is seen with its arguments and its result. One call of `gradient` (forward until the loss
is known, then backward), of a step and of `predict` is counted, each after two that are not: then the
buffers that are kept from one to the next are there.

    numpy_calls      functions, ufuncs and methods of arrays and ufuncs that lines of scratchcnn call, and the
                     operators and subscripts that one of its lines applies to an array; what NumPy calls
                     inside is not counted, nor is a call of a NumPy type such as np.float32
    allocated_bytes  of the arrays that these returned and that share no memory with what went in
    moved_bytes      of the arrays that went in and came out, each once per call; a view moves nothing
    multiplications  in matrix products (matmul, dot, vecdot, @); a fast convolution makes fewer than
                     parity.timing.costs counts, which are those of the definition

They depend on the lines of scratchcnn and on the number of threads, and on nothing else of the machine; two
runs count the same. (With more than two threads it is left to chance which of them makes which part, and
so in whose buffers: `allocated_bytes` may then differ by those.)
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.machinery
import json
import operator
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import CodeType, ModuleType
from typing import Any

import numpy as np

COUNTS = ("numpy_calls", "allocated_bytes", "moved_bytes", "multiplications")
WARM = 2  # calls before the one that is counted
# They move no numbers of an array.
LOOK = {
    *("shape", "ndim", "size", "result_type", "can_cast", "min_scalar_type", "dtype", "isfortran"),
    *("may_share_memory", "shares_memory", "empty", "empty_like"),
}
PRODUCTS = {"matmul", "dot", "vecdot", "imatmul"}


def measure(network: str, batch_size: int, dtype: str, threads: int) -> dict[str, dict[str, int]]:
    """phase -> the counts. Raises RuntimeError with the last line of what the process said."""
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    done = subprocess.run(
        [sys.executable, "-m", "parity.timing.counts", network, str(batch_size), dtype],
        env=os.environ | limits,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise RuntimeError(f"counting the NumPy calls of {network} failed: {last}")
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    return found


class Counter:
    """What was seen so far; the threads of scratchcnn count into the same one."""

    def __init__(self) -> None:
        self.lock, self.seen = threading.Lock(), dict.fromkeys(COUNTS, 0)

    def __call__(self, name: str, given: Sequence[Any], result: Any, into: bool = False) -> None:
        """Count one call; `into` says that the result was written into an array that was given."""
        flat = [a for g in given for a in (g if isinstance(g, (list, tuple)) else (g,))]
        arrays = [a for a in flat if isinstance(a, np.ndarray)]
        made = result if isinstance(result, np.ndarray) else None
        shared = made is not None and any(np.may_share_memory(made, a) for a in arrays)
        moved = 0 if name in LOOK or (shared and not into) else sum(a.nbytes for a in arrays)
        with self.lock:
            self.seen["numpy_calls"] += 1
            if made is not None and not shared:
                self.seen["allocated_bytes"] += made.nbytes
                moved += 0 if name in LOOK else made.nbytes
            self.seen["moved_bytes"] += moved
            if name in PRODUCTS:
                inner = next(a for a in arrays if a.ndim).shape[-1]
                self.seen["multiplications"] += inner * np.size(result)

    def since(self, before: dict[str, int]) -> dict[str, int]:
        return {name: self.seen[name] - before[name] for name in COUNTS}


count = Counter()


# -- what the wrapped lines call ---------------------------------------------------------------------
def _call(f: Any, /, *args: Any, **options: Any) -> Any:
    result = f(*args, **options)
    while isinstance(f, functools.partial):
        f, args = f.func, (*f.args, *args)
    owner = getattr(f, "__self__", None)
    ours = isinstance(owner, (np.ndarray, np.ufunc, np.generic, np.random.Generator))
    named = str(getattr(f, "__module__", None) or "").split(".")[0] == "numpy"
    if isinstance(f, np.ufunc) or ours or (named and not isinstance(f, type)):
        given = [*([owner] if ours else []), *args, *options.values()]
        into = options.get("out") is not None or any(a is result for a in args[getattr(f, "nin", 99) :])
        count(f.__name__, given, result, into)
    return result


def _operate(name: str, *operands: Any) -> Any:
    result = getattr(operator, name)(*operands)
    if any(isinstance(a, np.ndarray) for a in operands):
        count(name, operands, result, into=name.startswith("i") and result is operands[0])
    return result


def _store(a: Any, index: Any, value: Any) -> None:
    a[index] = value
    if isinstance(a, np.ndarray):
        target = a[index]
        count("setitem", [target, *([index] if isinstance(index, np.ndarray) else []), value], None)


def _update(a: Any, index: Any, name: str, value: Any) -> None:
    """a[index] += value and the like, as one operation."""
    target = a[index]
    a[index] = result = getattr(operator, name)(target, value)
    if isinstance(target, np.ndarray):
        count(name, [target, value], result, into=True)


# -- wrapping the lines ------------------------------------------------------------------------------
OPERATORS = {
    "Add": "add",
    "Sub": "sub",
    "Mult": "mul",
    "Div": "truediv",
    "FloorDiv": "floordiv",
    "Mod": "mod",
    "Pow": "pow",
    "MatMult": "matmul",
    "LShift": "lshift",
    "RShift": "rshift",
    "BitOr": "or_",
    "BitXor": "xor",
    "BitAnd": "and_",
    "USub": "neg",
    "UAdd": "pos",
    "Invert": "invert",
    "Lt": "lt",
    "LtE": "le",
    "Gt": "gt",
    "GtE": "ge",
    "Eq": "eq",
    "NotEq": "ne",
}
WRAPPERS = {"_counted_call": _call, "_counted": _operate, "_counted_set": _store, "_counted_update": _update}
LEFT = {"super", "locals", "globals", "vars"}  # look at the frame that calls them


def _to(wrapper: str, *args: ast.expr, keywords: Sequence[ast.keyword] = ()) -> ast.Call:
    return ast.Call(ast.Name(wrapper, ast.Load()), list(args), list(keywords))


def _name_of(node: ast.AST) -> ast.Constant:
    return ast.Constant(OPERATORS[type(node).__name__])


def _in_place(node: ast.operator) -> ast.Constant:
    return ast.Constant("i" + OPERATORS[type(node).__name__].rstrip("_"))


class Wrapping(ast.NodeTransformer):
    """Every call, operator and subscript of a module becomes a call of its wrapper; annotations stay."""

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        returns, node.returns = node.returns, None
        self.generic_visit(node)
        node.returns = returns
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in LEFT:
            return node
        return _to("_counted_call", node.func, *node.args, keywords=node.keywords)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _to("_counted", _name_of(node.op), node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node if isinstance(node.op, ast.Not) else _to("_counted", _name_of(node.op), node.operand)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) > 1 or type(node.ops[0]).__name__ not in OPERATORS:
            return node
        return _to("_counted", _name_of(node.ops[0]), node.left, node.comparators[0])

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        return _to("_counted", ast.Constant("getitem"), node.value, node.slice)

    def visit_Slice(self, node: ast.Slice) -> ast.AST:
        self.generic_visit(node)
        ends = (end or ast.Constant(None) for end in (node.lower, node.upper, node.step))
        return ast.Call(ast.Name("slice", ast.Load()), list(ends), [])

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            return node
        return ast.Expr(_to("_counted_set", target.value, target.slice, node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(target := node.target, ast.Subscript):
            name = _in_place(node.op)
            return ast.Expr(_to("_counted_update", target.value, target.slice, name, node.value))
        read = (
            ast.Name(target.id, ast.Load())
            if isinstance(target, ast.Name)
            else ast.Attribute(target.value, target.attr, ast.Load())
        )
        return ast.Assign([target], _to("_counted", _in_place(node.op), read, node.value))


class Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return wrapped(self.get_data(path).decode(), path)


def wrapped(source: str, path: str) -> CodeType:
    tree = ast.fix_missing_locations(Wrapping().visit(ast.parse(source)))
    return compile(tree, path, "exec", dont_inherit=True)


class Finder:
    """Finds the modules of scratchcnn, to be loaded wrapped."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        if name.split(".")[0] != "scratchcnn":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


def load_wrapped() -> None:
    """From here on `import scratchcnn` loads it with its calls counted; for a process that does only this."""
    assert not any(name.split(".")[0] == "scratchcnn" for name in sys.modules)
    vars(builtins).update(WRAPPERS)
    sys.meta_path.insert(0, Finder)


# -- what is counted ---------------------------------------------------------------------------------
def of_network(name: str, batch_size: int, dtype: str) -> dict[str, dict[str, int]]:
    """phase -> the counts, of scratchcnn as it is loaded here."""
    from scratchcnn import NETWORKS, Momentum

    network, rng = NETWORKS[name](rng=0, dtype=dtype), np.random.default_rng(0)
    x = rng.random((batch_size, *network.input_dim), dtype=np.float32).astype(dtype)
    t = rng.integers(0, network.output_size, batch_size)
    optimizer, loss, known = Momentum(lr=1e-3), network.last_layer, dict(count.seen)

    def forward(scores: Any, t: Any) -> Any:
        out = type(loss).forward(loss, scores, t)
        known.update(count.seen)
        return out

    def gradient() -> dict[str, Any]:
        loss.__dict__["forward"] = forward
        try:
            return dict(network.gradient(x, t))
        finally:
            del loss.__dict__["forward"]

    start = _counted(gradient)
    found = {"forward": {name: known[name] - start[name] for name in COUNTS}, "backward": count.since(known)}
    start = _counted(lambda: optimizer.update(network.params, network.gradient(x, t)))
    found["step"] = count.since(start)
    start = _counted(lambda: network.predict(x))
    return found | {"predict": count.since(start)}


def _counted(call: Callable[[], object]) -> dict[str, int]:
    """Call it, the last time with its counts: returns those before that."""
    for _ in range(WARM):
        call()
    before = dict(count.seen)
    call()
    return before


def main(network: str, batch_size: str, dtype: str) -> None:
    load_wrapped()
    print(json.dumps(of_network(network, int(batch_size), dtype)))


if __name__ == "__main__":
    main(*sys.argv[1:])
