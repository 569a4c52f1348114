"""A small constant inside a loss's logarithm is said, and excuses nothing else."""

import numpy as np
import pytest

from parity.verification.verify import verify


def made(written, factor=1.0, gradient=1.0):
    class SoftmaxLoss:
        def forward(self, x, t):
            e = np.exp(x - x.max(axis=1, keepdims=True))
            self.y, self.t = e / e.sum(axis=1, keepdims=True), t if t.ndim == 1 else t.argmax(axis=1)
            return factor * -np.mean(np.log(written(self.y[np.arange(len(x)), self.t])))

        def backward(self):
            dx = self.y.copy()
            dx[np.arange(len(dx)), self.t] -= 1
            return gradient * dx / len(dx)

    return SoftmaxLoss


def ask(*arguments, **options):
    return verify(made(*arguments), "softmax_with_loss", isolated=False, **options)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (lambda y: y + 1e-12, "is -log(y + 1e-12)"),
        (lambda y: y + 1e-8, "is -log(y + 1e-08)"),
        (lambda y: np.maximum(y, 1e-10), "y cut off below 1e-10"),
        (lambda y: np.maximum(y, 1e-100), "1e-100"),
        (lambda y: np.clip(y, 1e-9, 1 - 1e-9), "y cut off below 1e-09 and above 1 - 1e-09"),
    ],
)
def test_the_constant_is_named(written, says):
    verdict = ask(written)
    assert verdict.outcome == "right_but", verdict
    assert any(says in but for but in verdict.buts) and not ask(written, strict=True).ok


@pytest.mark.parametrize(
    "code",
    [
        (lambda y: y + 1e-12, 1.001),
        (lambda y: y + 1e-12, 1.0, 1.001),
        (lambda y: y + 1e-3,),
        (lambda y: y * (1 + 1e-6),),
        (lambda y: y + 1e-5 * (y > 0.5),),
    ],
)
def test_nothing_else_is_excused(code):
    assert ask(*code).outcome == "wrong"


def test_the_books_constant_keeps_its_name():
    assert ask(lambda y: y + 1e-7).diagnosis.fault == "loss-clamped-logarithm"


def test_it_can_be_declared():
    verdict = ask(lambda y: y + 1e-12, allow=["small-constant-inside-the-logarithm"])
    assert verdict.ok and verdict.declared == "small-constant-inside-the-logarithm"
