"""Our layers and optimizers on the inputs that PyTorch's own tests use: cases that nobody here thought of.

`torch.testing._internal` needs expecttest, and promises nothing to others: where it has no such list any
more, the tests fail rather than pass. Samples that need an option that ours lack are counted, and of each
operator some must have been run.
"""

import warnings
from collections import Counter
from functools import cache, partial

import numpy as np
import pytest
import torch

import scratchcnn as sc

pytest.importorskip("expecttest")


class NotExpressible(Exception):
    """The sample needs what ours lack; the text says what."""


def need(condition, why):
    if not condition:
        raise NotExpressible(why)


@cache
def samples(name):
    """PyTorch's sample inputs of an operator, in float64."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    name, _, variant = name.partition(" ")
    (op,) = (op for op in op_db if op.name == name and op.variant_test_name == variant)
    torch.manual_seed(0)
    return op, list(op.sample_inputs("cpu", torch.float64, requires_grad=True))


# -- how a sample is said with our layers: (layer, x, {our gradient: PyTorch's tensor}) ---------------------
def elementwise(make, x):
    return make(), x, {}


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    need(x.ndim == 4, "an image without a batch")
    need(x.numel() and weight.numel(), "images without channels or pixels")
    kernel, (dh, dw) = weight.shape[2:], (dilation, dilation) if isinstance(dilation, int) else dilation
    if isinstance(padding, str):
        total = [0, 0] if padding == "valid" else [dh * (kernel[0] - 1), dw * (kernel[1] - 1)]
        if any(t % 2 for t in total):
            conv = sc.Convolution(array(weight), array(bias), 1, 0, (dh, dw), groups)
            named = {"1.W": weight} | ({} if bias is None else {"1.b": bias})
            return sc.Sequential(sc.Pad.same(*kernel, (dh, dw)), conv), x, named
        padding = tuple(t // 2 for t in total)
    layer = sc.Convolution(array(weight), array(bias), plain(stride), plain(padding), (dh, dw), groups)
    return layer, x, {"W": weight} | ({} if bias is None else {"b": bias})


def pooling(mode, x, size, stride, pad, ceil_mode, count_include_pad=True, **options):
    need(x.ndim == 4, "an image without a batch")
    size = (size, size) if isinstance(size, int) else tuple(size)
    stride = size if stride is None or stride == () else plain(stride)
    return sc.Pooling(*size, stride, plain(pad), mode, ceil_mode, count_include_pad, **options), x, {}


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    said = pooling("max", x, kernel_size, stride, padding, ceil_mode, dilation=plain(dilation))
    if return_indices:
        said[0].forward = partial(with_indices, said[0], said[0].forward)
    return said


def with_indices(layer, forward, x):
    return forward(x), layer.indices(x)


def avg_pool2d(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    options = {"divisor_override": divisor_override}
    return pooling("average", x, kernel_size, stride, padding, ceil_mode, count_include_pad, **options)


def adaptive_avg_pool2d(x, output_size):
    need(x.ndim == 4, "an image without a batch")
    sizes = (output_size, output_size) if isinstance(output_size, int) else output_size
    sizes = [n if wanted is None else wanted for n, wanted in zip(x.shape[2:], sizes, strict=True)]
    need(x.numel() and min(sizes) > 0, "images without pixels")
    return sc.AdaptiveAveragePooling(*sizes), x, {}


def pad(mode, x, sides, *_, **options):
    need(x.ndim == 4 and len(sides) <= 4 and len(sides) % 2 == 0, "other axes than height and width")
    need(min(sides) >= 0, "negative sides, which crop")
    left, right, top, bottom = (*sides, 0, 0)[:4]
    return sc.Pad(((top, bottom), (left, right)), mode), x, {}


def leaky_relu(x, negative_slope=0.01, inplace=False):
    return sc.LeakyRelu(negative_slope), x, {}


def elu(x, alpha=1.0, inplace=False):
    return sc.ELU(alpha), x, {}


def softmax(x, dim, dtype=None):
    need(x.ndim >= 2, "a row without a batch")
    return sc.Softmax(dim), x, {}


def linear(x, weight, bias=None):
    need(weight.ndim == 2, "a vector for W")
    layer = sc.Linear(array(weight).T.copy(), array(bias))
    return layer, x, {"W": weight} | ({} if bias is None else {"b": bias})


def batch_norm(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    need((mean is None) == (var is None) and (weight is None) == (bias is None), "one array of a pair")
    need(x.ndim in (2, 4), "signals and volumes")
    need(not training or x.numel() // x.shape[1] > 1, "one value per channel")
    arrays = array(weight), array(bias), 1 - momentum, array(mean), array(var)
    layer = sc.BatchNorm(*arrays, eps).train(training)
    return layer, x, {} if weight is None else {"gamma": weight, "beta": bias}


def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    need(weight is not None or bias is None, "a bias without a weight")
    need(eps > 0, "an eps below 0")
    given = {} if weight is None else {"gamma": weight}
    layer = sc.LayerNorm(array(weight), array(bias), eps, tuple(shape))
    return layer, x, given | ({} if bias is None else {"beta": bias})


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    return sc.LocalResponseNormalization(size, alpha, beta, k), x, {}


def cross_entropy(x, t, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    need(x.ndim >= 2, "a row without a batch")
    loss = sc.CrossEntropy(array(weight), ignore_index, label_smoothing, reduction)
    loss.forward = partial(loss.forward, t=t.detach().numpy())
    return loss, x, {}


def array(tensor):
    return None if tensor is None else tensor.detach().numpy().copy()


def plain(value):
    return value if isinstance(value, int) else tuple(value) if len(value) == 2 else value[0]


EXPRESSED = {
    "nn.functional.conv2d": conv2d,
    "nn.functional.max_pool2d": max_pool2d,
    "nn.functional.avg_pool2d": avg_pool2d,
    "nn.functional.adaptive_avg_pool2d": adaptive_avg_pool2d,
    "nn.functional.linear": linear,
    "nn.functional.batch_norm": batch_norm,
    "nn.functional.layer_norm": layer_norm,
    "nn.functional.local_response_norm": local_response_norm,
    "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.relu": partial(elementwise, sc.Relu),
    "nn.functional.leaky_relu": leaky_relu,
    "nn.functional.elu": elu,
    "nn.functional.silu": partial(elementwise, sc.SiLU),
    "sigmoid": partial(elementwise, sc.Sigmoid),
    "tanh": partial(elementwise, sc.Tanh),
    "softmax": softmax,
    "nn.functional.pad reflect": partial(pad, "reflect"),
    "nn.functional.pad replicate": partial(pad, "replicate"),
    "nn.functional.pad circular": partial(pad, "circular"),
}


def agrees(layer, x, others, op, sample, rng):
    """Compare the result, and the gradient of x and of each parameter; a mask of NaN must be the same."""
    theirs = op(sample.input, *sample.args, **sample.kwargs)
    theirs, *indices = theirs if isinstance(theirs, tuple) else (theirs,)
    dout = torch.tensor(rng.standard_normal(tuple(theirs.shape)))
    wanted = [x, *others.values()]
    grads = torch.autograd.grad(theirs, wanted, dout, allow_unused=True)
    out = layer.forward(array(x))
    if indices:
        out, places = out
        np.testing.assert_array_equal(places, array(indices[0]), err_msg=f"indices of {sample}")
    dx = layer.backward(dout.numpy() if dout.ndim else float(dout))
    ours = [np.asarray(out), dx, *(layer.grads[name] for name in others)]
    for mine, his, name in zip(ours, [theirs, *grads], ["out", "dx", *others], strict=True):
        his = np.zeros(mine.shape) if his is None else his.detach().numpy()
        his = his.T if name == "W" and his.ndim == 2 else his
        scale = np.nanmax(np.abs(his), initial=1.0)
        np.testing.assert_allclose(mine, his, rtol=1e-9, atol=1e-9 * scale, err_msg=f"{name} of {sample}")


@pytest.mark.parametrize("name", EXPRESSED)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_pytorchs_own_sample_inputs(name):
    op, found = samples(name)
    rng, left_out, run = np.random.default_rng(0), Counter(), 0
    for sample in found:
        try:
            said = EXPRESSED[name](sample.input, *sample.args, **sample.kwargs)
        except NotExpressible as missing:
            left_out[str(missing)] += 1
            continue
        agrees(*said, op, sample, rng)
        run += 1
    print(f"{name}: {run} of {len(found)} run and passed; not expressible: {dict(left_out)}")
    assert run > 0 and run + left_out.total() == len(found)


# -- optimizers ------------------------------------------------------------------------------------
OPTIONS = (
    "lr",
    "weight_decay",
    "momentum",
    "dampening",
    "maximize",
    "amsgrad",
    "centered",
    "rho",
    "momentum_decay",
)
OURS = {"rho": "decay_rate"}


def optimizer_of(name, nesterov=False, **given):
    unknown = [key for key, value in given.items() if key not in OPTIONS and value not in (False, None)]
    need(not unknown, ", ".join(unknown))
    settings = {key: given[key] for key in OPTIONS if key in given}
    settings |= {key: float(value) for key, value in settings.items() if not isinstance(value, bool)}
    if name == "SGD":
        if not settings.get("momentum"):
            return sc.SGD(
                **{"lr": 1e-3, **{k: settings[k] for k in settings if k not in ("momentum", "dampening")}}
            )
        return (sc.Nesterov if nesterov else sc.Momentum)(**{"lr": 1e-3, **settings})
    ours = {
        "Adam": sc.Adam,
        "AdamW": sc.AdamW,
        "RMSprop": sc.RMSProp,
        "Adagrad": sc.AdaGrad,
        "Adadelta": sc.Adadelta,
        "Adamax": sc.Adamax,
        "NAdam": sc.NAdam,
    }[name]
    return ours(**{OURS.get(key, key): value for key, value in settings.items()})


@pytest.mark.parametrize(
    "name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam"]
)
def test_pytorchs_own_settings_of_optimizers(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_optimizers import optim_db
    (info,) = (info for info in optim_db if info.optim_cls.__name__ == name)
    left_out, run, rng = Counter(), 0, np.random.default_rng(0)
    for given in info.optim_inputs_func("cpu"):
        try:
            ours = optimizer_of(name, **given.kwargs)
        except NotExpressible as missing:
            left_out[str(missing)] += 1
            continue
        params = {"W": rng.standard_normal((3, 4))}
        theirs = torch.tensor(params["W"].copy(), requires_grad=True)
        their_optimizer = info.optim_cls([theirs], **given.kwargs)
        if name == "NAdam":  # it keeps the product of its momenta in float32
            moments = {at: torch.zeros_like(theirs) for at in ("exp_avg", "exp_avg_sq")}
            product, step = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
            their_optimizer.state[theirs] = {"step": step, "mu_product": product, **moments}
        for _ in range(5):
            grads = {"W": rng.standard_normal((3, 4))}
            theirs.grad = torch.tensor(grads["W"])
            their_optimizer.step()
            ours.update(params, grads)
        np.testing.assert_allclose(params["W"], theirs.detach().numpy(), rtol=1e-9, err_msg=given.desc)
        run += 1
    print(f"{name}: {run} run and passed; not expressible: {dict(left_out)}")
    assert run > 1
