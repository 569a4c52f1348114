"""Plain functions of one file that together are a network: those that make the weights, the way forward, the
cost, and the gradients, as `initialize_parameters`, `forward_propagation`, `compute_cost` and
`backward_propagation`.

Which functions these are, and what each of their parameters is given, is read off their names, what they
return, and how the file itself calls them; nothing is run. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from parity.adapters.arguments import plain
from parity.adapters.definitions import kept
from parity.adapters.function_calls import Calls, calls_of, name_of
from parity.adapters.function_steps import makes_a_step
from parity.adapters.global_weights import made_global, weights_of_file
from parity.adapters.network_calls import returned_by
from parity.adapters.network_words import (
    NO_GRADIENTS,
    OUTS,
    gives_gradients,
    is_gradient,
    is_loss,
    meanings_of_call,
)

INIT = re.compile("init|createparam|createweight|randomweights|makeparam|getparam")
FORWARD = re.compile("forward|fprop|^predict$|^hypothesis$|^model$|^net$|^network$")
NO_FORWARD = re.compile("backward|update|check|plot|test|acc")
COSTS = ("j", "jtheta")  # what else a cost is called where it is returned
ALL = {  # names of all parameters together
    *("parameters", "params", "param", "weights", "model", "theta", "thetas", "network", "net", "nn"),
    *("paramsvalues", "paramvalues", "parametersdict", "weight", "ws", "p"),
}
WEIGHT = re.compile("(w|weights?|thetas?|th|coefs?|coefficients|beta)([0-9]*)")
BIAS = re.compile("(b|bias|intercept)([0-9]*)")
ROWS = {  # of counts of rows
    *("m", "n", "mtrain", "nsamples", "numsamples", "msamples", "numexamples", "nexamples", "samplesize"),
    *("numberofsamples", "numtrain", "ntrain", "mexamples", "numberofexamples", "nrows", "datasize"),
}
FUNCTION = re.compile("(.+?)(func|function|fn)")  # a parameter that is handed one
KEPT_SHARE = {"keepprob", "keep", "keepprobability"}
CLEARLY = 2  # how much nearer than the next a loss has to be
CACHES = ("cache", "caches", "memory", "store", "intermediates", "cached", "saved", "forwardcache")


@dataclass(frozen=True)
class Part:
    """One function: its parameters, whether each is asked for, and the names of what it returns."""

    name: str
    node: ast.FunctionDef
    asked: tuple[tuple[str, bool], ...]
    returned: tuple[str, ...]
    keys: tuple[str, ...]  # of a dict that it returns

    @property
    def meanings(self) -> list[str]:
        return meanings_of_call([name for name, _ in self.asked])


Given = tuple[tuple[str, str], ...]  # (parameter, what it is given)


@dataclass(frozen=True)
class Group:
    """The parts of one network; `given` says of each of them what its parameters are given:

    x, t, out, lr, decay, rows, ...   as in `network_words`
    root:NAME, leaf:NAME              all parameters under that name, or the one of that name among them
    kept:NAME                         what an earlier part returned under that name
    word:WORD, constant:NAME          a word that it compares with, a constant of the file
    function:NAME                     a function of the file

    `guessed` are the parameters that no function makes, so that their shapes are not known.
    """

    gradient: Part
    init: Part | None = None
    forward: Part | None = None
    loss: Part | None = None
    given: Mapping[str, Given] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)
    guessed: tuple[str, ...] = ()
    nodes: tuple[
        ast.FunctionDef, ...
    ] = ()  # of the gradients: the function, and those of the file that it calls
    several: bool = False  # outputs: it has classes
    steps: bool = False  # it takes the gradients away itself
    in_globals: bool = False  # its weights are names of the file, which its functions read

    @property
    def parts(self) -> list[Part]:
        return [part for part in (self.init, *self.chain) if part is not None]

    @property
    def chain(self) -> list[Part]:
        """What is called for the gradients, in order."""
        found = [part for part in (self.forward, self.loss, self.gradient) if part is not None]
        return list({part.name: part for part in found}.values())

    @property
    def name(self) -> str:
        return ",".join(part.name for part in self.parts)

    @property
    def takes_rows(self) -> bool:
        """Whether its gradients are those of several rows: it counts them or adds them up."""
        return any(
            (isinstance(one, ast.Attribute) and one.attr in ("shape", "size", "mean"))
            or (isinstance(one, ast.Call) and name_of(one.func) == "len")
            or (isinstance(one, ast.keyword) and one.arg == "axis")
            or (isinstance(one, ast.Name) and plain(one.id) in ROWS - {"n"})
            for node in self.nodes
            for one in ast.walk(node)
        )


def groups_of(body: Sequence[ast.stmt], only: Sequence[str] = ()) -> list[Group]:
    """The groups of a file, in the order of the functions that give gradients; `only` of those names."""
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    calls = calls_of(body)
    parts = [
        _part(node)
        for name, node in functions.items()
        if not (only and name not in only) and not name.startswith(("test", "_")) and _is_plain(node)
    ]
    beside = Beside({plain(n): n for n in _constants(body)}, {plain(n): n for n in functions})
    found = []
    giving = {part.name for part in parts if _gives_gradients(part)}
    weights = weights_of_file(body, functions)
    for part in parts:
        step = makes_a_step(part.node, part.returned or made_global(part.node), giving)
        group = _group(part, parts, calls, beside, weights) if part.name in giving or step else None
        if group is not None and (not step or _returns_all(group)):
            found.append(replace(group, steps=step))
    several = _has_classes(body)
    lost = _made_by_running(body)
    return [
        replace(g, nodes=tuple(_reached([g.gradient.name], functions)), several=several)
        for g in found
        if not (lost - {*(weights if g.in_globals else ())}) & _globals_read(g, functions)
    ]


def counts_of_rows(body: Sequence[ast.stmt]) -> list[str]:
    """The names of the file that hold a number of rows: `m, n = data.shape`, `m = len(y)`."""
    found = []
    for node in body:
        if isinstance(node, ast.Assign) and _is_size(node.value):
            for target in node.targets:
                for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if isinstance(one, ast.Name) and plain(one.id) in ROWS - {"n"}:
                        found.append(one.id)
    return found


# -- what a function is -------------------------------------------------------------------------------
def _part(node: ast.FunctionDef) -> Part:
    first = len(node.args.args) - len(node.args.defaults)
    asked = [(arg.arg, i < first) for i, arg in enumerate(node.args.args)]
    asked += [
        (arg.arg, default is None)
        for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    ]
    return Part(node.name, node, tuple(asked), tuple(returned_by(node)), tuple(_keys_returned(node)))


def _is_plain(node: ast.FunctionDef) -> bool:
    return node.args.vararg is None and node.args.kwarg is None and not node.args.posonlyargs


def _keys_returned(node: ast.FunctionDef) -> Iterator[str]:
    """The keys of a dict that it returns, as far as they are written out."""
    names = {
        part.value.id
        for part in ast.walk(node)
        if isinstance(part, ast.Return) and isinstance(part.value, ast.Name)
    }
    for part in ast.walk(node):
        match part:
            case ast.Return(value=ast.Dict(keys=keys)):
                yield from _texts(keys)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)) if name in names:
                yield from _texts(keys)
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="dict"), keywords=kw)
            ) if name in names:
                yield from (one.arg for one in kw if one.arg)
            case ast.Subscript(
                value=ast.Name(id=name), slice=ast.Constant(value=str(key)), ctx=ast.Store()
            ) if name in names:
                yield key


def _texts(keys: Sequence[ast.expr | None]) -> Iterator[str]:
    yield from (key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def _gives_gradients(part: Part) -> bool:
    """Whether it gives gradients of weights from inputs or what was kept, and labels."""
    meanings, words = part.meanings, [plain(name) for name, _ in part.asked]
    if "t" not in meanings or {"lr", "dout"} & {*meanings} or NO_GRADIENTS.search(plain(part.name)):
        return False
    returned = [name for name in (*part.returned, *part.keys) if name]
    if not part.returned or not (gives_gradients(part.name) or any(map(is_gradient, returned))):
        return False
    others = [
        word
        for word, meaning in zip(words, meanings, strict=True)
        if meaning not in ("x", "t", "out") or word in ALL
    ]
    return bool(others)


def _gives_loss(part: Part) -> bool:
    """Whether a cost is what it gives, or is among it."""
    if "t" not in part.meanings or "lr" in part.meanings:
        return False
    named = is_loss(part.name) and not gives_gradients(part.name)
    return named or _returns_loss(part)


def _returns_loss(part: Part) -> bool:
    return any(is_loss(name) or plain(name) in COSTS for name in part.returned if name)


def _goes_forward(part: Part) -> bool:
    word = plain(part.name)
    return bool(FORWARD.search(word)) and not NO_FORWARD.search(word) and "x" in part.meanings


# -- putting them together ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Beside:
    """The constants and functions of the file, by their plain names."""

    constants: Mapping[str, str]
    functions: Mapping[str, str]


def _group(
    part: Part, parts: Sequence[Part], calls: Calls, beside: Beside, weights: Sequence[str]
) -> Group | None:
    """The group of a function that gives gradients; None where something that it is given is not known."""
    ranked = sorted(parts, key=lambda other: -_nearness(part, other, calls))  # in their order where equal
    inits: list[Part | None] = [one for one in ranked if _is_init(one)]
    own_loss = _returns_loss(part)
    losses = [one for one in ranked if one is not part and _gives_loss(one) and not _is_init(one)]
    ways = [one for one in ranked if one is not part and _goes_forward(one)]
    made = [_Known(init, calls, beside, part) for init in [*inits, None]]
    if weights and not made[-1].is_enough:
        made = [_Known(None, calls, beside, part, weights), *made]  # before those that make others
    for known in made:
        init = known.init
        if not known.is_enough:
            continue
        found = []
        for loss in [part] if own_loss else losses:
            for forward in [None, *(one for one in ways if one is not loss)]:
                if group := _joined(known, part, init, forward, loss):
                    found.append(group)
                    break
        fit = [group.loss for group in found if group.loss is not None]
        for one in fit if own_loss else _of_best(part, fit, calls):
            return next(group for group in found if group.loss is one)
        if fit:
            return None  # there are losses, and which of them is meant is not known
        for forward in () if own_loss or losses else ways:
            if group := _joined(known, part, init, forward, None):
                return group
    return None


def _returns_all(group: Group) -> bool:
    """Whether the function that makes a step gives back all weights, by their names."""
    if group.in_globals:
        return {*group.guessed} <= {*made_global(group.gradient.node)}
    roots = group.guessed if group.init is None else roots_of(group.init, group.calls)
    there = {plain(name) for name in group.gradient.returned}
    taken = {source for _, source in group.given[group.gradient.name]}
    return all(plain(name) in there and f"root:{name}" in taken for name in roots)


def _joined(
    known: _Known, part: Part, init: Part | None, forward: Part | None, loss: Part | None
) -> Group | None:
    """The group of these, where all that they are given is known, and each of them is needed."""
    chain = [one for one in (forward, loss, part) if one is not None]
    given = known.bound(list({one.name: one for one in chain}.values()))
    if given is None or (loss is not None and forward is not None and not _is_needed(given, forward, chain)):
        return None
    guessed, in_globals = tuple(known.guessed), bool(known.weights)
    return Group(part, init, forward, loss, given, known.calls, guessed, in_globals=in_globals)


def _is_needed(given: Mapping[str, Given], forward: Part, chain: Sequence[Part]) -> bool:
    """Whether what forward returns is given to another."""
    return any(
        source == "out" or source.startswith("kept:")
        for one in chain
        if one is not forward
        for _, source in given[one.name]
    )


def _is_init(part: Part) -> bool:
    return bool(INIT.search(plain(part.name))) and bool(part.returned) and "t" not in part.meanings[:1]


def _nearness(part: Part, other: Part, calls: Calls) -> float:
    """How well two functions go together: something calls both, their names end alike, they call the same."""
    both = calls.callers(part.name) & calls.callers(other.name)
    one, two = _qualifiers(part.name), _qualifiers(other.name)
    own, others = (calls.called_by(name) - {part.name, other.name} for name in (part.name, other.name))
    return (
        10 * len(both) + 2 * len(one & two) - len(one ^ two) + 3 * len(own & others) - 2 * len(own ^ others)
    )


def _of_best(part: Part, losses: Sequence[Part], calls: Calls) -> list[Part]:
    """The losses that may be that of a gradient: where several are as near as the nearest, none is."""
    near = [_nearness(part, one, calls) for one in losses]
    if len(near) > 1 and near[0] - near[1] < CLEARLY:
        return []
    return list(losses[:1])


SAY_NOTHING = {
    *(
        "forward",
        "backward",
        "propagation",
        "prop",
        "propagate",
        "pass",
        "compute",
        "calculate",
        "calc",
        "cost",
    ),
    *(
        "loss",
        "gradient",
        "gradients",
        "grad",
        "grads",
        "with",
        "get",
        "function",
        "fn",
        "func",
        "initialize",
    ),
    *("init", "parameters", "params", "weights", "and", "biases", "update", "backprop", "back", "feed", "f"),
    *("initialization", "initializer", "initialise", "full", "the", "of", "feedforward", "entropy", "cross"),
}


def _qualifiers(name: str) -> set[str]:
    """`regularization` of compute_cost_with_regularization."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return {*re.findall("[a-z]+|[0-9]+", spaced)} - SAY_NOTHING


