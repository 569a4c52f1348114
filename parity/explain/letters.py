"""What the letters in an explanation mean: `dx is dout*t**2, where PyTorch's is ... (t = tanh(x))`.

A factor that no input gave, such as LeNet's amplitude in a plain tanh, is left out: it is 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from parity.kinds import Probe

FACTORS = {"tanh": ("amplitude", "slope")}  # that few implementations have
LETTERS: dict[str, Mapping[str, str]] = {
    "sigmoid": {"y": "sigmoid(x)"},
    "tanh": {"t": "tanh(slope*x)", "y": "amplitude*tanh(slope*x)"},
    "silu": {"s": "sigmoid(x)", "y": "x*sigmoid(x)"},
    "softmax": {"y": "softmax(x)"},
    "softmax_with_loss": {"y": "softmax(x)", "onehot": "the labels as one-hot rows"},
    "weighted_cross_entropy": {"y": "softmax(x)", "onehot": "the labels as one-hot rows"},
    "dropout": {"keep": "1 - dropout_ratio", "ratio": "dropout_ratio"},
    "batch_norm": {"z": "(x - mean)/std", "std": "sqrt(var + eps)", "dz": "gamma*dout"},
    "leaky_relu": {"y": "the right out"},
    "elu": {"y": "the right out"},
    "selu": {"y": "the right out"},
    "relu6": {"y": "the right out"},
    "softplus": {"s": "sigmoid(x)", "y": "log(1 + exp(x))"},
    "gelu": {
        "P": "the probability of a normal number below x",
        "p": "its derivative",
        "y": "the right out",
    },
    "step_function": {"s": "sigmoid(x)"},
    "softsign": {"y": "x/(1 + |x|)"},
}
OWN = "what follows from its own out"  # there y is that


def spelled_out(kind: str, sentences: Iterable[str], probes: Sequence[Probe]) -> list[str]:
    """The sentences without factors of 1, and each letter explained where it comes first."""
    absent = [name for name in FACTORS.get(kind, ()) if all(name not in probe.args for probe in probes)]
    known: set[str] = set()
    found = []
    for sentence in sentences:
        letters = LETTERS.get(kind, {}) if OWN not in sentence else {}
        meant = [
            f"{letter} = {meaning}"
            for letter, meaning in letters.items()
            if letter not in known and re.search(rf"\b{letter}\b", sentence)
        ]
        known |= {one.partition(" = ")[0] for one in meant}
        found.append(_without(absent, sentence + (f" ({', '.join(meant)})" if meant else "")))
    return found


def _without(factors: Iterable[str], sentence: str) -> str:
    for name in factors:
        sentence = sentence.replace(f"{name}*", "")
    return sentence
