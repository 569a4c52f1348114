"""A layer that is given whole numbers, which are rows of its weights: an embedding, and a product with one.

Its input is indices of words, of which some come twice. Its weights and the gradient that it is handed are
multiples of 1/256, so that a difference of its outputs is exact in float32 as well. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from parity.adapters.arguments import plain
from parity.adapters.bench import words_of
from parity.adapters.network_arrays import Place, inside, put, taken
from parity.adapters.network_builds import I
from parity.adapters.network_words import is_gradient
from parity.adapters.own_layer import OwnLayer
from parity.adapters.own_layer_builds import value_by_name
from parity.adapters.own_layer_inputs import ANY, Form
from parity.adapters.own_layer_parts import asked_of
from parity.adapters.own_layer_ways import TIMES_DOUT, WEIGHT, Inputs, Results, Way
from parity.adapters.sources import tree_of_source

WORDS, LONGEST = 12, 8  # words that there are, and of the longest sentence
TWICE = "it is right where no index comes twice: what an index gets again has to be added, as np.add.at does"
PART = 256  # of which all numbers are multiples
EMBEDDING = re.compile("embed|lookup(table|layer)?$")  # in a name of a class
INDICES = re.compile(
    "(word|token|input|target|item|user|context)?(idx|idxs|index|indices|indexes|ids?|tokens?)s?|ix"
    "|(word|token|input)(indices|indexes|index)"
)
COUNTS = re.compile(
    "(num|n)?(vocab|vocabulary|voc|dict|dictionary)(size|dim|len|length|s)?|(num|n)(embeddings?|words|tokens?|items|users"
    "|classes|categories|vocab|emb)|inputdim|inputsize|indim|insize|v|numembs?|inputdims?"
)
WIDTHS = re.compile(
    "(n|num|d|word|token)?(embed(ding)?s?|emb|embd|model|vector|vec|feature|output|out|hidden|wordvec)(dim|dims|size"
    "|ding|s|dimension|dimensions|features)?|dim|dims|d|h|m|dmodel|nembd"
)
LENGTHS = re.compile(
    "(max)?(seq|sequence|block|context|position)(len|length|size|s)?|max(len|length|positions)"
)
TABLES = ("w", "weight", "weights", "embedding", "embeddings", "embeddingmatrix", "embed", "table")
MATRIX = re.compile(
    "(pretrained|word|token)*(emb|embed|embb?ed+ed|embedding|weight|word)s?(matrix|mat|table|weights?)"
)
GENERATORS = ("rng", "generator", "gen", "seed", "randomseed")
PADS = re.compile(r"pad|mask|\[0(, :)?\] = 0|(!=|>) 0\b")  # in the code of one that leaves an index out
FORMS = (
    Form("indices (N,)", (7,), ((I,),)),
    Form("indices (N, T)", (2, 5), ((I,),)),
)


class IndexedLayer(OwnLayer):
    """A class whose forward is given indices, alone or beside an array; or such a function of its weights."""

    _once = False  # whether no index comes twice
    _pads: frozenset[int] = frozenset()  # the indices whose rows may stand for nothing on purpose

    def search(self) -> list[Way]:
        """The ways that run with indices; those of any other layer where none does."""
        if EMBEDDING.search(plain(self.name)) or (self.is_class and any(map(_is_index, self._asked()))):
            for form in FORMS:
                self.ways += self._of_form(form)
        return self.ways or super().search()

    def _asked(self) -> list[str]:
        function = getattr(self.found, self.forward_name) if self.is_class else self.found[0]
        return asked_of(function)[0]

    def _of_form(self, form: Form) -> list[Way]:
        kwargs = self._built_with(form) if self.is_class else {}
        inputs = self._indexed(form)
        if kwargs is None or inputs is None:
            return []
        words = ", ".join(f"{name}={_short(value)}" for name, value in kwargs.items())
        try:
            base = self.built(kwargs)
        except Exception as error:
            self._note(f"{self.name}({words}) raised {words_of(error)}")
            return []
        self._pads = _padding(base, self.found)
        return self._with(base, kwargs, words, form, ANY, inputs)

    def _indexed(self, form: Form) -> Inputs | None:
        """What its forward is given: indices, alone or beside one array; None where it asks for more."""
        asked = self._asked()
        names = [name for name in asked if _is_index(name)]
        tables = [] if self.is_class else [name for name in asked if plain(name) in TABLES]
        others = [name for name in asked if name not in (*names[-1:], *tables)]
        if not names and others:
            names = [others.pop(0)]
        if not names or len(others) > 1 or len(tables) > 1 or (not self.is_class and (others or not tables)):
            return None
        shapes: dict[str, tuple[int, ...]] = {name: (WORDS, I) for name in tables}
        return Inputs(shapes | {name: (*form.shape, I) for name in others}, {names[-1]: form.shape})

    def _built_with(self, form: Form) -> dict[str, Any] | None:
        """What it is built with, by the names of what it asks for; None where one says nothing."""
        try:
            parameters = inspect.signature(self.found).parameters.values()
        except (TypeError, ValueError):
            return None
        asked = [
            p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        names, found = {plain(p.name) for p in asked}, {}
        for p in asked:
            word = plain(p.name)
            if word in GENERATORS:
                found[p.name] = 0 if "seed" in word else np.random.default_rng(0)
                continue
            if word in TABLES or MATRIX.fullmatch(word):
                value: Any = np.random.default_rng(1).standard_normal((WORDS, I))
            elif COUNTS.fullmatch(word):
                value = WORDS
            elif LENGTHS.fullmatch(word):
                value = LONGEST
            else:
                value = I if WIDTHS.fullmatch(word) else value_by_name(word, names, form, I)
            if value is None:
                return None
            found[p.name] = value
        return found

    def _values(self, inputs: Inputs, domain: str, case: int, steady: bool = False) -> dict[str, Any]:
        """What forward is given: of indices whole numbers, some of them more than once."""
        found = super()._values(inputs, domain, case, steady or _of_indices(inputs))
        for name, shape in inputs.fixed.items():
            if isinstance(shape, tuple):
                found[name] = _indices(shape, case, self._pads, self._once)
        return found

    def run(self, held: Any, values: dict[str, Any], other: dict[str, float] | None = None) -> Results:
        """One forward; of indices a result of float32, as of `np.empty((N, T, D), dtype="f")`, in float64."""
        results = super().run(held, values, other)
        of_indices = any(np.asarray(value).dtype.kind == "i" and np.ndim(value) for value in values.values())
        if of_indices and isinstance(results.out, np.ndarray) and results.out.dtype == np.float32:
            results.out = results.out.astype(np.float64)
        return results

    def _roles(self, inputs: Inputs, results: Results) -> Iterator[tuple[tuple[tuple[str, str], ...], bool]]:
        """As of any layer; that of one that is given indices alone takes the gradient of its result."""
        shape = next(iter(inputs.fixed.values()), None)
        if not isinstance(shape, tuple) or np.shape(results.out)[:1] == shape[:1]:
            yield from super()._roles(inputs, results)

    def _read(self, way: Way, base: Any, results: Results, result: Any) -> list[Way]:
        """Indices have no gradient: of an embedding alone that of its weights is looked at."""
        if not _of_indices(way.inputs):
            return super()._read(way, base, results, result)
        if way.inputs.shapes:
            return super()._read(way, base, results, result)
        by_dout = any(role == "dout" for _, role in way.roles)
        return [Way(**{**way.__dict__, "gives": TIMES_DOUT, "by": ()})] if by_dout else []

    def base(self, case: int, decays: bool = False) -> Any:
        layer = super().base(case, decays)
        if self.way is not None and _of_indices(self.way.inputs):
            for place in self._fill:
                value = np.asarray(taken(layer, place), np.float64)
                put(layer, place, np.round(value * PART) / PART)
        return layer

    def _dout(self, out: Any, case: int) -> Any:
        dout = super()._dout(out, case)
        if self.way is None or not _of_indices(self.way.inputs):
            return dout
        return np.round(np.asarray(dout) * PART) / PART if np.ndim(out) else dout

    def _of_weights(self, layer: Any, before: dict[Any, Any], result: Any) -> dict[Any, Any]:
        """The gradients of its weights; of an embedding also the only one there is, returned or in a list."""
        found = super()._of_weights(layer, before, result)
        if self.way is None or self.way.by or len(before) != 1 or found:
            return found
        place, value = next(iter(before.items()))
        part = result[0] if isinstance(result, (tuple, list)) and len(result) == 1 else result
        kept = [part] if isinstance(part, np.ndarray) else []
        kept += [a for at, a in inside(layer) if any(is_gradient(s) for s in at if isinstance(s, str))]
        return {place: kept[0]} if kept and np.shape(kept[0]) == np.shape(value) else {}

    def every_form(self) -> bool:
        return self.way is not None and _of_indices(self.way.inputs)

    def _shapes(self, inputs: Inputs) -> str:
        shapes = inputs.shapes | {name: shape for name, shape in inputs.fixed.items()}
        return ", ".join(f"{name} {shape}" for name, shape in shapes.items())

    def line(self, place: Place) -> str:
        """Where that gradient is computed, and whether it is right where no index comes twice."""
        where = super().line(place)
        if place[0] != WEIGHT or not self.gives_rows():
            return where
        self._once = True
        with suppress(Exception):
            (indices,), layer = self.values_of(0).values(), self.base(0)
            expected = np.zeros(np.shape(taken(layer, place[1:])))
            expected[indices] = self._dout(self.run(self._copy(layer), self.values_of(0)).out, 0)
            if np.allclose(self.gradients(0, False)[place], expected, atol=1e-6):
                where = f"{where}; {TWICE}" if where else TWICE
        self._once = False
        return where

    def gives_rows(self) -> bool:
        """Whether its forward gives exactly the rows of its weights that its input names."""
        if self.way is None or not _of_indices(self.way.inputs) or self.way.inputs.shapes:
            return False
        for case in range(3):
            layer, values = self._copy(self.base(case)), self.values_of(case)
            (indices,) = values.values()
            out = np.asarray(self.run(layer, values).out)
            tables = [np.asarray(taken(layer, place[1:])) for place in self.places if place[0] == WEIGHT]
            tables = [table for table in tables if table.ndim == 2 and len(table) == WORDS]
            if not any(np.array_equal(table[indices], out) for table in tables):
                return False
        return True


def _short(value: Any) -> str:
    if isinstance(value, np.random.Generator):
        return "a generator"
    return f"array {value.shape}" if isinstance(value, np.ndarray) else repr(value)


def _is_index(name: str) -> bool:
    return bool(INDICES.fullmatch(plain(name)))


def _of_indices(inputs: Inputs) -> bool:
    return any(isinstance(value, tuple) for value in inputs.fixed.values())


def _padding(layer: Any, cls: Any) -> frozenset[int]:
    """The indices that fill up a sentence, whose row learns nothing: 0, or what it says itself."""
    own = getattr(layer, "__dict__", {})
    said = {value for name, value in own.items() if "pad" in plain(name) and isinstance(value, int)}
    tree = tree_of_source(cls) if isinstance(cls, type) else None
    return frozenset(said | ({0} if tree is not None and PADS.search(ast.unparse(tree)) else set()))


def _indices(shape: tuple[int, ...], case: int, pads: frozenset[int], once: bool) -> Any:
    """Whole numbers below the vocabulary; unless `once`, in each row and from row to row one comes again."""
    rng = np.random.default_rng([case, 29])
    left = [i for i in range(WORDS) if i not in pads]
    if once:
        return rng.permutation(left)[: int(np.prod(shape))].reshape(shape)
    found = rng.choice(left, shape)
    found[..., 1] = found[..., 0]
    found[..., -1] = found.flat[2]
    return found
