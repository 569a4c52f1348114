"""What is none of the kinds is right where its backward is the gradient of its forward, and only there."""

import numpy as np
import pytest

import parity
from parity.verification.as_json import verdict_object
from parity.verification.items import checks
from parity.verification.listing import kind_of_target, listed
from parity.verification.own_listed import OWN_LAYER, partners
from parity.verification.whole import verify_all


class Mul:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        dx = dout * self.y
        dy = dout * self.x
        return dx, dy


class MulNotExchanged(Mul):
    def backward(self, dout):
        dx = dout * self.x
        dy = dout * self.y
        return dx, dy


class Add:
    def forward(self, *inputs):
        return inputs[0] + inputs[1]

    def backward(self, dout):
        return dout, dout


class AddHalf(Add):
    def backward(self, dout):
        return dout, dout / 2


class BentIdentity:
    def __call__(self, x):
        return (np.sqrt(x**2 + 1) - 1) / 2 + x

    def gradient(self, x):
        return x / (2 * np.sqrt(x**2 + 1)) + 1


class BentWithoutHalf(BentIdentity):
    def gradient(self, x):
        return x / np.sqrt(x**2 + 1) + 1


class Wrapper:
    def __init__(self, f, f_prime):
        self.f, self.f_prime = f, f_prime

    def forward(self, x):
        self.x = x
        return self.f(x)

    def backward(self, output_gradient, learning_rate):
        return output_gradient * self.f_prime(self.x)


class WrapperOfGradient(Wrapper):
    def backward(self, output_gradient, learning_rate):
        return output_gradient * self.f_prime(output_gradient)


class Divide:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a / b

    def backward(self, dout):
        return dout / self.b, -dout * self.a / self.b**2


class DividePlus(Divide):
    def backward(self, dout):
        return dout / self.b, dout * self.a / self.b**2


class Upsample:
    def __init__(self, scale_factor=2):
        self.scale = scale_factor

    def forward(self, x):
        return x.repeat(self.scale, axis=2).repeat(self.scale, axis=3)

    def backward(self, dout):
        N, C, H, W = dout.shape
        s = self.scale
        return dout.reshape(N, C, H // s, s, W // s, s).sum(axis=(3, 5))


class UpsampleMean(Upsample):
    def backward(self, dout):
        return super().backward(dout) / self.scale**2


class RMSNorm:
    def __init__(self, dim, eps=1e-6):
        self.gamma, self.eps = np.ones(dim), eps

    def forward(self, x):
        self.r = 1 / np.sqrt((x**2).mean(axis=-1, keepdims=True) + self.eps)
        self.xhat = x * self.r
        return self.gamma * self.xhat

    def backward(self, dout):
        self.dgamma = (dout * self.xhat).sum(axis=0)
        d = dout * self.gamma
        return self.r * (d - self.xhat * (d * self.xhat).mean(axis=-1, keepdims=True))


class RMSNormLost(RMSNorm):
    def backward(self, dout):
        super().backward(dout)
        return self.r * dout * self.gamma


class RMSNormNoSum(RMSNorm):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dgamma = (dout * self.xhat).mean(axis=0)
        return dx


class Residual:
    def __init__(self, dim, lr=0.1):
        self.W = np.random.default_rng(0).standard_normal((dim, dim))
        self.b, self.lr = np.zeros(dim), lr

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W + self.b)
        return x + self.h

    def backward(self, dout):
        dh = dout * (1 - self.h**2)
        dx = dout + dh @ self.W.T
        self.W -= self.lr * (self.x.T @ dh)
        self.b -= self.lr * dh.sum(axis=0)
        return dx


class ResidualNoShortcut(Residual):
    def backward(self, dout):
        return super().backward(dout) - dout


class ScaledMask:
    def __init__(self, keep_prob=1):
        self.keep_prob = keep_prob

    def forward(self, x):
        self.mask = np.random.rand(*x.shape) < self.keep_prob  # noqa: NPY002
        return x * self.mask / self.keep_prob

    def backward(self, dout):
        return dout * self.mask / self.keep_prob


class UnscaledMask(ScaledMask):
    def backward(self, dout):
        return dout * self.mask


class RootMeanSquare:
    def forward(self, prediction, target):
        self.e = prediction - target
        self.loss = np.sqrt(np.mean(self.e**2))
        return self.loss

    def backward(self):
        return self.e / (self.e.size * self.loss)


class RootMeanSquareUndivided(RootMeanSquare):
    def backward(self):
        return self.e / self.loss


def arctan(x):
    return np.arctan(x)


def d_arctan(x):
    return 1 / (1 + x**2)


def arctan_prime(x):
    return 1 / (1 - x**2)


