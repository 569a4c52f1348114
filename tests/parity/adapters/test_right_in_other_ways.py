"""Right code that is written in another way than most: it is read as what it is, and never called wrong."""

import pytest

from parity.verification.verify import verify

NUMPY = "import numpy as np\n"
ACTIVATION = """
class Mine:
    def forward(self, x): return {f}
    def backward(self, x): return {d}
"""
DERIVATIVES = {
    "leaky_relu": ("np.where(x > 0, x, 0.01 * x)", "np.where(x > 0, 1.0, 0.01).astype(x.dtype)"),
    "elu": (
        "np.where(x > 0, x, np.expm1(np.minimum(x, 0)))",
        "np.where(x > 0, 1.0, np.exp(np.minimum(x, 0)))",
    ),
    "softplus": ("np.logaddexp(0, x)", "1 / (1 + np.exp(-x))"),
    "softsign": ("x / (1 + abs(x))", "1 / (1 + abs(x)) ** 2"),
    "identity": ("x", "np.ones_like(x)"),
}
SMOOTHED = """
class Mine:
    def __init__(self, smoothing=0.1): self.s = smoothing
    def forward(self, z, t):
        z = z - z.max(1, keepdims=True)
        lp = z - np.log(np.exp(z).sum(1, keepdims=True))
        self.y = (1 - self.s) * np.eye(z.shape[1], dtype=z.dtype)[t] + self.s / z.shape[1]
        self.p = np.exp(lp)
        return -(self.y * lp).sum(1).mean()
    def backward(self): return (self.p - self.y) / len(self.p)
"""
COLUMNS = """
def softmax(Z):
    e = np.exp(Z - Z.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True), Z
def softmax_backward(dA, cache):
    s, _ = softmax(cache)
    return s * (dA - (dA * s).sum(axis=0, keepdims=True))
"""
OF_ROWS = """
class {name}:
    def __init__(self, num_features):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
    def forward(self, x):
        self.xc = x - x.mean(axis=0)
        self.std = np.sqrt((self.xc ** 2).mean(axis=0) + {eps})
        self.xh = self.xc / self.std
        return self.gamma * self.xh + self.beta
    def backward(self, d):
        self.dgamma, self.dbeta = (d * self.xh).sum(0), d.sum(0)
        g = d * self.gamma
        return (g - g.mean(0) - self.xh * (g * self.xh).mean(0)) / self.std
"""


@pytest.fixture
def ask(tmp_path):
    def verdict(text, kind, name="Mine"):
        path = tmp_path / f"mine_{len(list(tmp_path.iterdir()))}.py"  # a module of its own
        path.write_text(NUMPY + text)
        return verify(f"{path}:{name}", kind, isolated=False)

    return verdict


@pytest.mark.parametrize("kind", DERIVATIVES)
def test_a_backward_of_x_is_the_derivative(ask, kind):
    f, d = DERIVATIVES[kind]
    right = ask(ACTIVATION.format(f=f, d=d), kind)
    assert right.outcome == "right" and "times dout" in right.called, str(right)
    assert ask(ACTIVATION.format(f=f, d=f"1.5 * ({d})"), kind).outcome == "wrong"


def test_smoothing_is_given(ask):
    right = ask(SMOOTHED, "weighted_cross_entropy")
    assert right.outcome == "right", str(right)
    assert ask(SMOOTHED.replace("self.s / z.shape[1]", "self.s"), "weighted_cross_entropy").outcome == "wrong"


@pytest.mark.parametrize(
    "function", ["mse(errors): return np.mean(errors ** 2)", "mse(t): return np.sum(t ** 2)"]
)
def test_a_loss_without_a_target_is_not_checked(ask, function):
    verdict = ask(f"def {function}", "mean_squared_error", "mse")
    assert "no reading of these names gives it output and target" in verdict.headline


def test_a_pair_of_functions_for_columns_of_samples(ask):
    right = ask(COLUMNS, "softmax", "softmax")
    assert right.outcome == "right" and "rows (F, N)" in right.called, str(right)
    assert ask(COLUMNS.replace("(dA * s).sum", "dA.sum"), "softmax", "softmax").outcome == "wrong"


@pytest.mark.parametrize("name", ["BatchNorm1d", "Norm"])
def test_a_batch_norm_for_rows_is_not_asked_for_images(ask, name):
    right = ask(OF_ROWS.format(name=name, eps="1e-5"), "batch_norm", name)
    assert right.outcome == "right" and "images (4-D input)" in right.not_checked, str(right)
    other = ask(OF_ROWS.format(name=name, eps="1e-8"), "batch_norm", name)
    assert other.outcome == "right_but" and other.buts == ["its eps is 1e-08, PyTorch's 1e-05"], str(other)
