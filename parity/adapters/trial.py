"""How somebody's class or function is called, found by trying: names and shapes decide, never numbers.

`find` asks the process that runs the code what the implementation looks like, proposes conventions one after
another, and keeps the first under which a forward gives the right shape and a backward leaves gradients of
the right shapes. The sizes of the probes are all different, so that a shape shows what an axis is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from parity.adapters.arguments import BOTH_AXES, plain
from parity.adapters.bench import Raised
from parity.adapters.convention import EPS, FLUSH, PLACES, Convention, Place
from parity.adapters.conventions import NotCallable
from parity.adapters.gradients import COMPLETE, find_gradients, place_of
from parity.adapters.layouts import (
    BATCHES,
    CHANNELS_LAST,
    STORED,
    WEIGHTS,
    batch_shape,
    one_at_a_time,
    shape_in,
)
from parity.adapters.meanings import STRINGS, meanings, padding_word
from parity.adapters.recipe import Recipe, recipe
from parity.adapters.signatures import (
    backward_calls,
    forward_calls,
    handed_to_forward,
    may_be_output,
    setups,
    switch,
)
from parity.adapters.trial_padding import by_word, every_stride
from parity.adapters.trial_probes import WINDOWS, as_same, trial_probes
from parity.adapters.updates import updates
from parity.kinds import kind_of
from parity.kinds.probe import Probe
from parity.kinds.probes import probes

MOST = 400  # trials
MORE = 120  # of what keeps the size of an image, after the others
WITH_DX = 3  # the score of a backward that gives dx is above
BOOK = (("*", "book"),)


@dataclass
class Trial:
    """What has been tried of one implementation.

    ask      one attempt under a convention, by the process that runs the code
    about    what it looks like
    fits     whether the signature is the book's
    errors   what was raised, by the convention's text, the first first
    """

    ask: Callable[[Convention, Probe], dict[str, Any]]
    about: dict[str, Any]
    kind: str
    fits: bool
    errors: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0
    flag: tuple[str, ...] = ()
    most: int = MOST

    @property
    def how(self) -> Recipe:
        return recipe(self.kind)

    def attempt(self, convention: Convention, probe: Probe) -> dict[str, Any]:
        self.count += 1
        if self.count <= self.most:
            found = self.ask(convention, probe)
        else:
            found = {"at": "build", "error": "too many trials"}
        self.flag = tuple(found.get("flag", self.flag))
        if found["error"]:
            self.errors.append((str(convention), f"{found['at']}: {found['error']}"))
        return found


def fits_the_book(subject: Any, kind: str) -> bool:
    """Whether the book's way gives every result of the kind in its right shape on an ordinary input."""
    if recipe(kind).role in ("function", "optimizer"):
        return not subject.misfit
    if subject.misfit:
        return False
    probe = next(p for p, _ in trial_probes(kind))
    try:
        found = subject.results(probe)
    except Raised:
        return False
    exact = kind_of(kind).reference(probe)
    if kind == "dropout" and isinstance(found.get("out"), np.ndarray):
        kept, mask = found["out"] != 0, probe.inputs["mask"]
        if kept.shape != mask.shape or not (np.array_equal(kept, mask) or np.array_equal(kept, ~mask)):
            return False  # .mask is nothing to it
    return all(
        np.shape(found.get(name)) == a.shape and isinstance(found[name], np.ndarray)
        for name, a in exact.items()
    )


def changes_all(subject: Any, kind: str, errors: list[tuple[str, str]], way: str) -> bool:
    """Whether an optimizer called so changes every array on an ordinary input, and keeps its shape."""
    probe = probes(kind, 0, lambda i: i == 0)[0]
    try:
        found = subject.results(probe)
    except Raised as error:
        errors.append((way, f"forward: {error}"))
        return False
    before = probe.inputs["params"]
    after = {name: found.get(f"{name} step 1") for name in before}
    return all(
        np.shape(after[name]) == p.shape and not np.array_equal(after[name], p) for name, p in before.items()
    )


def one_for_both_axes(signature: Sequence[dict[str, Any]], kind: str) -> bool:
    """Whether one parameter gives both sizes of a window: it may take a pair, unlike the book's."""
    both = [p["name"] for p in signature if plain(p["name"].lstrip("*")) in BOTH_AXES]
    return bool(both) and any("kernel" in meanings(name, kind) for name in both)


def pads_by_word(signature: Sequence[dict[str, Any]], kind: str) -> bool:
    """Whether some parameter is 'valid' or 'same' where it is not given."""
    return any(padding_word(p["default"], kind) for p in signature)


def _may_pad_always(trial: Trial) -> bool:
    """Whether it may keep the size of an image: by a word, or unasked where nothing asks for padding."""
    signature = trial.about["signature"] or ()
    if pads_by_word(signature, trial.kind):
        return True
    found = {m for p in signature for m in meanings(p["name"].lstrip("*"), trial.kind)}
    asked = found & {"pad", *STRINGS}
    return not trial.fits and (not asked or bool(found & {*STRINGS}))


def takes_what_is_kept(signature: Sequence[dict[str, Any]], kind: str) -> bool:
    """Whether a dropout takes the share that it keeps, by the name or the default of its parameter."""
    return kind == "dropout" and any("keep" in _meanings(p, kind) for p in signature)


