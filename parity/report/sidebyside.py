"""For each layer: the formula, our code, PyTorch's line, the shapes and the numbers of a small example.

Everything is taken from the source or computed when the page is built, so it cannot become outdated.
"""

from __future__ import annotations

import inspect
import textwrap
from typing import Any, NamedTuple

import numpy as np
import torch
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

import scratchcnn as sc
from parity.adapters.book import BookAdapter
from parity.kinds import KINDS, Probe, kind_of
from parity.kinds.probes import with_cotangent
from parity.reference import networks as torch_networks
from parity.report.demos import im2col_picture
from parity.report.figures.scales import short
from scratchcnn.typing import Array

# kind: (our class, how its PyTorch module is written, arguments of a small example)
ENTRIES: dict[str, tuple[type, str]] = {
    "convolution": (sc.Convolution, "nn.Conv2d("),
    "max_pooling": (sc.Pooling, "nn.MaxPool2d("),
    "average_pooling": (sc.Pooling, "nn.AvgPool2d("),
    "affine": (sc.Affine, "nn.Linear("),
    "relu": (sc.Relu, "nn.ReLU("),
    "sigmoid": (sc.Sigmoid, "nn.Sigmoid("),
    "lrn": (sc.LocalResponseNormalization, "nn.LocalResponseNorm("),
    "batch_norm": (sc.BatchNormalization, "F.batch_norm("),
    "dropout": (sc.Dropout, "nn.Dropout("),
    "softmax_with_loss": (sc.SoftmaxWithLoss, "nn.CrossEntropyLoss("),
}


class Entry(NamedTuple):
    kind: str
    name: str  # of our class
    formula: str
    backward_formula: str
    ours: Markup
    torch: Markup
    shapes: list[tuple[str, str, str]]  # tensor, shape, largest difference from PyTorch
    call: str
    numbers: list[tuple[str, str]]  # tensor, its elements
    picture: Markup  # of im2col, for a convolution


def side_by_side() -> list[Entry]:
    return [entry(kind) for kind in ENTRIES]


def entry(kind: str) -> Entry:
    """One layer."""
    cls, line = ENTRIES[kind]
    probe = example(kind)
    found = BookAdapter().results(BookAdapter().build(kind_of(kind).ours, probe), probe)
    reference = KINDS[kind].reference(probe)
    arrays = {
        k: np.asarray(v) for k, v in {**probe.args, **probe.inputs}.items() if isinstance(v, np.ndarray)
    }
    results = {name: np.asarray(value) for name, value in found.items()}
    shapes = [(name, _shape(a), "given to both") for name, a in arrays.items()]
    shapes += [(name, _shape(a), _difference(a, reference[name])) for name, a in results.items()]
    options = ", ".join(f"{k}={v!r}" for k, v in probe.args.items() if k not in arrays)
    return Entry(
        kind,
        cls.__name__,
        inspect.getdoc(cls) or "",
        inspect.getdoc(cls.backward) or "",  # type: ignore[attr-defined]
        code("\n\n".join(_source(getattr(cls, name)) for name in ("forward", "backward"))),
        code(torch_line(line)),
        shapes,
        options,
        [(name, _numbers(a)) for name, a in {**arrays, **results}.items() if a.size <= 40],
        im2col_picture(arrays["x"][0, 0], arrays["W"][0, 0]) if kind == "convolution" else Markup(""),
    )


def torch_line(written: str) -> str:
    """The lines of parity/reference/networks.py that contain it, or the harness's call of the function."""
    lines = [line.strip() for line in inspect.getsource(torch_networks).splitlines() if written in line]
    if lines:
        return "\n".join(dict.fromkeys(lines[:2]))
    name = written.removeprefix("F.").removesuffix("(")
    makers = {kind: KINDS[kind].formula for kind, (_, line) in ENTRIES.items() if line == written}
    assert hasattr(torch.nn.functional, name), name
    return "\n".join(_source(make) for make in makers.values())


def example(kind: str) -> Probe:
    """A probe small enough to follow by hand, with integers where that makes sense."""
    rng = np.random.default_rng(7)

    def whole(*shape: int) -> Array:
        return rng.integers(-2, 4, shape).astype(float)

    args: dict[str, Any] = {}
    inputs: dict[str, Any] = {"x": whole(1, 1, 4, 4)}
    if kind == "convolution":
        args = {"W": whole(1, 1, 3, 3), "b": whole(1)}
    elif kind.endswith("pooling"):
        args = {"pool_h": 2, "pool_w": 2, "stride": 2}
    elif kind == "affine":
        args, inputs = {"W": whole(3, 2), "b": whole(2)}, {"x": whole(2, 3)}
    elif kind in ("relu", "sigmoid"):
        inputs = {"x": whole(2, 4)}
    elif kind == "lrn":
        args, inputs = {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 1.0}, {"x": whole(1, 4, 1, 2)}
    elif kind == "batch_norm":
        args = {"gamma": whole(2), "beta": whole(2), "running_mean": np.zeros(2), "running_var": np.ones(2)}
        inputs = {"x": whole(4, 2)}
    elif kind == "dropout":
        args, inputs = {"dropout_ratio": 0.5}, {"x": whole(2, 4), "mask": rng.random((2, 4)) >= 0.5}
    elif kind == "softmax_with_loss":
        return Probe(kind, "small", {}, {"x": whole(2, 3), "t": np.array([2, 0])})
    probe = Probe(kind, "small", args, inputs)
    dout = np.round(with_cotangent(probe, 7).inputs["dout"] * 2) + 0.0  # no -0
    return Probe(kind, "small", args, {**inputs, "dout": dout})


def code(source: str) -> Markup:
    """Highlighted Python; its CSS classes are in the page's style sheet."""
    return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip())


def _source(function: Any) -> str:
    return textwrap.dedent(inspect.getsource(function)).rstrip()


def _short(value: Any) -> str:
    return short(float(value))


def _shape(a: Array) -> str:
    return str(a.shape) if a.ndim else "a number"


def _difference(ours: Array, theirs: Array) -> str:
    largest = float(np.abs(ours - theirs).max(initial=0))
    return "same bits" if np.array_equal(ours, theirs) else f"differ by {largest:.1e}"


def _numbers(a: Array) -> str:
    squeezed = (
        a.reshape(a.shape[-2:]) if a.ndim == 4 and a.shape[:2] == (1, 1) else a.squeeze() if a.ndim > 2 else a
    )
    return np.array2string(squeezed, separator=" ", max_line_width=60, formatter={"float_kind": _short})
