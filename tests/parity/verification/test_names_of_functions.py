"""Definitions whose names say what they are in a few more words, or inside of another class."""

import pytest

from parity.adapters.loss_arguments import meanings_of
from parity.kinds.names import kind_by_words, kind_without_praise
from parity.verification.listing import listed
from parity.verification.verify import verify
from parity.verification.whole import verify_all

NESTED = """
import numpy as np

class Layer:
    def __init__(self):
        self.x = None

class Activation:
    class Tanh(Layer):
        def forward(self, X):
            self.out = np.tanh(X)
            return self.out

        def backward(self, d_out):
            return d_out * (1 - self.out**2)

    class Sigmoid(Layer):
        def forward(self, X):
            self.out = 1 / (1 + np.exp(-X))
            return self.out

        def backward(self, d_out):
            return d_out * (1 + self.out)

    class Mish(Layer):
        def forward(self, X):
            return X * np.tanh(np.log1p(np.exp(X)))
"""


def names_of(text, path):
    path.write_text(text)
    return {one.name: one.kind for one in listed(path)}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mean_square", "mean_squared_error"),
        ("root_mean_square", None),
        ("GroupedSoftmax", None),
        ("hyperbolic_tangent", "tanh"),
        ("logistic_sigmoid", "sigmoid"),
    ],
)
def test_kinds(name, kind):
    assert kind_by_words(name) == kind


def test_a_softmax_of_a_batch():
    assert kind_without_praise("softmax_batch") == "softmax"


def test_steps(tmp_path):
    text = "def step_function_ex(x):\n    return (x > 0).astype(int)\n"
    assert names_of(text, tmp_path / "steps.py") == {"step_function_ex": "step_function"}
    assert names_of(text.replace("_ex", "_rule"), tmp_path / "steps.py") == {}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["y_output", "y_desired"], ["x", "t"]),
        (["y_expected", "y_out"], ["t", "x"]),
        (["y_t", "y_p"], ["t", "x"]),
    ],
)
def test_names_of_outputs_and_targets(words, found):
    assert meanings_of(words) == found


def test_a_log_likelihood_of_outputs(tmp_path):
    text = (
        "import numpy as np\n\ndef negative_log_likelihood(y_output, y_desired):\n"
        "    return -np.sum(np.log(y_output) * y_desired) / len(y_desired)\n"
    )
    assert names_of(text, tmp_path / "a.py") == {"negative_log_likelihood": "softmax_with_loss"}
    assert verify(f"{tmp_path / 'a.py'}:negative_log_likelihood", "softmax_with_loss").outcome == "right"


def test_classes_in_a_class(tmp_path):
    path = tmp_path / "layers.py"
    found = names_of(NESTED, path)
    assert found["Activation.Tanh"] == "tanh" and found["Activation.Mish"] == ""
    sheet = verify_all(path)
    outcomes = {verdict.name: verdict.outcome for verdict in sheet.verdicts}
    assert outcomes == {"Activation.Tanh": "right", "Activation.Sigmoid": "wrong"}
    assert "Activation.Mish" in str(sheet)


def test_classes_in_a_layer_are_its_own(tmp_path):
    text = NESTED.replace(
        "class Activation:", "class Dropout:\n    def forward(self, x):\n        return x\n"
    )
    assert "Dropout.Tanh" not in names_of(text, tmp_path / "layers.py")


LEAKS = """
import numpy as np

class ReLu:
    def __init__(self, leak):
        self.leak = leak

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.leak * x)

    def backward(self, dout):
        return dout * np.where(self.x > 0, 1, self.leak)

class ReLU(ReLu):
    def __init__(self, alpha=0.0):
        self.leak = alpha

def relu(x, alpha):
    return np.maximum(x, alpha * x)
"""


def test_a_relu_that_asks_for_its_slope_is_leaky(tmp_path):
    path = tmp_path / "relus.py"
    assert names_of(LEAKS, path) == {"ReLu": "leaky_relu", "ReLU": "relu", "relu": "leaky_relu"}
    assert verify(f"{path}:ReLu", "leaky_relu").outcome in ("right", "right_but")
