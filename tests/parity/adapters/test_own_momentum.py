"""A batch normalization whose momentum nothing asks for: in an attribute, or a number in its code."""

from __future__ import annotations

import pytest

from parity.verification.verify import verify

SOURCE = """import numpy as np

class BatchNorm:
    def __init__(self, num_features):
        self.gamma = np.ones(num_features)
        self.beta = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        {kept}

    def forward(self, x, training=True):
        if training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            n = len(x)
            self.running_mean = {old} * self.running_mean + {new} * mean
            self.running_var = {old} * self.running_var + {new} * var * n / (n - 1)
            self.std = np.sqrt(var + 1e-5)
            self.xn = (x - mean) / self.std
        else:
            return self.gamma * (x - self.running_mean) / np.sqrt(self.running_var + 1e-5) + self.beta
        return self.gamma * self.xn + self.beta

    def backward(self, dout):
        self.dgamma = (dout * self.xn).sum(axis=0)
        self.dbeta = dout.sum(axis=0)
        d = dout * self.gamma
        return (d - d.mean(axis=0) - self.xn * (d * self.xn).sum(axis=0) * 0.5 / (0.5 * len(d))) / self.std
"""
HELD = "self.momentum"


def judged(tmp_path, **form):
    file = tmp_path / "layers.py"
    file.write_text(SOURCE.format(**{"kept": "", **form}))
    return verify(f"{file}:BatchNorm", "batch_norm")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"old": "0.9", "new": "0.1"}, "momentum is always 0.9"),
        ({"old": "0.99", "new": "(1 - 0.99)"}, "momentum is always 0.99"),
        ({"old": "(1 - 0.05)", "new": "0.05"}, "momentum is always 0.95"),
        ({"kept": f"{HELD} = 0.9", "old": HELD, "new": f"(1 - {HELD})"}, ".momentum is set"),
        (
            {"kept": "self.bn_momentum = 0.1", "old": "(1 - self.bn_momentum)", "new": "self.bn_momentum"},
            "set",
        ),
    ],
)
def test_its_statistics_are_judged_with_its_own(tmp_path, form, says):
    verdict = judged(tmp_path, **form)
    assert verdict.outcome == "right", str(verdict)
    assert says in verdict.called
    assert ("momentum other than" in " ".join(verdict.not_checked)) == ("always" in says)


@pytest.mark.parametrize(
    "form",
    [
        {"old": "0.1", "new": "0.9"},  # the shares exchanged
        {"old": "0.9", "new": "0.2"},
        {"kept": f"{HELD} = 0.9", "old": f"(1 - {HELD})", "new": HELD},
        {"kept": f"{HELD} = 0.9", "old": "0.9", "new": f"(1 - {HELD})"},  # it is read in one place of two
    ],
)
def test_a_bug_beside_it_is_wrong(tmp_path, form):
    verdict = judged(tmp_path, **form)
    assert verdict.outcome == "wrong", str(verdict)
    assert {row.tensor for row in verdict.records if not row.ok} <= {"running_mean", "running_var"}


def test_statistics_that_nothing_infers_with_may_change_in_every_call(tmp_path):
    source = SOURCE.replace("x, training=True", "x").replace("if training:", "if True:")
    file = tmp_path / "layers.py"
    file.write_text(source.format(kept="", old="0.9", new="0.1"))
    verdict = verify(f"{file}:BatchNorm", "batch_norm")
    assert verdict.outcome == "right" and "inference" in verdict.not_checked, str(verdict)


STATISTICS = "mean, var = x.mean(axis=0), x.var(axis=0)"


@pytest.mark.parametrize(("new", "outcome"), [("0.1", "right"), ("0.2", "wrong")])
def test_statistics_that_became_rows_are_vectors(tmp_path, new, outcome):
    source = SOURCE.replace(STATISTICS, STATISTICS.replace("axis=0", "axis=0, keepdims=True"))
    file = tmp_path / "layers.py"
    file.write_text(source.format(kept="", old="0.9", new=new))
    assert verify(f"{file}:BatchNorm", "batch_norm").outcome == outcome


@pytest.mark.parametrize(
    ("default", "old", "new", "outcome"),
    [
        ("0.9", "momentum", "(1 - momentum)", "right"),
        ("0.1", "(1 - momentum)", "momentum", "right"),
        ("0.9", "momentum", "momentum", "wrong"),
    ],
)
def test_a_momentum_that_forward_takes_is_given(tmp_path, default, old, new, outcome):
    file = tmp_path / "layers.py"
    source = SOURCE.replace("training=True", f"training=True, momentum={default}")
    file.write_text(source.format(kept="", old=old, new=new))
    verdict = verify(f"{file}:BatchNorm", "batch_norm")
    assert verdict.outcome == outcome and "forward(x, training, momentum)" in str(verdict), str(verdict)


@pytest.mark.parametrize(("new", "outcome"), [("(1 - alpha)", "right"), ("alpha", "wrong")])
def test_a_course_s_names_of_its_arguments(tmp_path, new, outcome):
    file = tmp_path / "layers.py"
    source = SOURCE.replace("(self, num_features)", "(self, fan_in, alpha=0.9)").replace(
        "num_features", "fan_in"
    )
    new = new.replace("alpha", "self.alpha")
    file.write_text(source.format(kept="self.alpha = alpha", old="self.alpha", new=new))
    verdict = verify(f"{file}:BatchNorm", "batch_norm")
    assert verdict.outcome == outcome and "BatchNorm(fan_in, alpha)" in str(verdict), str(verdict)
