"""Of a function and its backward each has a verdict of its own, under its own name."""

import pytest

from parity.adapters.definitions import parsed
from parity.cli import main
from parity.verification.as_json import verdict_object
from parity.verification.by_function import by_function, function_beside, of_backward
from parity.verification.verify import verify
from parity.verification.whole import verify_all

SOURCE = """
import numpy as np


def mse(y, t):
    return np.mean((y - t) ** 2)

def mse_prime(y, t):
    return 2 * (t - y) / y.size


def relu(x):
    return np.maximum(0, x)

def relu_backward(dout, x):
    return dout * (x > 0)


def sigmoid(x):
    return 1 / (1 + np.exp(x))

def sigmoid_prime(x):
    return sigmoid(x) * (1 - sigmoid(x))


def tanh(x):
    return np.tanh(2 * x)

def tanh_prime(x):
    return 1 - np.tanh(2 * x) ** 2


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))

def elu_prime(x, alpha=1.0):
    return np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))[:, np.newaxis, ::].transpose(9)


def linear_forward(x, w, b):
    return x @ w + b, (x, w, b)

def linear_backward(dout, cache):
    x, w, b = cache
    return dout @ w.T, x.T @ dout / len(x), dout.sum(axis=0)


def selu(x):
    return 1.0507 * np.where(x > 0, x, 1.67326 * (np.exp(np.minimum(x, 0)) - 1))

def selu_prime(x):
    return np.where(x > 0, 1.0507, selu(x) + 1.67326)


class Curves:
    @staticmethod
    def softplus(x):
        return np.logaddexp(0, x)

    @staticmethod
    def softplus_derivative(x):
        return 1 / (1 + np.exp(x))
"""


POOLS = """
import numpy as np


def pool_forward(x, f, stride, mode="max"):
    n, c, h, w = x.shape
    out = np.zeros((n, c, (h - f) // stride + 1, (w - f) // stride + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            part = x[:, :, i * stride : i * stride + f, j * stride : j * stride + f]
            out[:, :, i, j] = part.max(axis=(2, 3)) if mode == "max" else part.mean(axis=(2, 3))
    return out, (x, f, stride)


def pool_backward(dout, cache, mode="max"):
    x, f, stride = cache
    dx = np.zeros(x.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            part = x[:, :, i * stride : i * stride + f, j * stride : j * stride + f]
            d = dout[:, :, i, j][:, :, None, None]
            if mode == "max":
                given = (part == part.max(axis=(2, 3), keepdims=True)) * part
            else:
                given = np.ones(part.shape) / f**2
            dx[:, :, i * stride : i * stride + f, j * stride : j * stride + f] += d * given
    return dx
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "mine.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def sheet(path):
    return verify_all(path, isolated=False)


@pytest.mark.parametrize(
    ("name", "outcome", "of"),
    [
        ("mse", "right", ""),
        ("mse_prime", "wrong", ""),
        ("relu", "right", ""),
        ("relu_backward", "right", "relu"),
        ("sigmoid", "wrong", ""),  # sigmoid(-x), whose derivative is that of sigmoid(x)
        ("sigmoid_prime", "right", "sigmoid"),
        ("tanh", "wrong", ""),  # and so is its derivative: of one of them nothing is said by itself
        ("elu", "right", ""),
        ("elu_prime", "not_checked", ""),
        ("selu", "right_but", ""),  # its constants are rounded
        ("selu_prime", "wrong", ""),
        ("linear_forward", "right", ""),
        ("linear_backward", "wrong", ""),
        ("Curves.softplus", "right", ""),
        ("Curves.softplus_derivative", "wrong", ""),
    ],
)
def test_each_has_its_own_verdict(sheet, name, outcome, of):
    found = {verdict.name: verdict for verdict in sheet.verdicts}
    assert found[name].outcome == outcome and found[name].gradient_of == of, str(found[name])
    assert name not in sheet.left_out


def test_a_pair_that_is_wrong_in_both_is_one_verdict(sheet):
    assert sheet.left_out == {"tanh_prime": "checked with its function"}
    assert [v.name for v in sheet.verdicts if v.name.startswith("tanh")] == ["tanh"]


def test_what_each_is_told(sheet):
    found = {verdict.name: verdict for verdict in sheet.verdicts}
    assert found["mse"].headline == "right, the same function as PyTorch's"
    assert found["mse"].remarks == ["its gradient is not part of this: mse_prime is wrong"]
    assert {row.phase for row in found["mse"].records} == {"forward"}
    assert (
        found["mse_prime"].headline == "WRONG" and found["mse_prime"].diagnosis.fault == "mse-gradient-sign"
    )
    assert found["relu_backward"].headline == "right, the same gradients of relu as PyTorch's"
    assert all(row.tensor.startswith("d") for row in found["relu_backward"].records)
    assert found["sigmoid_prime"].remarks == ["sigmoid itself is wrong"]
    assert found["elu"].remarks == ["its gradient is not part of this: elu_prime raised on every input"]
    assert found["elu_prime"].headline.startswith("could not be checked: backward raised ")
    assert "forward is right" not in found["elu_prime"].headline
    assert verdict_object(found["relu_backward"])["gradient_of"] == "relu"
    assert not sheet.ok and sheet.status == 1


def test_a_right_pair_that_is_named_by_both_is_one_verdict(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(SOURCE.replace(" / len(x), dout", ", dout"))
    names = [v.name for v in verify_all(file, isolated=False).verdicts if "linear" in v.name]
    assert names == ["linear_forward,linear_backward"]


def test_both_are_held_to_the_contracts_by_their_own_results(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(SOURCE.replace("return np.maximum(0, x)", "return np.maximum(0, x + np.zeros(1))"))
    found = {v.name: v for v in verify_all(file, isolated=False).verdicts}
    assert found["relu"].buts == ["float64 comes out of float32 (out)"]
    assert found["relu_backward"].outcome == "right" and not found["relu_backward"].buts


def test_a_mode_is_named_with_both(tmp_path):
    file = tmp_path / "pools.py"
    file.write_text(POOLS)
    found = {v.name: v for v in verify_all(file, isolated=False).verdicts}
    assert found['pool_forward(mode="max")'].outcome == "right_but"
    assert found['pool_backward(mode="max")'].outcome == "wrong"
    assert found['pool_forward(mode="average"),pool_backward(mode="average")'].outcome == "right_but"


def test_a_write_into_x_by_the_function_is_not_its_derivatives(tmp_path):
    """A contract that forward breaks is no fault of the backward."""
    file = tmp_path / "mine.py"
    spoilt = "    out = np.maximum(0, x)\n    x[...] = out\n    return out"
    file.write_text(SOURCE.replace("    return np.maximum(0, x)", spoilt))
    verdict = verify(f"{file}:relu", "relu", isolated=False)
    assert not verdict.wrong_function, str(verdict)


def test_a_backward_can_be_named_alone(path):
    assert function_beside(f"{path}:mse_prime") == f"{path}:mse"
    assert function_beside(f"{path}:mse") == function_beside(f"{path}:nothing") == ""
    assert function_beside("nowhere.py:mse_prime") == ""
    both = verify(f"{path}:mse", "mean_squared_error", isolated=False)
    assert both.headline == "WRONG in mse_prime"
    assert of_backward(both, f"{path}:mse_prime").headline == "WRONG"


def test_the_command_finds_its_function(path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["verify", f"{path}:relu_backward"])
    assert not ended.value.code
    assert "relu_backward as relu: right, the same gradients of relu as PyTorch's" in capsys.readouterr().out


def test_a_class_is_one_verdict(tmp_path):
    file = tmp_path / "layers.py"
    file.write_text(
        "class Relu:\n    def forward(self, x):\n        self.mask = x > 0\n        return x * self.mask\n"
        "    def backward(self, dout):\n        return dout\n"
    )
    verdict = verify(f"{file}:Relu", "relu", isolated=False)
    body = [node for _, tree in parsed(file) for node in tree.body]
    assert by_function(verdict, body) == [verdict] and verdict.outcome == "wrong"


OF_ITS_OWN = """
import numpy as np


