"""Whether a class is a network by its name and methods: one that is trained, and that is not put together."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping

from parity.adapters.arguments import plain
from parity.adapters.handed_layers import goes_back, is_container
from parity.adapters.network_words import FORWARDS, gives_gradients, is_loss, is_step
from parity.verification.held import is_engine

NAMED = re.compile("net$|nn$|network|mlp|perceptron|^ann|autoencoder|regression$|classifier$")
NOT_NAMED = re.compile("layer$|trainer|optimi[sz]er|dataset|loader|base$|abstract|loss")
OTHERS = re.compile("CNN|RNN|LSTM|GRU|Recurrent|Convolutional")
LEAST_SIZES = 2  # that a layer with weights asks for
PUT_TOGETHER = {"add", "addlayer", "addlayers", "append", "use"}


def is_network(node: ast.ClassDef, methods: Collection[str]) -> bool:
    """Whether it has weights in matrices and a way forward, and gives gradients or trains itself.

    One that layers are added to, or handed to in its constructor, is none: its layers are checked.
    """
    word, names = plain(node.name), {plain(name) for name in methods}
    if NOT_NAMED.search(word) or not NAMED.search(word) or OTHERS.search(node.name):
        return False
    if names & PUT_TOGETHER or _is_handed_layers(node):
        return False
    loses = any(is_loss(name) for name in methods)
    named = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    learns = any(gives_gradients(name) or is_step(name) for name in methods) or (loses and "grads" in named)
    forward = bool(names & {*FORWARDS}) or loses
    return learns and forward


def is_container_of(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> bool:
    """Whether it is handed layers, and its file has a layer of two sizes that goes both ways, or none at all:
    it is then given some."""
    others = [one for name, one in classes.items() if name != node.name]
    if not is_container(node) or any(map(_is_layer, others)):
        return is_container(node)
    return goes_back(node) and not any(map(_goes_both_ways, others))


def _goes_both_ways(node: ast.ClassDef) -> bool:
    """Whether it has a forward and a backward, and is no container."""
    names = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
    forward = any(plain(name) in FORWARDS or plain(name).startswith("forward") for name in names)
    return forward and any(map(gives_gradients, names)) and not is_container(node)


def _is_layer(node: ast.ClassDef) -> bool:
    methods = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    built = methods.get("__init__")
    forward = any(plain(name) in FORWARDS or plain(name).startswith("forward") for name in methods)
    asked = 0 if built is None else len(built.args.args) - len(built.args.defaults) - 1
    return asked >= LEAST_SIZES and forward and any(map(gives_gradients, methods)) and not is_container(node)


def is_of_nodes(node: ast.ClassDef, methods: Collection[str], classes: Mapping[str, ast.ClassDef]) -> bool:
    """Whether it is a network by its name and has a way forward, in a file with an autograd engine."""
    word, names = plain(node.name), {plain(name) for name in methods}
    if NOT_NAMED.search(word) or not NAMED.search(word) or OTHERS.search(node.name):
        return False
    if names & PUT_TOGETHER or _is_handed_layers(node) or is_engine(node):
        return False
    return bool(names & {*FORWARDS}) and any(map(is_engine, classes.values()))


def _is_handed_layers(node: ast.ClassDef) -> bool:
    """Whether its constructor is handed layers: it goes through them and calls a method of each."""
    built = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
    handed = {arg.arg for arg in built.args.args} if built is not None else set()
    kept = {
        target.attr
        for part in (ast.walk(built) if built is not None else ())
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Name) and part.value.id in handed
        for target in part.targets
        if isinstance(target, ast.Attribute)
    }
    for part in ast.walk(node):
        match part:
            case ast.For(target=ast.Name(id=one), iter=iterated, body=body):
                held = {n.attr for n in ast.walk(iterated) if isinstance(n, ast.Attribute)}
                if held & kept and any(_calls_method_of(one, line) for line in body):
                    return True
    return False


def _calls_method_of(name: str, line: ast.stmt) -> bool:
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and isinstance(part.func.value, ast.Name)
        and part.func.value.id == name
        for part in ast.walk(line)
    )
