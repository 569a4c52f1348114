"""Parameters of unknown names that the code never names get None; those that it names are not guessed."""

import pytest

from parity.adapters.unread import never_used
from parity.verification.verify import verify

SOURCE = """
import numpy as np

def softmax(z, c):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def softmax_wrong(z, c):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum()

def softmax_scaled(z, c):
    e = np.exp((z - z.max(axis=1, keepdims=True)) * c)
    return e / e.sum(axis=1, keepdims=True)

class Relu:
    def __init__(self, whatever):
        pass

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout, something):
        return dout * (self.x > 0)
"""


@pytest.mark.parametrize(
    ("name", "kind", "outcomes"),
    [
        ("softmax", "softmax", ("right", "right_but")),
        ("softmax_wrong", "softmax", ("wrong",)),
        ("softmax_scaled", "softmax", ("not_checked",)),
        ("Relu", "relu", ("right",)),
    ],
)
def test_the_outcome(tmp_path, name, kind, outcomes):
    file = tmp_path / "layers.py"
    file.write_text(SOURCE)
    verdict = verify(f"{file}:{name}", kind, isolated=False)
    assert verdict.outcome in outcomes, str(verdict)


class Kept:
    def __init__(self, used, kept, unused, inner):
        self.kept = used(kept)
        self.later = lambda: inner


def test_what_is_never_named():
    def all_of_them(a, b):
        return locals()

    assert never_used(Kept) == {"unused"} and never_used(all_of_them) == set() and never_used(len) == set()
