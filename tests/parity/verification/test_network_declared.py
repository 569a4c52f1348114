"""Declared differences of a whole network: exactly that one, everything else compared as ever."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
CLAMPED = """
import sys; sys.path.insert(0, {folder!r})
import numpy as np
import nets, right, wrong

class Loss(wrong.ClampedLoss):
    def forward(self, x, t):
        self.t, self.y = t.copy(), right.softmax(x)
        return -np.log(self.y[np.arange(len(t)), t] + {small}).mean()

class Clamped(nets.Net):
    loss_class = Loss
    input_dim = (1, 8, 7)
"""


@pytest.fixture
def network(tmp_path):
    def check(small="1e-7", **options):
        (tmp_path / "mine.py").write_text(CLAMPED.format(folder=str(HOMEWORK), small=small))
        twin, names = f"{HOMEWORK}/twin.py:Twin", str(HOMEWORK / "names.toml")
        return verify(f"{tmp_path}/mine.py:Clamped", "network", twin=twin, names=names, **options)

    return check


def test_the_book_s_loss_can_be_declared(network):
    assert network().outcome == "wrong"
    verdict = network(allow=["loss-clamped-logarithm"])
    assert (verdict.outcome, verdict.declared) == ("right", "loss-clamped-logarithm"), str(verdict)
    assert "exactly as declared (loss-clamped-logarithm)" in str(verdict).splitlines()[0]
    assert len(verdict.records) > 10


def test_another_small_number_is_not_that(network):
    verdict = network(small="1e-5", allow=["loss-clamped-logarithm"])
    assert verdict.outcome == "wrong" and "what it computes is not exactly that" in str(verdict)


def test_a_declaration_that_nothing_needs_fails(network):
    verdict = network(small="0", allow=["loss-clamped-logarithm"])
    assert verdict.outcome == "wrong" and "take the declaration away" in str(verdict)


def test_a_name_that_there_is_not_is_misuse(network):
    with pytest.raises(ValueError, match="no known difference named loss-clampt for a network"):
        network(allow=["loss-clampt"])


NOT_DIVIDED = """
import sys; sys.path.insert(0, {folder!r})
import nets, right

class Loss(right.SoftmaxWithLoss):
    def backward(self, dout=1.0):
        return super().backward(dout) * len(self.t) * {more}

class Mine(nets.Net):
    loss_class = Loss
"""


@pytest.mark.parametrize(("more", "outcome"), [("1", "right"), ("2", "wrong")])
def test_a_known_bug_of_the_loss_can_be_declared(tmp_path, more, outcome):
    (tmp_path / "mine.py").write_text(NOT_DIVIDED.format(folder=str(HOMEWORK), more=more))
    twin, names = f"{HOMEWORK}/twin.py:Twin", str(HOMEWORK / "names.toml")
    given = {"twin": twin, "names": names, "allow": ["loss-gradient-not-divided"]}
    verdict = verify(f"{tmp_path}/mine.py:Mine", "network", isolated=False, **given)
    assert verdict.outcome == outcome, str(verdict)
    assert verdict.declared == ("loss-gradient-not-divided" if outcome == "right" else "")


def test_a_layer_s_difference_is_declared_for_the_layer(network):
    verdict = network(allow=["relu-leaky"])
    assert "relu-leaky cannot be taken away in a network" in str(verdict) and verdict.outcome == "wrong"


# -- the book's network -----------------------------------------------------------------------------
SMALLER = {
    "(1, 28, 28)": "(1, 12, 12)",
    '"filter_num": 30': '"filter_num": 3',
    "hidden_size=100": "hidden_size=6",
}
TWIN = """
from torch import nn
def twin():
    return nn.Sequential(nn.Conv2d(1, 3, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(48, 6), nn.ReLU(), nn.Linear(6, 10))
"""


@pytest.fixture
def book(tmp_path):
    def check(change=("", ""), **options):
        text = (HOMEWORK / "book" / "simple_convnet.py").read_text()
        for old, new in [*SMALLER.items(), change]:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "common").symlink_to(HOMEWORK / "book" / "common")
        (tmp_path / "simple_convnet.py").write_text(text)
        (tmp_path / "twin.py").write_text(TWIN)
        given = {"twin": f"{tmp_path}/twin.py:twin", "input_shape": (1, 12, 12), **options}
        return verify(f"{tmp_path}/simple_convnet.py:SimpleConvNet", "network", **given)

    return check


def test_the_book_s_network_is_right_but_for_its_habits(book):
    verdict = book()
    assert (verdict.outcome, verdict.habits) == ("right_but", ["the loss is -log(y + 1e-7)"]), str(verdict)
    first = str(verdict).splitlines()[0]
    assert first.endswith("right, but for the book's habits: the loss is -log(y + 1e-7)")


def test_no_habit_hides_a_bug_of_the_book_s_network(book):
    verdict = book(('.dW, self.layers["Affine1"].db', '.dW, 2 * self.layers["Affine1"].db'))
    assert verdict.outcome == "wrong" and verdict.habits == ["the loss is -log(y + 1e-7)"], str(verdict)
    assert "b2" in verdict.culprit.sentence and "2 times PyTorch's" in verdict.culprit.sentence


def test_without_the_profile_the_book_s_loss_is_a_difference(book):
    assert book(profile="none").outcome == "wrong"


LAST = """
import sys; sys.path.insert(0, {folder!r})
import numpy as np, torch, nets
from twin import ChannelsTwin

class Mine(nets.NetOfChannelsLast):
    def gradient(self, x, t):
        twin = ChannelsTwin().double()
        conv, fc, order = twin.conv, twin.fc, np.arange(48).reshape(16, 3).T.ravel()
        given = [self.params["W1"], self.params["b1"], self.params["W2"][order].T, self.params["b2"]]
        for tensor, array in zip([conv.weight, conv.bias, fc.weight, fc.bias], given):
            tensor.data = torch.from_numpy(array.copy())
        torch.nn.functional.cross_entropy(twin(torch.from_numpy(x)), torch.from_numpy(t)).backward()
        rows = np.empty((48, 5))
        rows[order] = fc.weight.grad.numpy().T
        grads = [conv.weight.grad.numpy(), conv.bias.grad.numpy(), rows, fc.bias.grad.numpy()]
        return dict(zip(["W1", "b1", "W2", "b2"], grads))
"""


def test_images_flattened_channels_last_can_be_declared(tmp_path):
    (tmp_path / "mine.py").write_text(LAST.format(folder=str(HOMEWORK)))
    given = {"twin": f"{HOMEWORK}/twin.py:ChannelsTwin", "isolated": False}
    allow = ["flatten-channels-last"]
    verdict = verify(f"{tmp_path}/mine.py:Mine", "network", allow=allow, **given)
    assert (verdict.outcome, verdict.declared) == ("right", "flatten-channels-last"), str(verdict)
    assert verify(f"{HOMEWORK}/nets.py:NetOfChannelsLast", "network", allow=allow, **given).outcome == "wrong"
