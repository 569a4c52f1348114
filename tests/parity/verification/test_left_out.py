"""Every definition of a file is checked or listed with the reason why it is not."""

import json

import pytest

from parity.verification.left_out import ALONE, left_out
from parity.verification.listing import listed
from parity.verification.other_layers import reason_for
from parity.verification.whole import verify_all

FILE = """
import numpy as np
from parity.adapters import BookAdapter

class Module:
    def __call__(self, x):
        return self.forward(x)

class Relu(Module):
    def forward(self, x):
        self.positive = sign_of(x)
        return x * self.positive

    def backward(self, dout):
        return dout * self.positive

def sign_of(x):
    return greater(x, 0)

def greater(x, y):
    return x > y

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def sigmoid_prime(x):
    return sigmoid(x) * (1 - sigmoid(x))

def relu_backward(dout, x):
    return dout * (x > 0)

def softmax_backward(dout, cache):
    pass

def squared_hinge(x, y):
    return (np.maximum(0, 1 - x * y) ** 2).mean()

def rmsnorm_forward(x, gamma):
    return x, None

def rmsnorm(x, gamma):
    return x * gamma

def _private(x):
    return x

async def fetch(url):
    return url

def test_relu():
    assert Relu

class MyAdapter(BookAdapter):
    pass

class Curves:
    @staticmethod
    def tanh(x):
        return np.tanh(x)

    @staticmethod
    def wave(x):
        return np.sin(x)
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("left_out") / "mine.py"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def sheet(path):
    return verify_all(path, isolated=False)


def test_each_has_a_verdict_or_a_reason(sheet):
    names = ["Relu", "sigmoid", "sigmoid_prime", "Curves.tanh"]
    assert [verdict.name for verdict in sheet.verdicts] == names and sheet.ok
    assert sheet.left_out == {
        "Module": "used by what was checked",
        "sign_of": "used by what was checked",
        "greater": "used by what was checked",
        "relu_backward": "a gradient that was not checked with its function",
        "softmax_backward": "still to be written",
        "squared_hinge": "a hinge loss of this form is not one of the kinds",
        "rmsnorm_forward": "RMS normalization is not one of the kinds",
        "rmsnorm": "RMS normalization is not one of the kinds",
        "_private": "not one of the kinds",
        "fetch": "not one of the kinds",
        "test_relu": "a test",
        "MyAdapter": "an adapter",
        "Curves.wave": "not one of the kinds",
    }


def test_a_line_per_reason(sheet):
    assert sheet.summary()[-8:] == [
        "used by what was checked: Module, sign_of, greater",
        "gradients that were not checked with their functions: relu_backward",
        "still to be written: softmax_backward",
        "tests: test_relu",
        "adapters: MyAdapter",
        "a hinge loss of this form is not one of the kinds: squared_hinge",
        "RMS normalization is not one of the kinds: rmsnorm_forward, rmsnorm",
        "not one of the kinds: _private, Curves.wave, fetch (if one is after all, name it and add --as)",
    ]


def test_programs_are_given_all_of_them(path, sheet, parity):
    found = json.loads(parity("verify", path, "--json").out)
    assert found["left_out"] == sheet.left_out
    reasons = sheet.left_out.items()
    assert found["unknown"] == [name for name, why in reasons if why.endswith("not one of the kinds")]


def test_what_is_too_many_for_a_line_is_counted(tmp_path):
    path = tmp_path / "many.py"
    path.write_text("".join(f"def helper{i}(x): return x\n" for i in range(15)))
    assert ", helper11 and 3 more (--json has all) (" in str(verify_all(path))


OPTIMIZERS = """
def sgd_update(w, dw, lr, weight_decay):
    return w - lr * (dw + DECAY * w)

def nag(w, dw, v, lr, mu):
    before = v
    v = mu * v - lr * dw
    return w + v + MU * (v - before), v

