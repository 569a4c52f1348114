"""Batch normalization with an eps of its own in the code: said, and nothing else is excused."""

import numpy as np
import pytest

from parity.verification.verify import verify


def made(eps=1e-8, slope=1.0, biased=False, but=""):
    """`but` is another difference, in words."""

    class BatchNorm:
        def __init__(self, num_features, momentum=0.9):
            self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
            self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
            self.momentum, self.training = momentum, True

        def forward(self, x):
            mean, var = self.running_mean, self.running_var
            if self.training:
                mean, var = x.mean(0), x.var(0)
                own = biased and not (but == "unbiased in large batches" and len(x) > 40)
                new = {"mean": mean, "var": var if own else x.var(0, ddof=1)}
                for name, value in new.items():
                    old = getattr(self, f"running_{name}")
                    share = 1 - self.momentum if but == "momentum reversed" else self.momentum
                    kept = share * old + (1 - share) * value
                    setattr(self, f"running_{name}", kept.astype(x.dtype))
            own = 1e-5 if but == "the usual eps in large batches" and len(x) > 40 else eps
            self.x, self.std = x, np.sqrt(var + x.dtype.type(own))
            self.xhat = (x - mean) / self.std
            return self.gamma * self.xhat + self.beta

        def backward(self, dout):
            seen = self.x if but == "dgamma of x" else self.xhat
            self.dgamma, self.dbeta = (dout * seen).sum(0), dout.sum(0)
            d = slope * dout * self.gamma
            if not self.training and but != "training's backward":
                return d / self.std
            mean = 0 if but == "no mean in dx" else d.mean(0)
            return (d - mean - self.xhat * (d * self.xhat).mean(0)) / self.std

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


BOTH = [
    "its eps is {:g}, PyTorch's 1e-05",
    "its running variance averages the batches' own variances, PyTorch's those times N / (N - 1)",
]


@pytest.mark.parametrize(
    ("eps", "fault"),
    [(1e-8, "another-eps + batch-norm-running-biased-variance"), (10e-7, "batch-norm-book")],
)
def test_the_batches_own_running_variance_beside_it_is_said_too(eps, fault):
    verdict = ask(eps=eps, biased=True)
    assert verdict.outcome == "right_but", str(verdict)
    assert verdict.buts == [BOTH[0].format(eps), BOTH[1]] and verdict.diagnosis.fault == fault
    assert verdict.largest, "sizes of networks are tried as ever"
    declared = verify(made(eps=eps, biased=True), "batch_norm", isolated=False, allow=fault.split(" + "))
    assert declared.declared and not declared.buts, str(declared)


@pytest.mark.parametrize(
    ("but", "first", "fault"),
    [
        ("dgamma of x", "dgamma", "batch-norm-dgamma-not-normalised"),
        ("no mean in dx", "dx", "batch-norm-dx-without-mean-term"),
        ("momentum reversed", "running_mean", "batch-norm-momentum-reversed"),
    ],
)
@pytest.mark.parametrize("biased", [False, True])
def test_a_bug_beside_them_is_wrong_and_named(but, first, fault, biased):
    verdict = ask(biased=biased, but=but)
    assert verdict.outcome == "wrong" and verdict.first.record.tensor == first, str(verdict)
    if not (biased and but == "momentum reversed"):  # a running variance that is wrong in two ways
        assert verdict.diagnosis.fault == fault and "another eps" in verdict.diagnosis.besides
        allow = [fault, "another-eps", *["batch-norm-running-biased-variance"] * biased]
        declared = verify(made(biased=biased, but=but), "batch_norm", isolated=False, allow=allow)
        assert declared.declared and not declared.buts, str(declared)


@pytest.mark.parametrize(
    ("eps", "biased", "but"),
    [
        (1e-5, True, "unbiased in large batches"),
        (1e-8, True, "unbiased in large batches"),
        (1e-8, False, "the usual eps in large batches"),
    ],
)
def test_one_that_large_batches_do_not_have_is_no_choice(eps, biased, but):
    verdict = ask(eps=eps, biased=biased, but=but)
    assert verdict.outcome == "wrong", str(verdict)


@pytest.mark.parametrize("biased", [False, True])
def test_training_s_backward_after_an_inference_is_said_beside_an_eps(biased):
    verdict = ask(biased=biased, but="training's backward")
    assert verdict.outcome == "right_but", str(verdict)
    assert any(text.startswith("gradients after an inference call") for text in verdict.not_checked)
    assert verdict.buts[0] == "its eps is 1e-08, PyTorch's 1e-05" and len(verdict.buts) == 1 + biased


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


FUNCTIONS = """
import numpy as np

def batch_norm_forward(x, gamma, beta):
    centred = x - x.mean(axis=0)
    std = {std}
    z = centred / std
    return gamma * z + beta, (z, std, gamma)

def batch_norm_backward(dout, cache):
    z, std, gamma = cache
    d = dout * gamma
    dx = (d - d.mean(axis=0) - z * (d * z).mean(axis=0)) / std
    return dx{widened}, (dout * z).sum(axis=0), dout.sum(axis=0)
"""


@pytest.mark.parametrize("widened", ["", " * np.ones(dout.shape)"], ids=["", "widened"])
@pytest.mark.parametrize("forward_alone", [False, True])
@pytest.mark.parametrize(
    ("std", "outcome", "said"),
    [
        ("x.std(axis=0)", "wrong", "batch-norm-no-eps"),
        (
            "x.std(axis=0) + 1e-12",
            "right_but",
            "its eps is 1e-12, PyTorch's 1e-05, and stands outside the root",
        ),
    ],
)
def test_no_eps_has_its_name_without_running_statistics(tmp_path, std, outcome, said, forward_alone, widened):
    text = FUNCTIONS.format(std=std, widened=widened)
    (tmp_path / "mine.py").write_text(text.partition("def batch_norm_backward")[0] if forward_alone else text)
    name = "batch_norm_forward" if forward_alone else "batch_norm_forward,batch_norm_backward"
    verdict = verify(f"{tmp_path / 'mine.py'}:{name}", "batch_norm", isolated=False)
    assert verdict.outcome == outcome and said in [*verdict.buts, *verdict.diagnosis.fault.split(" + ")]
    assert "only with" not in str(verdict) and "eps" not in verdict.culprit.sentence
