"""Layers and models to hand to an optimizer that asks for them, each array where such code looks for it.

Weights and biases are set together in layers. Whatever the optimizer does, in place or by a new array in the
old one's place, is read back. Needs NumPy alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.laid_out import Laid
from parity.adapters.optimizer_names import COUNTS, MOMENTS
from parity.adapters.posing import Posing

Arrays = dict[str, Any]
FORMS = {
    "dicts": ".params and .grads, dicts",
    "lists": ".params and .grads, lists",
    "attributes": "an attribute for each array (.W, .dW, ...)",
    "slopes": "an attribute for each array (.W, ...) and .grads, a dict",
    "objects": ".parameters() with .data and .grad",
    "variables": ".parameters() with .data and .grad.data",
    "named objects": ".parameters(), a dict, with .data and .grad",
    "state": "an attribute for each array (.W, .dW, ...) and its moments, 0 at first (.m_W, .W_cache)",
    "items": "an item for each array (['W'], ['dW'], ...)",
    "single": "one array and its gradient each (.W, .dW)",
}
Names = Mapping[str, Sequence[tuple[str, str]]]  # "W" or "b" -> what else its array and gradient are called
LISTS = "two lists"  # the form of a whole model alone
WAYS = {  # who gets the layers
    "layers": "a list of layers that have {}",
    "layer": "each layer, which has {}",
    "model": "a model whose .layers have {}",
    "whole": "a model that has {}",
    "held layers": "nothing: layers come to the constructor, which have {}",
    "held model": "nothing: a model comes to the constructor, whose .layers have {}",
    "held layer": "nothing: a layer comes to the constructor, which has {}; an optimizer for each",
    "held whole": "nothing: a model comes to the constructor, which has {}",
}
BESIDE = {  # gradients that are handed over beside layers, or alone where those are held
    "": "",
    "two lists": "gradients of weights and of biases, in lists",
    "by layer": "the gradients of each layer, by its number and the array's name",
    "in a row": "gradients in a list",
    "in pairs": "a list of pairs of gradients",
    "again": "the same again",
}


def in_words(rule: str) -> str:
    """What an optimizer is called with whose rule is `way, form` or `way, form, gradients`."""
    way, form, beside = [*rule.split(", "), ""][:3]
    has = FORMS.get(form, ".weights and .biases, lists")
    text = WAYS[way].format(has)
    if beside == "again":
        return text.replace("nothing:", f"{BESIDE[beside]}:")
    return f"{BESIDE[beside]} beside {text}".replace(" beside nothing", "") if beside else text


LAYERS, LAYER = ("layers", "layerlist", "modules", "trainable", "trainablelayers"), ("layer", "module", "l")
MODEL = ("model", "net", "network", "nn", "neuralnetwork", "fc", "mlp", "dnn", "ann", "graph")
WEIGHTS, BIASES = ("W", "weights", "weight", "w"), ("b", "biases", "bias", "B")
SLOPES = (
    *(
        "d{}",
        "d_{}",
        "dL_d{}",
        "dE_d{}",
        "dJ_d{}",
        "dLoss_d{}",
        "grad_{}",
        "grad{}",
        "gradient_{}",
        "grads_{}",
    ),
    *("{}_grad", "{}_gradient", "{}_grads", "{}_gradients", "delta_{}", "nabla_{}"),
)
MOMENT = {  # the words of a moment's name beside that of its array
    *("m", "v", "s", "r", "h", "vd", "sd", "md", "m1", "m2", "velocity", "velocities", "cache", "caches"),
    *("momentum", "momentums", "moment", "moments", "first", "second", "squared", "accumulator", "prev"),
}
VALUES = ("data", "value", "val", "array", "params", "param", "_data")  # of a parameter that is an object
GRADS = ("grad", "grads", "gradient", "_grad")
OF_ARRAYS = re.compile(  # what has the arrays of a layer, or sets them, beside `params`
    "(get|set|load|update)?(all|own|trainable|learnable)?"
    "(weights?|params?|parameters|vars|variables|tensors|arrays|thetas?)"
)
OF_SLOPES = re.compile(  # the same of their gradients
    "(get|all)*(d(weights|params|parameters|vars)|(weights?|params?|parameters?|vars?)?(grads?|gradients?)"
    "|(grads?|gradients?)(of)?(weights?|params?|parameters?|vars?))"
)
SAYS_YES = {  # attributes and methods of a layer or parameter by which it is asked whether it is trained
    *("optimizable", "updatable", "learnable", "istrainable", "islearnable", "hasweights", "hasbias"),
    *(
        "hasbiases",
        "hasparams",
        "hasparameters",
        "haslearnableparams",
        "usebias",
        "requiresgrad",
        "needsgrad",
    ),
    *("requiresupdate", "needsupdate", "isparametric", "requiresgradient", "hastrainableparams"),
}
SAYS_NO = {  # those of what is not asked of it: a decay of its own, and not to be trained
    *("weightdecay", "weightdecaylambda", "weightdecayrate", "l1", "l2", "l1lambda", "l2lambda", "l2reg"),
    *("l1reg", "reg", "reglambda", "regularization", "frozen", "freeze", "isfrozen", "skipdecay", "lam"),
}
HOLDS = {  # attributes of a model that are its layers
    *("layers", "modules", "nodes", "blocks", "net", "network", "sequence", "ops", "operations", "children"),
    *("trainablelayers", "denselayers", "hiddenlayers", "layerlist", "alllayers", "sequential", "units"),
    *("trainable", "learnablelayers", "weightlayers", "paramlayers", "layersequence", "structure"),
    *("sublayers", "allsublayers", "getlayers", "getalllayers", "gettrainablelayers", "children"),
}


SIZES = {  # attributes that are the sizes of a layer: whether that of its outputs
    **dict.fromkeys(("inputdim", "inputsize", "indim", "insize", "nin", "ninputs", "infeatures"), False),
    **dict.fromkeys(
        ("outputdim", "outputsize", "outdim", "outsize", "nout", "noutputs", "outfeatures"), True
    ),
}
TAKES_OPTIMIZER = re.compile("(assign|set|attach|register|add|bind|init|link|with)(an|the)?optimi[sz]er")


class Yes(int):
    """1, as an attribute and as a method."""

    def __call__(self) -> Yes:
        return self


def answer(name: str) -> Any:
    """What a layer or parameter says that is asked so of itself. Raises AttributeError for another name."""
    word = plain(name)
    if word in SAYS_YES:
        return Yes(1)
    if word in SAYS_NO:
        return 0.0
    if TAKES_OPTIMIZER.fullmatch(word):
        return lambda *_: None
    raise AttributeError(f"it has no attribute {name!r}")


def ways_for(name: str, held: bool = False) -> list[str]:
    """How a parameter of that name is handed layers, one layer or a model; the likeliest form first."""
    word, before = plain(name), "held " if held else ""
    way = "layers" if word in LAYERS else "model" if word in MODEL else ""
    way = "layer" if word in LAYER else way
    found = [f"{before}{way}, {form}" for form in FORMS] if way else []
    itself = ["whole, dicts", "layer, attributes", "layer, lists"]  # a model that is its own only layer
    itself = ["held whole, dicts", "held whole, lists"] if held else itself
    return [*found, *([*itself, f"{before}whole, {LISTS}"] if way == "model" else ())]


def nobodys(array: Any) -> Any:
    """A bias, or its gradient, for an array that has none."""
    return np.zeros(array.shape[-1:])


class _Called(dict[str, Any]):
    """Arrays by name: `layer.params` and `layer.params()`; W and b under any name that they may have."""

    SLOPES = False  # whether the names of their gradients are meant, too

    def _own(self, name: Any) -> Any:
        if not super().__contains__(name):
            for key, aliases in (("W", WEIGHTS), ("b", BIASES)):
                slope = self.SLOPES and name in slopes_of(aliases)
                capital = isinstance(name, str) and name[:1].lower() + name[1:] in aliases  # Weight, Bias
                if super().__contains__(key) and (slope or capital or name in aliases):
                    return key
        return name

    def __getitem__(self, name: Any) -> Any:
        return super().__getitem__(self._own(name))

    def __setitem__(self, name: Any, value: Any) -> None:
        super().__setitem__(self._own(name), value)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(self._own(name))

    def get(self, name: Any, default: Any = None) -> Any:
        """As a dict's."""
        return super().get(self._own(name), default)

    def __call__(self) -> _Called:
        return self


