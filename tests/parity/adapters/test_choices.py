"""Each activation among which code chooses by a word has a verdict of its own, or is named as not known."""

from pathlib import Path

import pytest

from parity.adapters.choice import parted
from parity.verification.listing import kind_of_target, listed
from parity.verification.verify import verify
from parity.verification.whole import verify_all

WILD = Path(__file__).parent / "wild" / "choices.py"
FORWARD, BACKWARD = "linear_activation_forward", "linear_activation_backward"


def both(word):
    return f'{FORWARD}(activation="{word}"),{BACKWARD}(activation="{word}")'


CASES = [
    ('activation(func="sigmoid")', "sigmoid", "right", "activation(x, derivative), times dout"),
    ('activation(func="relu")', "relu", "right", "the same function as PyTorch's"),
    ('activation(func="ReLU")', "relu", "right", "the same function as PyTorch's"),
    ('activation(func="tanh")', "tanh", "wrong", "[tanh-derivative-not-squared]"),
    ('activation(func="sawtooth")', "", "", ""),
    ('squash(how="tanh")', "tanh", "right", "squash_derivative(x), times dout"),
    ('squash(how="softplus")', "softplus", "wrong", "wrong: dx"),
    ('Activation(name="relu")', "relu", "right", "the same function as PyTorch's"),
    ('Activation(name="identity")', "identity", "right", "the same function as PyTorch's"),
    ("Dense", "affine", "right", "activation other than None"),
    ('Dense(activation="relu")', "affine+relu", "right", "as a dense layer followed by ReLU"),
    ('Dense(activation="tanh")', "affine+tanh", "wrong", "as a dense layer followed by tanh"),
    ('Tools.apply(kind="relu")', "relu", "right", "not checked: gradients"),
    ('Tools.apply(kind="sigmoid")', "sigmoid", "wrong", "forward, out"),
    (both("relu"), "affine+relu", "right", "rows (F, N)"),
    (both("sigmoid"), "affine+sigmoid", "wrong", "wrong: dx, dW, db"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_each_word(name, kind, outcome, part):
    assert {one.name: one.kind for one in listed(WILD)}[name] == kind
    if kind:
        verdict = verify(f"{WILD}:{name}", kind, isolated=False)
        assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_a_network_is_no_activation():
    assert [one.kind for one in listed(WILD) if one.name.startswith("NeuralNetwork")] == [""]


def test_the_page_names_the_words_that_are_not_known(tmp_path):
    path = tmp_path / "few.py"
    path.write_text(
        "def act(x, name):\n    if name == 'relu':\n        return x * (x > 0)\n"
        "    if name == 'zigzag':\n        return x\n"
    )
    page = str(verify_all(path))
    assert 'act(name="relu")' in page and 'not one of the kinds: act(name="zigzag")' in page


def test_a_name_with_a_word_is_read():
    assert parted('Dense(activation="leaky relu")') == ("Dense", "activation", "leaky relu")
    assert parted("Dense") == ("Dense", "", "")
    assert kind_of_target(f"{WILD}:Dense(activation='relu')") == "affine+relu"
