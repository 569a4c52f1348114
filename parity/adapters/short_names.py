"""What the short names of losses and activations stand for: `bce_prime` is the derivative of
`binary_cross_entropy`. Needs nothing but Python."""

from __future__ import annotations

from collections.abc import Iterable

SHORT = {
    "bce": "binary cross entropy",
    "cce": "categorical cross entropy",
    "scce": "sparse categorical cross entropy",
    "ce": "cross entropy",
    "xent": "cross entropy",
    "crossentropy": "cross entropy",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "sse": "sum squared error",
    "nll": "negative log likelihood",
    "square": "squared",
    "squares": "squared",
    "abs": "absolute",
    "lrelu": "leaky relu",
    "sig": "sigmoid",
    "sigma": "sigmoid",
}


def in_full(words: Iterable[str]) -> list[str]:
    """The words with those that are short for others written out."""
    return [part for word in words for part in SHORT.get(word, word).split()]