class _CalledList(list[Any]):
    def __call__(self) -> _CalledList:
        return self


def slopes_of(aliases: Sequence[str]) -> list[str]:
    """What the gradient of an array may be called that has these names: `dW`, `weights_grad`, `dWeights`."""
    words = dict.fromkeys([*aliases, *(alias.capitalize() for alias in aliases)])
    return [slope.format(word) for slope in SLOPES for word in words]


class SlopesByName(_Called):
    """The gradients of one layer's weight and bias: `dW`, `weights_grad` and `W` are one."""

    SLOPES = True

    def _own(self, name: Any) -> Any:
        at = ("W", "b")[name] if type(name) is int and 0 <= name < 2 else name
        return super()._own(at)


def of_layer(params: Arrays, grads: Arrays, weights: str, bias: str, in_lists: bool) -> tuple[Any, Any]:
    """The arrays of one layer and their gradients, in two dicts by whatever names, or in two lists."""
    arrays = {"W": params[weights], "b": params[bias] if bias else nobodys(params[weights])}
    slopes = {"W": grads[weights], "b": grads[bias] if bias else nobodys(params[weights])}
    if in_lists:
        return [*arrays.values()], [*slopes.values()]
    return _Called(arrays), SlopesByName(slopes)


class NumberedSlopes(dict[str, Any]):
    """Gradients by the names `dW1`, `db1`, ... or those of their arrays, `W1`."""

    def __missing__(self, name: str) -> Any:
        if name[:1] == "d" or f"d{name}" not in self:
            raise KeyError(name)
        return self[f"d{name}"]


