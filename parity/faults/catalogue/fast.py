"""Bugs of `scratchcnn.fast`: of threads, memory and layouts, which the textbook's layers cannot have.

Each is a change of one line there, put in for the time of a `with`: the function's source with the change is
compiled, and the function runs that code. So a fault shows what it changes, and a fault of a line that is no
longer there is an error.
"""

from __future__ import annotations

import ast
import gc
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import CodeType, FunctionType, ModuleType
from typing import Any

FILES = (
    "activations",
    "affine",
    "batch_norm",
    "batch_split",
    "branches",
    "convolution",
    "dispatch",
    "dropout",
    "elementwise",
    "inference",
    "layout",
    "lrn",
    "memory",
    "normal",
    "pooling",
    "products",
    "threads",
    "winograd",
)


@dataclass(frozen=True)
class FastFault:
    """One bug: in `function` of `file` it says `after` where it should say `before`.

    function  its name; of a method "Class.method", of a function that a decorator made "decorator.function"
    networks  where it is put in, and has to be found (see parity.faults.injected_networks)
    """

    name: str
    file: str
    function: str
    before: str
    after: str
    story: str
    networks: tuple[str, ...] = ("fast_layers",)

    @contextmanager
    def put_in(self) -> Iterator[None]:
        """The bug is there inside the `with`; workspaces and buffers are new before and after it."""
        module = import_module(f"scratchcnn.fast.{self.file}")
        broken = self._compiled(module)
        functions = list(_running(module, self.function))
        right = functions[0].__code__
        _renew()
        for function in functions:
            function.__code__ = broken
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of NumPy, about numbers that memory happened to hold
                yield
        finally:
            for function in functions:
                function.__code__ = right
            _renew()

    def _compiled(self, module: ModuleType) -> CodeType:
        """The function's code with the bug. Raises LookupError where the right line is not there once."""
        source = inspect.getsource(module)
        node = _definition(ast.parse(source), self.function)
        lines = source.splitlines(keepends=True)
        text = "".join(lines[node.lineno - 1 : node.end_lineno])
        if text.count(self.before) != 1:
            raise LookupError(
                f"{self.name}: {self.function} of {self.file}.py has {text.count(self.before)} times "
                f"{self.before!r}, expected once"
            )
        lines[node.lineno - 1 : node.end_lineno] = [text.replace(self.before, self.after)]
        whole = compile("".join(lines), str(module.__file__), "exec", dont_inherit=True)
        return _code(whole, self.function)


def _definition(tree: ast.AST, path: str) -> ast.FunctionDef:
    for name in path.split("."):
        tree = next(
            node
            for node in ast.iter_child_nodes(tree)
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name
        )
    assert isinstance(tree, ast.FunctionDef)
    return tree


def _code(whole: CodeType, path: str) -> CodeType:
    for name in path.split("."):
        whole = next(c for c in whole.co_consts if isinstance(c, CodeType) and c.co_name == name)
    return whole


def _running(module: ModuleType, path: str) -> Iterator[FunctionType]:
    """The function; of one that a decorator makes, all that it has made."""
    outer, _, inner = path.rpartition(".")
    found: Any = getattr(module, outer or inner)
    if outer and isinstance(found, FunctionType):
        code = _code(found.__code__, inner)
        yield from (f for f in gc.get_referrers(code) if isinstance(f, FunctionType) and f.__code__ is code)
        return
    yield inspect.unwrap(getattr(found, inner) if outer else found)


def _renew() -> None:
    """What a bug may have left: in workspaces, buffers and caches."""
    layout, memory = import_module("scratchcnn.fast.layout"), import_module("scratchcnn.fast.memory")
    layout._spaces, memory._buffers = layout._Spaces(), memory.Buffers()  # type: ignore[attr-defined]
    for file in ("elementwise", "layout", "products"):
        for value in vars(import_module(f"scratchcnn.fast.{file}")).values():
            if clear := getattr(value, "cache_clear", None):
                clear()


