"""Rates by other names, functions of models and of numbered arrays, sums for means, sizes in one pair."""

from pathlib import Path

import pytest

from parity.adapters.arguments import bind
from parity.adapters.recipe import recipe
from parity.verification.listing import listed
from parity.verification.verify import verify

RATES = Path(__file__).parent / "wild" / "rates.py"
LOSS = "softmax_with_loss"
# name, kind, outcome, a part of the verdict
CASES = [
    ("DescentEps", "sgd", "right", "eps is the learning rate"),
    ("DescentEpsilon", "sgd", "right", "epsilon is the learning rate"),
    ("DescentEpsTwice", "sgd", "wrong", "eps is the learning rate"),
    ("sgd_step", "sgd", "right", "dicts of arrays and the learning rate"),
    ("update_parameters", "sgd", "right", "dicts of W1, b1, W2, b2"),
    ("update_two_layers", "sgd", "right", "dicts of W1, b1, W2, b2"),
    ("update_without_biases", "sgd", "wrong", "dicts of W1, b1, W2, b2"),
    ("NumberedMomentum", "momentum", "right", "dicts of W1, b1, W2, b2"),
    ("sgd_update", "sgd", "right", "a model that has .params and .grads, dicts"),
    ("update_layers", "sgd", "right", "a model whose .layers have"),
    ("sgd_model", "sgd", "right", "an attribute for each array (.W, .dW, ...)"),
    ("sgd_model_without_bias", "sgd", "wrong", "b step 1"),
    ("sgd_upwards", "sgd", "wrong", "a model that has .params and .grads, dicts"),
    ("cross_entropy", LOSS, "right", "the loss is the sum over the rows"),
    ("SumOfEntropies", LOSS, "right", "the loss is the sum over the rows"),
    ("SumOfScores", LOSS, "right", "the loss is the sum over the rows"),
    ("SoftmaxSum", LOSS, "right_but", "the loss is the sum over the batch and its gradient that sum's"),
    ("SoftmaxSumOfMean", LOSS, "wrong", "loss-not-divided"),
    ("SumWithGradientOfMean", LOSS, "wrong", "backward, dx"),
    ("MeanWithGradientOfSum", LOSS, "wrong", "backward, dx"),
    (
        "LeakyRelu",
        "leaky_relu",
        "wrong",
        "a slope of 0.01 in backward or the slope applied twice in backward",
    ),
    ("Dense", "affine", "right", "Dense(layer_dims)"),
    ("DenseOfCapitals", "affine", "right", "DenseOfCapitals(D, H)"),
    ("DenseWithMean", "affine", "wrong", "affine-dw-mean"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_it_is_called_and_judged(name, kind, outcome, part):
    verdict = verify(f"{RATES}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_functions_of_gradient_descent_are_listed():
    found = {one.name for one in listed(RATES) if one.kind == "sgd"}
    assert {"sgd_step", "update_parameters", "sgd_update", "update_layers"} <= found


HELD = """
class Pooling:
    def forward(self, x):
        return self._of(x)

class MaxPooling(Pooling):
    def _of(self, x):
        return x.max(axis=(2, 3))

class Activation_Linear:
    def forward(self, inputs):
        return inputs

def compute_cost(AL, Y):
    return -np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))

def linear_activation_forward(A_prev, W, b, activation):
    return activation(W @ A_prev + b)
"""


def test_what_a_file_holds_is_what_its_code_shows(tmp_path):
    (tmp_path / "held.py").write_text(HELD)
    found = {one.name: one.kind for one in listed(tmp_path / "held.py")}
    assert found == {
        "Pooling": "",  # a base: what it calls is its subclasses'
        "MaxPooling": "max_pooling",
        "Activation_Linear": "identity",
        "compute_cost": "binary_cross_entropy",
    }


def test_decay_beside_rho_is_that_of_the_rate():
    how = recipe("rmsprop")
    assert bind(["learning_rate", "decay", "rho"], how)["rho"] == ("decay_rate",)
    assert "decay" not in bind(["learning_rate", "decay", "rho"], how)
    assert bind(["learning_rate", "decay"], how)["decay"] == ("decay_rate",)
