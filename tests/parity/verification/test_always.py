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
