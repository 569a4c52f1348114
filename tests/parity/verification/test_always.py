"""Code that raises, or gives nothing, whatever it is given is wrong; nobody's call is to blame."""

from __future__ import annotations

import pytest

from parity.verification.as_json import verdict_object
from parity.verification.verify import verify

RELU = "import numpy as np\n\ndef relu(x):\n    return np.max(0, x)\n"
UNDEFINED = "def sigmoid(x):\n    return 1 / (1 + np.exp(-x))\n"
DENSE = """import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.inputs = x
        return self.{called}(x)

    def {defined}(self, x):
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.{read}.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T
"""
BUILT = """class SGD:
    def __init__(self, lr=0.01, name="sgd"):
        self.lr = lr
        {line}
        self.name

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * grads[key]
"""
SOFTMAX = """import numpy as np

class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        {last}
"""
SGD = """class SGD:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * {slopes}[key]
"""
FLATTEN = """import numpy as np

class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return np.{called}(x, (x.shape[0], -1))

    def backward(self, dout):
        return dout.reshape(self.shape)
"""


@pytest.fixture
def judged(tmp_path):
    """The verdict on the only definition of a file."""

    def of(source, name, kind):
        file = tmp_path / "layers.py"
        file.write_text(source)
        return verify(f"{file}:{name}", kind)

    return of


@pytest.mark.parametrize(
    ("source", "name", "kind", "says"),
    [
        (RELU, "relu", "relu", "np.maximum"),
        (UNDEFINED, "sigmoid", "sigmoid", "name 'np' is not defined"),
        (
            DENSE.format(called="_dense", defined="_denes", read="inputs"),
            "Dense",
            "affine",
            "no attribute '_dense'",
        ),
        (SOFTMAX.format(last=""), "Softmax", "softmax", "forward returns nothing"),
        (SGD.format(slopes="gradients"), "SGD", "sgd", "name 'gradients' is not defined"),
        (BUILT.format(line="pass"), "SGD", "sgd", "no attribute 'name'"),
        (FLATTEN.format(called="reshap"), "Flatten", "flatten", "NumPy has nothing of that name"),
    ],
)
def test_what_can_only_raise_is_wrong_and_says_why(judged, source, name, kind, says):
    verdict = judged(source, name, kind)
    assert verdict.outcome == "wrong" and not verdict.ok
    assert says in verdict.always
    assert ": bug" not in str(verdict)
    assert "results against PyTorch's" not in str(verdict)  # nothing was compared
    assert verdict_object(verdict)["compared"] == 0


@pytest.mark.parametrize(
    ("source", "name", "kind"),
    [
        (RELU.replace("max(0, x)", "maximum(0, x)"), "relu", "relu"),
        (BUILT.format(line="self.name = name"), "SGD", "sgd"),
        (f"import numpy as np\n\n{UNDEFINED}", "sigmoid", "sigmoid"),
        (DENSE.format(called="_dense", defined="_dense", read="inputs"), "Dense", "affine"),
        (SOFTMAX.format(last="return p"), "Softmax", "softmax"),
        (SOFTMAX.format(last="self.output = p"), "Softmax", "softmax"),
        (SGD.format(slopes="grads"), "SGD", "sgd"),
        (FLATTEN.format(called="reshape"), "Flatten", "flatten"),
    ],
)
def test_the_same_without_the_mistake_is_compared(judged, source, name, kind):
    verdict = judged(source, name, kind)
    assert verdict.outcome in ("right", "right_but") and not verdict.always


def test_a_right_forward_whose_backward_can_only_raise_is_wrong(judged):
    verdict = judged(DENSE.format(called="_dense", defined="_dense", read="input"), "Dense", "affine")
    assert verdict.outcome == "wrong" and verdict.culprit.phase == "backward"
    assert "no attribute 'input'" in str(verdict)


@pytest.mark.parametrize(
    "source",
    [
        "from settings import *\n\ndef relu(x):\n    return x * (x > LEVEL)\n",  # the star may give it
        "def relu(x):\n    return x * (x > LEVEL)\n\nif input:\n    LEVEL = 0.0\ndel LEVEL\n",  # it had one
        "def relu(x):\n    raise NameError('still to be written')\n",
        "import numpy as np\n\ndef relu(x):\n    return x * (x > np.rank(x))\n",  # an older NumPy has it
        "class ReLU:\n    def forward(self, x):\n        return x * (x > self.level)\n",  # set from outside
        "class BaseReLU:\n    def forward(self, x):\n        return self.of(x)\n",  # what inherits defines it
        "class ReLU:\n    def forward(self, x):\n        return self.of(x)\n\n"
        "class Mine(ReLU):\n    def backward(self, dout):\n        return dout\n",
    ],
)
def test_what_a_caller_may_be_to_blame_for_could_not_be_checked(tmp_path, judged, monkeypatch, source):
    (tmp_path / "settings.py").write_text("")
    name = next(name for name in ("BaseReLU", "ReLU", "relu") if f" {name}" in source)
    verdict = judged(source, name, "relu")
    assert verdict.outcome == "not_checked", str(verdict)