def find(
    ask: Callable[[Convention, Probe], dict[str, Any]], about: dict[str, Any], kind: str, fits: bool
) -> Convention | None:
    """The convention of an implementation; None where it is only known to have the book's signature.

    Raises NotCallable where none is found.
    """
    trial = Trial(ask, about, kind, fits)
    book = fits and _has_the_book_s_methods(about)
    for probe, limits in trial_probes(kind):
        if "pad" in limits:
            if not _may_pad_always(trial):
                continue
            trial.most = max(trial.most, MOST + MORE)
        best: tuple[int, Convention] | None = None
        for convention in _forwards(trial, probe, limits):
            score, found = _backwards(trial, convention, probe)
            if best is None or score > best[0]:
                best = (score, found)
            if score == COMPLETE:
                break
        if best is not None and kind == "softmax_with_loss":
            best = (best[0], _as_of_probabilities(trial, best[1], probe))
        if best is not None and best[0] > 0 and (best[0] == COMPLETE or not book):
            return _refined(trial, best[1], probe)  # other sizes would not help
        if trial.count > MOST + MORE:
            break
    if book:
        return None
    names = ", ".join(p["name"] for p in trial.about["signature"] or ())
    raise NotCallable(trial.about["name"], kind, names, trial.errors)


def _has_the_book_s_methods(about: dict[str, Any]) -> bool:
    return about["what"] != "class" or "forward" in about["methods"]


def may_take_probabilities(about: dict[str, Any]) -> bool:
    """Whether the name of a loss's first argument may mean probabilities: y_pred, probs, y beside t."""
    ways = [about.get("signature"), *about.get("methods", {}).values()]
    return any(
        _of_probabilities(p["name"], "t" in [plain(q["name"]) for q in way or () if q is not None])
        for way in ways
        for p in way or ()
        if p is not None
    )


SCORES = ("x", "z", "logits", "scores", "score", "input")


def _of_probabilities(name: str, beside_t: bool = False) -> bool:
    word = plain(name)
    if word == "y":
        return beside_t
    return any(part in word for part in ("pred", "prob", "hat")) or word in (
        "p",
        "al",
        "a",
        "a2",
        "al",
        "output",
        "outputs",
        "out",
    )