class Parameter:
    """What a framework makes of an array that is trained, under every name that it may have there."""

    requires_grad = trainable = True
    skip_decay = False
    OF_ARRAY: tuple[str, ...] = VALUES  # its names
    OF_SLOPE: tuple[str, ...] = GRADS

    def called(self, names: Names) -> Any:
        """The same under these names too."""
        further = [pair for pairs in names.values() for pair in pairs]
        self.OF_ARRAY = (*self.OF_ARRAY, *(name for name, _ in further))
        self.OF_SLOPE = (*self.OF_SLOPE, *(name for _, name in further))
        return self

    def give(self, array: Any, slope: Any) -> None:
        """This array and its gradient."""
        self.shape, self.size, self.ndim, self.dtype = array.shape, array.size, array.ndim, array.dtype
        for names, held in ((self.OF_ARRAY, array), (self.OF_SLOPE, slope)):
            for name in names:
                setattr(self, name, held)

    def __getattr__(self, name: str) -> Any:
        return answer(name)

    def zero_grad(self) -> None:
        """Nothing: the next step has its own gradients."""

    def taken(self, array: Any) -> Any:
        """What the array is now: the same one, or what was put in its place."""
        return next((now for name in self.OF_ARRAY if (now := getattr(self, name)) is not array), array)


class Remembering(Parameter):
    """The same with moments, 0 at first, under whatever name they are asked for."""

    def __getattr__(self, name: str) -> Any:
        if name[:1] == "_" or "data" not in vars(self) or plain(name) not in MOMENTS:
            return super().__getattr__(name)
        setattr(self, name, np.zeros_like(self.data))
        return vars(self)[name]