def cross_entropy_loss(y_true, y_pred):  # of each number, which no kind has
    return -y_true * np.log(y_pred)


def cross_entropy_loss_derivative(y_true, y_pred):
    return {}y_true / y_pred
"""


@pytest.mark.parametrize(("sign", "outcomes"), [("-", ("right", "right")), ("", ("not_checked", "wrong"))])
def test_of_what_is_held_to_its_own_forward_too(tmp_path, sign, outcomes):
    file = tmp_path / "losses.py"
    file.write_text(OF_ITS_OWN.format(sign))
    found = verify_all(file, isolated=False).verdicts
    assert [v.name for v in found] == ["cross_entropy_loss", "cross_entropy_loss_derivative"]
    assert tuple(v.outcome for v in found) == outcomes, [str(v) for v in found]


ALWAYS_RAISES = """
import numpy as np


def affine_forward(X, W, b):
    out = np.dot(X, W) + b
    return out, (X, w, b)


def affine_backward(dout, cache):
    X, W, b = cache
    return np.dot(dout, W.T), np.dot(X.T, dout), np.sum(dout, axis=0)


def relu(x):
    return np.maximum(0, x)


def relu_derivative(relu_output):
    return np.sign(relu_output)


def relu6(x):
    return np.minimum(np.maximum(0, x), 6)


def relu6_derivative(x):
    return np.sign(x)
"""


def test_a_backward_is_not_blamed_for_a_forward_that_always_raises(tmp_path):
    file = tmp_path / "layers.py"
    file.write_text(ALWAYS_RAISES)
    found = {verdict.name: verdict for verdict in verify_all(file, isolated=False).verdicts}
    assert found["affine_forward"].headline == "WRONG, whatever it is given"
    assert found["affine_backward"].headline == (
        "could not be checked: affine_forward has no result, whatever it is given, so that its gradient was "
        "given nothing"
    )
    assert found["relu_derivative"].outcome == "right"  # its parameter says that it is the output
    assert found["relu6_derivative"].outcome == "wrong"
