"""Whether a class is a network by its name and methods: one that is trained, and that is not put together."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from parity.adapters.arguments import plain
from parity.adapters.network_words import FORWARDS, gives_gradients, is_loss, is_step

NAMED = re.compile("net$|nn$|network|mlp|perceptron|^ann|autoencoder|regression$|classifier$")
NOT_NAMED = re.compile("layer$|trainer|optimi[sz]er|dataset|loader|base$|abstract|loss|cnn$|rnn$|lstm")
PUT_TOGETHER = {"add", "addlayer", "addlayers", "append", "use"}


def is_network(node: ast.ClassDef, methods: Collection[str]) -> bool:
    """Whether it has weights in matrices and a way forward, and gives gradients or trains itself.

    One that layers are added to, or handed to in its constructor, is none: its layers are checked.
    """
    word, names = plain(node.name), {plain(name) for name in methods}
    if NOT_NAMED.search(word) or not NAMED.search(word) or names & PUT_TOGETHER:
        return False
    loses = any(is_loss(name) for name in methods)
    named = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    learns = any(gives_gradients(name) or is_step(name) for name in methods) or (loses and "grads" in named)
    forward = bool(names & {*FORWARDS}) or loses
    return learns and forward