def cubed_tanh(x):
    return np.tanh(x) ** 3


def cubed_tanh_derivative(out):
    t = np.cbrt(out)
    return 3 * t**2 * (1 - t**2)


def cubed_tanh_grad(out):
    return 3 * out**2 * (1 - out**2)


def prelu(x, a):
    return np.where(x > 0, x, a * x)


def prelu_derivative(x, a):
    return np.where(x > 0, 1, a)


def prelu_deriv(x, a):
    return np.where(x > 0, 1, -a)


def gaussian(z):
    return np.exp(-(z**2))


def gaussian_backward(dA, z):
    return dA * -2 * z * np.exp(-(z**2))


def gaussian_back(dA, z):
    return dA * -2 * np.exp(-(z**2))


def sine(x):
    return np.sin(x), x


def sine_backward(dout, cache):
    return dout * np.cos(cache)


def sine_bwd(dout, cache):
    return -dout * np.cos(cache)


def log_cosh(y_true, y_pred):
    return np.mean(np.log(np.cosh(y_pred - y_true)))


def log_cosh_derivative(y_true, y_pred):
    return np.tanh(y_pred - y_true) / y_true.size


def log_cosh_prime(y_true, y_pred):
    return np.tanh(y_true - y_pred) / y_true.size


def kl_divergence(p, q):
    return np.sum(p * np.log(p / q))


def kl_divergence_grad(p, q):
    return -p / q


def kl_divergence_gradient(p, q):
    return -q / p


def l2_penalty(W, lam):
    return 0.5 * lam * np.sum(W**2)


def l2_penalty_gradient(W, lam):
    return lam * W


def l2_penalty_grad(W, lam):
    return 2 * lam * W


def ridge(W, strength):
    loss = strength * np.sum(W**2)
    grad = 2 * strength * W
    return loss, grad


def ridge_without_two(W, strength):
    return strength * np.sum(W**2), strength * W


def hard_swish(x):
    return x * np.clip(x + 3, 0, 6) / 6


def hard_swish_derivative(x):
    return np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6))


def hard_swish_prime(x):
    return np.where(x <= -3, 0, np.where(x >= 3, 0, (2 * x + 3) / 6))


def spatial_scale(x, gamma, beta):
    return x * gamma + beta, (x, gamma)


def spatial_scale_backward(dout, cache):
    x, gamma = cache
    axes = tuple(range(x.ndim - 1))
    return dout * gamma, (dout * x).sum(axis=axes), dout.sum(axis=axes)


def spatial_scale_back(dout, cache):
    x, gamma = cache
    axes = tuple(range(x.ndim - 1))
    return dout * gamma, (dout * x).sum(axis=axes), dout.mean(axis=axes)


PAIRS = [
    (Mul, MulNotExchanged, "dx dy"),
    (Add, AddHalf, "dy"),
    (BentIdentity, BentWithoutHalf, "dx"),
    (Wrapper, WrapperOfGradient, "dx"),
    (Divide, DividePlus, "db"),
    (Upsample, UpsampleMean, "dx"),
    (RMSNorm, RMSNormLost, "dx"),
    (RMSNorm, RMSNormNoSum, "dgamma"),
    (Residual, ResidualNoShortcut, "dx"),
    (ScaledMask, UnscaledMask, "dx"),
    (RootMeanSquare, RootMeanSquareUndivided, "dprediction"),
    ((arctan, d_arctan), (arctan, arctan_prime), "dx"),
    ((cubed_tanh, cubed_tanh_derivative), (cubed_tanh, cubed_tanh_grad), "dx"),
    ((prelu, prelu_derivative), (prelu, prelu_deriv), "dx"),
    ((gaussian, gaussian_backward), (gaussian, gaussian_back), "dz"),
    ((sine, sine_backward), (sine, sine_bwd), "dx"),
    ((log_cosh, log_cosh_derivative), (log_cosh, log_cosh_prime), "dy_pred"),
    ((kl_divergence, kl_divergence_grad), (kl_divergence, kl_divergence_gradient), "dp"),
    ((l2_penalty, l2_penalty_gradient), (l2_penalty, l2_penalty_grad), "dW"),
    (ridge, ridge_without_two, "dW"),
    ((hard_swish, hard_swish_derivative), (hard_swish, hard_swish_prime), "dx"),
    ((spatial_scale, spatial_scale_backward), (spatial_scale, spatial_scale_back), "dbeta"),
]


def _id(one):
    return one[1].__name__ if isinstance(one, tuple) else getattr(one, "__name__", "")


