"""What of a file is none of the kinds and still goes both ways: a class, or a function beside its derivative.

Such a definition is judged by itself: whether its backward is the gradient of its own forward.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from parity.adapters.arguments import plain
from parity.adapters.definitions import parsed, with_lambdas
from parity.adapters.handed_layers import is_container
from parity.adapters.network_calls import returned_by
from parity.adapters.network_words import is_step
from parity.adapters.own_embedding import EMBEDDING
from parity.adapters.own_layer_parts import chosen
from parity.adapters.own_layer_words import BACKWARDS, FORWARDS, NO_OWN, SLOPES, base_of_gradient
from parity.verification.graph_listed import with_graph
from parity.verification.held import is_engine
from parity.verification.listed_names import Listed

OWN_LAYER, NETWORK = "own_layer", "network"
ON_PURPOSE = "by its name its backward is not the gradient of its forward on purpose"
NO_LAYERS = re.compile(  # classes that are more than a layer, or no layer
    "net$|net[0-9]*$|^nn|nn$|network|mlp|model|sequential|container|trainer|optimi[sz]er|classifier|regress|perceptron"
    "|autoencoder|solver|agent|graph|tensor$|variable$|^value$|dataset|loader|base$|abstract|interface|module$|^layer$"
    "|neuron|circuit|unit$|machine$|gan$|vae$|scheduler|initiali[sz]er|metric|learner|pipeline|system|experiment|demo"
)
OF_NETWORKS = re.compile(  # functions that are a whole pass of a network, or nothing by their names
    "^(l?model|network|net|nn|mlp|full|all|the)*(forward|feedforward|propagation|prop|pass|propagate)+"
    "(model|network|net|nn|all|full)*$|network|model|^nn|nn$|train|update|^step$|optimi[sz]|numeric|check|test|plot"
    "|descent|predict|accuracy|^f$|^g$|compute(loss|cost)?$|^cost(function)?$|^loss(function)?$|^objective"
)
BEFORE = (
    *(
        "d",
        "deriv",
        "derivative",
        "derivativeof",
        "derivof",
        "grad",
        "gradient",
        "gradientof",
        "gradof",
        "backward",
    ),
    *("diff", "der", "prime", "dof", "back", "backprop"),
)
AFTER = (
    *(
        "d",
        "deriv",
        "derivative",
        "derivatives",
        "derivate",
        "der",
        "prime",
        "grad",
        "grads",
        "gradient",
        "gradients",
    ),
    *(
        "backward",
        "backwards",
        "bwd",
        "backprop",
        "bprop",
        "back",
        "diff",
        "jacobian",
        "dx",
        "backwardpass",
        "df",
    ),
)
FILLERS = (
    *(
        "forward",
        "fwd",
        "function",
        "func",
        "fn",
        "activation",
        "act",
        "loss",
        "cost",
        "error",
        "penalty",
        "forwardpass",
    ),
    *("regularization", "regularisation", "reg", "layer"),
)
OF_GRAPHS = ("function", "op", "operation", "operator", "node")  # names of bases
MOST_ASKED = 3
VALUES = ("loss", "cost", "penalty", "reg", "j", "l", "value", "error", "out", "norm", "val", "e", "f")
SKIPPED = ("test_", "Test", "_")


def with_own_layers(
    body: Sequence[ast.stmt], found: Sequence[Listed], written: Sequence[str]
) -> list[Listed]:
    """What was found in a file, with those among it that are checked by their own forward.

    `written` are its functions that are not still to be written.
    """
    nodes = {node.name: node for node in with_lambdas(list(body))}
    classes = {name: node for name, node in nodes.items() if isinstance(node, ast.ClassDef)}
    known = {part for one in found if one.kind for part in re.split("[,(]", one.name)}
    functions = [
        name for name in written if isinstance(nodes.get(name), ast.FunctionDef) and name not in classes
    ]
    items = [
        Listed(one.name, OWN_LAYER)
        if one.kind in ("", NETWORK) and one.name in classes and _is_own(one, classes)
        else one
        for one in found
    ]
    pairs = [
        Listed(f"{name},{other}", OWN_LAYER)
        for name, other in partners(functions).items()
        if name not in known and other not in known and not OF_NETWORKS.search(plain(name))
    ]
    paired = {part for one in pairs for part in one.name.split(",")} | known
    pairs += [
        Listed(name, OWN_LAYER)
        for name in functions
        if name not in paired and not name.startswith(SKIPPED) and returns_both(nodes[name])
    ]
    inner = [
        Listed(f"{cls}.{name},{cls}.{other}", OWN_LAYER)
        for cls, node in classes.items()
        if not cls.startswith(SKIPPED) and not any(one.name == cls and one.kind for one in items)
        for name, other in partners(_without_self(node)).items()
        if not {f"{cls}.{name}", f"{cls}.{other}"} & known and not OF_NETWORKS.search(plain(name))
    ]
    taken = {one.name.partition(",")[0] for one in inner}
    found = [one for one in items if one.kind or one.name not in taken] + pairs + inner
    return with_graph(body, found, OWN_LAYER)


def returns_both(node: ast.stmt) -> bool:
    """Whether a function of up to three arguments returns a loss or penalty and its gradient."""
    if not isinstance(node, ast.FunctionDef) or OF_NETWORKS.search(plain(node.name)):
        return False
    names = returned_by(node)
    if len(names) != 2 or not 1 <= len(node.args.args) <= MOST_ASKED:
        return False
    value, gradient = map(plain, names)
    is_value = value in VALUES or value.endswith(("loss", "cost", "penalty", "error", "reg"))
    return is_value and (gradient in ("grad", "gradient") or bool(base_of_gradient(gradient)))


def _without_self(node: ast.ClassDef) -> list[str]:
    """The functions of a class that are called by its name."""
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef) and not _is_stub(part)]
    static = [one for one in methods if any(ast.unparse(d) == "staticmethod" for d in one.decorator_list)]
    return [one.name for one in static]


def _is_own(one: Listed, classes: Mapping[str, ast.ClassDef]) -> bool:
    """Whether it is such a layer; an embedding may keep others, one for each word of a sentence."""
    return goes_both_ways(classes[one.name], classes) and (not one.kind or _is_embedding(one.name))


def _is_embedding(name: str) -> bool:
    return bool(EMBEDDING.search(plain(name)))


def goes_both_ways(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> bool:
    """Whether a class is a layer by its methods: written ones forward and back, and none that trains."""
    if NO_LAYERS.search(plain(node.name)) or is_engine(node):
        return False
    if is_container(node) and not _is_embedding(node.name):
        return False
    if _is_of_graph(node, classes):
        return False
    methods = _methods(node, classes)
    forward, backward = chosen([*methods], FORWARDS), chosen([*methods], (*BACKWARDS, *SLOPES))
    if not forward or not backward or forward == backward:
        return False
    if any(is_step(name) and plain(name).startswith(("train", "fit")) for name in methods):
        return False
    return not (_is_stub(methods[forward]) or _is_stub(methods[backward]))


def _is_of_graph(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], depth: int = 8) -> bool:
    """Whether it is a function of an engine's graph, whose base calls it and keeps what it was given."""
    names = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    above = [classes[name] for name in names if name in classes and name != node.name]
    return any(plain(name) in OF_GRAPHS for name in names) or (
        depth > 0 and any(_is_of_graph(one, classes, depth - 1) for one in above)
    )


