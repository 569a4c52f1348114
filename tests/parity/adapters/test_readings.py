"""Two readings that both run are told apart by what only they differ in; the verdict names the one taken."""

from pathlib import Path

import pytest

from parity.verification.listing import listed
from parity.verification.verify import verify

READINGS = Path(__file__).parent / "wild" / "readings.py"
LOSS = "softmax_with_loss"
# name, kind, outcome, a part of the verdict
CASES = [
    ("sigmoid", "sigmoid", "right", "sigmoid_derivative(x), times dout; x there is the output"),
    ("tanh", "tanh", "right", "tanh(x, deriv), times dout; x there is the output"),
    ("Sigmoid", "sigmoid", "right", "A there is the output"),
    ("Tanh", "tanh", "right", "df(x), times dout"),
    ("SigmoidOfZ", "sigmoid", "wrong", "derivative(z), times dout"),
    ("TanhOfOutputWrong", "tanh", "wrong", "x there is the output"),
    (
        "cross_entropy",
        LOSS,
        "right",
        "as cross_entropy(y, t), cross_entropy_derivative(y, t); takes probabilities, with their gradient",
    ),
    ("CategoricalCrossEntropy", LOSS, "right_but", "the loss is -log(y + 1e-09)"),
    ("CategoricalCrossEntropy", LOSS, "right_but", "takes probabilities, with the gradient of the scores;"),
    ("Clipped", LOSS, "right", "takes probabilities, with their gradient"),
    ("ClippedNotDivided", LOSS, "wrong", "[loss-gradient-not-divided]"),
    ("PerRow", LOSS, "right", "with the gradient of the scores per row"),
    ("PerRowSign", LOSS, "wrong", "[loss-gradient-sign]"),
    ("SumOfPredictions", LOSS, "wrong", "dx divided by N twice"),
    ("LossOfVideoCourse", LOSS, "right", "backward(dvalues, y_true) -> .dinputs"),
    ("softmax", "softmax", "right", "rows (F), one at a time"),
    ("stable_softmax", "softmax", "wrong", "as stable_softmax(vector)"),
]


@pytest.mark.parametrize(
    ("name", "kind", "outcome", "part"), CASES, ids=[f"{c[0]} {c[3][:12]}" for c in CASES]
)
def test_the_reading_and_the_verdict(name, kind, outcome, part):
    verdict = verify(f"{READINGS}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_what_is_not_a_derivative_is_never_read_as_of_the_output():
    assert "is the output" not in verify(f"{READINGS}:Tanh", "tanh", isolated=False).called


def test_a_loss_is_listed_and_its_derivative_is_not():
    names = {one.name: one.kind for one in listed(READINGS)}
    assert names["cross_entropy"] == LOSS and "cross_entropy_derivative" not in names


def test_names_of_a_video_course_are_known(tmp_path):
    text = "class Optimizer_Adam:\n    def update_params(self, layer): pass\n"
    text += "class Loss_CategoricalCrossentropy:\n    def forward(self, y_pred, y_true): pass\n"
    text += "class Adaptive:\n    def update(self, x): pass\n"
    (tmp_path / "mine.py").write_text(text)
    assert [one.kind for one in listed(tmp_path / "mine.py")] == ["adam", LOSS, ""]