# -- the faults -------------------------------------------------------------------------------------
ALL = ("fast_layers", "lenet", "simple_conv_net")
FAST_FAULTS: dict[str, FastFault] = {
    fault.name: fault
    for fault in (
        FastFault(
            "slope-of-a-constant",
            "activations",
            "_slope_of_elu",
            before="slope += negative",
            after="pass",
            story="On the negative side of SELU the slope is that at 0.",
            networks=("activations",),
        ),
        FastFault(
            "nothing-cut-off-at-6",
            "activations",
            "_relu6",
            before="mask &= below",
            after="mask |= below",
            story="The mask has what is above 0 or below 6, which is everything.",
            networks=("activations",),
        ),
        FastFault(
            "columns-of-the-last-thread-missing",
            "affine",
            "forward",
            before="threads.parts(W.shape[1], team))",
            after="threads.parts(W.shape[1], team)[:-1])",
            story="The loop over the threads' parts ends one early; the rest keeps what its memory held.",
        ),
        FastFault(
            "every-thread-writes-the-first-rows",
            "affine",
            "backward",
            before="out=dW[p])",
            after="out=dW[: p.stop - p.start])",
            story="Each thread numbers its rows of dW from 0.",
        ),
        FastFault(
            "variance-before-the-mean-is-taken-away",
            "batch_norm",
            "forward",
            before="np.vecdot(xc, xc)",
            after="np.vecdot(rows[some], rows[some])",
            story="The squares are those of x, so the variance is the mean square.",
        ),
        FastFault(
            "sum-of-dout-taken-for-its-mean",
            "batch_norm",
            "backward",
            before="dbeta[some] / count",
            after="dbeta[some]",
            story="dx is freed of the sum of dout instead of its mean.",
        ),
        FastFault(
            "last-block-of-normalized-channels-missing",
            "batch_norm",
            "_blocks",
            before="range(0, channels, step)",
            after="range(0, channels - step + 1, step)",
            story="The last block of channels, a short one, is left out.",
        ),
        FastFault(
            "a-parts-gradient-lost",
            "batch_split",
            "add_gradients",
            before="copies[1:]",
            after="copies[2:]",
            story="The sum of the parts' gradients begins one part late.",
            networks=ALL,
        ),
        FastFault(
            "a-parts-gradient-twice",
            "batch_split",
            "add_gradients",
            before="total += other.grads[key]",
            after="total += 2 * other.grads[key]",
            story="A part's gradient is added when it is done and once more at the end.",
            networks=ALL,
        ),
        FastFault(
            "parts-joined-in-another-order",
            "batch_split",
            "joined",
            before="np.concatenate(parts, out=out)",
            after="np.concatenate(parts[::-1], out=out)",
            story="The outputs are put together in the order in which the threads end.",
            networks=ALL,
        ),
        FastFault(
            "dout-of-the-first-images-for-every-part",
            "batch_split",
            "SplitSequential.backward",
            before="dout[part[0]]",
            after="dout[: part[0].stop - part[0].start]",
            story="A part takes as many rows of dout as it has images, from the first one on.",
            networks=ALL,
        ),
        FastFault(
            "relu-after-any-pooling",
            "batch_split",
            "in_order",
            before=' and following.mode == "max"',
            after="",
            story="Relu changes places with any pooling that follows it, also one that takes the mean.",
        ),
        FastFault(
            "one-memory-for-all-parts",
            "batch_split",
            "replicas",
            before="list(map(replica, layers))",
            after="list(layers)",
            story="The parts share the layers: a forward writes over what another part's backward needs.",
            networks=ALL,
        ),
        FastFault(
            "dx-of-the-parts-in-another-order",
            "batch_split",
            "LazyDx.compute",
            before="for part in self.parts]",
            after="for part in self.parts[::-1]]",
            story="dx is put together from the last part to the first.",
            networks=ALL,
        ),
        FastFault(
            "branches-in-the-order-in-which-they-were-given-out",
            "branches",
            "each_branch",
            before="order = list(itertools.chain.from_iterable(teams))",
            after="order = list(range(len(branches)))",
            story="The threads' results are joined one after another, though the heaviest branch came first.",
            networks=("many_branches",),
        ),
        FastFault(
            "a-thread-runs-its-first-branch-again",
            "branches",
            "each_branch",
            before="[call(branches[i]) for i in some]",
            after="[call(branches[some[0]]) for i in some]",
            story="A thread that has several branches runs the first of them each time.",
            networks=("many_branches",),
        ),
        FastFault(
            "a-branchs-gradient-lost",
            "branches",
            "SideBySide.backward",
            before="dxs[1:]",
            after="dxs[2:]",
            story="The sum of the branches' dx begins one branch late.",
            networks=("many_branches",),
        ),
        FastFault(
            "last-block-of-rows-missing",
            "convolution",
            "row_blocks",
            before="-(-height * row // columns))]",
            after="-(-height * row // columns))][:-1] or [rows]",
            story="The last block of output rows, which is often a short one, is left out.",
            networks=ALL,
        ),
        FastFault(
            "last-columns-not-finished",
            "convolution",
            "Finish.apply",
            before="range(columns.start, columns.stop, width)",
            after="range(columns.start, columns.stop - width, width)",
            story="In a prediction the last columns of an output get neither their bias nor Relu.",
        ),
        FastFault(
            "gradient-of-the-last-block-only",
            "convolution",
            "weight_gradients",
            before="totals[filters, some] += product_over_columns(factor, col)",
            after="totals[filters, some] = product_over_columns(factor, col)",
            story="dW is set by each block of rows instead of added up.",
            networks=ALL,
        ),
        FastFault(
            "workspace-used-again-too-early",
            "convolution",
            "_rows_by_columns",
            before='workspace("added"',
            after='workspace("columns"',
            story="Two workspaces that are needed at the same time have one name, hence one memory.",
        ),
        FastFault(
            "channels-of-the-first-group",
            "convolution",
            "groups",
            before="slice(i * c, (i + 1) * c)",
            after="slice(0, c)",
            story="Every group reads the first group's channels.",
        ),
        FastFault(
            "overlap-of-two-threads-rows-lost",
            "convolution",
            "input_gradient",
            before="top + rows.shape[1]] += rows",
            after="top + rows.shape[1]] = rows",
            story="Two threads' rows of dx overlap, and the second one overwrites the first one's.",
        ),
        FastFault(
            "prediction-overwrites-the-memory",
            "dispatch",
            "accelerated.fast_forward",
            before="if layer.recording:",
            after="if True:",
            story="A prediction between forward and backward leaves its own memory in the layers.",
            networks=ALL,
        ),
        FastFault(
            "first-layers-gradient-only-with-dx",
            "dispatch",
            "backward_lazy_dx",
            before="return lazy(layer, dout, memory.values)",
            after="return lambda: memory.implementation.backward(layer, dout, memory.values)",
            story="The first layer's backward is put off until dx is asked for, and its gradients with it.",
            networks=ALL,
        ),
        FastFault(
            "kept-numbers-not-scaled",
            "dropout",
            "_drop",
            before="if keep not in (0, 1):",
            after="if False:",
            story="What is not dropped stays as it is instead of making up for the rest.",
            networks=("activations",),
        ),
        FastFault(
            "share-of-the-other-numbers",
            "dropout",
            "backward",
            before="1 - layer.dropout_ratio",
            after="layer.dropout_ratio",
            story="dx is divided by the share that is dropped.",
            networks=("activations",),
        ),
        FastFault(
            "last-numbers-not-rectified",
            "elementwise",
            "_relu",
            before="if whole < run.size:",
            after="if False:",
            story="The numbers that fill no whole row of zeros are left out.",
        ),
        FastFault(
            "gradient-where-relu-gave-0",
            "elementwise",
            "_relu",
            before="np.not_equal(out, 0",
            after="np.greater_equal(out, 0",
            story="The mask is taken from the output, where everything is at least 0.",
        ),
        FastFault(
            "bias-of-a-prediction-lost",
            "inference",
            "convolved",
            before="None, layer.b",
            after="None, None",
            story="Without batch normalization nothing is shifted: the bias is forgotten with it.",
        ),
        FastFault(
            "relu-of-a-prediction-lost",
            "inference",
            "run",
            before="relu, i = True, i + 1",
            after="relu, i = False, i + 1",
            story="A Relu is passed over as one that its convolution will do, and the convolution does not.",
        ),
        FastFault(
            "last-numbers-in-no-block",
            "layout",
            "pieces",
            before="range(0, len(run), BLOCK)",
            after="range(0, len(run) - BLOCK + 1, BLOCK)",
            story="The numbers that fill no whole block are left out.",
            networks=("activations",),
        ),
        FastFault(
            "flat-copy-taken-for-a-view",
            "layout",
            "flat_view",
            before="return turned.reshape(-1) if turned.flags.c_contiguous else x",
            after="return x.reshape(-1)",
            story="reshape copies what lies in another order, and what is written to the copy is lost.",
        ),
        FastFault(
            "row-of-ones-elsewhere",
            "layout",
            "workspace_above_ones",
            before="space[size - rows * columns : size + columns]",
            after="space[: (rows + 1) * columns]",
            story="A smaller workspace is cut from the beginning, where there are no ones under it.",
            networks=ALL,
        ),
        FastFault(
            "last-block-of-pixels-missing",
            "lrn",
            "_each_block",
            before="part.stop, step",
            after="part.stop - step + 1, step",
            story="The last block of pixels, a short one, is left out.",
        ),
        FastFault(
            "root-instead-of-its-third-power",
            "lrn",
            "_factor",
            before="factor *= root",
            after="pass",
            story="beta = 0.75 is taken for one square root too few.",
        ),
        FastFault(
            "buffer-given-out-while-it-is-held",
            "memory",
            "Buffers.take",
            before="if sys.getrefcount(kept[i]) == FREE:",
            after="if True:",
            story="A buffer counts as free while somebody still holds an array on it.",
            networks=ALL,
        ),
        FastFault(
            "zeros-not-cleared",
            "memory",
            "zeros",
            before="array.fill(0)",
            after="pass",
            story="Memory that was used before is taken for new memory, which is zero.",
            networks=ALL,
        ),
        FastFault(
            "one-side-of-the-distribution",
            "normal",
            "_by_quotient",
            before="np.abs(below, out=below)",
            after="pass",
            story="P(x) is negative for negative x.",
            networks=("activations",),
        ),
        FastFault(
            "constant-term-lost",
            "normal",
            "_polynomial",
            before="out += terms[-1]",
            after="pass",
            story="Horner's rule ends before the last addition.",
            networks=("activations",),
        ),
        FastFault(
            "last-window-wins",
            "pooling",
            "_to_cells",
            before="target += part",
            after="target[...] = part",
            story="Where windows overlap, dx is set by each of them instead of added up.",
        ),
        FastFault(
            "last-block-of-channels-missing",
            "pooling",
            "each_channel_block",
            before="part.stop, step",
            after="part.stop - step + 1, step",
            story="The last block of channels, a short one, is left out.",
        ),
        FastFault(
            "border-not-cut-off",
            "pooling",
            "undo_frame",
            before="dframe[:, ph : ph + H, pw : pw + W]",
            after="dframe[:, :H, :W]",
            story="dx is cut from the padded image's corner.",
        ),
        FastFault(
            "last-columns-of-a-product-missing",
            "products",
            "product",
            before="if whole < columns:",
            after="if False:",
            story="The columns that fill no whole product of the stack are left out.",
        ),
        FastFault(
            "last-columns-of-a-sum-missing",
            "products",
            "_sum_of_products",
            before="if whole < columns:",
            after="if False:",
            story="The columns that fill no whole product of the stack are left out of dW.",
        ),
        FastFault(
            "last-product-of-a-stack-missing",
            "products",
            "_sum_of_products",
            before="parts.sum(axis=0)",
            after="parts[:-1].sum(axis=0)",
            story="The sum over the stack ends one product early.",
        ),
        FastFault(
            "last-images-in-no-part",
            "threads",
            "parts",
            before="size * i // pieces",
            after="size // pieces * i",
            story="What is left when a batch does not divide by the number of parts belongs to none of them.",
            networks=ALL,
        ),
        FastFault(
            "image-at-a-boundary-in-two-parts",
            "threads",
            "parts",
            before="map(slice, edges, edges[1:])",
            after="map(slice, edges, [min(e + 1, size) for e in edges[1:]])",
            story="A part ends with the first image of the next one.",
            networks=ALL,
        ),
        FastFault(
            "results-in-another-order",
            "threads",
            "each",
            before="results += future.result()",
            after="results = future.result() + results",
            story="The other threads' results come before this thread's own.",
            networks=ALL,
        ),
        FastFault(
            "middle-row-of-a-filter-not-halved",
            "winograd",
            "_sums_of_three",
            before="inner = w[1] * outer.dtype.type(0.5)",
            after="inner = w[1]",
            story="Only two of a filter's three rows are halved in its sums.",
            networks=("many_channels",),
        ),
        FastFault(
            "difference-of-pixels-the-other-way-round",
            "winograd",
            "_differences",
            before="np.subtract(d2, d1, out=out[2])",
            after="np.subtract(d1, d2, out=out[2])",
            story="One of the four sums of pixels has the other sign.",
            networks=("many_channels",),
        ),
    )
}
