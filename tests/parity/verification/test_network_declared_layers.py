"""A layer's own bug declared in a whole network, and several declared differences at once."""

from pathlib import Path

import pytest

from parity.verification.network_declared import declared_names
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
MINE = """
import sys; sys.path.insert(0, {folder!r})
import numpy as np, nets, right, wrong

class Mine(nets.Net):
    def __init__(self):
        super().__init__()
        {change}
        self.last_layer = {loss}()

class Clamped(wrong.ClampedLoss):
    def forward(self, x, t):
        self.t, self.y = t.copy(), right.softmax(x)
        return -np.log(self.y[np.arange(len(t)), t] + 1e-7).mean()

class Doubled(right.SoftmaxWithLoss):
    def backward(self, dout=1.0):
        return 2 * super().backward(dout)
"""
TWIN = """
from torch import nn
class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.pool = nn.Conv2d(1, 3, 3, padding=1), nn.MaxPool2d(3, 2)
        self.relu = nn.ReLU(inplace=True)
        self.hidden, self.relu2, self.out = nn.Linear(27, 5), nn.ReLU(), nn.Linear(5, 4)
    def forward(self, x):
        x = self.pool(self.relu(self.conv(x)))
        return self.out(self.relu2(self.hidden(x.flatten(1))))
"""
LEAKY = "self.layers['Relu1'] = wrong.ReluLeaky()"
MEAN = "self.layers['Conv1'] = wrong.ConvolutionMeanBias(self.params['W1'], self.params['b1'], 1, 1)"
BOTH = f"{LEAKY}; {MEAN}"
CLAMPED = "loss-clamped-logarithm"


@pytest.fixture
def ask(tmp_path):
    def check(change, *allow, loss="right.SoftmaxWithLoss", **options):
        text = MINE.format(folder=str(HOMEWORK), change=change, loss=loss)
        (tmp_path / "mine.py").write_text(text)
        (tmp_path / "twin.py").write_text(TWIN)
        given = {"twin": f"{tmp_path}/twin.py:Twin", "names": str(HOMEWORK / "names.toml"), "isolated": False}
        return verify(f"{tmp_path}/mine.py:Mine", "network", allow=allow, **given, **options)

    return check


@pytest.mark.parametrize(
    ("change", "allow"),
    [
        (LEAKY, "Relu1:relu-leaky"),
        (LEAKY, "relu:relu-leaky"),  # as the twin calls it
        (LEAKY, "relu-leaky"),
        (MEAN, "Conv1:conv-db-mean"),
    ],
)
def test_a_layer_s_bug_is_declared_with_its_layer(ask, change, allow):
    verdict = ask(change, allow)
    assert (verdict.outcome, verdict.declared) == ("right", allow), str(verdict)
    assert len(verdict.records) > 20  # contracts and steps came too
    assert "exactly as declared" in str(verdict).splitlines()[0]


@pytest.mark.parametrize(
    "allow", ["Relu2:relu-leaky", "relu2:relu-leaky", "Conv1:relu-leaky", "nobody:relu-leaky"]
)
def test_it_is_excused_in_no_other_layer(ask, allow):
    verdict = ask(LEAKY, allow)
    assert verdict.outcome == "wrong" and "what it computes is not exactly that" in verdict.complaint


def test_another_bug_in_that_layer_is_wrong(ask):
    assert ask(MEAN, "Conv1:conv-db-mean-over-images").outcome == "wrong"


def test_what_is_not_needed_is_to_be_taken_away(ask):
    verdict = ask("pass", "Relu1:relu-leaky")
    assert verdict.outcome == "wrong" and "take the declaration away" in verdict.complaint


@pytest.mark.parametrize(
    ("change", "loss", "allow"),
    [
        (BOTH, "right.SoftmaxWithLoss", ["Conv1:conv-db-mean", "Relu1:relu-leaky"]),
        (LEAKY, "Clamped", [CLAMPED, "Relu1:relu-leaky"]),
    ],
)
def test_two_at_once(ask, change, loss, allow):
    verdict = ask(change, *allow, loss=loss)
    assert (verdict.outcome, verdict.declared) == ("right", " + ".join(allow)), str(verdict)
    for one in allow:
        assert ask(change, one, loss=loss).outcome == "wrong"


def test_a_third_is_wrong(ask):
    assert ask(BOTH, "Conv1:conv-db-mean", "Relu1:relu-leaky", loss="Doubled").outcome == "wrong"


def test_beside_the_book_s_habits(ask):
    verdict = ask(LEAKY, "Relu1:relu-leaky", loss="Clamped", profile="book")
    assert (verdict.outcome, verdict.declared) == ("right_but", "Relu1:relu-leaky"), str(verdict)
    first = str(verdict).splitlines()[0]
    assert "as declared (Relu1:relu-leaky); otherwise right, but for" in first
    assert "the book's habits: the loss is -log" in first
    assert ask(LEAKY, "Relu2:relu-leaky", loss="Clamped", profile="book").outcome == "wrong"


def test_names_keep_the_layer_as_it_is_written():
    assert declared_names(["Relu1:RELU_leaky + loss-clamped-logarithm"]) == ["Relu1:relu-leaky", CLAMPED]
    with pytest.raises(ValueError, match="no known difference named relu-leakt for a network"):
        declared_names(["Relu1:relu-leakt"])


# -- a declared bug that raises ----------------------------------------------------------------------
RAISES = (
    "self.params['W2'] = np.random.default_rng(0).normal(size=(48, 5)); "
    "self.layers['Affine1'] = right.Affine(self.params['W2'], self.params['b2']); "
    "self.layers['Pool1'] = wrong.PoolingThatRaises(3, 3, 2, 1)"
)


@pytest.mark.parametrize(
    ("allow", "says"),
    [
        (
            "Pool1:max-pool-raises-with-pad",
            "with Pool1:max-pool-raises-with-pad the twin raises too: nothing to",
        ),
        ("Relu1:relu-leaky", "so whether it is Relu1:relu-leaky is not known"),
    ],
)
def test_a_network_that_raises_as_declared_is_not_checked(ask, monkeypatch, allow, says):
    padded = TWIN.replace("nn.MaxPool2d(3, 2)", "nn.MaxPool2d(3, 2, padding=1)").replace("27", "48")
    monkeypatch.setitem(globals(), "TWIN", padded)
    verdict = ask(RAISES, allow)
    assert verdict.outcome == "not_checked" and not verdict.declared, str(verdict)
    assert "cannot reshape" in verdict.headline and says in verdict.headline


def test_a_network_that_raises_elsewhere_is_not_excused(ask):
    verdict = ask("self.layers['Pool1'].backward = lambda dout: 1 / 0", "Relu1:relu-leaky")
    assert verdict.outcome != "right" and not verdict.ok and "ZeroDivisionError" in str(verdict)
