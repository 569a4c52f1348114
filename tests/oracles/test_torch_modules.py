"""Our layers on the constructor arguments and inputs with which PyTorch tests its own modules.

`torch.testing._internal` needs expecttest, and promises nothing to others: where it has no such list any
more, the tests fail rather than pass. Samples that need what ours lack are counted.
"""

import warnings
from collections import Counter
from functools import cache, partial

import numpy as np
import pytest
import torch

import scratchcnn as sc

pytest.importorskip("expecttest", reason="torch.testing._internal needs expecttest, which is not installed")


class NotExpressible(Exception):
    """The sample needs what ours lack; the text says what."""


def need(condition, why):
    if not condition:
        raise NotExpressible(why)


@cache
def modules():
    """PyTorch's entries by the module's name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_modules import module_db
    return {info.module_cls.__name__: info for info in module_db}


def samples(name, training):
    """(module, inputs, what PyTorch calls the sample), in float64."""
    info = modules()[name]
    torch.manual_seed(0)
    found = info.module_inputs_func(
        info, device="cpu", dtype=torch.float64, requires_grad=True, training=training
    )
    for sample in found:
        arguments = sample.constructor_input
        module = info.module_cls(*arguments.args, **arguments.kwargs).double().train(training)
        yield module, sample.forward_input.args or (torch.rand(4, 10, dtype=torch.float64),), sample.desc


def array(tensor):
    return None if tensor is None else tensor.detach().numpy().copy()


def both(value):
    return value if isinstance(value, int) else tuple(value)


# -- our layer for a module, and its arrays by PyTorch's names ---------------------------------------
def conv(m, x):
    need(x.ndim == 4, "an image without a batch")
    kernel, (dh, dw) = m.kernel_size, m.dilation
    W, b = array(m.weight), array(m.bias)
    if m.padding == "same" or m.padding_mode != "zeros":
        pad = sc.Pad.same(*kernel, (dh, dw), m.padding_mode)
        pad = pad if m.padding == "same" else sc.Pad(m.padding, m.padding_mode)
        inner = sc.Convolution(W, b, m.stride, 0, m.dilation, m.groups)
        return sc.Sequential(pad, inner), {"weight": "1.W", "bias": "1.b"}
    pad = (0, 0) if m.padding == "valid" else m.padding
    return sc.Convolution(W, b, m.stride, pad, m.dilation, m.groups), {"weight": "W", "bias": "b"}


def max_pool(m, x):
    need(x.ndim == 4, "an image without a batch")
    window, stride = np.broadcast_to(m.kernel_size, 2).tolist(), both(m.stride)
    options = {"ceil_mode": m.ceil_mode, "dilation": both(m.dilation)}
    return sc.Pooling(*window, stride, both(m.padding), **options), {}


def average_pool(m, x):
    need(x.ndim == 4, "an image without a batch")
    window, stride = np.broadcast_to(m.kernel_size, 2).tolist(), both(m.stride)
    counted = m.ceil_mode, m.count_include_pad
    layer = sc.Pooling(
        *window, stride, both(m.padding), "average", *counted, divisor_override=m.divisor_override
    )
    return layer, {}


def adaptive_average_pool(m, x):
    need(x.ndim == 4, "an image without a batch")
    sizes = np.broadcast_to(np.array(m.output_size, object), 2)
    sizes = [size if wanted is None else int(wanted) for size, wanted in zip(x.shape[2:], sizes, strict=True)]
    return sc.AdaptiveAveragePooling(*sizes), {}


def border(mode, m, x):
    need(x.ndim == 4, "an image without a batch")
    left, right, top, bottom = m.padding
    return sc.Pad(((top, bottom), (left, right)), mode), {}


def linear(m, x):
    return sc.Linear(array(m.weight).T.copy(), array(m.bias)), {"weight": "W", "bias": "b"}


def batch_norm(m, x):
    need(x.ndim in (2, 4), "signals and volumes")
    need((m.weight is None) == (m.bias is None), "one array of a pair")
    need(not m.training or x.numel() // x.shape[1] > 1, "a batch without pixels")
    momentum = None if m.momentum is None else 1 - m.momentum
    arrays = array(m.weight), array(m.bias), momentum, array(m.running_mean), array(m.running_var)
    return sc.BatchNorm(*arrays, m.eps).train(m.training), {"weight": "gamma", "bias": "beta"}


def layer_norm(m, x):
    layer = sc.LayerNorm(array(m.weight), array(m.bias), m.eps, m.normalized_shape)
    return layer, {"weight": "gamma", "bias": "beta"}


def softmax(m, x):
    need(x.ndim >= 2, "a row without a batch")
    return sc.Softmax(m.dim), {}


def elementwise(make, m, x):
    return make(), {}


def leaky_relu(m, x):
    return sc.LeakyRelu(m.negative_slope), {}


def elu(m, x):
    return sc.ELU(m.alpha), {}


def gelu(m, x):
    return sc.GELU(m.approximate), {}


def softplus(m, x):
    need((m.beta, m.threshold) == (1, 20), "a beta or a threshold")
    return sc.Softplus(), {}


def lrn(m, x):
    return sc.LocalResponseNormalization(m.size, m.alpha, m.beta, m.k), {}


def loss(m, x, t):
    need(x.ndim >= 2, "a row without a batch")
    layer = sc.CrossEntropy(array(m.weight), m.ignore_index, m.label_smoothing, m.reduction)
    layer.forward = partial(layer.forward, t=array(t))
    return layer, {}


EXPRESSED = {
    "Conv2d": conv,
    "MaxPool2d": max_pool,
    "AvgPool2d": average_pool,
    "AdaptiveAvgPool2d": adaptive_average_pool,
    "ZeroPad2d": partial(border, "zeros"),
    "ReflectionPad2d": partial(border, "reflect"),
    "ReplicationPad2d": partial(border, "replicate"),
    "CircularPad2d": partial(border, "circular"),
    "Linear": linear,
    "BatchNorm1d": batch_norm,
    "BatchNorm2d": batch_norm,
    "LayerNorm": layer_norm,
    "ReLU": partial(elementwise, sc.Relu),
    "Sigmoid": partial(elementwise, sc.Sigmoid),
    "Tanh": partial(elementwise, sc.Tanh),
    "SiLU": partial(elementwise, sc.SiLU),
    "LeakyReLU": leaky_relu,
    "ELU": elu,
    "SELU": partial(elementwise, sc.SELU),
    "Softplus": softplus,
    "GELU": gelu,
    "ReLU6": partial(elementwise, sc.Relu6),
    "Softsign": partial(elementwise, sc.Softsign),
    "Softmax": softmax,
    "LocalResponseNorm": lrn,
    "CrossEntropyLoss": loss,
}


def agrees(module, inputs, layer, names, rng, what):
    """The result, the indices of maxima, dx, and the gradient of each parameter that the module has."""
    x = inputs[0].detach().requires_grad_()
    theirs = module(x, *inputs[1:])
    theirs, *indices = theirs if isinstance(theirs, tuple) else (theirs,)
    dout = torch.tensor(rng.standard_normal(tuple(theirs.shape)))
    parameters = {name: p for name, p in module.named_parameters() if name in names}
    grads = torch.autograd.grad(theirs, [x, *parameters.values()], dout)
    compared = {"out": (np.asarray(layer.forward(array(x))), theirs)}
    if indices:
        compared["indices"] = layer.indices(array(x)), indices[0]
    compared["dx"] = layer.backward(dout.numpy() if dout.ndim else float(dout)), grads[0]
    for name, grad in zip(parameters, grads[1:], strict=True):
        transposed = isinstance(module, torch.nn.Linear) and name == "weight"
        compared[name] = layer.grads[names[name]], grad.T if transposed else grad
    for name, (mine, his) in compared.items():
        his = array(his)
        scale = np.abs(his[np.isfinite(his)]).max(initial=1.0)
        np.testing.assert_allclose(mine, his, rtol=1e-9, atol=1e-9 * scale, err_msg=f"{name} of {what}")


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("name", EXPRESSED)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_pytorchs_own_module_inputs(name, training):
    rng, left_out, run, count = np.random.default_rng(0), Counter(), 0, 0
    for module, inputs, what in samples(name, training):
        count += 1
        try:
            layer, names = EXPRESSED[name](module, *inputs)
        except NotExpressible as missing:
            left_out[str(missing)] += 1
            continue
        agrees(module, inputs, layer, names, rng, f"{module} {what}")
        run += 1
    print(f"{name}: {run} of {count} run and passed; not expressible: {dict(left_out)}")
    assert run + left_out.total() == count and run > 0
