"""Cross entropies of probabilities whose columns are the samples, as functions and as classes."""

import pytest

from parity.verification.verify import verify

NUMPY = "import numpy as np\n"
FUNCTIONS = """
def cross_entropy(AL, Y):
    m = Y.shape[1]
    cost = -1 / m * np.sum(Y * np.log({log}))
    return np.squeeze(cost)

def cross_entropy_backward(AL, Y):
    m = Y.shape[1]
    return {dx}
"""
CLASS = """
class CrossEntropy:
    def forward(self, AL, Y):
        self.AL, self.Y, self.m = AL, Y, AL.shape[1]
        return -np.sum(self.Y * np.log({log})) / self.m

    def backward(self):
        AL, Y, m = self.AL, self.Y, self.m
        return {dx}
"""
FORMS = pytest.mark.parametrize(("text", "name"), [(FUNCTIONS, "cross_entropy"), (CLASS, "CrossEntropy")])


@pytest.fixture
def ask(tmp_path):
    def verdict(text, name):
        path = tmp_path / f"mine_{len(list(tmp_path.iterdir()))}.py"  # a module of its own
        path.write_text(NUMPY + text)
        return verify(f"{path}:{name}", "softmax_with_loss", isolated=False)

    return verdict


@FORMS
@pytest.mark.parametrize(
    ("log", "dx", "outcome", "called"),
    [
        ("AL", "(AL - Y) / m", "right", "with the gradient of the scores"),
        ("AL", "-(Y / AL) / m", "right", "with their gradient"),
        ("AL + 1e-8", "-(Y / (AL + 1e-8)) / m", "right_but", "with their gradient"),
        ("AL + 1e-8", "-(Y / AL) / m", "right_but", "with their gradient"),
        ("AL + 1e-8", "(AL - Y) / m", "right_but", "with the gradient of the scores"),
    ],
)
def test_right(ask, text, name, log, dx, outcome, called):
    verdict = ask(text.format(log=log, dx=dx), name)
    assert verdict.outcome == outcome, str(verdict)
    assert "rows (F, N)" in verdict.called and called in verdict.called
    assert ("the loss is -log(y + 1e-08)" in verdict.buts) == ("+" in log)


@FORMS
@pytest.mark.parametrize(
    ("log", "dx", "said"),
    [
        ("AL", "AL - Y", "dx not divided by N"),
        ("AL", "(AL - Y) / len(Y)", "wrong: dx; right: loss"),
        ("AL", "(Y / AL) / m", "dx with the sign flipped"),
        ("AL + 1e-8", "-(Y / (AL + 1e-3)) / m", "wrong: dx"),
        ("AL + 1e-8", "-(Y / AL)", "wrong: dx"),
    ],
)
def test_wrong(ask, text, name, log, dx, said):
    verdict = ask(text.format(log=log, dx=dx), name)
    assert verdict.outcome == "wrong" and said in str(verdict), str(verdict)


@pytest.mark.parametrize(("dx", "outcome"), [("-t / p / len(t)", "right_but"), ("-t / p", "wrong")])
def test_the_constant_in_the_loss_alone_of_rows(ask, dx, outcome):
    text = """
class CrossEntropy:
    def forward(self, p, t):
        self.p, self.t = p, t
        return -np.sum(t * np.log(p + 1e-10)) / len(p)

    def backward(self):
        p, t = self.p, self.t
        return {dx}
"""
    assert ask(text.format(dx=dx), "CrossEntropy").outcome == outcome


PICKED = """
def cross_entropy(p, t):
    return {loss}

def cross_entropy_grad(p, t):
    return {dx}
"""


@pytest.mark.parametrize(
    ("loss", "dx", "says"),
    [
        ("-np.sum(np.log(np.sum(t * p, axis=0)))", "-t / p", "rows (F, N)"),
        ("-np.log((t * p).max(axis=0)).mean()", "-t / p / p.shape[1]", "rows (F, N)"),
        (
            "-np.log(p[t.argmax(axis=0), np.arange(p.shape[1])]).mean()",
            "(p - t) / p.shape[1]",
            "rows (F, N)",
        ),
        ("-np.sum(np.log(np.sum(t * p, axis=1)))", "-t / p", "takes probabilities, with their gradient"),
    ],
)
def test_columns_whose_numbers_are_added_before_the_logarithm(ask, loss, dx, says):
    verdict = ask(PICKED.format(loss=loss, dx=dx), "cross_entropy,cross_entropy_grad")
    assert verdict.outcome == "right" and says in verdict.called, str(verdict)
    assert ("rows (F, N)" in verdict.called) == ("F, N" in says)


@pytest.mark.parametrize(
    ("loss", "dx"),
    [
        ("-np.sum(np.log(np.sum(t * p, axis=0)))", "t / p"),
        ("-np.sum(np.log(np.sum(t * p, axis=0)))", "-t / p / p.shape[1]"),
        ("np.sum(np.log(np.sum(t * p, axis=0)))", "-t / p"),
        ("-np.log(np.sum(t * p))", "-t / p"),
    ],
)
def test_columns_that_are_wrong_otherwise(ask, loss, dx):
    verdict = ask(PICKED.format(loss=loss, dx=dx), "cross_entropy,cross_entropy_grad")
    assert verdict.outcome == "wrong", str(verdict)
