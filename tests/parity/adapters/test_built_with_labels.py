"""Losses whose constructor takes the labels, or the output and the labels."""

import numpy as np
import pytest

from parity.adapters.built_with import labels_built_in
from parity.verification.listing import listed
from parity.verification.verify import verify


class SquaredError:
    scale = 2

    def __init__(self, y):
        self.y = y

    def forward(self, x):
        self.x = x
        return np.mean((x - self.y) ** 2)

    def backward(self):
        return self.scale * (self.x - self.y) / self.x.size


class HalfOfIt(SquaredError):
    scale = 1


class CrossEntropy:
    """Of probabilities."""

    sign = -1

    def __init__(self, y_true):
        self.y_true = y_true

    def forward(self, y_pred):
        self.y_pred = y_pred
        return -np.sum(self.y_true * np.log(y_pred)) / len(y_pred)

    def backward(self):
        return self.sign * self.y_true / self.y_pred / len(self.y_pred)


class Turned(CrossEntropy):
    sign = 1


class AbsoluteError:
    """Takes both."""

    def __init__(self, y_true, y_pred):
        self.difference = y_pred - y_true

    def forward(self):
        return np.mean(np.abs(self.difference))

    def backward(self):
        return np.sign(self.difference) / self.difference.size


class AbsoluteErrorOfLabels(AbsoluteError):
    def backward(self):
        return -super().backward()


VERDICTS = [
    (SquaredError, "mean_squared_error", "right"),
    (HalfOfIt, "mean_squared_error", "wrong"),
    (CrossEntropy, "softmax_with_loss", "right"),
    (Turned, "softmax_with_loss", "wrong"),
    (AbsoluteError, "mean_absolute_error", "right"),
    (AbsoluteErrorOfLabels, "mean_absolute_error", "wrong"),
]


@pytest.mark.parametrize(("cls", "kind", "outcome"), VERDICTS, ids=lambda one: str(one))
def test_verdicts(cls, kind, outcome):
    verdict = verify(cls, kind, isolated=False)
    assert verdict.outcome == outcome, str(verdict)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["y"], {"y": "t"}),
        (["y_pred", "y_true"], {"y_pred": "x", "y_true": "t"}),
        (["y_pred"], {}),
        (["size"], {}),
        (["labels", "size"], {}),
    ],
)
def test_what_a_constructor_asks_for(names, found):
    signature = [{"name": name, "required": True, "default": ""} for name in names]
    assert labels_built_in([*signature, {"name": "eps", "required": False, "default": "0"}]) == found


def test_a_loss_that_is_called_no_more_than_that(tmp_path):
    path = tmp_path / "losses.py"
    path.write_text(
        "import numpy as np\n\nclass Loss:\n    def __init__(self, y):\n        self.y = y\n\n"
        "    def forward(self, x):\n        self.x = x\n        return np.mean(np.abs(x - self.y))\n\n"
        "    def backward(self):\n        return np.sign(self.x - self.y) / self.x.size\n"
    )
    assert [(one.name, one.kind) for one in listed(path)] == [("Loss", "mean_absolute_error")]