@pytest.mark.parametrize("right", list(dict.fromkeys(pair[0] for pair in PAIRS)), ids=_id)
def test_what_goes_back_as_it_goes_forward_is_right(right):
    verdict = parity.verify(right, OWN_LAYER, isolated=False)
    assert verdict.outcome == "right" and verdict.ok, verdict
    assert "not checked: what its forward computes" in verdict.headline


@pytest.mark.parametrize("wrong, tensors", [pair[1:] for pair in PAIRS], ids=_id)
def test_another_gradient_is_wrong_and_named(wrong, tensors):
    verdict = parity.verify(wrong, OWN_LAYER, isolated=False)
    assert verdict.outcome == "wrong", verdict
    assert " ".join(sorted({row.tensor for row in verdict.records if not row.ok})) == tensors
    assert verdict.first is not None and verdict.reproduction


class FirstSlope:
    def forward(self, x):
        self.s = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return self.s

    def backward(self, dout):
        dx = np.zeros(dout.shape)
        for n, c in np.argwhere(dout)[:1]:
            dx[n] = dout[n, c] * self.s[n, c] * (np.eye(dout.shape[1])[c] - self.s[n])
        return dx


def test_a_backward_of_the_first_slope_is_right_for_it():
    verdict = parity.verify(FirstSlope, OWN_LAYER, isolated=False)
    assert verdict.outcome == "right_but" and "by one number of dout" in verdict.buts[0], verdict


class Reversal:
    def forward(self, x):
        return x

    def backward(self, dout):
        return -dout


class Flat:
    def forward(self, x):
        return np.where(x > 0, 1.0, -1.0)

    def backward(self, dout):
        return dout


class Drawn:
    def forward(self, x):
        self.mask = np.random.default_rng().random(x.shape) < 0.5
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class BeforeSoftmax:
    def forward(self, y_pred, y_true):
        self.p, self.t = y_pred, y_true
        return -np.sum(y_true * np.log(y_pred)) / len(y_pred)

    def backward(self):
        return (self.p - self.t) / len(self.p)


class Half:
    def forward(self, x):
        return np.float32(x) ** 2

    def backward(self, dout):
        return dout


class Unknown:
    def __init__(self, gizmo):
        self.gizmo = gizmo

    def forward(self, x):
        return self.gizmo * x

    def backward(self, dout):
        return dout * self.gizmo


class Parted:
    """A neuron whose derivative is of what another method kept."""

    def __init__(self):
        self.out = 0.3

    def activate(self, x):
        return np.tanh(x)

    def derivative(self):
        return 1 - self.out**2


