"""Optimizers whose weight decay shrinks the weights and goes past the state, as in SGDW and AdamW."""

import pytest

from parity.verification.published_forms import SHRINKS
from parity.verification.verify import verify

MOMENTUM = """
class Momentum:
    def __init__(self, lr, momentum=0.9, weight_decay=0.0):
        self.lr, self.momentum, self.weight_decay, self.v = lr, momentum, weight_decay, {}

    def update(self, params, grads):
        for key in params:
            if key not in self.v:
                self.v[key] = np.zeros_like(params[key])
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key] - DECAY
"""
RMSPROP = """
class RMSProp:
    def __init__(self, lr, decay_rate=0.9, weight_decay=0.0):
        self.lr, self.decay_rate, self.weight_decay, self.h = lr, decay_rate, weight_decay, None

    def update(self, params, grads):
        if self.h is None:
            self.h = {key: np.zeros_like(one) for key, one in params.items()}
        for key in params:
            self.h[key] = self.decay_rate * self.h[key] + (1 - self.decay_rate) * grads[key] ** 2
            params[key] -= self.lr * grads[key] / (np.sqrt(self.h[key]) + 1e-7) + DECAY
"""
ADAM = """
class Adam:
    def __init__(self, lr=0.001, weight_decay=0.0):
        self.lr, self.weight_decay, self.t, self.m, self.v = lr, weight_decay, 0, None, None

    def update(self, params, grads):
        if self.m is None:
            self.m = {key: np.zeros_like(one) for key, one in params.items()}
            self.v = {key: np.zeros_like(one) for key, one in params.items()}
        self.t += 1
        for key in params:
            self.m[key] += 0.1 * (grads[key] - self.m[key])
            self.v[key] += 0.001 * (grads[key] ** 2 - self.v[key])
            m, v = self.m[key] / (1 - 0.9**self.t), self.v[key] / (1 - 0.999**self.t)
            params[key] -= self.lr * m / (np.sqrt(v) + 1e-8) + DECAY
"""
RULES = {"momentum": MOMENTUM, "rmsprop": RMSPROP, "adam": ADAM}
SHRUNK = "self.lr * self.weight_decay * params[key]"
OTHERS = {
    "not by the rate": "self.weight_decay * params[key]",
    "sign": "-self.lr * self.weight_decay * params[key]",
    "of all alike": "self.lr * self.weight_decay * np.sign(params[key])",
}


def judged(tmp_path, kind, decay):
    file = tmp_path / "rules.py"
    source = RULES[kind].replace("DECAY", decay)
    file.write_text(f"import numpy as np\n{source}")
    return verify(f"{file}:{source.split()[1].rstrip(':')}", kind)


@pytest.mark.parametrize("kind", RULES)
def test_it_is_said_and_the_numbers_are_right(tmp_path, kind):
    verdict = judged(tmp_path, kind, SHRUNK)
    assert verdict.outcome == "right_but" and SHRINKS in " ".join(verdict.buts), str(verdict)


@pytest.mark.parametrize("decay", OTHERS)
@pytest.mark.parametrize("kind", RULES)
def test_another_decay_is_wrong(tmp_path, kind, decay):
    verdict = judged(tmp_path, kind, OTHERS[decay])
    assert verdict.outcome == "wrong", str(verdict)


def test_biases_may_be_left_out_besides(tmp_path):
    verdict = judged(tmp_path, "adam", f"({SHRUNK} if params[key].ndim > 1 else 0)")
    assert verdict.outcome == "right_but" and SHRINKS in " ".join(verdict.buts), str(verdict)
    verdict = judged(tmp_path, "adam", f"({SHRUNK} if params[key].ndim > 1 else 0.01)")
    assert verdict.outcome == "wrong", str(verdict)
