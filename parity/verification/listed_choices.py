"""Classes and functions under each of the activations among which their code chooses by a word."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from parity.adapters.arguments import plain
from parity.adapters.choice import spelled
from parity.adapters.members import is_derivative
from parity.kinds.followed import ACTIVATIONS as BUILT_IN
from parity.kinds.followed import LAYERS, joined
from parity.kinds.names import kind_by_name, kind_by_words
from parity.kinds.spelling import respelled
from parity.verification.choices import Dicts, default_word, words_of_class, words_of_function
from parity.verification.held import of_class
from parity.verification.listed_names import ACTIVATIONS, BACKWARD, FORWARD, Listed
from parity.verification.pooling_modes import WORDS as POOLINGS
from parity.verification.pooling_modes import modes_among

DENSE = "affine"
NOTHING = ("linear", "identity", "none", "no", "null")  # no activation
OF_ACTIVATIONS = ("activ", "nonlin", "transfer", "squash")  # in the name of a class that is one


def choices_of_function(
    name: str, node: ast.stmt, dicts: Dicts, kinds: Sequence[str], functions: Sequence[str] = ()
) -> list[Listed]:
    """A function under each of its words: a layer with that activation, or the activation itself.

    `kinds` are those that it is known to be, `functions` those beside it.
    """
    own = name.rpartition(".")[2]
    if isinstance(node, ast.FunctionDef) and {*kinds} & POOLINGS.keys():
        return _modes_of_function(name, node, dicts, functions)
    if not isinstance(node, ast.FunctionDef) or own.startswith("_") or is_derivative(own):
        return []
    layer = next((kind for kind in kinds if kind in LAYERS), "") or _layer_by_words(name, node)
    found = []
    for parameter, words in words_of_function(node, dicts).items():
        meant = {word: _kind_of_word(word) for word in words}
        others = len(_required(node) - {parameter, "self"})
        if any(meant.values()) and (layer or (not kinds and others == 1)):
            other = respelled(name).replace(FORWARD, BACKWARD)
            pair = [other] if layer and other != name and other in functions else []
            for word, kind in meant.items():
                targets = [spelled(one, parameter, word) for one in (name, *pair)]
                found.append(Listed(",".join(targets), _as(layer, kind)))
    return found


def _modes_of_function(
    name: str, node: ast.FunctionDef, dicts: Dicts, functions: Sequence[str]
) -> list[Listed]:
    """A pooling under each of the words among which it chooses what it takes of a window."""
    other = respelled(name).replace(FORWARD, BACKWARD)
    both = [name, *([other] if other != name and other in functions else [])]
    return [
        Listed(",".join(spelled(one, parameter, word) for one in both), kind)
        for parameter, words in words_of_function(node, dicts).items()
        for word, kind in modes_among([*words, *default_word(node, parameter)], [node]).items()
    ]


def without_default(known: Sequence[Listed], chosen: Sequence[Listed]) -> list[Listed]:
    """Those that are known of a function, but for a pooling that is listed under each of its words."""
    return [*known] if not any(one.kind in POOLINGS for one in chosen) else []


def with_choices(
    node: ast.ClassDef, found: list[Listed], methods: Mapping[str, ast.FunctionDef], dicts: Dicts
) -> list[Listed]:
    """What of a class is listed, and the class or its functions under each of their words."""
    whole = next((one for one in found if one.name == node.name), None)
    kind = whole.kind if whole else ""
    named = any(word in node.name.lower() for word in OF_ACTIVATIONS)
    if any(one.kind and one.name.startswith(f"{node.name}._") for one in found):
        return found  # those that its constructor hands out are checked each under its own name
    if kind in POOLINGS:
        for parameter, words in words_of_class(methods, dicts).items():
            default = default_word(methods["__init__"], parameter)
            if modes := modes_among([*words, *default], methods.values()):
                items = [Listed(spelled(node.name, parameter, word), k) for word, k in modes.items()]
                return [one for one in found if one is not whole] + items
    if kind in LAYERS or (named and not kind):
        for parameter, words in words_of_class(methods, dicts).items():
            meant = {word: _kind_of_word(word) for word in words}
            if any(meant.values()):
                items = [Listed(spelled(node.name, parameter, w), _as(kind, k)) for w, k in meant.items()]
                return [one for one in found if one.kind] + items
    if not kind:
        for held in of_class(node):
            if "[" not in held.target and not any(
                one.name.startswith(held.target) for one in found if one.kind
            ):
                found = found + choices_of_function(held.target, held.node, dicts, ())
    return found


def _layer_by_words(name: str, node: ast.FunctionDef) -> str:
    """The layer that a function is by its name but for `activation`: linear_activation_forward(A, W, b)."""
    words = [word for word in respelled(name).split("_") if word not in ("activation", "act", FORWARD)]
    meant = kind_by_words("_".join(words)) if FORWARD in respelled(name) and len(_required(node)) > 2 else ""
    return DENSE if meant == "identity" else meant if meant in LAYERS else ""


def _as(layer: str, kind: str) -> str:
    """The layer with that activation; the activation alone; "" where the word is not known."""
    if not layer or not kind:
        return kind
    return layer if kind == "identity" else joined(layer, kind) if kind in BUILT_IN else ""


def _kind_of_word(word: str) -> str:
    """The activation that a word stands for; "" where it is none that is known."""
    if plain(word) in NOTHING:
        return "identity"
    kind = kind_by_name(word) or kind_by_words(word) or ""
    return kind if kind in ACTIVATIONS else ""


def _required(node: ast.FunctionDef) -> set[str]:
    names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)]
    return {*names[: len(names) - len(node.args.defaults)]}