def _methods(
    node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], depth: int = 8
) -> dict[str, ast.FunctionDef]:
    found = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    found = {name: part for name, part in found.items() if not name.startswith("__") or name == "__call__"}
    for base in node.bases:
        if depth and isinstance(base, ast.Name) and base.id in classes and base.id != node.name:
            found = _methods(classes[base.id], classes, depth - 1) | found
    return found


def _is_stub(node: ast.FunctionDef) -> bool:
    """Whether a method says nothing but a docstring, `pass`, an exception or that it returns nothing."""
    return all(
        isinstance(line, (ast.Pass, ast.Raise))
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        or (isinstance(line, ast.Return) and (line.value is None or isinstance(line.value, ast.Constant)))
        for line in node.body
    )


def partners(functions: Sequence[str]) -> dict[str, str]:
    """Each function with the one that is its derivative or backward by its name."""
    found: dict[str, str] = {}
    words = {name: plain(name) for name in functions}
    for name in functions:
        if name.startswith(SKIPPED) or (_stem(words[name])[0] != words[name] and not _is_base(name, words)):
            continue
        others = [
            other
            for other in functions
            if other != name and not other.startswith("test_") and _same(words[name], words[other])
        ]
        if len(others) == 1:
            found[name] = others[0]
    return found


def _is_base(name: str, words: Mapping[str, str]) -> bool:
    """Whether no other function is what this one is the derivative of: `d` may begin any word."""
    stems = _stem(words[name])
    return not any(other != name and words[other] in stems for other in words)


def _stem(word: str) -> list[str]:
    """What it may be the derivative of, by its name; the word itself where it is none."""
    found = [word[len(part) :] for part in BEFORE if word.startswith(part) and len(word) > len(part) + 1]
    found += [word[: -len(part)] for part in AFTER if word.endswith(part) and len(word) > len(part) + 1]
    return found or [word]


def _same(word: str, other: str) -> bool:
    """Whether the other is named as the derivative of this one, whatever else stands around both."""
    own = _bare(word)
    return any(stem != other and (stem == word or own & _bare(stem)) for stem in _stem(other))


def _bare(word: str) -> set[str]:
    """The word, and without what says no more than that it is a function."""
    found = {word}
    for part in FILLERS:
        found |= {one[: -len(part)] for one in [*found] if one.endswith(part) and len(one) > len(part) + 1}
        found |= {one[len(part) :] for one in [*found] if one.startswith(part) and len(one) > len(part) + 1}
    return found


def kind_of_pair(name: str, found: Mapping[str, str]) -> str:
    """The kind of a function that is listed beside its derivative; "" where it is not."""
    return next((kind for pair, kind in found.items() if kind == OWN_LAYER and name in pair.split(",")), "")


def is_on_purpose(name: str) -> bool:
    """Whether by its name it hands back another gradient than its own, as a reversal does."""
    return bool(NO_OWN.search(plain(name)))


def with_partner(target: str) -> str:
    """`file.py:mish` or its derivative as both: `file.py:mish,mish_derivative`."""
    where, _, name = target.rpartition(":")
    path = Path(where.removesuffix(":"))
    if "," in name or not path.is_file():
        return target
    try:
        nodes = {node.name: node for _, tree in parsed(path) for node in with_lambdas(tree.body)}
    except (SyntaxError, ValueError, RecursionError, OSError):
        return target
    functions = [one for one, node in nodes.items() if isinstance(node, ast.FunctionDef)]
    both = next((pair for pair in partners(functions).items() if name in pair), (name,))
    return f"{where}:{','.join(both)}"