def roots_of(init: Part, calls: Calls) -> list[str]:
    """The names of what the function returns that makes the weights, there or where it is called."""
    elsewhere = calls.targets(init.name, len(init.returned))
    named = [name or next(iter(elsewhere.get(i, ())), "") for i, name in enumerate(init.returned)]
    return [name or ("params" if len(named) == 1 else f"part{i}") for i, name in enumerate(named)]


class _Known:
    """What there is to give to the functions of a group."""

    def __init__(
        self,
        init: Part | None,
        calls: Calls,
        beside: Beside,
        gradient: Part,
        weights: Sequence[str] = (),
    ):
        self.init, self.weights = init, weights  # weights: names of the file
        self.calls, self.constants, self.functions = calls, beside.constants, beside.functions
        self.roots: dict[str, str] = {}
        self.leaves: dict[str, str] = {}
        self.guessed: list[str] = []
        if init is not None:
            names = roots_of(init, calls)
            self.roots = {plain(name): name for name in names}
            for i, targets in calls.targets(init.name, len(names)).items():
                self.roots |= {plain(one): names[i] for one in targets if plain(one) not in self.roots}
            self.leaves = {plain(key): key for key in init.keys}
        else:
            self.guessed = _guessed(gradient)
            self.roots = {plain(name): name for name in self.guessed}
        self.is_enough = bool(self.roots) or bool(weights)
        self.guessed = [*weights] or self.guessed
        self.all = next(iter(self.roots.values())) if len({*self.roots.values()}) == 1 else ""
        if init is None:
            self.all = ""

    def bound(self, chain: Sequence[Part]) -> dict[str, Given] | None:
        """What each part of the chain is given; None where one asks for what there is not."""
        there, found, out = dict[str, str](), dict[str, Given](), False
        self.beside_outputs = list[str]()  # what a forward returns beside its outputs
        for part in chain:
            given = self._of_part(part, there, out, chain)
            if given is None:
                return None
            found[part.name] = given
            for i, name in enumerate(part.returned):
                there |= {plain(name): plain(name)} if name else {}
                own = plain(name) or f"part{i}{plain(part.name)}"
                there[own] = own
                if _goes_forward(part) and own not in OUTS:
                    self.beside_outputs.append(own)
                for one in self.calls.targets(part.name, len(part.returned)).get(i, ()):
                    there.setdefault(plain(one), own)
            there |= {plain(key): plain(key) for key in part.keys}
            out = out or _goes_forward(part) or any(plain(name) in OUTS for name in part.returned)
        return found

    def _of_part(
        self, part: Part, there: Mapping[str, str], out: bool, chain: Sequence[Part]
    ) -> Given | None:
        given = []
        for (name, asked), meaning in zip(part.asked, part.meanings, strict=True):
            source = self._source(part, name, meaning, there, out, chain)
            if not source and asked:
                return None
            if source and (asked or source.split(":")[0] in GIVEN_ANYWAY):
                given.append((name, source))
        uses = {source.split(":")[0] for _, source in given}
        of_weights = uses & {"root", "leaf", "out", "kept"} or self.weights
        return tuple(given) if uses & {"x", "out", "kept"} and of_weights else None

    @staticmethod
    def _by_role(word: str, chain: Sequence[Part]) -> str:
        """The function of the chain that is meant by `cost_function` and `forward_fn`."""
        for part in chain:
            if (is_loss(word) and _gives_loss(part)) or (FORWARD.search(word) and _goes_forward(part)):
                return part.name
        return ""

    def _source(
        self,
        part: Part,
        name: str,
        meaning: str,
        there: Mapping[str, str],
        out: bool,
        chain: Sequence[Part],
    ) -> str:
        others = self.calls.given(part.name, [one for one, _ in part.asked]).get(name, ())
        outputs = [plain(one) for one in others if plain(one) in there]
        if meaning == "x" and outputs and "x" not in meanings_of_call(others):
            return f"kept:{there[outputs[0]]}"  # loss(x, y) of what a forward gave
        for word in map(plain, (name, *others)):
            if word in self.leaves:
                return f"leaf:{self.leaves[word]}"
            if word in self.roots:
                return f"root:{self.roots[word]}"
            if word == plain(name) and meaning in ("x", "t", "lr"):
                return meaning
            if word in there:
                return f"kept:{there[word]}"
        word = plain(name)
        if handed := FUNCTION.fullmatch(word):
            own = self.functions.get(handed[1]) or self._by_role(handed[1], chain)
            return f"function:{own}" if own else ""
        if self.all and word in ALL:
            return f"root:{self.all}"
        if meaning == "out":
            return "out" if out else ""
        if word in CACHES and len(self.beside_outputs) == 1:
            return f"kept:{self.beside_outputs[0]}"
        if meaning:
            return meaning
        if word in ROWS:
            return "rows"
        if word in KEPT_SHARE:
            return "one"
        if "activation" in word:
            return f"word:{name}"
        return f"constant:{self.constants[word]}" if word in self.constants else ""


