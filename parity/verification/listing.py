"""What a file, a notebook or a folder holds that can be checked: read, not imported.

A class is what its name says, or what a word in it says where it also has a forward; a network is one by
`loss` and `gradient`. Two functions `..._forward` and `..._backward` are one layer, a forward alone one
without gradients; an activation is a function of its name. Adapters are none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from parity.adapters.arguments import plain
from parity.adapters.choice import parted
from parity.adapters.composed_sources import is_composed
from parity.adapters.constants import STEP
from parity.adapters.definitions import defined, parsed, with_lambdas
from parity.adapters.engine import ARITHMETIC
from parity.adapters.engine_backward import backward_in
from parity.adapters.engine_expressions import ALIASES, AXES
from parity.adapters.engine_sources import goes_back_through, is_dual
from parity.adapters.engine_table import (
    ALONG,
    ASK_NOTHING,
    IN_PLACE,
    MATRICES,
    OPERATORS,
    SHAPED,
)
from parity.adapters.engine_table import (
    FUNCTIONS as OF_NODES,
)
from parity.adapters.loss_arguments import meanings_of
from parity.adapters.made_steps import made_step
from parity.adapters.meanings import meanings
from parity.adapters.members import is_derivative, last, steps
from parity.adapters.rule_names import steps_of
from parity.adapters.rule_runs import roles_of
from parity.adapters.signatures import BACKWARD as BACKWARDS
from parity.adapters.signatures import FORWARD as FORWARDS
from parity.adapters.signatures import words_of_methods
from parity.adapters.stateful import KINDS as STATEFUL
from parity.adapters.stateful import reading
from parity.adapters.weight_names import NAMES
from parity.kinds import OPTIMIZER_KINDS, kind_of
from parity.kinds.followed import ACTIVATIONS as BUILT_IN
from parity.kinds.followed import joined
from parity.kinds.names import (
    AROUND,
    LOSS_AROUND,
    kind_by_name,
    kind_by_words,
    kind_of_columns,
    kind_of_layer_function,
    kind_without_praise,
)
from parity.kinds.spelling import respelled
from parity.verification import hinges, huber_arguments
from parity.verification.choices import Dicts, keys_of_dicts
from parity.verification.held import Held, of_class, of_dicts
from parity.verification.labels_taken import CALLED, takes_labels
from parity.verification.leaks import leaks
from parity.verification.listed_choices import choices_of_function, with_choices, without_default
from parity.verification.listed_functions import descends_itself, with_networks_of_functions
from parity.verification.listed_names import ACTIVATIONS, BACKWARD, FORWARD, Listed
from parity.verification.listed_networks import is_container_of, is_network, is_of_nodes
from parity.verification.lone_gradients import lone_gradients
from parity.verification.loss_formulas import (
    is_any_loss,
    kind_by_formula,
    logs,
    logs_of_the_rest,
    squashes_first,
    takes_a_pair,
)
from parity.verification.own_listed import kind_of_pair, with_own_layers
from parity.verification.reshapes import flattens_by_shapes
from parity.verification.step_arguments import is_descent, takes_gradients, takes_options
from parity.verification.step_functions import is_bipolar, is_step
from scratchcnn.lookup import nearest

NETWORK = "network"
OF_GRAPHS = ("Backward", "Backward0", "Grad")  # ends of classes' names
STEPS = ("update", "step", "update_params", "update_weights", "apply_gradients", "apply")  # of an optimizer
SKIPPED = ("test_", "Test", "_")
SUFFIXES = (".py", ".ipynb")
DERIVATIVES = (  # in a name, the function is the other half of another
    *("backward", "grad", "gradient", "derivative", "derivate", "deriv", "prime", "delta", "d", "der"),
    *("dz", "da", "dx", "bprop", "backprop", "jacobian", "back", "test", "plot", "check"),
)
OF_OUTPUTS = ("mean_squared_error", "mean_absolute_error")
DESCENT = {"sgd", "descent", "update", "step", "gd", "optimize"}  # of functions of arrays and a rate
AROUND_DESCENT = {
    *("gradient", "params", "parameters", "weights", "with", "and", "apply", "model", "layers", "of", "new"),
    *("optimizer", "optimization", "optimiser", "rule", "get", "using", "by", "numpy", "np", "accelerated"),
    *("param", "parameter", "weight", "layer", "vanilla", "plain", "simple", "batch", "mini", "decay", "wd"),
    *("make", "create", "build", "new", "init"),
}
NESTEROV = {"nesterov", "nag"}
DENSE = "affine"
OF_NEURONS = {  # the words of a name that ends in layer and says no more, as MiddleLayer and HiddenLayer2
    *("layer", "hidden", "middle", "mid", "output", "out", "input", "in", "first", "second", "third", "last"),
    *(
        "final",
        "inner",
        "neuron",
        "neurons",
        "neural",
        "nn",
        "ann",
        "mlp",
        "perceptron",
        "weight",
        "weighted",
    ),
    *("feed", "forward", "feedforward", *AROUND),
}
WEIGHTS = (*NAMES["W"], "theta")  # in lower case and without underscores
FUNCTIONS = {"function", "func", "fn", "f", "activation", "activationfunction", "act"}  # kept in attributes
HANDED_ON = (ast.Lambda, ast.Name, ast.Tuple, ast.Attribute)
PRODUCTS = {"dot", "matmul", "einsum", "tensordot"}


def listed(path: Path) -> list[Listed]:
    """What the file defines, in its order. Raises SyntaxError or ValueError where it cannot be read."""
    body = [node for _, tree in parsed(path) for node in tree.body]
    assigned = assigned_operators(body)
    nodes, dicts = list(with_lambdas(body)), keys_of_dicts(body)
    by_name = {node.name: node for node in nodes}  # the last definition counts, as in Python
    classes = {name: node for name, node in by_name.items() if isinstance(node, ast.ClassDef)}
    function = next((name for name, node in by_name.items() if goes_back_through(name, node)), "")
    for name in classes if function else ():  # it is their backward
        assigned.setdefault(name, {}).setdefault("backward", function)
    functions = [name for name in by_name if name not in classes and not name.startswith(SKIPPED)]
    stubs = {name for name in functions if is_stub(by_name[name])}  # a backward alone is left out
    written = [n for n in functions if n not in stubs or n.replace(BACKWARD, FORWARD) in stubs]
    found: list[Listed] = []
    gradients = lone_gradients(by_name)
    for name in by_name:
        if name in gradients and name in written:
            found.append(Listed(name, gradients[name]))
        elif name in functions:
            known = _function(name, written, by_name[name])
            kinds = [one.kind for one in known]
            chosen = choices_of_function(name, by_name[name], dicts, kinds, written)
            found += without_default(known, chosen) + chosen
        elif not name.startswith(SKIPPED) and not is_adapter(classes[name]):
            own = _class(classes[name], classes, assigned.get(name, {}), dicts)
            found += _inner_classes(classes[name], classes, own, dicts) or own
    written_here = {name: node for name, node in by_name.items() if isinstance(node, ast.FunctionDef)}
    found += _of_nodes(written_here, found, assigned)
    found = with_networks_of_functions(body, found, NETWORK)
    there = {part for one in found for part in one.name.split(",")}
    items = [held for held in of_dicts(body, written_here) if held.other not in there]
    found += [one for one in _of_objects(body, classes) if one.name not in by_name]
    found += _of_held(items) + [Listed(held.target, "") for held in _left(items)]
    return with_own_layers(body, found, written)


def _of_objects(body: Sequence[ast.stmt], classes: Mapping[str, ast.ClassDef]) -> Iterator[Listed]:
    """Activations that are objects which keep their functions: `relu = Activation(f, df)`."""
    for node in body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=cls), args=[_, _, *_])
            ):
                kind = kind_by_name(name) or ""
                if cls in classes and kind in ACTIVATIONS:
                    yield Listed(name, kind)


def _class(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], assigned: dict[str, str], dicts: Dicts
) -> list[Listed]:
    """A class, and the functions that it keeps where it is none of the kinds or has no forward itself.

    `assigned` are the operators that it is given outside of it, `dicts` the module's.
    """
    found = _class_and_held(node, classes, assigned)
    return with_choices(node, found, _defs(node, classes), dicts)


def _inner_classes(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], outer: list[Listed], dicts: Dicts
) -> list[Listed]:
    """The classes in a class that is none of the kinds, where one of them is: `Activation.ELU`."""
    inner = {part.name: part for part in node.body if isinstance(part, ast.ClassDef)}
    own = [one for part in inner.values() for one in _class(part, classes | inner, {}, dicts)]
    known = not any(one.kind for one in outer) and any(one.kind for one in own)
    return [Listed(f"{node.name}.{one.name}", one.kind) for one in own] if known else []


def _class_and_held(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], assigned: dict[str, str]
) -> list[Listed]:
    base = _leaves_to_others(node, classes)
    whole = Listed(node.name, "" if base else _kind_of_class(node, classes))
    held = of_class(node)
    operators = _operators(node, classes, assigned)
    inner = [*operators, *_of_held(held)]
    methods = {*words_of_methods(_methods(node, classes), whole.kind).values()}
    called = methods & {*CALLED, *map(plain, (*STEPS, *FORWARDS))}
    if not inner or (whole.kind not in ("", NETWORK) and called):
        return [whole]
    if whole.kind not in ("", NETWORK):
        return inner
    if operators or any(one.method for one in held) or whole.kind:
        return [whole, *inner]
    return inner + [Listed(one.target, "") for one in _left(held)]


def assigned_operators(body: Sequence[ast.stmt]) -> dict[str, dict[str, str]]:
    """The operators that classes are given where they are written no more: `Variable.__add__ = add`."""
    found: dict[str, dict[str, str]] = {}
    inner = [part for statement in body for part in ast.walk(statement)]
    for node, target in [(a, target) for a in inner if isinstance(a, ast.Assign) for target in a.targets]:
        match target:
            case ast.Attribute(value=ast.Name(id=cls), attr=name) if name in OPERATORS:
                found.setdefault(cls, {})[name] = _function_named(node.value)
    return found


def _function_named(value: ast.expr) -> str:
    """`add` of add, and `__add__` of Tensor.__add__."""
    return ast.unparse(value).rpartition(".")[2]


def _operators(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], assigned: dict[str, str]
) -> list[Listed]:
    """The operators of an autograd engine's class, and its methods that are some, in their own order."""
    own = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    given = aliases_of(node) | assigned
    names = own.keys() | given.keys()
    backward = backward_in({*_methods(node, classes)} | given.keys()) or is_dual(node)
    if not names & {*ARITHMETIC} or not backward:
        return []
    matrices = [name for name in MATRICES if name in names]  # the same under several names
    others = {name for name, method in own.items() if not _takes_what_is_given(name, method)}
    others |= {*matrices[1:], *(name for name in own if is_stub(own[name]))}
    others |= {name for name in IN_PLACE if name in own and _writes_into_self(own[name])}
    others |= {name for name in given if is_the_same(name, given)}
    found = [name for name in OPERATORS if name in names - others]
    return [Listed(f"{node.name}.{name}", OPERATORS[name][0]) for name in found]


