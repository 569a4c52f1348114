"""Networks written as plain functions: those of one file are joined and held to their own cost."""

import textwrap

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify
from parity.verification.whole import verify_all

DICTS = """
import numpy as np

def initialize_parameters(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x) * 0.01, "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h) * 0.01, "b2": np.zeros((n_y, 1))}

def forward_propagation(X, parameters):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    A2 = 1 / (1 + np.exp(-parameters["W2"] @ A1 - parameters["b2"]))
    return A2, {"A1": A1, "A2": A2}

def compute_cost(A2, Y):
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]

def backward_propagation(parameters, cache, X, Y):
    m, A1 = X.shape[1], cache["A1"]
    dZ2 = cache["A2"] - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
"""
ARRAYS = """
import numpy as np
import pandas

data = pandas.read_csv("no_such_file.csv")
m, n = data.shape

def init_params():
    return np.random.rand(10, 64) - 0.5, np.zeros((10, 1)), np.random.rand(10, 10) - 0.5, np.zeros((10, 1))

def softmax(Z):
    return np.exp(Z) / sum(np.exp(Z))

def one_hot(Y):
    rows = np.zeros((Y.size, Y.max() + 1))
    rows[np.arange(Y.size), Y] = 1
    return rows.T

def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = softmax(Z2)
    return Z1, A1, Z2, A2

def backward_prop(Z1, A1, Z2, A2, W2, X, Y):
    dZ2 = A2 - one_hot(Y)
    dW2, db2 = 1 / m * dZ2 @ A1.T, 1 / m * dZ2.sum(axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * (Z1 > 0)
    dW1, db1 = 1 / m * dZ1 @ X.T, 1 / m * dZ1.sum(axis=1, keepdims=True)
    return dW1, db1, dW2, db2

def gradient_descent(X, Y):
    W1, b1, W2, b2 = init_params()
    Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
    return backward_prop(Z1, A1, Z2, A2, W2, X, Y)
"""
PROPAGATE = """
import numpy as np

def initialize_with_zeros(dim):
    w, b = np.zeros((dim, 1)), 0
    return w, b

def propagate(w, b, X, Y):
    m = X.shape[1]
    A = 1 / (1 + np.exp(-(w.T @ X + b)))
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    grads = {"dw": X @ (A - Y).T / m, "db": np.sum(A - Y) / m}
    return grads, cost
"""
REGRESSION = """
import numpy as np

def compute_cost(X, y, w, b):
    m = X.shape[0]
    return sum((X[i] @ w + b - y[i]) ** 2 for i in range(m)) / (2 * m)

def compute_gradient(X, y, w, b):
    m, n = X.shape
    dj_dw, dj_db = np.zeros((n,)), 0.0
    for i in range(m):
        error = X[i] @ w + b - y[i]
        dj_dw += error * X[i]
        dj_db += error
    return dj_dw / m, dj_db / m
"""
ONE_VARIABLE = """
def compute_cost(x, y, w, b):
    return sum((w * x[i] + b - y[i]) ** 2 for i in range(x.shape[0])) / (2 * x.shape[0])

def compute_gradient(x, y, w, b):
    m = x.shape[0]
    dj_dw = sum((w * x[i] + b - y[i]) * x[i] for i in range(m)) / m
    dj_db = sum(w * x[i] + b - y[i] for i in range(m)) / m
    return dj_dw, dj_db
"""
CLASSES = """
import numpy as np

def softmax_loss(W, X, y, reg):
    rows = np.arange(len(X))
    p = np.exp(X @ W)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, y]).mean() + reg * np.sum(W * W)
    p[rows, y] -= 1
    dW = X.T @ p / len(X) + 2 * reg * W
    return loss, dW
"""
RIGHT = {
    "dicts": (DICTS, "initialize_parameters,forward_propagation,compute_cost,backward_propagation"),
    "propagate": (PROPAGATE, "initialize_with_zeros,propagate"),
    "regression": (REGRESSION, "compute_cost,compute_gradient"),
    "one variable": (ONE_VARIABLE, "compute_cost,compute_gradient"),
    "classes": (CLASSES, "softmax_loss"),
}
WRONG = {
    "1/m of one": (DICTS, "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T", ["W2"]),
    "1/m of all": (DICTS, " / m", "", ["W1", "b1", "W2", "b2"]),
    "another activation": (DICTS, "(1 - A1**2)", "A1 * (1 - A1)", ["W1", "b1"]),
    "weights of another layer": (
        DICTS,
        'parameters["W2"].T @ dZ2',
        'parameters["W1"][:, :1] @ dZ2',
        ["W1", "b1"],
    ),
    "biases are not summed": (DICTS, "db1 = dZ1.sum(axis=1, keepdims=True) / m", "db1 = dZ1 / m", ["b1"]),
    "biases of all classes": (ARRAYS, "1 / m * dZ2.sum(axis=1, keepdims=True)", "1 / m * dZ2.sum()", ["b2"]),
    "propagate": (PROPAGATE, "np.sum(A - Y) / m", "np.sum(A - Y)", ["b"]),
    "regression": (REGRESSION, "dj_dw += error * X[i]", "dj_dw += error * X[i] * 2", ["w"]),
    "a decay": (CLASSES, "2 * reg * W", "reg * W", ["W"]),
}
OWN = "right on what was checked: its gradients are those of its own loss; not checked: outputs (no twin)"


