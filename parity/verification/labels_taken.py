"""Whether a class that is called a softmax is the loss after it as well, as what its methods take shows.

Needs nothing but Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parity.adapters.arguments import plain
from parity.adapters.loss_arguments import TARGETS, meanings_of
from parity.adapters.name_parts import parts
from parity.adapters.signatures import BACKWARD, FORWARD

CALLED = (  # in lower case and without underscores
    *("forward", "call", "fprop", "forwardpass", "forwardprop", "forwardpropagation", "forwardpropagate"),
    *("feedforward", "propagate", "predict", "activate", "calculate", "execute", "fn"),
)
LABELS = ("t", "y", "label", "labels", "target", "targets", "ytrue", "onehot")
LOSS_WORDS = {"loss", "cost", "error", "entropy"}


def takes_labels(asked: Mapping[str, Sequence[str]]) -> bool:
    """Whether forward takes the scores and labels; or a method that is called its loss does, and no other
    takes a gradient; or backward takes labels alone, or after the output.

    asked  what each method asks for, as plain names
    """
    both = {name for name, words in asked.items() if len(words) == 2 and words[1] in LABELS}
    if any(plain(name) in CALLED for name in both):
        return True
    steps_back = [words for name, words in asked.items() if plain(name) in BACKWARD]
    if any(_are_labels(words) for words in steps_back):
        return True
    alone = all(not words or (len(words) == 2 and words[1] in LABELS) for words in steps_back)
    return alone and any(plain(name) in FORWARD and LOSS_WORDS & {*parts(name)} for name in both)


def _are_labels(words: Sequence[str]) -> bool:
    """Whether what a backward asks for is said to be labels, and none of it a gradient: `y` may be its own
    output."""
    if len(words) == 1:
        return words[0] in TARGETS or words[0].removeprefix("y") in ("true", "target", "truth", "labels")
    return len(words) == 2 and sorted(meanings_of(words)) == ["t", "x"] and words[1] in (*TARGETS, "ytrue")