def _of_nodes(
    functions: dict[str, ast.FunctionDef], found: Sequence[Listed], assigned: dict[str, dict[str, str]]
) -> list[Listed]:
    """The functions of nodes that are an operator, where a class of the file is an engine without it."""
    engines = {one.name.partition(".")[0] for one in found if one.name.rpartition(".")[2] in ARITHMETIC}
    given = {name for cls in engines for name in assigned.get(cls, {}).values()}
    names = [name for name in functions if name in OF_NODES and engines and name not in given]
    names = [name for name in names if not is_stub(functions[name])]
    return [
        Listed(name, OPERATORS[OF_NODES[name]][0])
        for name in names
        if _required(functions[name]) == _nodes_of(OF_NODES[name])
    ]


def _nodes_of(operator: str) -> int:
    """How many arguments a function that is this operator asks for."""
    return 2 if operator in ("__add__", "__sub__", "__mul__", "__truediv__", "__matmul__", *SHAPED) else 1


def _takes_what_is_given(name: str, method: ast.FunctionDef) -> bool:
    """Whether a method that is an operator asks for no more than it is given there."""
    args = [arg.arg for arg in _asked_for(method)]
    if name in SHAPED:
        return len(args) in (1, 2) or method.args.vararg is not None
    if name in ALONG:
        return not args or (len(args) == 1 and args[0] in AXES)
    return len(args) <= 2 if name == "transpose" else not args or name not in ASK_NOTHING