def _as_of_probabilities(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A loss of scores is the same when they are shifted; one of probabilities may not be, by its names."""
    words = {plain(name): meaning for name, meaning in c.forward_args}
    named = [word for word, meaning in words.items() if meaning == "x"]
    function = c.constructor is None and "softmax" not in plain(trial.about["name"])
    if not any(
        _of_probabilities(word, len(words) > 1) or (function and word not in SCORES) for word in named
    ):
        return c
    x = np.abs(probe.inputs["x"])
    here, moved = (_lost(trial, c, replace(probe, inputs={**probe.inputs, "x": x + s})) for s in (0.0, 0.5))
    if np.isclose(here, moved, rtol=1e-3, equal_nan=True):
        return c
    row = np.array([[0.1, 0.2, 0.3, 0.4]])
    # p - t sums to 0 over a row, and -t / p has nothing that could make up for its one entry
    of_scores = abs(_slope(trial, c, probe, row)) < 1e-9
    odd = row + np.array([0, 0, 0, 0.5])
    once, twice = _slope(trial, c, probe, odd), _slope(trial, c, probe, np.concatenate([odd, odd]))
    return replace(
        c,
        probabilities="scores" if of_scores else "own",
        inside_log=_inside_log(trial, c, probe, row),
        per_row=c.mean and bool(c.backward) and once == twice,
    )


def _slope(trial: Trial, c: Convention, probe: Probe, x: Any) -> float:
    """The mean of the gradient, for labels that are all the first class."""
    report = trial.attempt(c, _of_first_class(probe, x))
    path = [list(step) for step in (c.dx or Place(((".", "back"),))).path]
    entries = report.get("backward" if c.backward else "forward", ())
    found = [e["value"] for e in entries if e["path"] == path and "value" in e]
    return float(found[0]) if found else np.nan


def _of_first_class(probe: Probe, x: Any) -> Probe:
    t = np.zeros(len(x), int)
    labels = np.eye(x.shape[1])[t] if probe.inputs["t"].ndim > 1 else t
    return replace(probe, inputs={**probe.inputs, "x": x, "t": labels})


def _inside_log(trial: Trial, c: Convention, probe: Probe, row: Any) -> float:
    """The constant that is added to probabilities: what -log gives at 0, unless it cuts them off there."""
    first = np.arange(row.size) == 0
    at_zero = _lost(trial, c, _of_first_class(probe, np.where(first, 0.0, row)))
    small = float(np.exp(-at_zero)) if np.isfinite(at_zero) else 0.0
    if not 0 < small < 1e-4:
        return 0.0
    above = _lost(trial, c, _of_first_class(probe, np.where(first, small, row)))
    return small if abs(above - (at_zero - np.log(2))) < 0.01 else 0.0


def _lost(trial: Trial, c: Convention, probe: Probe) -> float:
    report = trial.attempt(replace(c, backward=""), probe)
    path = [list(step) for step in c.out.path]
    found = [e["value"] for e in report.get("forward", ()) if e["path"] == path and "value" in e]
    return float(found[0]) if found else np.nan


# -- building -------------------------------------------------------------------------------------
def _constructors(trial: Trial) -> Iterator[Any]:
    """What each parameter of the constructor may be, the likeliest together first; BOOK where that fits."""
    if trial.about["what"] in ("function", "pair"):
        yield None
        return
    signature = trial.about["signature"] or ()
    odd = (one_for_both_axes, pads_by_word, takes_what_is_kept)
    if trial.fits and not any(test(signature, trial.kind) for test in odd):
        yield BOOK
    options: list[list[tuple[str, str] | None]] = []
    for p in signature:
        found: list[tuple[str, str] | None] = [(p["name"], m) for m in _meanings(p, trial.kind)]
        if not p["required"]:
            shapes = bool(found) and "," in found[0][1]  # type: ignore[index]
            found = found[: None if shapes else 2] if found and _worth_giving(found[0]) else [None]
        elif not found:
            return
        options.append(found)
    for chosen in itertools.islice(itertools.product(*options), 24):
        yield tuple(pair for pair in chosen if pair is not None)


def _meanings(p: dict[str, Any], kind: str) -> tuple[str, ...]:
    found = meanings(p["name"].lstrip("*"), kind)
    if "momentum" in found and p["default"]:
        try:  # PyTorch's is the share of what is new
            return ("left",) if float(p["default"]) < 0.5 else ("momentum",)
        except ValueError:
            return found
    if "ratio" in found and plain(p["name"]) in ("p", "prob", "probability") and p["default"]:
        try:  # nobody drops most of what there is
            return ("keep",) if float(p["default"]) > 0.5 else ("ratio",)
        except ValueError:
            return found
    if p["default"] in ("True", "False") and "b" in found:
        return ("bias",)
    if word := padding_word(p["default"], kind):
        return (word,)
    pairs = {"stride": "(SH,SW)", "pad": "(PH,PW)"}
    found = tuple(m for meaning in found for m in (meaning, pairs.get(meaning, "")) if m)
    if p["default"].startswith(("(", "[")):
        return tuple(sorted(found, key=lambda m: not m.startswith("(")))
    return found


def _worth_giving(pair: tuple[str, str] | None) -> bool:
    """Whether an argument that has a default is to be given all the same."""
    return (
        pair is not None
        and pair[1] not in ("seed", "rng", "N", "='layer'", "=True", "eps", "dilation", "groups")
    ) or (pair is not None and pair[1] in ("dilation", "groups"))


def _built(trial: Trial, probe: Probe) -> Iterator[Convention]:
    """Conventions under which it is built, with the places of its weights where it keeps any."""
    params = [name for name in trial.how.params if probe.args.get(name) is not None]
    names = trial.about["name"]
    for constructor in _constructors(trial):
        base = Convention(trial.kind, names, constructor)
        passed = {name: _default(probe.args[name]) for name in params if _is_given(name, constructor, trial)}
        if constructor is None:
            yield replace(base, passed={name: _default(probe.args[name]) for name in params})
            continue
        for setup in setups(trial.about["methods"], trial.kind):
            report = trial.attempt(replace(base, passed=passed, setup=setup), probe)
            if "built" not in report:
                continue
            stored = places_of(report["built"], probe, [p for p in params if p not in passed])
            convention = replace(base, passed=passed, stored=stored, setup=setup)
            convention = replace(convention, buffers=_buffers(report["built"], probe, trial))
            missing = [name for name in params if name not in passed and name not in stored]
            if not missing:
                yield convention
            else:
                trial.errors.append(
                    (str(convention), f"weights: no array of the shape of {', '.join(missing)}")
                )
                if "W" in missing:
                    yield from _one_more_row(trial, report["built"], probe, convention)
                if handed_to_forward(trial.about, trial.kind, missing):
                    yield replace(convention, passed={n: _default(probe.args[n]) for n in missing})
                if missing == ["b"]:
                    yield replace(convention, limits={"no_bias": True})
                yield replace(convention, lazy=True)


def _is_given(name: str, constructor: Any, trial: Trial) -> bool:
    if constructor is BOOK:
        return True
    return constructor is not None and any(meaning == name for _, meaning in constructor)


def _default(array: Any) -> str:
    return WEIGHTS.get(np.ndim(array), "")


def _one_more_row(
    trial: Trial, entries: Sequence[dict[str, Any]], probe: Probe, c: Convention
) -> Iterator[Convention]:
    """A bias that is the last row of W, or the first: whichever row a forward of zeros shows."""
    W = probe.args.get("W")
    if not isinstance(W, np.ndarray) or W.ndim != 2:
        return
    rows, columns = W.shape[0] + 1, W.shape[1]
    for entry in entries:
        shape = tuple(entry["shape"] or ())
        if (
            shape in ((rows, columns), (columns, rows))
            and entry["same"] < 0
            and _score(entry["path"], "W") >= 0
        ):
            layout = "IO" if shape == (rows, columns) else "OI"
            for whole in (f"{layout}+b", f"b+{layout}"):
                found = replace(c, stored={"W": [place_of(entry, whole)]})
                if _bias_is_there(trial, found, probe):
                    yield found


def _bias_is_there(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether zeros give the bias: the row of ones among zeros is the one that is added."""
    zeros = {name: np.zeros_like(a) for name, a in probe.inputs.items()}
    args = {"W": np.zeros_like(probe.args["W"]), "b": np.ones_like(probe.args["b"])}
    asked = replace(probe, args=args, inputs=zeros)
    for forward, pairs, _, _ in forward_calls(trial.about, trial.kind, c):
        for rows in ("NF", "F"):  # some take one row and no more
            report = trial.attempt(replace(c, forward=forward, forward_args=pairs, rows=rows), asked)
            if "forward" in report:
                return any(e["value"] == 1 for e in _results(report) if "value" in e)
    return False


HOLDERS = ("data", "value", "val", "array")  # of an array in a parameter that is an object
NAMES = {
    "W": ("w", "weight", "weights", "kernel", "kernels", "filter", "filters", "wt", "params"),
    "b": ("b", "bias", "biases", "intercept"),
    "gamma": ("gamma", "g", "scale", "weight", "weights", "w"),
    "beta": ("beta", "shift", "bias", "b", "offset", "biases"),
    "running_mean": ("mean", "mu", "ave", "avg"),
    "running_var": ("var", "variance", "std2", "sigma2"),
}
RUNNING = ("run", "mov", "avg", "overall", "global", "pop", "test", "ema")
NOT_WEIGHTS = (
    "d",
    "grad",
    "v",
    "m",
    "s",
    "cache",
    "mom",
    "vel",
    "prev",
    "old",
    "opt",
    "delta",
    "running",
    "moving",
)


def _score(path: Sequence[Sequence[Any]], name: str) -> int:
    """How well a path is named for a weight; below zero where it says that it is something else."""
    words = [plain(str(step)) for how, step in path[1:] if not isinstance(step, int)]
    words = [w for w in words if w not in (*HOLDERS, "params", "parameters", "weightsdict")]
    last = words[-1] if words else ""
    if any("grad" in word for word in words):
        return -2
    if last.rstrip("0123456789") in NAMES[name] or last in NAMES[name]:
        return 3
    if any(last.startswith(alias) or last.endswith(alias) for alias in NAMES[name] if len(alias) > 2):
        return 2 if not last.startswith(NOT_WEIGHTS) or last.startswith("weight") else -1
    return -1 if last.startswith(NOT_WEIGHTS) else 0


def places_of(
    entries: Sequence[dict[str, Any]], probe: Probe, params: Sequence[str]
) -> dict[str, list[Place]]:
    """Where each weight lies, by its shape, and by its name where several have that shape."""
    found: dict[str, list[Place]] = {}
    taken: set[int] = set()
    for name in params:
        weight = probe.args[name]
        letters = WEIGHTS[weight.ndim]
        fitting: list[tuple[int, int, str, int]] = []
        for layout_rank, layout in enumerate(STORED[weight.ndim]):
            shape = shape_in(weight.shape, letters, layout)
            for i, entry in enumerate(entries):
                if entry["shape"] is None or tuple(entry["shape"]) != shape or i in taken:
                    continue
                if entry["path"][0][1] not in ("object",) or entry["same"] >= 0:
                    continue
                score = _score(entry["path"], name)
                others = max(
                    (_score(entry["path"], o) for o in NAMES if o != name and o in params), default=-9
                )
                if score > -1 and not (others > score):
                    fitting.append((-score, len(entry["path"]) * 100 + layout_rank, layout, i))
        if fitting:
            _, _, layout, at = min(fitting)
            same = [at] + [i for i, e in enumerate(entries) if e["same"] == at]
            taken |= set(same)
            found[name] = [place_of(entries[i], layout) for i in same]
    if "b" in params and "b" not in found and "W" in found:
        found |= _bias_of_any_name(entries, probe.args["b"], taken)
    if "b" in params and "b" not in found and "W" in found and "dout" in probe.inputs:
        found |= _bias_per_pixel(entries, probe)
    return found


def _bias_per_pixel(entries: Sequence[dict[str, Any]], probe: Probe) -> dict[str, list[Place]]:
    """A bias for each number of an image's result, named for one: all of a channel are set alike."""
    shape = probe.inputs["dout"].shape[1:]
    if len(shape) != 3:
        return {}
    shapes = {shape: "OHW", (*shape[1:], shape[0]): "HWO"}
    named = [
        (place_of(e, shapes[tuple(e["shape"])]))
        for e in entries
        if e["shape"] is not None
        and tuple(e["shape"]) in shapes
        and e["same"] < 0
        and _score(e["path"], "b") >= 2
    ]
    return {"b": named} if len(named) == 1 else {}


def _bias_of_any_name(
    entries: Sequence[dict[str, Any]], bias: Any, taken: set[int]
) -> dict[str, list[Place]]:
    """The only array of a bias's shape that is not named for something else."""
    shapes = {shape_in(bias.shape, "O", layout): layout for layout in STORED[1]}
    left = [
        (i, entry)
        for i, entry in enumerate(entries)
        if entry["shape"] is not None
        and tuple(entry["shape"]) in shapes
        and i not in taken
        and entry["same"] < 0
        and _score(entry["path"], "b") >= 0
    ]
    return {"b": [place_of(e, shapes[tuple(e["shape"])]) for _, e in left]} if len(left) == 1 else {}


def _buffers(entries: Sequence[dict[str, Any]], probe: Probe, trial: Trial) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for name in trial.how.buffers:
        if name not in probe.args:
            continue
        for layout, entry in itertools.product(STORED[1], entries):
            shape = shape_in(probe.args[name].shape, "O", layout)
            names = [plain(str(step)) for _, step in entry["path"]]
            last = next((word for word in reversed(names) if word not in HOLDERS), "")
            running = any(word in last for word in RUNNING) and any(alias in last for alias in NAMES[name])
            if (
                running
                and name not in found
                and entry["shape"] is not None
                and tuple(entry["shape"]) == shape
            ):
                found[name] = [place_of(entry, layout)]
    return found


# -- forward --------------------------------------------------------------------------------------
def _forwards(trial: Trial, probe: Probe, limits: dict[str, Any]) -> Iterator[Convention]:
    """Conventions under which one forward gives a result of the right shape."""
    for built in _built(trial, probe):
        for forward, args, tensor, parameter in forward_calls(trial.about, trial.kind, built):
            used = " ".join(meaning for _, meaning in args)
            passed, own = dict(built.passed), dict(built.limits)
            if built.constructor is None and "b" in passed and not re.search(r"\bb\b", used):
                del passed["b"]
                own["no_bias"] = True
            called = replace(
                built,
                passed=passed,
                forward=forward,
                forward_args=args,
                limits=_limits({**limits, **own}, built, args),
                tensor=tensor,
                parameter=parameter,
            )
            for laid in _laid_out(called, probe, trial):
                found = _forward(trial, laid, probe)
                if found is not None:
                    yield found


def _limits(limits: dict[str, Any], built: Convention, args: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The limits of a probe; padding that nobody asked for is "fixed"."""
    asked = {meaning for _, meaning in [*(built.constructor or ()), *args]} & {*STRINGS}
    return {**limits, "pad": "fixed"} if "pad" in limits and not asked else limits


def _laid_out(c: Convention, probe: Probe, trial: Trial) -> Iterator[Convention]:
    """The layouts of what goes in, the usual ones first; weights that are handed over too."""
    x = probe.inputs["x"]
    batches: tuple[str, ...] = BATCHES.get(x.ndim, ("",))
    if trial.kind in ("relu", "sigmoid", "tanh", "silu", "softmax", "softmax_with_loss", "dropout", "lrn"):
        # No shape decides, or there is nothing to decide, but that backward takes a row alone and no more.
        alone: tuple[str, ...] = ("F1", "F") if trial.kind == "softmax" and x.ndim == 2 else ()
        alone = ("CHW",) if trial.kind == "lrn" else alone
        batches = (*batches[:1], *alone)
    if trial.kind == "batch_norm":  # the statistics are those of a batch
        batches = tuple(layout for layout in batches if not one_at_a_time(layout))
    choices = [[(name, layout) for layout in _handed(name, probe, c)] for name in c.passed]
    for weights in itertools.product(*choices) if choices else [()]:
        grey = dict(weights).get("W") == "HW"
        for layout in ("HW",) if grey else batches:
            if x.ndim == 4:
                yield replace(c, passed=dict(weights), images=layout)
            elif x.ndim == 2:
                yield replace(c, passed=dict(weights), rows=layout)
            else:
                yield replace(c, passed=dict(weights))


def _handed(name: str, probe: Probe, c: Convention) -> tuple[str, ...]:
    """The layouts in which a weight may be handed over."""
    shape = probe.args[name].shape
    if len(shape) == 1:
        return ("O", "111O", "O1", "1O", "1O11", "O11")[: 6 if c.constructor is None else 3]
    if len(shape) == 4 and shape[:2] == (1, 1):
        return ("HW",)  # one filter on grey images: nothing else shows it
    letters = WEIGHTS[len(shape)]
    return tuple(layout for layout in STORED[len(shape)] if shape_in(shape, letters, layout) is not None)


def _forward(trial: Trial, c: Convention, probe: Probe) -> Convention | None:
    """The convention with the place and layout of its result, where one forward gives a right shape."""
    probe = c.fitted(probe)
    if batch_shape(probe.inputs["x"].shape, c.images if probe.inputs["x"].ndim == 4 else c.rows) is None:
        return None
    report = trial.attempt(replace(c, backward=""), probe)
    if "forward" not in report:
        return None
    if c.setup and not c.lazy and _made_anew(c, report):
        c = replace(c, lazy=True)
    if c.lazy:
        found = _found_late(report["forward"], probe, c, trial)
        if found is None:
            return None
        c = found
        report = trial.attempt(replace(c, backward=""), probe)
        if "forward" not in report:
            return None
    if c.limits.get("no_bias") and c.constructor is not None and not _is_linear(trial, c, probe):
        return None
    if c.images == "NHWC":
        c = replace(
            c,
            stored={
                k: [replace(p, layout=CHANNELS_LAST.get(p.layout, p.layout)) for p in v]
                for k, v in c.stored.items()
            },
        )
    outs = _results(report)
    if trial.how.role == "loss":
        return _loss_of(c, outs, probe)
    if not c.buffers and trial.how.buffers:
        c = replace(c, buffers=_buffers(report["forward"], probe, trial))
    expected = tuple(probe.inputs["dout"].shape)
    x_layout = c.images if probe.inputs["x"].ndim == 4 else c.rows
    single = one_at_a_time(x_layout)
    same = [x_layout] if len(expected) == probe.inputs["x"].ndim else []
    for layout in dict.fromkeys([*same, *BATCHES.get(len(expected), ("",))]):
        if single != one_at_a_time(layout) and len(expected) in BATCHES:
            continue
        shape = batch_shape(expected, layout)
        for entry in outs:
            if shape is not None and tuple(entry["shape"]) == shape and len(entry["path"]) <= 4:
                out = place_of(entry)
                if c.tensor and len(entry["path"]) == 1:
                    return None
                return _with_out(c, out, layout, len(expected))
    return None


def _is_linear(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether zeros give zeros: no bias is hidden where nothing was found of its shape."""
    zeros = {name: np.zeros_like(a) for name, a in probe.inputs.items()}
    report = trial.attempt(replace(c, backward=""), replace(probe, inputs=zeros))
    means = [e["value"] for e in _results(report) if "value" in e] if "forward" in report else []
    if any(means):
        trial.errors.append((str(c), "weights: no array of the shape of b, and something is added"))
    return not any(means)


def _made_anew(c: Convention, report: dict[str, Any]) -> bool:
    """Whether forward made the weights once more, which were set after they had been made."""
    own = [[list(step) for step in places[0].path] for places in c.stored.values() if places]
    before, after = (
        {repr(e["path"]): e["sum"] for e in report[when] if e["path"] in own} for when in ("built", "forward")
    )
    return bool(before) and all(after.get(path) != sum for path, sum in before.items())


def _results(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What forward returned; where that is nothing, what it left in attributes named for a result."""
    there = [e for e in report["forward"] if e["shape"] is not None]
    returned = [e for e in there if e["path"][0][1] == "out"]
    if returned:
        return returned
    before = {repr(e["path"]): e["sum"] for e in report["built"]}
    new = [e for e in there if before.get(repr(e["path"])) != e["sum"] and e["path"][0][1] == "object"]
    return [e for e in new if plain(str(e["path"][-1][1])) in RESULTS]


RESULTS = (
    "output",
    "out",
    "outputs",
    "y",
    "a",
    "result",
    "activation",
    "activations",
    "z",
    "loss",
    "yhat",
    "o",
    "value",
)


def _with_out(c: Convention, out: Place, layout: str, ndim: int) -> Convention:
    if ndim == 4:
        return replace(c, out=out, images_out=layout)
    if ndim == 2:
        images = "CHW" if c.rows == "F" else c.images  # what takes one row takes one image, if any
        return replace(c, out=out, rows_out=layout, images=images, images_out=images)
    return replace(c, out=out)


def _loss_of(c: Convention, outs: Sequence[dict[str, Any]], probe: Probe) -> Convention | None:
    """A loss is one number, or one per row, of which the mean is taken."""
    for size, mean in (((), False), ((1,), True), ((1, 1), True), ((len(probe.inputs["x"]),), True)):
        for entry in outs:
            if tuple(entry["shape"]) == size:
                return replace(c, out=place_of(entry), mean=mean)
    return None


def _found_late(
    entries: Sequence[dict[str, Any]], probe: Probe, c: Convention, trial: Trial
) -> Convention | None:
    """The weights of a layer that makes them when it sees its first input."""
    params = [n for n in trial.how.params if probe.args.get(n) is not None and n not in c.passed]
    stored = places_of(entries, probe, params)
    if set(params) - stored.keys():
        return None
    return replace(c, stored=stored, buffers=c.buffers or _buffers(entries, probe, trial))


# -- backward -------------------------------------------------------------------------------------
def _backwards(trial: Trial, c: Convention, probe: Probe) -> tuple[int, Convention]:
    """The best way of calling backward, and how much of what was asked for it gives."""
    probe = c.fitted(probe)
    gradients = ("dx", *(f"d{n}" for n in trial.how.params if probe.args.get(n) is not None))
    c = replace(c, switch=switch(trial.about, c) or trial.flag)
    still = trial.kind == "batch_norm" and not c.buffers  # it keeps nothing to infer with
    if kind_of(trial.kind).switches and (still or not c.switch):
        c = replace(c, limits={**c.limits, "training": True})
    calls = list(backward_calls(trial.about, trial.kind, c))
    missing_buffers = tuple(n for n in trial.how.buffers if n in probe.args and n not in c.buffers)
    if trial.kind == "dropout":
        c = replace(c, mask=_mask_of(trial, c, probe))
        if c.mask is None:
            return 0, c
        if c.mask == c.out:  # backward goes by a mask that cannot be set
            return COMPLETE, replace(c, unseen=gradients)
    if not calls and trial.how.role == "loss" and (dx := _beside_the_loss(trial, c, probe)):
        return COMPLETE, replace(c, dx=dx)
    if not calls:
        return COMPLETE, replace(c, unseen=(*gradients, *missing_buffers))
    best: tuple[int, Convention] | None = None
    for backward, args, derivative in calls:
        tried = replace(c, backward=backward, backward_args=args, derivative=derivative)
        tried = replace(tried, zero=_zeroed_by(trial, tried))
        report = trial.attempt(tried, probe)
        if "backward" not in report:
            kept = replace(tried, dx=Place(((".", "back"),)), unseen=missing_buffers)
            best = best or (1, kept)
            continue
        score, found = find_gradients(tried, report, probe, trial.how)
        if found.change and not _is_proportional(trial, found, probe):
            found = replace(found, change=False, grads={}, unseen=(*found.unseen, *gradients[1:]))
        elif WITH_DX < score < COMPLETE and trial.how.params:
            score, found = _after_an_update(trial, tried, probe, (score, found))
        found = replace(found, zero=_zeroed_by(trial, found))
        found = replace(found, unseen=(*found.unseen, *missing_buffers))
        if best is None or score > best[0]:
            best = (score, found)
        if score == COMPLETE:
            break
    assert best is not None
    return best[0], _of_output(trial, best[1], probe)


def _after_an_update(
    trial: Trial, c: Convention, probe: Probe, best: tuple[int, Convention]
) -> tuple[int, Convention]:
    """Gradients that are kept to itself show in what a method for the next step does to the weights."""
    for update in updates(trial.about["methods"], trial.kind):
        tried = replace(c, update=update)
        report = trial.attempt(tried, probe)
        if "backward" not in report:
            continue
        score, found = find_gradients(tried, report, probe, trial.how)
        if score > best[0] and found.change and _is_proportional(trial, found, probe):
            best = score, found
    return best


def _is_proportional(trial: Trial, c: Convention, probe: Probe) -> bool:
    """Whether twice the dout changes the weights twice as much, as a step by the gradient does."""
    dout = probe.inputs.get("dout")
    if dout is None:
        return True
    once, twice = (
        _changes(trial, c, replace(probe, inputs={**probe.inputs, "dout": k * dout})) for k in (1, 2)
    )
    return bool(once) and all(np.isclose(2 * once[n], twice.get(n, np.nan), rtol=1e-3) for n in once)


def _changes(trial: Trial, c: Convention, probe: Probe) -> dict[str, float]:
    """By how much backward changed the mean of each weight."""
    report = trial.attempt(replace(c, updates=False), probe)
    found = {}
    for name, places in c.stored.items():
        path = [list(step) for step in places[0].path]
        means = [
            next((e["value"] for e in report.get(when, ()) if e["path"] == path and "value" in e), np.nan)
            for when in ("forward", "backward")
        ]
        found[name] = means[1] - means[0]
    return found


FAR, BOUND = 32.0, 8.0


def _of_output(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """Whether a derivative that takes `x` means the output by it: `x * (1 - x)` and `1 - x**2` do.

    The derivatives of sigmoid and tanh are bounded in x and polynomials in the output, so that one value
    far out tells which of them was written, be it right or wrong. Names that say it are not asked.
    """
    asked = [n for n, meaning in c.backward_args if meaning == "x" and may_be_output(trial.kind, n)]
    if not asked:
        return c
    x = np.full_like(probe.inputs["x"], FAR)
    report = trial.attempt(c, replace(probe, inputs={**probe.inputs, "x": x, "dout": np.ones_like(x)}))
    values = [e.get("value", 0.0) for e in report.get("backward", ()) if e["path"][0][1] == "back"]
    if not any(np.isfinite(value) and abs(value) > BOUND for value in values):
        return c
    pairs = tuple((n, "out" if n in asked else meaning) for n, meaning in c.backward_args)
    return replace(c, backward_args=pairs)


ZERO = (
    "zerograd",
    "zerograds",
    "zerogradients",
    "cleargrads",
    "cleargradients",
    "resetgrads",
    "resetgradients",
)


def _zeroed_by(trial: Trial, c: Convention) -> str:
    """What sets gradients that add up to zero: a method; PLACES for those of parameters that are objects."""
    if c.tensor or c.change:
        return ""
    methods = trial.about["methods"]
    for name in methods:
        if plain(name) in (*ZERO, *FLUSH) and not [p for p in methods[name] or () if p and p["required"]]:
            return str(name)
    apart = [
        place
        for name, place in c.grads.items()
        if c.stored.get(name) and len(place.path) > 2 and place.path[:-1] == c.stored[name][0].path[:-1]
    ]
    own = bool(apart) and all(place.path[-2][0] == "." and place.path[-1][0] == "." for place in apart)
    return PLACES if own and len(apart) == len(c.grads) else ""


def _beside_the_loss(trial: Trial, c: Convention, probe: Probe) -> Place | None:
    """The gradient that a loss returns with its value: `return loss, dx`."""
    report = trial.attempt(c, probe)
    shape = list(probe.inputs["x"].shape)
    found = [e for e in report.get("forward", ()) if e["path"][0][1] == "out" and e["shape"] == shape]
    named = [e for e in found if plain(str(e["path"][-1][1])).startswith(("d", "grad"))]
    return place_of((named or found)[0]) if len(found) == 1 or named else None


def _mask_of(trial: Trial, c: Convention, probe: Probe) -> Place | None:
    """Where a dropout layer keeps its mask: an array of x's shape that is named for it, or that is one.

    For an x of ones the output is the mask, scaled or not, and so is nothing else but an array that has its
    mean, or that mean times the share that is kept. Where none is kept, the output is all that shows it.
    """
    ones = np.ones_like(probe.inputs["x"])
    report = trial.attempt(replace(c, backward=""), replace(probe, inputs={**probe.inputs, "x": ones}))
    before = {repr(e["path"]): e["sum"] for e in report.get("built", ())}
    fitting = [
        entry
        for entry in report.get("forward", ())
        if entry["shape"] == list(ones.shape)
        and entry["path"][0][1] in ("object", "out")
        and before.get(repr(entry["path"])) != entry["sum"]
    ]
    named = [e for e in fitting if any(w in plain(str(e["path"][-1][1])) for w in ("mask", "drop", "keep"))]
    out = [list(step) for step in c.out.path]
    means = [e["value"] for e in fitting if e["path"] == out]
    if named or not means or means[0] == 1:
        return place_of(named[0]) if named else None
    keep = 1 - probe.args["dropout_ratio"]
    alike = [
        e
        for e in fitting
        if e["path"] != out
        and e["value"] != 1
        and np.isclose(e["value"], means[0] * np.array([1, keep])).any()
    ]
    return place_of(alike[0]) if alike else c.out


# -- what else it takes ---------------------------------------------------------------------------
def _refined(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """Whether the window may be given as two numbers; limits that the signature shows."""
    used = {meaning for _, meaning in c.constructor or ()}
    if trial.kind == "batch_norm":
        c = _own_eps(trial, c, probe)
        return _images_too(trial, c) if probe.inputs["x"].ndim == 2 else c
    if trial.kind == "softmax" and not c.backward and c.rows == "NF":
        return _of_one_vector(trial, c, probe)
    if trial.kind == "lrn":
        return _by_neighbours(trial, c, probe)
    if trial.kind not in ("convolution", *WINDOWS):
        return c
    window = {
        "kernel",
        "(FH,FW)",
        "FH",
        "FW",
        "(FN,C,FH,FW)",
        "W",
        "book",
        "pool_h",
        "pool_w",
        "kernel|(FH,FW)",
    }
    given = c.constructor is None or used & window or "W" in c.passed
    c = every_stride(trial, by_word(trial, c, probe), probe)
    limits = dict(c.limits)
    if not given:
        sizes = dict(zip(("FH", "FW"), _window(probe), strict=True))
        limits["sizes"] = {**limits.get("sizes", {}), **sizes}
    if c.constructor is not None and not {"stride", "stride_h", "(SH,SW)", "book"} & used:
        limits |= _own_stride(trial, c, probe)
    c = replace(c, limits=limits)
    if "kernel" in used:
        pairs = tuple((n, "kernel|(FH,FW)" if m == "kernel" else m) for n, m in c.constructor or ())
        oblong = next(p for p, _ in trial_probes(trial.kind, oblong=True))
        oblong = as_same(oblong) if c.padding in ("same", "fixed") else oblong
        report = trial.attempt(replace(c, constructor=pairs, backward=""), oblong)
        refused = (
            report["error"].startswith(("TypeError", "NotImplementedError")) or ": raise)" in report["error"]
        )
        if "forward" in report or not (report["at"] == "build" or refused or ": assert)" in report["error"]):
            return replace(c, constructor=pairs)
    return c


def _own_eps(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """With the attribute in which it keeps an eps of its own, which is then given PyTorch's."""
    if c.as_in_the_book or "eps" in {meaning for _, meaning in c.constructor or ()}:
        return c
    found = trial.attempt(replace(c, forward="", backward=""), probe).get("eps", ())
    return replace(c, eps=(found[0], f"{found[1]:g}")) if found and found[1] != EPS else c


def _of_one_vector(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """A softmax without backward that sums over all that it gets, or down a column, is for one vector.

    Whether rows, columns or everything adds up to 1 is all that is looked at.
    """
    N, classes = probe.inputs["x"].shape
    report = trial.attempt(c, probe)
    path = [list(step) for step in c.out.path]
    means = [e["value"] for e in report.get("forward", ()) if e["path"] == path and "value" in e]
    if not any(np.isclose(means, 1 / count).any() for count in (N * classes, N)):
        return c
    return replace(c, rows="F", rows_out="F", limits={**c.limits, "one_vector": True})


def _images_too(trial: Trial, c: Convention) -> Convention:
    """The layout of images, where rows have said all the rest."""
    images = next(p for p, _ in trial_probes(trial.kind) if p.inputs["x"].ndim == 4)
    own = trial.attempt(replace(c, lazy=True, forward="", backward=""), images).get("built", ())
    gamma = c.stored.get("gamma", [None])[0]
    shapes = [e["shape"] for e in own if gamma and e["path"] == [list(step) for step in gamma.path]]
    if gamma and shapes and shapes[0] != list(shape_in((4,), "O", gamma.layout) or ()):
        return replace(c, limits={**c.limits, "rows_only": True})
    for layout in ("NCHW", "NHWC"):
        tried = replace(c, images=layout, images_out=layout)
        report = trial.attempt(replace(tried, backward=""), images)
        shape = list(batch_shape(images.inputs["dout"].shape, layout) or ())
        if not any(e["shape"] == shape for e in (_results(report) if "forward" in report else ())):
            continue
        if not _per_channel(c, report):
            return replace(c, limits={**c.limits, "rows_only": True})
        return tried
    return c


def _per_channel(c: Convention, report: dict[str, Any]) -> bool:
    """Whether it left one running number per channel of its images."""
    shapes = {repr(e["path"]): e["shape"] for e in report["forward"]}
    places = [found[0] for found in c.buffers.values() if found]
    here = [shapes.get(repr([list(step) for step in place.path])) for place in places]
    return here == [list(shape_in((4,), "O", place.layout) or (4,)) for place in places]


BY_AXIS = {"NCHW": ("CHWN", "NCHW", "", "NHWC"), "CHW": ("CHW", "", "HWC")}


def _by_neighbours(trial: Trial, c: Convention, probe: Probe) -> Convention:
    """The layout in which only neighbouring channels act on each other; without such an axis it stays.

    Two numbers among zeros give less together than alone where one is in the other's window.
    """
    x, letters = probe.inputs["x"], BY_AXIS[c.images]
    path = [list(step) for step in c.out.path]

    def mean(*places: tuple[int, ...]) -> float:
        sparse = np.zeros_like(x)
        for place in places:
            sparse[(0, *place)[-4:]] = 2.0
        report = trial.attempt(replace(c, backward=""), replace(probe, inputs={**probe.inputs, "x": sparse}))
        found = [e["value"] for e in report.get("forward", ()) if e["path"] == path and "value" in e]
        return float(found[0]) if found else np.nan

    first = (0,) * len(letters)
    alone, acts = mean(first), []
    for axis in range(len(letters)):
        beside = tuple(int(i == axis) for i in range(len(letters)))
        acts.append(not np.isclose(mean(first, beside), alone + mean(beside), rtol=1e-6))
    layout = letters[acts.index(True)] if acts.count(True) == 1 else ""
    return replace(c, images=layout, images_out=layout) if layout else c


def _window(probe: Probe) -> tuple[int, int]:
    if "pool_h" in probe.args:
        return probe.args["pool_h"], probe.args["pool_w"]
    FH, FW = probe.args["W"].shape[2:]
    return FH, FW


def _own_stride(trial: Trial, c: Convention, probe: Probe) -> dict[str, Any]:
    """A stride that is not asked for is the window, or a number."""
    stride = probe.args.get("stride", 1)
    if trial.kind == "convolution" or stride == 1:
        return {} if stride == 1 else {"stride": stride}
    for other, _ in trial_probes(trial.kind, window=3):
        other = as_same(other) if c.padding in ("same", "fixed") else other
        report = trial.attempt(replace(c, backward=""), other)
        shape = batch_shape(other.inputs["dout"].shape, c.images_out)
        outs = [e for e in report.get("forward", ()) if e["path"] == [list(s) for s in c.out.path]]
        if outs and shape is not None and tuple(outs[0]["shape"]) == shape:
            return {"stride": "window"}
    return {"stride": stride}


__all__ = ["NotCallable", "Raised", "find"]