CONVOLUTION = """import numpy as np

def conv_forward(A_prev, W, b, hparameters):
    (m, H_prev, W_prev, C_prev) = A_prev.shape
    (f, f, C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((H_prev - f + 2 * pad) / stride) + 1
    {n_W} = {size}
    Z = np.zeros((m, n_H, {n_W}, n_C))
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    for h in range(n_H):
        for {w} in range({n_W}):
            for c in range(n_C):
                there = padded[:, h * stride : h * stride + f, {w} * stride : {w} * stride + f]
                Z[:, h, {w}, c] = (there * W[..., c]).sum(axis=(1, 2, 3)) + b[..., c].item()
    return Z, (A_prev, W, b, hparameters)
"""
POOLING = """import numpy as np

def pool_forward(A_prev, hparameters):
    (m, H, W, C) = A_prev.shape
    f, stride = {f}, hparameters["stride"]
    n_H, n_W = int((H - f) / stride) + 1, int((W - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, C))
    for h in range(n_H):
        for w in range(n_W):
            A[:, h, w] = A_prev[:, h * stride : h * stride + f, w * stride : w * stride + f].max(axis=(1, 2))
    return A, (A_prev, hparameters)
"""
SIZES = ("int((W_prev - f + 2 * pad) / stride) + 1", "(W_prev - f + 2 * pad) // stride + 1")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("n_W", "w"), [("n_W", "W"), ("W", "w")], ids=["in a loop", "above"])
def test_a_name_under_which_the_code_puts_a_number_is_no_array(size, n_W, w, tmp_path):
    (tmp_path / "lost.py").write_text(CONVOLUTION.format(size=size, n_W=n_W, w=w))
    verdict = verify(f"{tmp_path / 'lost.py'}:conv_forward", "convolution")
    assert verdict.outcome == "wrong" and verdict.always.startswith("raised TypeError: 'int'"), str(verdict)
    assert verdict.always.endswith("its function has put a number under that name, in a loop or above")


def test_the_same_convolution_with_names_of_its_own_is_right(tmp_path):
    (tmp_path / "kept.py").write_text(CONVOLUTION.format(size=SIZES[0], n_W="n_W", w="w"))
    verdict = verify(f"{tmp_path / 'kept.py'}:conv_forward", "convolution")
    assert verdict.outcome in ("right", "right_but"), str(verdict)


def test_a_name_that_is_read_before_it_is_assigned(tmp_path):
    (tmp_path / "early.py").write_text(POOLING.format(f="w.shape[0]"))
    verdict = verify(f"{tmp_path / 'early.py'}:pool_forward", "max_pooling")
    assert verdict.outcome == "wrong" and verdict.always.startswith("raised UnboundLocalError"), str(verdict)


def test_the_same_pooling_that_is_given_its_window_is_right(tmp_path):
    (tmp_path / "given.py").write_text(POOLING.format(f='hparameters["f"]'))
    verdict = verify(f"{tmp_path / 'given.py'}:pool_forward", "max_pooling")
    assert verdict.outcome in ("right", "right_but"), str(verdict)


MOMENTUM = """import numpy as np

class Momentum{base}:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum
        {begin}

    def update(self, dw):
        self.v = self.momentum * self.v + dw
        return self.lr * self.v
"""


def test_a_velocity_that_begins_from_itself(tmp_path):
    (tmp_path / "begins.py").write_text(MOMENTUM.format(base="", begin="self.velocity = 0.0"))
    verdict = verify(f"{tmp_path / 'begins.py'}:Momentum", "momentum")
    assert verdict.outcome == "wrong" and "has no attribute 'v'" in verdict.always, str(verdict)
    assert verdict.always.endswith("nothing in its file gives it one of that name first")


def test_a_velocity_that_begins_at_zero_is_right(tmp_path):
    (tmp_path / "zero.py").write_text(MOMENTUM.format(base="", begin="self.v = 0.0"))
    verdict = verify(f"{tmp_path / 'zero.py'}:Momentum", "momentum")
    assert verdict.outcome in ("right", "right_but"), str(verdict)


@pytest.mark.parametrize(
    ("base", "more"),
    [("(Base)", "class Base:\n    pass\n\n\n"), ("", "def ready(rule, w):\n    rule.v = 0 * w\n\n\n")],
    ids=["a base", "another function"],
)
def test_what_may_be_set_from_elsewhere_is_not_held_against_it(base, more, tmp_path):
    (tmp_path / "elsewhere.py").write_text(more + MOMENTUM.format(base=base, begin=""))
    assert verify(f"{tmp_path / 'elsewhere.py'}:Momentum", "momentum").outcome != "wrong"
