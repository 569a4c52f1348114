"""Dropouts and batch normalizations are told to infer by the names and words that people use."""

import numpy as np
import pytest

from parity.verification.verify import verify

INFERENCE = "gradients after an inference call"
ARGUMENTS = {  # of forward -> what it is in training
    "is_train": "True",
    "train_flag": "True",
    "training_mode": "True",
    "isTrain": "True",
    "test": "False",
    "test_mode": "False",
    "predict": "False",
    "deterministic": "False",
    "mode": "'train'",
    "phase": "'training'",
    "inference": "False",
}
ATTRIBUTES = {  # a class's -> what it is in training
    "training": "True",
    "is_train": "True",
    "test": "False",
    "inference": "False",
    "mode": "'train'",
    "Mode": "'TRAIN'",
}


def dropout(argument="", attribute=None, methods="", wrong=False, default="", at_first=None):
    """A dropout with that argument of forward, or that attribute."""
    name, learn = next(
        iter(({argument: ARGUMENTS[argument]} if argument else attribute or {}).items()), ("", "")
    )
    read = f"{argument or 'self.' + name} == {learn}" if name else "True"
    text = f"""
class Dropout:
    def __init__(self, rate=0.5):
        self.rate = rate
        {f"self.{name} = {at_first or learn}" if attribute else "pass"}
{methods}
    def forward(self, x{f", {argument}{default}" if argument else ""}):
        if {read}:
            self.mask = ((np.random.rand(*x.shape) > self.rate) / (1 - self.rate)).astype(x.dtype)
            return x * self.mask
        return {"x * (1 - self.rate)" if wrong else "x"}

    def backward(self, dout):
        return dout * self.mask
"""
    space = {"np": np, "__name__": "mine"}
    exec(text, space)
    return space["Dropout"]


def judged(**how):
    verdict = verify(dropout(**how), "dropout", isolated=False)
    return verdict.outcome, verdict.diagnosis.fault, verdict.not_checked


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_by_an_argument(argument, default):
    default = f"={ARGUMENTS[argument]}" if default else ""
    assert judged(argument=argument, default=default) == ("right", "", [INFERENCE])
    wrong = judged(argument=argument, default=default, wrong=True)
    assert wrong == ("wrong", "dropout-scaled-twice", [INFERENCE])


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_by_an_attribute(attribute):
    one = {attribute: ATTRIBUTES[attribute]}
    assert judged(attribute=one) == ("right", "", [INFERENCE])
    assert judged(attribute=one, wrong=True) == ("wrong", "dropout-scaled-twice", [INFERENCE])


def test_one_that_infers_until_it_is_told_to_train():
    assert judged(attribute={"training": "True"}, at_first="False") == ("right", "", [INFERENCE])


METHODS = [
    "    def set_training(self, value): self._on = value",
    "    def set_mode(self, mode): self._on = mode == 'train'",
    "    def train(self, mode=True): self._on = mode",
    "    def train_mode(self): self._on = True\n    def eval_mode(self): self._on = False",
]


@pytest.mark.parametrize("methods", METHODS, ids=["setter", "word", "frameworks", "two"])
def test_by_methods(methods):
    one = {"_on": "True"}
    assert judged(attribute=one, methods=methods) == ("right", "", [INFERENCE])
    assert judged(attribute=one, methods=methods, wrong=True)[:2] == ("wrong", "dropout-scaled-twice")


def test_one_without_inference_is_not_asked_for_it():
    assert judged() == ("right", "", ["inference"])


@pytest.mark.parametrize(("flag", "values"), [("is_train", "True"), ("mode", "'train'"), ("test", "False")])
@pytest.mark.parametrize("wrong", [False, True])
def test_a_batch_normalization(flag, values, wrong):
    text = f"""
class BatchNorm:
    def __init__(self, num_features, momentum=0.9):
        self.gamma, self.beta, self.momentum = np.ones(num_features), np.zeros(num_features), momentum
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)

    def forward(self, x, {flag}={values}):
        mean, var = self.running_mean, self.running_var
        if {flag} == {values}:
            mean, var = x.mean(axis=0), x.var(axis=0)
            m = self.momentum
            self.running_mean = m * self.running_mean + (1 - m) * mean
            self.running_var = m * self.running_var + (1 - m) * x.var(axis=0, ddof=1)
        self.std = np.sqrt(var + x.dtype.type(1e-5))
        self.z = (x - mean) / self.std
        return self.gamma * self.z + self.beta{" + mean" if wrong else ""}

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.z).sum(axis=0), dout.sum(axis=0)
        d = dout * self.gamma
        return (d - d.mean(axis=0) - self.z * (d * self.z).mean(axis=0)) / self.std
"""
    space = {"np": np, "__name__": "mine"}
    exec(text, space)
    verdict = verify(space["BatchNorm"], "batch_norm", isolated=False)
    assert verdict.outcome == ("wrong" if wrong else "right"), str(verdict)
    assert "inference" not in verdict.not_checked