@pytest.fixture
def file(tmp_path):
    def written(text, name="net.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return written


def networks(path):
    return [one.name for one in listed(path) if one.kind == "network"]


@pytest.mark.parametrize("name", RIGHT)
def test_the_functions_of_a_network_are_held_to_their_own_cost(file, name):
    text, target = RIGHT[name]
    path = file(text)
    assert networks(path) == [target]
    verdict = verify(f"{path}:{target}", "network")
    assert verdict.headline == OWN, str(verdict)


def test_without_a_cost_all_gradients_follow_from_one_of_the_outputs(file):
    path = file(ARRAYS)
    assert networks(path) == ["init_params,forward_prop,backward_prop"]
    verdict = verify(f"{path}::init_params,forward_prop,backward_prop", "network")
    assert verdict.outcome == "right" and "by the chain rule" in verdict.headline, str(verdict)


def test_no_twin_is_asked_for_in_the_sheet(file):
    lines = verify_all(file(DICTS)).summary()
    assert [line.split(",")[0] for line in lines if "networks" in line] == ["networks of functions"]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_gradient_is_named(file, name):
    text, right, wrong, names = WRONG[name]
    assert right in text
    path = file(text.replace(right, wrong))
    verdict = verify(f"{path}::{networks(path)[0]}", "network")
    assert verdict.outcome == "wrong", str(verdict)
    assert list(dict.fromkeys(row.tensor for row in verdict.records if not row.ok)) == names


def test_which_of_two_costs_is_meant_is_not_guessed(file):
    two = "def mse_loss(y, X, w, b):\n    return np.mean((X @ w + b - y) ** 2)\n"
    path = file(REGRESSION.replace("compute_cost", "compute_loss_of_all") + two)
    assert networks(path) == []
    path = file(
        REGRESSION
        + two
        + "def step(X, y, w, b):\n    compute_cost(X, y, w, b)\n    compute_gradient(X, y, w, b)\n"
    )
    assert networks(path) == ["compute_cost,compute_gradient"]


def test_functions_that_read_what_the_file_loads_are_no_network(file):
    text = "data = open('data.csv').read()\nrows = data.split()\n" + DICTS
    assert networks(file(text)) != []
    assert networks(file(text.replace("m, A1 = X.shape[1]", "m, A1 = len(rows)"))) == []


def test_layers_written_as_functions_are_no_network(file):
    text = """
    def linear_forward(A, W, b):
        return W @ A + b, (A, W, b)

    def linear_backward(dZ, cache):
        A, W, b = cache
        return W.T @ dZ, dZ @ A.T, dZ.sum(axis=1, keepdims=True)
    """
    assert networks(file(text)) == []


DEEP = """
import numpy as np

def initialize_parameters(layer_dims):
    parameters = {}
    for i, (a, b) in enumerate(zip(layer_dims, layer_dims[1:]), 1):
        parameters[f"W{i}"], parameters[f"b{i}"] = np.random.randn(b, a), np.zeros((b, 1))
    return parameters

def linear_forward(A, W, b):
    return W @ A + b, (A, W, b)

def linear_backward(dZ, cache):
    A, W, b = cache
    m = A.shape[1]
    return W.T @ dZ, dZ @ A.T / m, dZ.sum(axis=1, keepdims=True) / m

def model_forward(X, parameters):
    A, caches = X, []
    for i in range(1, len(parameters) // 2 + 1):
        A, cache = linear_forward(A, parameters[f"W{i}"], parameters[f"b{i}"])
        caches.append(cache)
    return A, caches

def compute_cost(AL, Y):
    return np.sum((AL - Y) ** 2) / (2 * Y.shape[1])

def model_backward(AL, Y, caches):
    grads, dA = {}, AL - Y
    for i in range(len(caches), 0, -1):
        dA, grads[f"dW{i}"], grads[f"db{i}"] = linear_backward(dA, caches[i - 1])
    return grads
"""


def test_a_layer_that_divides_by_n_is_right_in_a_network_that_is(file):
    outcomes = {one.name: one for one in verify_all(file(DEEP)).verdicts}
    layer = outcomes["linear_forward,linear_backward"]
    assert layer.outcome == "right_but" and "in its network" in layer.headline, str(layer)
    assert outcomes["initialize_parameters,model_forward,compute_cost,model_backward"].outcome == "right"


def test_so_is_one_whose_backward_is_found_beside_it(file):
    text = DEEP.replace("linear_forward(", "linear_forward_prop(")
    outcomes = {one.name: one.outcome for one in verify_all(file(text)).verdicts}
    assert outcomes["linear_forward_prop"] == "right_but"


def test_a_layer_that_divides_by_n_is_wrong_where_its_network_is(file):
    text = DEEP.replace("/ (2 * Y.shape[1])", "/ 2 + np.sum(np.abs(AL))")
    outcomes = {one.name: one.outcome for one in verify_all(file(text)).verdicts}
    assert outcomes["linear_backward"] == "wrong" and outcomes["linear_forward"] == "right"


def test_a_list_of_layers_in_the_file_is_what_its_functions_are_given(file):
    text = DEEP.replace("initialize_parameters(layer_dims)", "init_layers(nn_plan)").replace(
        "zip(layer_dims, layer_dims[1:])", "zip(nn_plan, nn_plan[1:])"
    )
    path = file("nn_plan = [6, 3, 2]\n" + text)
    verdict = verify(f"{path}:{networks(path)[0]}", "network")
    assert verdict.outcome == "right" and "x (6, 7)" in verdict.called, str(verdict)


def test_a_bias_gradient_that_a_step_takes_away_as_it_is_has_a_shape_that_fits(file):
    row = REGRESSION_OF_ROWS
    assert verify(f"{file(row)}:init,forward,cost,backward", "network").outcome == "right"
    turned = row.replace("d.sum(axis=0)", "d.sum(axis=0)[:, None]")
    assert verify(f"{file(turned, 'turned.py')}:init,forward,cost,backward", "network").outcome == "wrong"


REGRESSION_OF_ROWS = """
import numpy as np

def init(n_in, n_out):
    return {"W": np.random.randn(n_in, n_out), "b": np.zeros((1, n_out))}

def forward(X, params):
    out = X @ params["W"] + params["b"]
    return out

def cost(out, Y):
    return np.sum((out - Y) ** 2) / (2 * len(Y)) + np.argmax(Y) * 0

def backward(X, Y, params):
    d = (forward(X, params) - Y) / len(Y)
    return {"dW": X.T @ d, "db": d.sum(axis=0)}
"""


def test_a_decay_of_the_gradients_that_the_cost_does_not_have_is_not_checked_and_said(file):
    text = CLASSES_APART.replace("X, y, reg=0.0):  # cost", "X, y):")
    verdict = verify(f"{file(CLASSES_APART)}:compute_loss,compute_gradient", "network")
    assert verdict.outcome == "right" and not any("reg" in one for one in verdict.not_checked)
    text = text.replace(" + reg * np.sum(W * W)", "")
    verdict = verify(f"{file(text, 'apart.py')}:compute_loss,compute_gradient", "network")
    assert verdict.outcome == "right"
    assert "reg other than 0, which its loss does not take" in verdict.not_checked


CLASSES_APART = """
import numpy as np

def compute_loss(W, X, y, reg=0.0):  # cost
    return np.mean((X @ W - y) ** 2) + reg * np.sum(W * W)

def compute_gradient(W, X, y, reg=0.5):
    dW = 2 * X.T @ (X @ W - y) / len(X) + 2 * reg * W
    return dW
"""


DESCENT = """
import numpy as np

def compute_cost(X, y, theta):
    return np.sum((X @ theta - y) ** 2) / (2 * len(y))

def gradient_descent(X, y, theta, alpha, num_iters):
    history = []
    for i in range(num_iters):
        theta = theta - alpha / len(y) * X.T @ (X @ theta - y)
        history.append(compute_cost(X, y, theta))
    return theta, history
"""


def test_a_descent_that_is_asked_for_one_step_is_held_to_its_cost(file):
    path = file(DESCENT)
    assert [(one.name, one.kind) for one in listed(path)] == [("compute_cost,gradient_descent", "network")]
    verdict = verify(f"{path}:compute_cost,gradient_descent", "network")
    assert verdict.headline == OWN and "read from the change of its weights" in verdict.called, str(verdict)
    wrong = DESCENT.replace("theta - alpha", "theta + alpha")
    verdict = verify(f"{file(wrong, 'up.py')}:compute_cost,gradient_descent", "network")
    assert verdict.outcome == "wrong" and "-1 times" in str(verdict)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("for i in range(num_iters)", "for i in range(len(y))"),
        ("for i in range(num_iters)", "for i in range(STEPS)"),
        ("    history = []\n", "    history = []\n    X = X / 2\n"),
        ("return theta, history", "return history"),
    ],
)
def test_what_is_no_plain_step_is_no_network(file, old, new):
    assert old in DESCENT
    assert networks(file("STEPS = 3\n" + DESCENT.replace(old, new))) == []