def aliases_of(node: ast.ClassDef) -> dict[str, str]:
    """The operators that a class is given by name or as a lambda: `__radd__ = __add__`."""
    found = {}
    for part in node.body:
        match part:
            case ast.Assign(targets=[ast.Name(id=name)]) if name in OPERATORS:
                found[name] = _function_named(part.value)
    return found


def is_the_same(name: str, given: Mapping[str, str]) -> bool:
    """Whether it is another operator under the name that this has from the right: `__radd__ = __add__`."""
    own = ALIASES.get(name, "")
    return bool(own) and given[name] in (own, given.get(own))


def _writes_into_self(method: ast.FunctionDef) -> bool:
    """Whether it gives self back: its left operand is then gone."""
    returned = [part.value for part in ast.walk(method) if isinstance(part, ast.Return)]
    rebound = {one.id for one in ast.walk(method) if isinstance(one, ast.Name) and type(one.ctx) is ast.Store}
    return "self" not in rebound and any(isinstance(one, ast.Name) and one.id == "self" for one in returned)


def _of_held(held: Sequence[Held]) -> list[Listed]:
    """Those whose names show what they are; of methods activations and losses alone."""
    names, found = [last(one.target.partition(",")[0]).lstrip("_") for one in held], []
    for one, name in zip(held, names, strict=True):
        if (
            one.private
            or name.startswith(SKIPPED)
            or (one.method and set(name.lower().split("_")) <= LOSS_AROUND)
        ):
            continue  # the loss of a network goes through all of it
        for listed_ in _function(name, names, one.node):
            loss = kind_of(listed_.kind).role == "loss"
            least = 2 if loss else 0 if one.engine and listed_.kind in ACTIVATIONS else 1
            usual = listed_.kind in ACTIVATIONS or loss
            if len(one.node.args.args) >= least and (usual or not one.method):
                other = listed_.name.partition(",")[2]  # a backward beside it
                beside = [h.target for h, n in zip(held, names, strict=True) if n == other]
                found.append(Listed(",".join([one.target, *beside]), listed_.kind))
    return found