def softmin(x):
    e = np.exp(-x - np.max(-x, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmin_derivative(x):
    return -softmin(x) * (1 - softmin(x))


@pytest.mark.parametrize(
    "code, why",
    [
        (Reversal, "on purpose"),
        (Flat, "do not change"),
        (Drawn, "from call to call"),
        (Half, "float32"),
        (BeforeSoftmax, "output less target"),
        (Unknown, "gizmo"),
        (Parted, ""),
        ((softmin, softmin_derivative), "an output depends on several"),
    ],
    ids=_id,
)
def test_what_cannot_be_decided_is_not_accused(code, why):
    verdict = parity.verify(code, OWN_LAYER, isolated=False)
    assert verdict.outcome == "not_checked" and why in verdict.unchecked, verdict
    assert not verdict.records


SOURCE = """
import numpy as np

class MulLayer:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        return dout * self.y, dout * self.x

def rmse(y_true, y_pred):
    return np.sqrt(np.mean((y_true - y_pred) ** 2))

def rmse_derivative(y_true, y_pred):
    return (y_true - y_pred) / (y_true.size * rmse(y_true, y_pred))

class Curves:
    @staticmethod
    def cloglog(x):
        return 1 - np.exp(-np.exp(x))

    @staticmethod
    def cloglog_derivative(x):
        return np.exp(x - np.exp(x))

class Base:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dout):
        raise NotImplementedError

class Trainer:
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout

def ridge(W, strength):
    loss = strength * np.sum(W**2)
    dW = 2 * strength * W
    return loss, dW

class Lonely:
    def forward(self, x):
        return x**5

def forward_propagation(x, w):
    return x @ w

def backward_propagation(x, w):
    return x
"""


def test_a_file_has_them_with_its_kinds(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    found = {one.name: one.kind for one in listed(path)}
    assert found["MulLayer"] == found["rmse,rmse_derivative"] == OWN_LAYER
    assert not {found.get(name) for name in ("Base", "Trainer", "Lonely")} & {OWN_LAYER}
    assert kind_of_target(f"{path}:rmse") == kind_of_target(f"{path}:rmse_derivative") == OWN_LAYER
    sheet = verify_all(path)
    outcomes = {verdict.name: verdict.outcome for verdict in sheet.verdicts}
    inner = "Curves.cloglog,Curves.cloglog_derivative"
    assert outcomes == {
        "MulLayer": "right",
        "rmse": "not_checked",
        "rmse_derivative": "wrong",
        inner: "right",
        "ridge": "right",
    }
    assert "rmse_derivative beside it is not its gradient" in sheet.verdicts[1].headline
    assert sheet.status == 1 and "Lonely" in sheet.left_out
    wrong = verdict_object(sheet.verdicts[2])
    assert (wrong["kind"], wrong["judge"], wrong["outcome"]) == (OWN_LAYER, "own loss", "wrong")
    assert "-1 times" in wrong["culprit"]["sentence"]


REFUSED = """
import numpy as np

class L1:
    def __init__(self, alpha):
        self.alpha = alpha

    def forward(self, W):
        return self.alpha * np.abs(W).sum()

    def gradient(self, W):
        return self.alpha * np.sign(W)

class LogCosh:
    def loss(self, y, y_pred):
        return np.log(np.cosh(y_pred - y))

    def gradient(self, y, y_pred):
        return np.tanh(y - y_pred)
"""


def test_what_is_not_the_kind_that_its_name_says_is_held_to_its_own_forward(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(REFUSED)
    sheet = verify_all(path, isolated=False)
    penalty, loss = sheet.verdicts
    assert (penalty.kind, penalty.outcome) == (OWN_LAYER, "right")
    assert "whether it is a mean absolute error (it cannot be called" in penalty.headline
    assert (loss.kind, loss.outcome, sheet.networks) == (OWN_LAYER, "wrong", [])
    assert verify_all(path, "mean_absolute_error", isolated=False).verdicts[0].outcome == "not_checked"


def test_its_items_are_a_call_and_its_backward():
    found = checks(MulNotExchanged, OWN_LAYER, isolated=False)
    assert [check.name for check in found] == ["can be called", "backward"]
    found[0](MulNotExchanged)
    with pytest.raises(AssertionError, match="is not that of its own forward"):
        found[1](MulNotExchanged)


def test_partners_are_named_as_derivatives():
    names = [
        "mish",
        "mish_derivative",
        "dlisht",
        "lisht",
        "swishFunction",
        "swishDerivative",
        "decay",
    ]
    assert partners(names) == {
        "mish": "mish_derivative",
        "lisht": "dlisht",
        "swishFunction": "swishDerivative",
    }


def squared_margin(y, p):
    return np.mean(np.maximum(0, 1 - y * p) ** 2)


def squared_margin_grad(y, p):
    return -2 * y * np.maximum(0, 1 - y * p)


def test_one_number_does_not_excuse_what_is_wrong_for_arrays():
    verdict = parity.verify((squared_margin, squared_margin_grad), OWN_LAYER, isolated=False)
    assert verdict.outcome == "wrong", verdict


class OneRow:
    def __init__(self, in_dim, out_dim):
        self.weights, self.biases = np.ones((in_dim, out_dim)), np.zeros((1, out_dim))

    def forward_prop(self, x):
        self.x = x
        return np.sin(x @ self.weights + self.biases)

    def back_prop(self, y_E, eta):
        error = y_E * np.cos(self.x @ self.weights + self.biases)
        x_E = error @ self.weights.T
        self.weights -= eta * (self.x.T @ error)
        self.biases -= eta * error
        return x_E


def test_a_layer_of_one_row_is_right_for_one_row():
    verdict = parity.verify(OneRow, OWN_LAYER, isolated=False)
    assert verdict.outcome == "right" and "several rows at once" in verdict.headline, verdict
    assert {row.tensor for row in verdict.records} == {"dx", "dweights", "dbiases"}


class AddGate:
    def forward(self, X, b):
        return X + b

    def backward(self, X, b, dZ):
        return dZ * np.ones_like(X), np.ones((1, len(dZ))) @ dZ


class AddGateMean(AddGate):
    def backward(self, X, b, dZ):
        return dZ * np.ones_like(X), dZ.mean(axis=0, keepdims=True)


def smooth_step(x):
    return np.where(np.abs(x) <= 0.5, -2 * x**3 + 1.5 * x + 0.5, x > 0)


def smooth_step_derivative(x):
    return np.where(np.abs(x) <= 0.5, -6 * x**2 + 1.5, 0)


@pytest.mark.parametrize(
    "code, outcome",
    [(AddGate, "right"), (AddGateMean, "wrong"), ((smooth_step, smooth_step_derivative), "right")],
    ids=_id,
)
def test_a_bias_is_a_row_and_a_smooth_step_has_a_slope(code, outcome):
    verdict = parity.verify(code, OWN_LAYER, isolated=False)
    assert verdict.outcome == outcome, verdict