GIVEN_ANYWAY = {"lr", "epochs", "x", "t", "out", "root", "leaf", "kept", "decay"}


def _guessed(part: Part) -> list[str]:
    """The names of weights and biases among the parameters of a function, where nothing makes them."""
    return [
        name
        for (name, _), meaning in zip(part.asked, part.meanings, strict=True)
        if meaning not in ("x", "t") and (WEIGHT.fullmatch(plain(name)) or BIAS.fullmatch(plain(name)))
    ]


# -- the rest of the file -----------------------------------------------------------------------------
def _is_size(value: ast.expr) -> bool:
    """Whether it is a size of an array: `data.shape`, `X.shape[1]`, `len(y)`, `y.size`."""
    match value:
        case ast.Subscript(value=inner):
            return _is_size(inner)
        case ast.Attribute(attr="shape" | "size"):
            return True
        case ast.Call(func=ast.Name(id="len")):
            return True
        case ast.Tuple(elts=parts):
            return all(map(_is_size, parts))
    return False


def _constants(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that are given something written out."""
    for node in body:
        match node:
            case ast.Assign(targets=[target], value=value) if not any(
                isinstance(one, (ast.Call, ast.Name, ast.Attribute)) for one in ast.walk(value)
            ):
                yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))


def _made_by_running(body: Sequence[ast.stmt]) -> set[str]:
    """The names that the file makes when it is run, and not where only its definitions are loaded; without
    numbers of rows."""
    made = {
        one.id
        for node in body
        if not kept(node)
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    return made - {*counts_of_rows(body)}


def _globals_read(group: Group, functions: Mapping[str, ast.FunctionDef]) -> set[str]:
    """The names that its functions, and those that they call, read and do not make."""
    found = set[str]()
    for node in _reached([part.name for part in group.parts], functions):
        names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
        made = {one.id for one in names if isinstance(one.ctx, ast.Store)}
        made |= {arg.arg for arg in ast.walk(node) if isinstance(arg, ast.arg)}
        found |= {one.id for one in names if isinstance(one.ctx, ast.Load)} - made
    return found


def _reached(names: Sequence[str], functions: Mapping[str, ast.FunctionDef]) -> Iterator[ast.FunctionDef]:
    """The definitions of functions, and of those of the file that they use."""
    seen, left = set[str](), list(names)
    while left:
        name = left.pop(0)
        if name not in seen:
            seen.add(name)
            yield functions[name]
            used = (one.id for one in ast.walk(functions[name]) if isinstance(one, ast.Name))
            left += [one for one in used if one in functions]


def _has_classes(body: Sequence[ast.stmt]) -> bool:
    """Whether something in the file speaks of several classes."""
    for node in body:
        for part in ast.walk(node):
            word = plain(name_of(part)) if isinstance(part, (ast.Name, ast.Attribute)) else ""
            word = plain(part.name) if isinstance(part, ast.FunctionDef) else word
            if re.search("softmax|argmax|onehot|numclasses|nclasses|todummies|tocategorical", word):
                return True
    return False