def _left(held: Sequence[Held]) -> list[Held]:
    """Those that are neither listed nor another's derivative."""
    known = {one.name.partition(",")[0] for one in _of_held(held)}
    names = [(one, last(one.target.partition(",")[0])) for one in held]
    return [
        one
        for one, name in names
        if one.target.partition(",")[0] not in known and not (is_derivative(name) or name.startswith(SKIPPED))
    ]


def kind_of_target(target: str) -> str | None:
    """The kind of `file.py:Name` by its name, else by the list of its file; None where neither says."""
    where, _, name = target.rpartition(":")
    path = Path(where.removesuffix(":"))
    name = name.replace("'", '"')
    known = kind_by_name(parted(last(name.partition(",")[0]))[0])
    if path.suffix not in SUFFIXES or not path.is_file():
        return known
    try:
        found = {one.name: one.kind for one in listed(path)}
    except (SyntaxError, ValueError, OSError, RecursionError):
        return known
    kind = found.get(name) or found.get(name.partition(",")[0]) or kind_of_pair(name, found)
    return kind if kind and kind != NETWORK else known or kind or None


def unreadable(target: str) -> str:
    """Why the file of `file.py:Name` is no Python, with its line, in a sentence; "" where it is."""
    where, _, _ = target.rpartition(":")
    path = Path(where.removesuffix(":"))
    try:
        if path.suffix in SUFFIXES and path.is_file():
            parsed(path)
    except (SyntaxError, ValueError, RecursionError) as error:
        return f"{path.name} could not be read: {type(error).__name__}: {error}"
    except OSError:
        pass
    return ""


