"""Layers and models to hand to an optimizer that asks for them, each array where such code looks for it.

Weights and biases are set together in layers. Whatever the optimizer does, in place or by a new array in the
old one's place, is read back. Needs NumPy alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from parity.adapters.arguments import plain

Arrays = dict[str, Any]
FORMS = {
    "dicts": ".params and .grads, dicts",
    "lists": ".params and .grads, lists",
    "attributes": "an attribute for each array (.W, .dW, ...)",
    "slopes": "an attribute for each array (.W, ...) and .grads, a dict",
    "objects": ".parameters() with .data and .grad",
    "variables": ".parameters() with .data and .grad.data",
    "state": "an attribute for each array (.W, .dW, ...) and its moments, 0 at first (.m_W, .W_cache)",
}
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
}


def in_words(rule: str) -> str:
    """What an optimizer is called with whose rule is `way, form` or `way, form, gradients`."""
    way, form, beside = [*rule.split(", "), ""][:3]
    has = FORMS.get(form, ".weights and .biases, lists")
    text = WAYS[way].format(has)
    return f"{BESIDE[beside]} beside {text}".replace(" beside nothing", "") if beside else text


LAYERS, LAYER = ("layers", "layerlist", "modules"), ("layer", "module", "l")
MODEL = ("model", "net", "network", "nn", "neuralnetwork", "fc", "mlp", "dnn", "ann")
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
                if super().__contains__(key) and (slope or name in aliases):
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

    def give(self, array: Any, slope: Any) -> None:
        """This array and its gradient."""
        self.shape, self.size, self.ndim, self.dtype = array.shape, array.size, array.ndim, array.dtype
        for names, held in ((self.OF_ARRAY, array), (GRADS, slope)):
            for name in names:
                setattr(self, name, held)

    def zero_grad(self) -> None:
        """Nothing: the next step has its own gradients."""

    def taken(self, array: Any) -> Any:
        """What the array is now: the same one, or what was put in its place."""
        return next((now for name in self.OF_ARRAY if (now := getattr(self, name)) is not array), array)


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
        for name in GRADS:
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
    "pairs": Pair,
    "dicts": Items,
}


OF_ATTRIBUTES = ("attributes", "slopes", "state")  # forms of a layer
OBJECTS = {"objects": "", "variables": "variables"}  # forms of a layer, and what its arrays are made


class Layer:
    """One layer that holds a weight and its bias in one of the FORMS; a whole model holds every array so."""

    trainable = training = True

    def __init__(
        self,
        names: Sequence[str],
        form: str,
        number: int,
        whole: bool = False,
        asked: Collection[str] = (),
    ):
        self.asked = asked  # names that the code may ask whether they are there
        self.keys = {n: n for n in names} if whole else dict(zip(names, ("W", "b"), strict=False))
        self.form, self.name, self.id = form, f"layer{number}", number
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
            self.params = self.parameters = self.get_params = _CalledList(self.objects)
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

    def slopes(self, grads: Arrays) -> SlopesByName:
        """Its gradients by the names of its arrays."""
        found = {key: grads[name] for name, key in self.keys.items()}
        return SlopesByName({"b": nobodys(found["W"]), **found})

    def _set(self, params: Arrays, grads: Arrays | None) -> None:
        """Under every name; a layer without a bias has one that is nobody's."""
        names = {key: name for name, key in self.keys.items()}
        if self.form == "slopes" and grads is not None:
            self.grads = self.gradients = self.slopes(grads)
        for key, aliases in (("W", WEIGHTS), ("b", BIASES)):
            array = params[names[key]] if key in names else nobodys(params[names["W"]])
            for alias in aliases:
                setattr(self, alias, array)
            if grads is None:
                continue
            slope = grads[names[key]] if key in names else np.zeros_like(array)
            for name in slopes_of(aliases):
                setattr(self, name, slope)

    def __getattr__(self, name: str) -> Any:
        """A moment of the weights or the biases that the layer is to have had from its beginning."""
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
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def params_and_grads(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of an array and its gradient."""
        named: Any = self.keys.values() if self.form == "dicts" else range(len(self.keys))
        return ((self.params[at], self.grads[at]) for at in named)

    def set_params(self, params: Any) -> None:
        """New arrays for the old ones."""
        self.params = params

    set_parameters = set_params

    def taken(self, params: Arrays) -> Arrays:
        """What the arrays are now, by the names that they were given under."""
        found = {}
        for at, (name, key) in enumerate(self.keys.items()):
            if self.form in OF_ATTRIBUTES:
                aliases = [getattr(self, alias) for alias in (WEIGHTS if key == "W" else BIASES)]
                found[name] = next((a for a in aliases if a is not params[name]), params[name])
            elif self.form in OBJECTS:
                found[name] = self.objects[at].taken(params[name])
            else:
                found[name] = self.params[key if self.form == "dicts" else at]
        return found


class TwoLists:
    """A model that has a list of its weights and one of its biases, and of the gradients of both."""

    name = "model"

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
    """A list that is also asked as a dict by number."""

    def items(self) -> Iterator[tuple[int, Any]]:
        """Each number with what is there."""
        return iter(enumerate(self))

    def keys(self) -> range:
        """The numbers."""
        return range(len(self))

    def values(self) -> Iterator[Any]:
        """What is there."""
        return iter(self)


class Model:
    """The layers, as a model shows them."""

    def __init__(self, layers: Sequence[Layer]):
        self.layers = self.modules = ByNumber(layers)

    def params_and_grads(self) -> Iterator[tuple[Any, Any]]:
        """Pairs of an array and its gradient, of all layers."""
        return (pair for layer in self.layers for pair in layer.params_and_grads())

    def parameters(self) -> list[Any]:
        """The parameters of all layers, in a list."""
        return [one for layer in self.layers for one in layer.parameters()]

    get_params = get_parameters = params = parameters

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)
