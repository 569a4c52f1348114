"""A test to paste for a whole network: its gradient beside differences of its own loss, and its scores.

No sizes are guessed: a network is built as the tests at hand build it, and given x and t of the shapes that
they use, or of one that is not square where its constructor takes the shape of an image.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.audit.suggest import Suggestion

MOST_BUILDS = 3  # ways of building it that are tried
NOT_SQUARE = ((10, 12), (12, 16), (20, 16))  # heights and widths of the images that are tried
SEEDS = 8  # of which the one is taken whose numbers reach most of the network
SEEN_CALL = "call of the network: "  # before what a watched network notes
# Of a difference: its step, the relative error allowed and the absolute one; in float64 and in float32.
STEPS = ((1e-6, 1e-4, 1e-12), (1e-3, 0.01, 1e-6))


@dataclass(frozen=True)
class Build:
    """How the tests build and call the network: arguments as text, shape of one x, whether t is one-hot."""

    arguments: Mapping[str, str]
    shape: tuple[int, ...] = ()
    one_hot: bool = False


# -- how the tests call it ----------------------------------------------------------------------------
def watch(person: type, notes: list[str]) -> None:
    """From now on the network notes how it is built and called."""
    own_init, signature = person.__init__, inspect.signature(person)  # type: ignore[misc]

    @functools.wraps(own_init)
    def __init__(self: Any, *args: Any, **given: Any) -> None:
        with suppress(TypeError, ValueError):
            self.__dict__.setdefault("_built", _arguments(signature, args, given))
        own_init(self, *args, **given)

    def noting(own: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(own)
        def call(self: Any, *args: Any, **given: Any) -> Any:
            arrays = [a for a in (*args, *given.values()) if isinstance(a, np.ndarray)]
            built = self.__dict__.get("_built")
            if built is not None and arrays and None not in built.values():
                one_hot = len(arrays) > 1 and arrays[1].ndim == 2
                found = {"arguments": built, "shape": arrays[0].shape[1:], "one_hot": one_hot}
                note = SEEN_CALL + json.dumps(found)
                notes.extend([note] if note not in notes else [])
            return own(self, *args, **given)

        return call

    person.__init__ = __init__  # type: ignore[misc]
    for name in ("predict", "loss", "gradient"):
        if hasattr(person, name):
            setattr(person, name, noting(getattr(person, name)))


def _arguments(signature: inspect.Signature, args: Any, given: Any) -> dict[str, str | None]:
    found = signature.bind(*args, **given).arguments
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= found.pop(name, {})
    return {name: _text(value) for name, value in found.items()}


def builds_in(notes: Sequence[str]) -> list[Build]:
    """What was noted, one per way of building it; the calls with t say more than those without."""
    found: dict[str, Build] = {}
    for note in notes:
        if note.startswith(SEEN_CALL):
            data = json.loads(note.removeprefix(SEEN_CALL))
            build = Build(data["arguments"], tuple(data["shape"]), data["one_hot"])
            key = json.dumps(data["arguments"])
            if key not in found or build.one_hot:
                found[key] = build
    return list(found.values())[:MOST_BUILDS]


def _text(value: Any) -> str | None:
    """The argument as it is written in a test; None for what cannot be written."""
    if isinstance(value, np.random.Generator):
        return "np.random.default_rng(0)"
    value = value.item() if isinstance(value, np.generic) else value
    with suppress(TypeError, ValueError):
        json.dumps(value)
        return repr(value)
    return f"np.{value.__name__}" if isinstance(value, type) and issubclass(value, np.floating) else None


# -- the tests ----------------------------------------------------------------------------------------
def network_suggestions(
    cls: str, person: type, names: Mapping[str, Any], builds: Sequence[Build]
) -> Iterator[Suggestion]:
    """Tests that the network passes as it is, the shortest first.

    names  what a test needs of the file: the class, or the one that it is in
    """
    for number, build in enumerate(builds):
        for one in _variants(build, person):
            scores = _scores(_setup(cls, one), names)
            if scores is not None:
                yield from _of(cls, one, scores.shape[1], names, 100 * number)
                break


def _of(cls: str, build: Build, count: int, names: Mapping[str, Any], start: int) -> Iterator[Suggestion]:
    labels = [0, count - 1]
    t = f"np.eye({count})[{labels}]" if build.one_hot else f"np.array({labels})"
    setups = [[*_setup(cls, build, seed), f"t = {t}"] for seed in range(SEEDS)]
    setup = max(setups, key=lambda lines: _reached(lines, names))
    scores = _scores(setup, names)
    ways = (_gradient(*step, seed) for seed, step in itertools.product((False, True), STEPS))
    gradient = next((way for way in ways if _passes([*setup, *way], names)), [])
    pieces = [piece for piece in (_loss(labels), _known(scores)) if _passes([*setup, *piece], names)]
    pieces += [gradient] if gradient else []
    for many in range(1, len(pieces) + 1):
        for several in itertools.combinations(pieces, many):
            what = "gradient_and_loss" if gradient in several else "loss_and_scores"
            name = f"test_{what}_of_{_snake(cls)}"
            body = [*setup, *itertools.chain(*several)]
            text = "".join(f"    {line}\n" if line else "\n" for line in body)
            yield Suggestion(name, f"def {name}():\n{text}", start + len(body), "")


def _snake(cls: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.rpartition(".")[2]).lower()


def _variants(build: Build, person: type) -> Iterator[Build]:
    """The build in float64 where it can be chosen, with images that are not square as far as it has images,
    and at last as it is."""
    defaults = _defaults(person)
    arguments = {**build.arguments, **({"dtype": "np.float64"} if "dtype" in defaults else {})}
    if len(build.shape) == 3:
        texts, whole = defaults | arguments, (repr(build.shape), repr([*build.shape]))
        holds = next((name for name, text in texts.items() if text in whole), None)
        for size in (*NOT_SQUARE, (build.shape[1], build.shape[2] + 2)):
            shape = (build.shape[0], *size)
            given = {**arguments, **({holds: repr(shape)} if holds else {})}
            yield Build(given, shape, build.one_hot)
    yield Build(arguments, build.shape, build.one_hot)


def _defaults(person: type) -> dict[str, str]:
    with suppress(TypeError, ValueError):
        parameters = inspect.signature(person).parameters.values()
        return {p.name: repr(p.default) for p in parameters if p.default is not p.empty}
    return {}


def _setup(cls: str, build: Build, seed: int = 0) -> list[str]:
    return [
        f"rng = np.random.RandomState({seed})",
        "",
        "def draw(p):",
        "    return rng.normal(size=p.shape) / np.sqrt(0.5 * (p[0].size if p.ndim > 2 else max(p.shape)))",
        "",
        f"net = {cls}({', '.join(f'{name}={text}' for name, text in build.arguments.items())})",
        "for p in net.params.values():",
        "    p[...] = draw(p)",
        f"x = rng.normal(size={(2, *build.shape)})",
    ]


def _scores(setup: Sequence[str], names: Mapping[str, Any]) -> Any:
    """What predict gives for x; None where that is no row of scores per image."""
    space = _after(setup, names)
    with suppress(Exception):
        scores = np.asarray(space["net"].predict(space["x"]))
        if scores.ndim == 2 and len(scores) == 2 and np.isfinite(scores).all():
            return scores
    return None


def _reached(setup: Sequence[str], names: Mapping[str, Any]) -> float:
    """The smallest share of a parameter that has any gradient: where a layer is dead, no test sees a bug."""
    space = _after([*setup, "grads = net.gradient(x, t)"], names)
    grads = space.get("grads", {})
    return min((np.count_nonzero(g) / max(np.size(g), 1) for g in grads.values()), default=0.0)


def _passes(lines: Sequence[str], names: Mapping[str, Any]) -> bool:
    return bool(_after(lines, names))


def _after(lines: Sequence[str], names: Mapping[str, Any]) -> dict[str, Any]:
    """The names that there are after these lines; none where they raise."""
    space: dict[str, Any] = {"np": np, **names}
    try:
        exec("\n".join(lines), space)
    except Exception:
        return {}
    return space


def _loss(labels: list[int]) -> list[str]:
    return [
        "scores = net.predict(x)",
        "y = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)",
        f"np.testing.assert_allclose(net.loss(x, t), -np.log(y[[0, 1], {labels}]).mean(), rtol=1e-5)",
    ]


def _known(scores: Any) -> list[str]:
    return [
        "# The scores as the network gives them now: make sure once that they are right.",
        f"known = {np.asarray(scores, float).round(6).tolist()}",
        "np.testing.assert_allclose(net.predict(x), known, rtol=1e-4, atol=1e-5)",
    ]


def _gradient(step: float, allowed: float, small: float, seed: bool) -> list[str]:
    """Every parameter is moved a little in a direction of its own: the loss changes as its gradient says."""
    again = ["np.random.seed(0)"] if seed else []
    return [
        *again,
        "grads = net.gradient(x, t)",
        "for name, p in net.params.items():",
        f"    start, step = p.copy(), {step:g} * draw(p)",
        "    p[...] = start + step",
        *(f"    {line}" for line in again),
        "    above = net.loss(x, t)",
        "    p[...] = start - step",
        *(f"    {line}" for line in again),
        "    below = net.loss(x, t)",
        "    p[...] = start",
        "    assert grads[name].size == p.size, name",
        "    found, wanted = np.vdot(grads[name], step), (above - below) / 2",
        f"    np.testing.assert_allclose(found, wanted, rtol={allowed:g}, atol={small:g}, err_msg=name)",
    ]