def no_such_name(target: str) -> str:
    """That the file of `file.py:Name` does not define it, and what is near, in a sentence; "" where it does,
    or where that cannot be read off."""
    where, _, names = target.rpartition(":")
    path = Path(where.removesuffix(":"))
    try:
        trees = [tree for _, tree in parsed(path)] if path.suffix in SUFFIXES and path.is_file() else []
    except (SyntaxError, ValueError, OSError, RecursionError):
        return ""
    there = {node.name for tree in trees for node in defined(tree.body)}
    firsts = [parted(steps(name)[0][1])[0] for name in names.split(",") if steps(name)]
    missing = [name for name in firsts if name not in there]
    imported = {
        alias.asname or alias.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, (ast.ImportFrom, ast.Import))
        for alias in node.names
    }
    assigned = {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)}
    missing = [name for name in missing if name not in imported | assigned]
    near = nearest(missing[0], there) if missing else ""
    return f"{path.name} defines no {missing[0]}{near}" if missing and (near or "*" not in imported) else ""


def _kind_of_class(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> str:
    methods = set(_methods(node, classes))
    of_graph = node.name.endswith(OF_GRAPHS) and kind_by_words(node.name) not in OPTIMIZER_KINDS  # AdaGrad
    if of_graph and not methods & {"forward", "backward"}:
        return ""  # what an engine calls for the gradient alone
    if {"loss", "gradient"} <= methods:
        if plain(node.name) in LOSS_AROUND:
            return ""  # the base of losses
        kind = _as_written(kind_by_words(node.name), node)
        return kind if kind and kind_of(kind).role == "loss" else NETWORK
    if {"activation", "linear"} == set(re.findall(r"[a-z]+", _spaced(node.name))):
        return "identity"
    known = _as_written(kind_by_name(node.name), node)
    if not known and flattens_by_shapes(node.name, _built_of(node, classes)):
        known = "flatten"
    if not known and plain(node.name) == "step" and _forwards(node, classes) and not steps_of(methods):
        known = _as_written(STEP, node)
    if known == "affine" and _is_identity_class(node, classes):
        return "identity"
    if known == "softmax" and _takes_labels(node, classes):
        return "softmax_with_loss"
    if known in BUILT_IN and _is_dense(node, classes):
        return joined(DENSE, known)
    if known:
        return known  # whatever it has: that it lacks a forward is worth a sentence
    if is_container_of(node, classes):
        return NETWORK
    if plain(node.name) == "matmul" and len(_built_of(node, classes)) == 1:
        return "affine"  # without a bias
    if steps_of(methods) and kind_by_words(node.name) in OPTIMIZER_KINDS:
        return kind_by_words(node.name) or ""
    meant = _as_written(kind_by_words(node.name), node) or ""
    meant = "softmax_with_loss" if meant == "softmax" and _takes_labels(node, classes) else meant
    meant = joined(DENSE, meant) if meant in BUILT_IN and _is_dense(node, classes) else meant
    if not meant and _is_of_neurons(node.name) and _is_dense(node, classes):
        meant = DENSE
    of_two = any(takes_a_pair(_built_of(node, classes), method) for method in _forwards(node, classes))
    meant = meant or (kind_by_formula(node) if of_two and is_any_loss(node.name) else "")
    trains = is_network(node, methods) or is_of_nodes(node, methods, classes)
    trains = trains or is_composed(node, classes)
    if not meant and trains and not _has_foreign_base(node, classes):
        return NETWORK
    words = {*words_of_methods(methods, meant).values()}
    called = words & set(CALLED) or (words & set(FORWARDS) and words & set(BACKWARDS))
    return meant if called or _has_foreign_base(node, classes) else ""


def _defs(node: ast.ClassDef, classes: dict[str, ast.ClassDef], depth: int = 8) -> dict[str, ast.FunctionDef]:
    """Its methods by name, and those of its bases in the same file that it does not have itself."""
    found = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    for base in node.bases:
        if depth and isinstance(base, ast.Name) and base.id in classes and base.id != node.name:
            found = _defs(classes[base.id], classes, depth - 1) | found
    return found


def _built_of(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> list[str]:
    """What its constructor asks for."""
    constructor = _defs(node, classes).get("__init__")
    return [] if constructor is None else [arg.arg for arg in _asked_for(constructor)]


def _asked_for(method: ast.FunctionDef) -> list[ast.arg]:
    """The parameters of a method that have no default, without self."""
    return method.args.args[1 : len(method.args.args) - len(method.args.defaults)]


def _forwards(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> list[ast.FunctionDef]:
    return [method for name, method in _defs(node, classes).items() if plain(name) in CALLED]


def _is_dense(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether it is built of two sizes, keeps weights and multiplies matrices."""
    parts = [part for method in _defs(node, classes).values() for part in ast.walk(method)]
    names = {part.attr for part in parts if isinstance(part, ast.Attribute)}
    weights = any(plain(name) in WEIGHTS for name in names)
    asked = _built_of(node, classes)
    sizes = [name for name in asked if {"I", "O"} & {*meanings(name, DENSE)}]
    of_sizes = len(sizes) >= 2 or len(asked) == 2
    return of_sizes and weights and _multiplies(parts)


def _is_of_neurons(name: str) -> bool:
    """Whether it is called a layer, and nothing in its name says of what."""
    words = re.findall("[a-z]+", _spaced(name))
    return "layer" in words and {*words} <= OF_NEURONS


def _multiplies(parts: Sequence[ast.AST]) -> bool:
    """Whether matrices are multiplied in it."""
    names = {part.attr for part in parts if isinstance(part, ast.Attribute)}
    return any(isinstance(part, ast.MatMult) for part in parts) or bool(names & PRODUCTS)


def _is_identity_class(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether a class called linear is built of nothing, takes x alone and multiplies no matrices."""
    if set(re.findall(r"[a-z]+", _spaced(node.name))) - {"layer"} != {"linear"} or _has_foreign_base(
        node, classes
    ):
        return False
    defs, forwards = _defs(node, classes), _forwards(node, classes)
    constructor = defs.get("__init__")
    takes_more = constructor is not None and len(constructor.args.args) > 1
    if takes_more or not forwards or any(len(_asked_for(method)) != 1 for method in forwards):
        return False
    parts = [part for method in defs.values() for part in ast.walk(method)]
    return not _multiplies(parts)


def _takes_labels(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    methods = _defs(node, classes)
    return takes_labels({name: [plain(a.arg) for a in _asked_for(one)] for name, one in methods.items()})


def _spaced(name: str) -> str:
    """`LinearActivation` -> `linear activation`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()


def _as_written(kind: str | None, node: ast.stmt) -> str | None:
    """The kind as its source has it: a squared error that goes through a softmax first is none, nor is a step
    function of -1 and 1, unless its name says that it is the other one."""
    if kind == STEP:
        return None if is_bipolar(node) or _required(node) > 1 else kind
    if kind == huber_arguments.KIND and not huber_arguments.takes_a_pair(node):
        return None
    if kind in hinges.KINDS:
        return hinges.hinge_of(node)
    if kind == "relu" and leaks(node):
        return "leaky_relu"
    if kind in OF_OUTPUTS and squashes_first(node):
        return None
    return _of_two_classes(kind, node)


def _of_two_classes(kind: str | None, node: ast.stmt) -> str | None:
    """A cross entropy with log(1 - y) in it is that of two classes, unless its name says otherwise; a log
    loss without it, that of many."""
    name = plain(getattr(node, "name", ""))
    if kind == "binary_cross_entropy" and name == "logloss":
        return "softmax_with_loss" if logs(node) and not logs_of_the_rest(node) else kind
    if (
        kind not in ("softmax_with_loss", "weighted_cross_entropy")
        or "softmax" in name
        or "categorical" in name
    ):
        return kind
    return "binary_cross_entropy" if logs_of_the_rest(node) else kind


def is_adapter(node: ast.ClassDef) -> bool:
    """Whether it is a subclass of an adapter, which is no part of the code under test."""
    names = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    return any("Adapter" in name or name == "Book" for name in names)


def _methods(node: ast.ClassDef, classes: dict[str, ast.ClassDef], depth: int = 8) -> Iterator[str]:
    """Its methods and those of its bases in the same file."""
    own = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    yield from (part.name for part in own)
    yield from (name for part in own if part.name == "__init__" for name in _chosen(part))
    for base in node.bases:
        if depth and isinstance(base, ast.Name) and base.id in classes and base.id != node.name:
            yield from _methods(classes[base.id], classes, depth - 1)


def _chosen(constructor: ast.FunctionDef) -> Iterator[str]:
    """Methods that a constructor chooses: `self.forward = self.forward_fast`; a function and its derivative
    that it keeps: `self.f, self.df = f, df`."""
    kept = {plain(name): name for name in _kept(constructor)}
    if kept.keys() & FUNCTIONS and any(is_derivative(name) for name in kept.values()):
        yield from (name for word, name in kept.items() if word in FUNCTIONS or is_derivative(name))
    for part in ast.walk(constructor):
        match part:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)],
                value=ast.Attribute(value=ast.Name(id="self")),
            ):
                yield name


def _kept(constructor: ast.FunctionDef) -> Iterator[str]:
    """The attributes that it sets to what it is given, or to lambdas."""
    for part in ast.walk(constructor):
        given = isinstance(part, ast.Assign) and isinstance(part.value, HANDED_ON)
        for target in part.targets if isinstance(part, ast.Assign) and given else ():
            ones = [target, *(target.elts if isinstance(target, ast.Tuple) else ())]
            yield from (one.attr for one in ones if isinstance(one, ast.Attribute))


def _leaves_to_others(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether it is a base whose subclasses in the file define a method that it calls and does not have."""
    heirs = [one for one in classes.values() if any(ast.unparse(base) == node.name for base in one.bases)]
    if not heirs or _has_foreign_base(node, classes):
        return False
    own = set(_methods(node, classes))
    own |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    called = {
        call.func.attr
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "self"
    }
    missing = called - own
    return bool(missing) and all(missing <= set(_methods(heir, classes)) for heir in heirs)


def _has_foreign_base(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether it inherits from a class that is not in the file, so that its methods are not all known."""
    names = [base.id if isinstance(base, ast.Name) else "" for base in node.bases]
    return any(name not in classes and name not in ("object", "ABC", "Enum") for name in names)


def _function(name: str, functions: Sequence[str], node: ast.stmt) -> list[Listed]:
    """A function that is a kind of its own, an activation, or a forward with the backward beside it.

    One of a layer's very name is that layer if it takes more than x: `linear(x)` may be the identity.
    """
    known = "identity" if _is_identity(name, node) else _as_written(kind_by_name(name), node)
    if known is None and is_step(name, node):
        known = _as_written(STEP, node)
    if known and (known in ACTIVATIONS or kind_of(known).role == "function" or _pools_all(known, name)):
        return [Listed(name, known)]
    derives = bool(set(name.lower().split("_")) & set(DERIVATIVES))
    if known is None and not derives and _required(node) > 0:
        bare = _as_written(kind_without_praise(name), node)
        if bare in ACTIVATIONS:
            return [Listed(name, bare or "")]
        columns = kind_of_columns(name) or ""
        if columns and kind_of(columns).role == "function":
            return [Listed(name, columns)]
        known = _as_written(kind_of_layer_function(name), node)
        known = known if _required(node) > 1 or known == "layer_norm" else None
        known = known if known and kind_of(known).role == "layer" else None
    if known == "flatten" and _required(node) == 1 and _flattens(node):
        return [Listed(name, known)]
    alone = known == "layer_norm"  # which takes x and nothing else where it has no gamma and beta
    if known and isinstance(node, ast.FunctionDef) and len(node.args.args) > (0 if alone else 1):
        return [Listed(name, known)] if known not in OPTIMIZER_KINDS or takes_gradients(node) else []
    if rule := _rule(name, node):
        return [Listed(name, rule)]
    if derives:
        return []
    if is_any_loss(name) and _required(node) == 2:  # compute_cost(AL, Y)
        return [Listed(name, shown)] if (shown := kind_by_formula(node)) else []
    meant = _as_written(kind_by_words(name), node)
    if meant and "likelihood" in name.lower() and not _takes_a_label(node):
        return []  # of another distribution
    if meant and kind_of(meant).role == "loss" and FORWARD not in respelled(name):
        return [Listed(name, meant)]
    meant_name = respelled(name)
    other = meant_name.replace(FORWARD, BACKWARD)
    words = re.sub(r"_+", "_", meant_name.replace(FORWARD, "")).strip("_")
    kind = kind_by_words(words) if other != meant_name else None
    other = next((one for one in functions if respelled(one) == other), other)
    if not kind or (kind == "identity" and _required(node) != 1):
        return []
    return [Listed(f"{name},{other}" if other in functions else name, kind)]


def _pools_all(kind: str, name: str) -> bool:
    """Whether it pools over whole images, and takes nothing but them; `gap` may be anything."""
    return kind == "global_average_pooling" and "pool" in name.lower()


def _takes_a_label(node: ast.stmt) -> bool:
    """Whether a function takes an output and a label by their names, and nothing else."""
    names = [arg.arg for arg in node.args.args] if isinstance(node, ast.FunctionDef) else []
    return _required(node) == 2 and sorted(meanings_of(names[:2])) == ["t", "x"]


def _rule(name: str, node: ast.stmt) -> str:
    """The kind of a function that is one step of an optimizer by its name and what it takes; "" for none.

    Plain gradient descent takes (params, grads, lr) or (model, lr) alone, the others their state besides.
    """
    words = {"rmsprop" if word == "rms" else word for word in name.lower().split("_")}
    named = ["nesterov"] if words & NESTEROV else [kind for kind in STATEFUL if kind in words]
    rest = (
        words - DESCENT - AROUND_DESCENT - {*named} - (NESTEROV | {"momentum"} if words & NESTEROV else set())
    )
    if rest or len(named) > 1 or not isinstance(node, ast.FunctionDef) or descends_itself(node):
        return ""
    least = _required(node)
    params = [{"name": p.arg, "required": at < least} for at, p in enumerate(node.args.args)]
    kind = next(iter(named or ["sgd"] if named or words & DESCENT else []), "")
    if kind and made_step(node) is not None:
        return kind
    if kind and roles_of(params, kind):
        return kind
    if takes_options(node):
        return kind
    if not named and {"beta1", "beta2"} <= {plain(p.arg) for p in node.args.args} and reading(params, "adam"):
        return "adam"  # update(t, grads, adam_param, beta1, beta2)
    if not named:
        return "sgd" if words & DESCENT and is_descent(node) else ""
    return named[0] if reading(params, named[0]) else ""


def is_stub(node: ast.stmt) -> bool:
    """Whether a function is still to be written: a docstring, `pass` or an exception, and no more."""
    return all(
        isinstance(line, (ast.Pass, ast.Raise))
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in getattr(node, "body", ())
    )


def _flattens(node: ast.stmt) -> bool:
    """Whether it gives an array another shape."""
    names = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return bool(names & {"reshape", "flatten", "ravel"})


def _is_identity(name: str, node: ast.stmt) -> bool:
    """Whether it is called linear and takes x alone, beside what has a default."""
    return name.lower() in ("linear", "identity") and _required(node) == 1


def _required(node: ast.stmt) -> int:
    """How many arguments a function requires; -1 for what is none."""
    return len(node.args.args) - len(node.args.defaults) if isinstance(node, ast.FunctionDef) else -1


def files_of(folder: Path) -> list[Path]:
    """The files below a folder in which something may be defined."""
    return [path for path in _named(folder) if path.is_file()]


def passed_over(folder: Path) -> dict[str, str]:
    """What is named like one of those files and can be no file: its path below the folder, and what it is."""
    odd = [path for path in _named(folder) if not path.is_file() and not path.is_dir()]
    return {path.relative_to(folder).as_posix(): _what(path) for path in odd}


def _what(path: Path) -> str:
    if path.is_fifo():
        return "a pipe"
    return "a symbolic link to nothing" if path.is_symlink() and not path.exists() else "no regular file"


def _named(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