IN_PLACE = """
import numpy as np

def init_weights(n_in, n_out):
    W, b = np.random.randn(n_in, n_out), np.zeros((1, n_out))
    return W, b

def backprop(X, Y, W, b, lr=0.1):
    d = X @ W + b - Y
    loss = np.sum(d**2) / (2 * len(X))
    W -= lr * X.T @ d / len(X)
    b -= lr * d.sum(axis=0, keepdims=True) / len(X)
    return W, b, loss
"""


def test_a_step_that_writes_into_its_weights_is_held_to_the_loss_before_it(file):
    path = file(IN_PLACE)
    assert networks(path) == ["init_weights,backprop"]
    assert verify(f"{path}:init_weights,backprop", "network").headline == OWN
    wrong = IN_PLACE.replace("keepdims=True) / len(X)", "keepdims=True)")
    verdict = verify(f"{file(wrong, 'sum.py')}:init_weights,backprop", "network")
    assert verdict.outcome == "wrong" and {row.tensor for row in verdict.records if not row.ok} == {"b"}


OF_X = """
import numpy as np

def init_params(n_in, n_out):
    return {"W": np.random.randn(n_in, n_out)}

def forward(x, params):
    out = x @ params["W"]
    return {"out": out}

def calculate_loss(x, y):
    return {"loss": np.sum((x - y) ** 2) / len(y), "n": len(y)}

def backward(x, y, cache):
    dW = 2 * x.T @ (cache["out"] - y) / len(y)
    return {"dW": dW}

def train(x, y, params):
    cache = forward(x, params)
    report = calculate_loss(cache["out"], y)
    return backward(x, y, cache), report
"""


def test_what_a_loss_calls_x_are_the_outputs_where_it_is_given_them(file):
    path = file(OF_X)
    (name,) = networks(path)
    assert name == "init_params,forward,calculate_loss,backward"
    assert verify(f"{path}:{name}", "network").headline == OWN
    assert "calculate_loss" not in networks(file(OF_X.partition("def train")[0], "alone.py"))


def test_a_loss_of_inputs_and_weights_is_a_part_of_its_network_alone(file):
    text = REGRESSION.replace("compute_cost(", "mse_loss(")
    assert [(one.name, one.kind) for one in listed(file(text))] == [("mse_loss,compute_gradient", "network")]