class _Slope:
    """A gradient that is a variable, too."""

    def __init__(self, array: Any):
        self.data = self.value = array
        self.shape = array.shape


class Variable(Parameter):
    """The same with a gradient that is a variable itself: `.grad.data`."""

    def give(self, array: Any, slope: Any) -> None:
        """This array and its gradient."""
        super().give(array, slope)
        for name in self.OF_SLOPE:
            setattr(self, name, _Slope(slope))


class Weight(Parameter):
    """The same under a weight's names: `.w` and `.dw`."""

    NAMES = (*WEIGHTS, "theta", "p", "x")
    OF_ARRAY = (*VALUES, *NAMES)

    def give(self, array: Any, slope: Any) -> None:
        """This array and its gradient."""
        super().give(array, slope)
        for name in slopes_of(self.NAMES):
            setattr(self, name, slope)


class Items(dict[str, Any]):
    """The same as a dict."""

    OF_ARRAY = (*VALUES, *WEIGHTS, "values")

    def give(self, array: Any, slope: Any) -> None:
        """This array and its gradient."""
        self.update(dict.fromkeys(self.OF_ARRAY, array))
        self.update(dict.fromkeys((*GRADS, *slopes_of(WEIGHTS)), slope))

    def taken(self, array: Any) -> Any:
        """What the array is now: the same one, or what was put in its place."""
        return next((now for name in self.OF_ARRAY if (now := self[name]) is not array), array)


class Pair(list[Any]):
    """The same as a pair of both."""

    def give(self, array: Any, slope: Any) -> None:
        """This array and its gradient."""
        self[:] = [array, slope]

    def taken(self, array: Any) -> Any:
        """What the array is now: the same one, or what was put in its place."""
        return self[0]


PARAMETERS = {  # what each array is made, by the end of a rule: "params of pairs", "object of variables"
    "": Parameter,
    "variables": Variable,
    "weights": Weight,
    "moments": Remembering,
    "pairs": Pair,
    "dicts": Items,
}


class Number(int):
    """The number of a layer, as an attribute and as a method."""

    def __call__(self) -> Number:
        return self


OF_ATTRIBUTES = ("attributes", "slopes", "state")  # forms of a layer
OBJECTS = {
    "objects": "",
    "variables": "variables",
    "named objects": "",
}  # forms of a layer, and what its arrays are made