def nesterov_momentum(w, dw, config):
    mu, before = config["momentum"], config.get("velocity", 0 * w)
    config["velocity"] = mu * before - config["learning_rate"] * dw
    return w + config["velocity"] + MU * (config["velocity"] - before), config

def adamw_update(w, g, m, v, t, lr, beta1, beta2, eps, weight_decay=0.02):
    w = w - lr * DECAY * w
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return w - lr * m / (1 - beta1**t) / ((v / (1 - beta2**t)) ** 0.5 + eps), m, v

def gd_step(w, grad, config):
    return w - config["learning_rate"] * grad, config
"""
KINDS = {
    "sgd_update": "sgd",
    "nag": "nesterov",
    "nesterov_momentum": "nesterov",
    "adamw_update": "adamw",
    "gd_step": "sgd",
}


@pytest.mark.parametrize(
    ("decay", "mu", "wrong"),
    [
        ("weight_decay", "mu", []),
        ("-weight_decay", "mu", ["sgd_update", "adamw_update"]),
        ("weight_decay", "0", ["nag", "nesterov_momentum"]),
    ],
    ids=["right", "decay of the wrong sign", "no look ahead"],
)
def test_functions_with_weight_decay_or_nesterov_are_checked_as_such(tmp_path, decay, mu, wrong):
    path = tmp_path / "optimizers.py"
    path.write_text(OPTIMIZERS.replace("DECAY", decay).replace("MU", mu))
    assert {one.name: one.kind for one in listed(path)} == KINDS
    outcomes = {verdict.name: verdict.outcome for verdict in verify_all(path, isolated=False).verdicts}
    assert outcomes == {name: "wrong" if name in wrong else "right" for name in KINDS}


METHODS = """
import numpy as np

class Network:
    def relu(self, x):
        return np.maximum(x, 0)

    def conv_forward(self, x, w, b):
        return x

    def fit(self, x):
        return x

class Tensor:
    def __init__(self, data):
        self.data = data

    def __add__(self, other):
        return Tensor(self.data + other.data)

    def exp(self):
        return Tensor(np.exp(self.data))

    def backward(self):
        pass
"""


def test_methods_of_a_layer_s_name_and_of_an_engine_s_number_are_listed(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(METHODS)
    sheet = verify_all(path, isolated=False)
    assert [verdict.name for verdict in sheet.verdicts] == ["Network.relu", "Tensor.__add__", "Tensor.exp"]
    assert [verdict.outcome for verdict in sheet.verdicts] == ["right", "not_checked", "not_checked"]
    assert "left no gradient in .grad" in str(sheet.verdicts[1])
    reason = "a method; of methods activations, losses and operators of an engine alone are checked"
    assert sheet.left_out == {
        "Network": "not one of the kinds",
        "Tensor": "used by what was checked",
        "Network.conv_forward": reason,
    }


REVERSED = """
class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0

    def __add__(self, other):
        return Value(self.data + other)

    def __rsub__(self, other):
        return self + other

    def __lt__(self, other):
        return self.data < other.data

    @property
    def mT(self):
        return self

    __radd__ = __add__

    def backward(self):
        pass

    def __repr__(self):
        return "Value"
"""


def test_operators_of_an_engine_without_a_verdict_are_named(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(REVERSED)
    sheet = verify_all(path, isolated=False)
    reason = "not checked: an operator that has no verdict of its own"
    own = dict.fromkeys(["Value.__lt__", "Value.mT"], reason)
    same = {"Value.__radd__": "checked with its function"}
    assert sheet.left_out == {"Value": "used by what was checked"} | own | same
    assert "not checked: operators that have no verdict of their own: Value.__lt__, Value.mT" in str(sheet)


GRAPH = """
class TanhBackward:
    def __init__(self, a, out):
        self.inputs, self.out = (a,), out

    def __call__(self, grad):
        return grad * (1 - self.out**2)


