"""Batch normalization with an eps of its own in the code: said, and nothing else is excused."""

import numpy as np
import pytest

from parity.verification.verify import verify


def made(eps=1e-8, slope=1.0, biased=False):
    class BatchNorm:
        def __init__(self, num_features, momentum=0.9):
            self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
            self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
            self.momentum, self.training = momentum, True

        def forward(self, x):
            mean, var = self.running_mean, self.running_var
            if self.training:
                mean, var = x.mean(0), x.var(0)
                new = {"mean": mean, "var": var if biased else x.var(0, ddof=1)}
                for name, value in new.items():
                    old = getattr(self, f"running_{name}")
                    kept = self.momentum * old + (1 - self.momentum) * value
                    setattr(self, f"running_{name}", kept.astype(x.dtype))
            self.std = np.sqrt(var + x.dtype.type(eps))
            self.xhat = (x - mean) / self.std
            return self.gamma * self.xhat + self.beta

        def backward(self, dout):
            self.dgamma, self.dbeta = (dout * self.xhat).sum(0), dout.sum(0)
            d = slope * dout * self.gamma
            if not self.training:
                return d / self.std
            return (d - d.mean(0) - self.xhat * (d * self.xhat).mean(0)) / self.std

    return BatchNorm


def ask(**changes):
    return verify(made(**changes), "batch_norm", isolated=False)


def test_the_eps_is_named():
    verdict = ask()
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == ["its eps is 1e-08, PyTorch's 1e-05"]
    assert verify(made(), "batch_norm", isolated=False, allow=["another-eps"]).declared


def test_a_wrong_gradient_beside_it_is_wrong():
    assert ask(slope=1.001).outcome == "wrong"


def test_what_is_no_eps_that_people_write_keeps_its_name():
    assert ask(eps=0).diagnosis.fault == "batch-norm-no-eps"


def test_another_bug_comes_first_and_the_eps_is_said_beside_it():
    verdict = ask(biased=True)
    assert verdict.outcome == "wrong" and verdict.first.record.tensor == "running_var"
    assert "wrong: running_var;" in verdict.culprit.sentence
    assert "besides, its eps is 1e-08" in verdict.culprit.sentence


def optimizer(eps, inside=False, power=2):
    class AdaGrad:
        def __init__(self, lr=0.01):
            self.lr, self.h = lr, {}

        def update(self, params, grads):
            for name, g in grads.items():
                self.h[name] = self.h.get(name, 0) + abs(g) ** power
                h = self.h[name]
                params[name] -= self.lr * g / (np.sqrt(h + eps) if inside else np.sqrt(h) + eps)

    return AdaGrad


EPS = {
    "another value": (optimizer(1e-6), "its eps is 1e-06, PyTorch's 1e-10"),
    "one of the catalogue": (optimizer(1e-8), "its eps is 1e-08, PyTorch's 1e-10"),
    "another place": (optimizer(1e-10, inside=True), "its eps stands inside the root"),
    "both": (optimizer(1e-6, inside=True), "its eps is 1e-06, PyTorch's 1e-10, and stands inside the root"),
}


@pytest.mark.parametrize(("factory", "said"), EPS.values(), ids=EPS)
def test_the_eps_of_an_optimizer_and_its_place_are_named(factory, said):
    verdict = verify(factory, "adagrad", isolated=False)
    assert verdict.outcome == "right_but" and verdict.buts == [said], str(verdict)


@pytest.mark.parametrize("factory", [optimizer(0), optimizer(1e-8, power=1.999)], ids=["none", "its power"])
def test_no_eps_and_another_formula_are_wrong(factory):
    assert verify(factory, "adagrad", isolated=False).outcome == "wrong"


def test_what_the_catalogue_calls_by_name_keeps_it():
    assert verify(optimizer(1e-8), "adagrad", isolated=False).diagnosis.fault == "adagrad-eps-of-1e-8"


def test_a_wrong_gradient_comes_before_the_eps_and_is_explained_alone():
    verdict = ask(eps=1e-7, slope=2.0)
    assert verdict.outcome == "wrong" and verdict.culprit.tensor == "dx"
    assert "wrong: dx; right: " in verdict.culprit.sentence
    assert verdict.culprit.sentence.endswith("; besides, its eps is 1e-07, PyTorch's 1e-05")
    assert "out is" not in str(verdict.explanation)