class Layer(Posing):
    """One layer that holds a weight and its bias in one of the FORMS; a whole model holds every array so."""

    trainable = training = True

    @property
    def handed(self) -> Any:
        """What an optimizer is handed for it."""
        return self

    def __init__(
        self,
        names: Sequence[str],
        form: str,
        number: int,
        whole: bool = False,
        asked: Collection[str] = (),
        called: Names | None = None,
        posing: type | None = None,
    ):
        self.posing, self.laid = posing, False
        self.asked = asked  # names that the code may ask whether they are there
        self.called = called or {}
        self.keys = {n: n for n in names} if whole else dict(zip(names, ("W", "b"), strict=False))
        self.form, self.name, self.id = form, f"layer{number}", Number(number)
        self.objects: list[Any] = []
        self.params: Any = None
        self.grads: Any = None

    def give(self, params: Arrays, grads: Arrays | None) -> None:
        """These arrays, where an optimizer looks for them; without gradients, attributes of weights alone."""
        if self.form in OF_ATTRIBUTES:
            self._set(params, grads)
            return
        names = {key: name for name, key in self.keys.items()}
        if self.form in OBJECTS:
            self.objects = self.objects or [PARAMETERS[OBJECTS[self.form]]() for _ in names]
            for parameter, name in zip(self.objects, names.values(), strict=True):
                parameter.give(params[name], (grads or {})[name])
            self._show_objects([*names])
            return
        both: list[Any] = []
        for arrays in (params, grads or {}):
            own = {key: arrays[name] for key, name in names.items()}
            if self.form == "dicts" and [*names] == ["W"]:
                own["b"] = nobodys(own["W"])
            by_name = _Called if arrays is params else SlopesByName
            both.append(by_name(own) if self.form == "dicts" else _CalledList(own.values()))
        self.params = self.parameters = self.get_params = self.get_parameters = both[0]
        self.grads = self.gradients = self.get_grads = self.get_gradients = both[1]

    def _show_objects(self, keys: Sequence[str]) -> None:
        """Them in a list or by name, and each as an attribute: a layer without a bias has None there."""
        by_name = dict(zip(keys, self.objects, strict=True))
        shown: Any = _Called(by_name) if self.form == "named objects" else _CalledList(self.objects)
        self.params = self.parameters = self.get_params = self.get_parameters = shown
        for key in ("W", "b") if {*keys} <= {"W", "b"} else ():
            for alias in self.aliases(key):
                setattr(self, alias, by_name.get(key))

    def slopes(self, grads: Arrays) -> SlopesByName:
        """Its gradients by the names of its arrays."""
        found = {key: grads[name] for name, key in self.keys.items()}
        return SlopesByName({"b": nobodys(found["W"]), **found})

    def _set(self, params: Arrays, grads: Arrays | None) -> None:
        """Under every name; a layer without a bias has one that is nobody's."""
        self.laid = isinstance(params, Laid)
        names = {key: name for name, key in self.keys.items()}
        if self.form == "slopes" and grads is not None:
            self.grads = self.gradients = self.slopes(grads)
        for key in ("W", "b"):
            array = params[names[key]] if key in names else nobodys(params[names["W"]])
            slope = None if grads is None else grads[names[key]] if key in names else np.zeros_like(array)
            further = self.called.get(key, ())
            for name in () if slope is None else (*slopes_of(self.aliases(key)), *(n for _, n in further)):
                setattr(self, name, slope)
            for alias in self.aliases(key):
                setattr(self, alias, array)

    def aliases(self, key: str) -> list[str]:
        """What its weights or its biases are called."""
        return [*(WEIGHTS if key == "W" else BIASES), *(name for name, _ in self.called.get(key, ()))]

    def __getattr__(self, name: str) -> Any:
        """What holds all of its arrays under another name, whether it is trained, or a moment of the weights
        or the biases that the layer is to have had from its beginning."""
        word, form = plain(name), vars(self).get("form", "")
        if form in ("dicts", "lists", *OBJECTS) and name[:1] != "_":
            if OF_ARRAYS.fullmatch(word):
                return self.set_params if word.startswith(("set", "load", "update")) else self.params
            if OF_SLOPES.fullmatch(word):
                return self.grads
        if form == "state" and word in COUNTS and name not in self.asked:
            setattr(self, name, 0)
            return 0
        if form in OF_ATTRIBUTES and word in SIZES:
            return self._size(name, of_outputs=SIZES[word])
        words = set(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*", name))
        own = vars(self)
        if own.get("form") == "state" and name not in own["asked"]:
            for aliases in (WEIGHTS, BIASES):
                of_array = {word for word in words if word in aliases or word.lower() in aliases}
                rest = {word.lower() for word in words - of_array}
                joined = any(name == f"{moment}{alias}" for moment in MOMENT for alias in aliases)  # vb
                if joined or (len(of_array) == 1 and rest and rest <= MOMENT):
                    setattr(self, name, np.zeros_like(getattr(self, aliases[0])))
                    return own[name]
        return answer(name)

    def _size(self, name: str, of_outputs: bool) -> int:
        """How many inputs or outputs it has, where its weights and its bias are of one layer."""
        if not self.laid:
            raise AttributeError(f"it has no attribute {name!r} in this shape of its arrays")
        return int(self.b.size if of_outputs else self.W.size // self.b.size)

    def params_and_grads(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of an array and its gradient."""
        named: Any = self.keys.values() if self.form == "dicts" else range(len(self.keys))
        return ((self.params[at], self.grads[at]) for at in named)

    def set_params(self, params: Any) -> None:
        """New arrays for the old ones."""
        self.params = _Called(params) if self.form == "dicts" and isinstance(params, dict) else params

    set_parameters = set_params

    def taken(self, params: Arrays) -> Arrays:
        """What the arrays are now, by the names that they were given under."""
        found = {}
        for at, (name, key) in enumerate(self.keys.items()):
            if self.form in OF_ATTRIBUTES:
                aliases = [getattr(self, alias) for alias in self.aliases(key)]
                found[name] = next((a for a in aliases if a is not params[name]), params[name])
            elif self.form in OBJECTS:
                found[name] = self.objects[at].taken(params[name])
            else:
                found[name] = self.params[key if self.form == "dicts" else at]
        return found


class TwoLists:
    """A model that has a list of its weights and one of its biases, and of the gradients of both."""

    name = "model"

    @property
    def handed(self) -> Any:
        """What an optimizer is handed for it."""
        return self

    def __init__(self, layers: Sequence[tuple[str, str]]):
        self.keys = {name: name for pair in layers for name in pair if name}
        self.pairs = layers
        self.layers = range(len(layers))  # their numbers, as in `for l in model.layers: model.w[l]`
        self.lists: list[list[Any]] = [[], []]

    def give(self, params: Arrays, grads: Arrays) -> None:
        """These arrays, in the lists that it has had from its beginning."""
        for at, aliases in enumerate((WEIGHTS, BIASES)):
            own, slopes = (self._of(side, at) for side in (params, grads))
            self.lists[at][:] = own
            for alias in aliases:
                setattr(self, alias, self.lists[at])
            for name in slopes_of(aliases):
                setattr(self, name, slopes)

    def _of(self, arrays: Arrays, at: int) -> list[Any]:
        return [arrays[pair[at]] if pair[at] else nobodys(arrays[pair[0]]) for pair in self.pairs]

    def taken(self, params: Arrays) -> Arrays:
        """What the arrays are now, by the names that they were given under."""
        found: Arrays = {}
        for at, aliases in enumerate((WEIGHTS, BIASES)):
            lists = [getattr(self, alias) for alias in aliases]
            now = next((one for one in lists if one is not self.lists[at]), self.lists[at])
            found |= {pair[at]: array for pair, array in zip(self.pairs, now, strict=True) if pair[at]}
        return found


class ByNumber(list[Any]):
    """A list that is also asked as a dict by number, or called for."""

    def __call__(self) -> ByNumber:
        return self

    def items(self) -> Iterator[tuple[int, Any]]:
        """Each number with what is there."""
        return iter(enumerate(self))

    def keys(self) -> range:
        """The numbers."""
        return range(len(self))

    def values(self) -> Iterator[Any]:
        """What is there."""
        return iter(self)


class Model(Posing):
    """The layers, as a model shows them."""

    def __init__(self, layers: Sequence[Any], posing: type | None = None):
        self.posing = posing
        self.layers = self.modules = ByNumber(layers)

    def params_and_grads(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of an array and its gradient, of all layers."""
        return (pair for layer in self.layers for pair in layer.params_and_grads())

    @property
    def parameters(self) -> Any:
        """The parameters of all layers, in a list that may be called for."""
        return _CalledList(one for layer in self.layers for one in layer.parameters())

    @property
    def gradients(self) -> Any:
        """Their gradients, where the layers have them in lists."""
        return _CalledList(one for layer in self.layers for one in layer.grads)

    get_params = get_parameters = params = parameters
    grads = get_grads = get_gradients = gradients

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, at: Any) -> Any:
        return self.layers[at]

    def __getattr__(self, name: str) -> Any:
        """Its layers under another name."""
        if plain(name) in HOLDS and name[:1] != "_":
            return self.layers
        return answer(name)