class SigmoidGrad:
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout
"""


def test_what_an_engine_calls_for_a_gradient_alone_is_no_layer(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(GRAPH)
    assert [(one.name, one.kind) for one in listed(path)] == [
        ("TanhBackward", ""),
        ("SigmoidGrad", "sigmoid"),
    ]


CRASHES = """
import os

class Relu:
    def forward(self, x):
        os._exit(3)

    def backward(self, dout):
        return dout

class Tanh:
    def __init__(self, n_units, scale):
        self.scale = scale

    def forward(self, x):
        return x
"""


def test_what_could_not_be_checked_is_said_once(tmp_path, parity):
    path = tmp_path / "mine.py"
    path.write_text(CRASHES)
    status, out, _ = parity("verify", path)
    assert status == 2 and out.count("left the process with exit status 3") == 2
    assert out.count("it takes (n_units, scale), and no reading of these names builds it") == 1
    assert "\nit stopped at its first call\nreproduce\n" in out and "not checked" not in out
    assert (
        f"\nan adapter can say how it is called; this begins one: python -m parity verify {path}:Tanh" in out
    )
    assert "BookAdapter" not in out


def test_a_whole_descent_is_no_step_of_an_optimizer(tmp_path):
    (tmp_path / "mine.py").write_text(
        "def gradient_descent(f, x0, lr, steps): return x0\ndef sgd(w, dw, lr): return w - lr * dw\n"
    )
    assert [one.name for one in listed(tmp_path / "mine.py")] == ["sgd"]


def test_a_word_of_how_something_was_called_is_no_function_that_was(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def sigmoid(x): return 1 / (1 + np.exp(-x))\n"
        "def sigmoid_prime(x): return sigmoid(x) * (1 - sigmoid(x))\n"
        "def function(x): return x\n"
        "def times(x): return x\n"
    )
    found = verify_all(tmp_path / "mine.py", isolated=False)
    assert "times" in found.verdicts[0].called
    assert found.unknown == ["function", "times"]


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("RMSNorm", "RMS normalization"),
        ("MyRMSNormalization1D", "RMS normalization"),
        ("rms_norm_forward", "RMS normalization"),
        ("CausalSelfAttention", "attention"),
        ("TokenEmbedding", "an embedding"),
        ("LSTMCell", "a recurrent layer"),
        ("ConvTranspose2d", "a transposed convolution"),
        ("svm_loss", "a hinge loss of this form"),
        ("Layer", ""),
        ("Normalizer", ""),
    ],
)
def test_what_is_well_known_and_none_of_the_kinds_is_said(name, thing):
    assert reason_for(name) == (f"{thing} is not one of the kinds" if thing else "not one of the kinds")


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("DepthwiseConv2D", "a depthwise convolution"),
        ("depthwise_conv2d", "a depthwise convolution"),
        ("Conv1DLayer", "a convolution of one axis"),
        ("MaxPool1d", "a pooling of one axis"),
        ("SpatialDropout", "a dropout of whole channels"),
        ("LayerNorm2d", "layer normalization of images"),
        ("GlobalMaxPooling2D", "a maximum over whole images"),
        ("Conv2DTranspose", "a transposed convolution"),
        ("Deconv2D", "a transposed convolution"),
    ],
)
def test_what_has_no_kind_is_said_by_name(name, thing):
    assert reason_for(name) == f"{thing} is not one of the kinds"


def test_a_name_that_says_nothing():
    assert reason_for("Frobnicator1d") == "not one of the kinds"


def test_a_lone_gradient_of_a_layer_is_said(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "def batchnorm_backward(dout, cache):\n    x_hat, gamma, std = cache\n    return dout\n\n"
        "def MaxPool_Backward(dout, x):\n    return dout\n\ndef walk_backward(x, y):\n    return x\n"
    )
    found = left_out(path, listed(path), [])
    assert found["batchnorm_backward"] == found["MaxPool_Backward"] == ALONE
    assert found["walk_backward"] == "not one of the kinds"
