"""Our layers on the node tests of the ONNX standard: inputs and results that its authors published."""

import importlib
import warnings
from collections import Counter
from functools import cache

import numpy as np
import pytest

import scratchcnn as sc

onnx = pytest.importorskip("onnx")


class NotExpressible(Exception):
    """The case needs what ours lack; the text says what."""


def need(condition, why):
    if not condition:
        raise NotExpressible(why)


ROUNDED = {"test_averagepool_2d_ceil_last_window_starts_on_pad"}  # published with four digits
MODULES = (
    *("averagepool", "batch_normalization", "conv", "flatten", "gemm", "globalaveragepool", "lrn", "maxpool"),
    "layernormalization",
    *("relu", "sigmoid", "softmax", "softmax_cross_entropy_loss", "tanh"),
)


@cache
def cases():
    """{operator: [(name, attributes, inputs, result)]} of the cases that are one node."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other operators' cases
        from onnx.backend.test.case import node as nodes

        for module in MODULES:
            importlib.import_module(f"onnx.backend.test.case.node.{module}")
    found = {}
    for case in nodes._NodeTestCases:
        (node, *others), (inputs, outputs) = case.model.graph.node, case.data_sets[0]
        if not others:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            given = [None if i is None else np.asarray(i) for i in inputs]
            found.setdefault(node.op_type, {})[case.name] = (attributes, given, np.asarray(outputs[0]))
    return found


# -- how a case is said with our layers: a function of nothing that gives the result ------------------------
def window(a, x):
    """stride, pad, dilation and kernel of a case with a window."""
    need(x.ndim == 4, "signals and volumes")
    need(a.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID"), "auto_pad")
    pads = a.get("pads", [0] * 4)
    need(pads[:2] == pads[2:], "unequal pads of two sides")
    return tuple(a.get("strides", [1, 1])), tuple(pads[:2]), tuple(a.get("dilations", [1, 1]))


def conv(a, x, W, b=None):
    return sc.Convolution(W, b, *window(a, x), groups=a.get("group", 1)).forward(x)


def pooling(mode):
    def pool(a, x):
        stride, pad, dilation = window(a, x)
        need(dilation == (1, 1), "dilation")
        need(x.dtype.kind == "f", "whole numbers")
        size, include = a["kernel_shape"], bool(a.get("count_include_pad", 0))
        need(all(2 * p <= k for p, k in zip(pad, size, strict=True)), "pad of more than half the window")
        layer = sc.Pooling(*size, stride, pad, mode, bool(a.get("ceil_mode", 0)), include)
        return layer.forward(x)

    return pool


def batch_normalization(a, x, gamma, beta, mean, var):
    layer = sc.BatchNormalization(gamma, beta, 0.9, mean.copy(), var.copy(), a.get("epsilon", 1e-5))
    need(x.ndim in (2, 4), "signals and volumes")
    return layer.train(bool(a.get("training_mode", 0))).forward(x)


def layer_normalization(a, x, gamma, beta=None):
    axis = a.get("axis", -1) % x.ndim
    need(gamma.shape == x.shape[axis:], "a gamma of fewer axes")
    return sc.LayerNorm(gamma, beta, a.get("epsilon", 1e-5)).forward(x)


def gemm(a, A, B, C=None):
    need(a.get("alpha", 1) == a.get("beta", 1) == 1, "factors of the products")
    A, B = (A.T if a.get("transA") else A), (B.T if a.get("transB") else B)
    need(C is None or C.size == B.shape[1], "a bias that is not one number per output")
    return sc.Affine(B.copy(), None if C is None else C.reshape(-1)).forward(A)


def softmax(a, x):
    need(x.ndim > 1 and a.get("axis", -1) in (1, 1 - x.ndim), "another axis than the second")
    return sc.Softmax().forward(x)


def flatten(a, x):
    need(a.get("axis", 1) in (1, 1 - x.ndim), "another axis than the second")
    return sc.Flatten().forward(x)


def lrn(a, x):
    layer = sc.LocalResponseNormalization(
        a["size"], a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("bias", 1)
    )
    return layer.forward(x)


def loss(a, x, t, weight=None):
    reduction = a.get("reduction", b"mean").decode()
    return sc.CrossEntropy(weight, a.get("ignore_index", -100), reduction=reduction).forward(x, t)


EXPRESSED = {
    "AveragePool": pooling("average"),
    "BatchNormalization": batch_normalization,
    "Conv": conv,
    "Flatten": flatten,
    "Gemm": gemm,
    "GlobalAveragePool": lambda a, x: sc.GlobalAveragePooling().forward(x)[:, :, None, None],
    "LRN": lrn,
    "LayerNormalization": layer_normalization,
    "MaxPool": pooling("max"),
    "Relu": lambda a, x: sc.Relu().forward(x),
    "Sigmoid": lambda a, x: sc.Sigmoid().forward(x),
    "Softmax": softmax,
    "SoftmaxCrossEntropyLoss": loss,
    "Tanh": lambda a, x: sc.Tanh().forward(x),
}


@pytest.mark.parametrize("op", EXPRESSED)
def test_the_standards_own_cases(op):
    left_out, run = Counter(), 0
    for name, (attributes, inputs, wanted) in cases()[op].items():
        try:
            out = EXPRESSED[op](attributes, *inputs)
        except NotExpressible as missing:
            left_out[str(missing)] += 1
            continue
        np.testing.assert_allclose(
            out, wanted, rtol=1e-3 if name in ROUNDED else 1e-5, atol=1e-6, err_msg=name
        )
        assert np.shape(out) == wanted.shape, name
        run += 1
    print(f"{op}: {run} of {len(cases()[op])} run and passed; not expressible: {dict(left_out)}")
    assert run > 0
