"""Where a backward left its gradients: by shape among what it returned and what it changed, then by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from parity.adapters.arguments import OF_LAYER_BEFORE, plain
from parity.adapters.convention import Convention, Place
from parity.adapters.layouts import PER_PIXEL, WEIGHTS, batch_shape, shape_in
from parity.adapters.method_words import names_weights_alone
from parity.adapters.recipe import Recipe
from parity.adapters.weight_names import ABROAD
from parity.kinds.probe import Probe

COMPLETE = 10
ROW = "1O"  # the layout of a bias (1, n)
Entry = dict[str, Any]
DX = (
    "dx",
    "dinputs",
    "dinput",
    "gradinput",
    "gradx",
    "inputgradient",
    "dxgrad",
    "din",
    "dlastinput",
    "dprev",
)
OF = {
    "W": ("w", "weight", "weights", "kernel", "kernels", "filter", "filters", "wgrad", *ABROAD["W"]),
    "b": ("b", "bias", "biases", *ABROAD["b"]),
    "gamma": ("gamma", "g", "scale", "weight", "weights", "w", "gain", "alpha", "a"),
    "beta": ("beta", "shift", "bias", "b", "offset"),
}

RUNNING = ("moment", "veloc", "cache", "avg", "average", "moving", "squared", "previous")  # an optimizer's
OF_LOSS = ("dld", "djd", "ded", "dcd", "dlossd", "dcostd", "derrord")  # dldw, dL_dW, dloss_dw
RETURNED = Place(((".", "back"),))  # all that backward returned
ENDINGS = ("grad", "gradient", "grads", "gradients", "error", "err", "delta", "deltas", "derivative", "deriv")
PREFIXES = (
    "grad",
    "gradient",
    "gradiente",
    "gradientes",
    "dl",
    "dj",
    "d",
    "nabla",
    "delta",
    "g",
    "",
    *OF_LOSS,
)


def find_gradients(
    c: Convention, report: dict[str, Any], probe: Probe, how: Recipe
) -> tuple[int, Convention]:
    """The convention with the places of dx and each gradient, and a score: COMPLETE where all are found."""
    before = {_key(e): (e["sum"], e["shape"]) for e in report["forward"]}
    entries = [
        e for e in report["backward"] if before.get(_key(e)) != (e["sum"], e["shape"]) or _root(e) == "back"
    ]
    returned = [e for e in entries if _root(e) == "back" and e["shape"] is not None]
    if c.backward == c.forward:  # the function itself, with a flag: it may return its output besides
        outs = {e["sum"] for e in report["forward"] if _root(e) == "out"}
        returned = [e for e in returned if e["sum"] not in outs] or returned
    left = [e for e in entries if _root(e) in ("object", "x", "passed") and e["shape"] is not None]
    used: set[int] = set()
    x = probe.inputs["x"]
    dx = _input_gradient(c, returned, left, batch_shape(x.shape, c.x_layouts.get(x.ndim, "")), used)
    in_one = "+" in _layout("W", c)  # the bias is a row of the weights
    wanted = [n for n in how.params if probe.args.get(n) is not None and not (in_one and n == "b")]
    grads: dict[str, Place] = {}
    own = {_key({"path": place.path}) for places in c.stored.values() for place in places}
    changed = [
        n
        for n in wanted
        if n in c.stored and any(_key(e) == _key({"path": c.stored[n][0].path}) for e in left)
    ]
    free = [e for e in left if _key(e) not in own]
    for name in wanted:
        place = _gradient(name, c, returned, free, probe, used, wanted)
        if place is not None:
            grads[name] = place
    if 0 < len(grads) < len(wanted) and (placed := _by_order(c, returned, dx, probe, wanted)):
        grads = placed
    given = [*(p for _, a in c.setup for p in a), *(p for a in c.update[1:] for p in a)]
    asked = {m for _, m in [*(c.constructor or ()), *c.backward_args, *given]}
    updates = bool(changed) and bool({"rate", "optimizer"} & asked)
    if updates and len(grads) < len(wanted) and set(changed) >= set(wanted) - grads.keys():
        grads = {n: Place(c.stored[n][0].path, c.stored[n][0].layout) for n in wanted}
        c = replace(c, change=True)
    if dx is None and grads and not returned and c.limits.get("sizes", {}).get("C") == 1:
        c = replace(c, unseen=("dx",))  # it takes grey images only, and is the first layer of its network
    if (
        dx is None
        and grads
        and not returned
        and c.constructor is not None
        and names_weights_alone(c.backward)
    ):
        c = replace(c, unseen=("dx",))
    if dx is None and grads and _goes_by_the_layer_before(c):
        c = replace(c, unseen=("dx",))
    missing = [n for n in wanted if n not in grads]
    named = {n: place for n in missing if (place := _by_name(n, returned, free, c, used, len(wanted)))}
    complete = dx is not None and not missing
    score = COMPLETE if complete else 2 + 2 * (dx is not None) + len(grads)
    c = replace(c, dx=dx or RETURNED, updates=updates)
    if not grads and not named and wanted:
        return score, replace(c, unseen=(*c.unseen, *(f"d{n}" for n in wanted)))
    grads |= named | {n: _nowhere(n) for n in missing if n not in named}
    return score, replace(c, grads=grads)


def _goes_by_the_layer_before(c: Convention) -> bool:
    """Whether its backward goes on through the activation of the layer before it, where there is one."""
    return any(plain(name) in OF_LAYER_BEFORE and what == "=None" for name, what in c.constructor or ())


def _by_order(
    c: Convention, returned: Sequence[Entry], dx: Place | None, probe: Probe, wanted: Sequence[str]
) -> dict[str, Place]:
    """Gradients of one shape that are returned after dx without names, of which one has lost its shape: each
    is what stands in its place, and the other is not taken for it."""
    rest = [e for e in returned if dx is None or place_of(e).path != dx.path]
    alike = len({probe.args[name].shape for name in wanted}) == 1
    if not alike or len(rest) != len(wanted) or any(_words(e) for e in rest):
        return {}
    return {name: place_of(e, _layout(name, c)) for name, e in zip(wanted, rest, strict=True)}


def named_before(c: Convention, report: dict[str, Any], probe: Probe, how: Recipe) -> dict[str, Place]:
    """Gradients by the names of what the object has before a backward that raised: `self.d_weights`."""
    wanted = [n for n in how.params if probe.args.get(n) is not None]
    own = {_key({"path": place.path}) for places in c.stored.values() for place in places}
    there = [e for e in report.get("forward", ()) if e["shape"] is not None and _root(e) == "object"]
    named = [e for e in there if _is_gradient(e) and _key(e) not in own]
    used: set[int] = set()
    found = {name: _gradient(name, c, [], named, probe, used, wanted) for name in wanted}
    return {name: place for name, place in found.items() if place is not None}


def _nowhere(name: str) -> Place:
    return Place(((".", "back"), (".", f"no d{name}")))


def _root(entry: Entry) -> str:
    return str(entry["path"][0][1])


def _key(entry: Any) -> str:
    return repr([list(step) for step in entry["path"]])


def place_of(entry: Entry, layout: str = "") -> Place:
    """Where an entry of a report lies."""
    return Place(tuple((how, step) for how, step in entry["path"]), layout)


def _words(entry: Entry) -> list[str]:
    return [plain(str(step)) for _, step in entry["path"][1:] if not isinstance(step, int)]


def _input_gradient(
    c: Convention, returned: Sequence[Entry], left: Sequence[Entry], shape: Any, used: set[int]
) -> Place | None:
    """dx: what is returned, or the first of that shape in it; else what was left under a fitting name."""
    fitting = [e for e in returned if shape is not None and tuple(e["shape"]) == tuple(shape)]
    if c.tensor:
        fitting = [
            e for e in left if _root(e) == "x" and tuple(e["shape"]) == tuple(shape) and _is_gradient(e)
        ]
    elif not fitting:
        own = [e for e in left if _root(e) == "object" and tuple(e["shape"]) == tuple(shape)]
        named = [e for e in own if _words(e) and _words(e)[-1] in DX]
        fitting = named or [e for e in own if _is_gradient(e)]
    if not fitting:  # a slice [pad:-pad] is empty without pad: there is a dx, of a wrong shape
        fitting = [
            e for e in (*returned, *left) if _words(e)[-1:] and _words(e)[-1] in DX and 0 in e["shape"]
        ]
    if not fitting:
        return None
    first = min(fitting, key=lambda e: len(e["path"]))
    used.add(id(first))
    return place_of(first)


def _is_gradient(entry: Entry) -> bool:
    words = _words(entry)
    return _root(entry) == "back" or any(
        "grad" in word or word.startswith(("d", "nabla", "g")) or word.endswith("grad") for word in words
    )


def _layout(name: str, c: Convention) -> str:
    """A gradient lies as its weight does."""
    return c.stored[name][0].layout if c.stored.get(name) else c.passed.get(name, "")


def _gradient(
    name: str,
    c: Convention,
    returned: Sequence[Entry],
    left: Sequence[Entry],
    probe: Probe,
    used: set[int],
    wanted: Sequence[str],
) -> Place | None:
    weight, layout = probe.args[name], _layout(name, c)
    letters = WEIGHTS.get(weight.ndim, "")
    shape = weight.shape if not layout else shape_in(weight.shape, letters, layout.strip("+b"))
    if layout in PER_PIXEL and weight.ndim == 1:
        shape = probe.inputs["dout"].shape[1:]
        shape = shape if layout == "OHW" else (*shape[1:], shape[0])
    if "+" in layout:
        shape = tuple(n + (c == "I") for n, c in zip(shape or (), layout.strip("+b"), strict=True))
    fitting = [
        e
        for e in [*returned, *left]
        if shape is not None and tuple(e["shape"]) == tuple(shape) and id(e) not in used
    ]
    if not fitting and layout == ROW and (flat := _flat(returned, left, weight.shape, used)):
        fitting, layout = flat, ""
    if c.tensor:
        fitting = [e for e in fitting if _root(e) != "back" and _is_gradient(e)]
    twins = [n for n in wanted if n != name and probe.args[n].shape == weight.shape]
    scored = [(_score(e, name, twins), -i, e) for i, e in enumerate(fitting)]
    scored = [s for s in scored if s[0] >= 0]
    if not scored:
        return None
    best = max(scored, key=lambda s: s[:2])
    if best[0] == 0 and sum(s[0] == 0 for s in scored) > 1:
        return None  # several of that shape, and no name says which
    used.add(id(best[2]))
    return place_of(best[2], layout)


def _flat(returned: Sequence[Entry], left: Sequence[Entry], shape: Any, used: set[int]) -> list[Entry]:
    """Gradients of one axis for a weight that is a row: what is subtracted from it is the same."""
    either = [e for e in (*returned, *left) if _is_gradient(e) and id(e) not in used]
    return [e for e in either if tuple(e["shape"]) == tuple(shape)]


def _score(entry: Entry, name: str, twins: Sequence[str]) -> int:
    """How well a place is named for this gradient; below zero where it is named for something else."""
    words = _words(entry)
    spelled = "".join(words)
    if _root(entry) == "passed":
        return 4 if any(step == name for _, step in entry["path"]) and _is_gradient(entry) else -1
    if any(
        word.startswith(("m", "v")) and word[1:] in (*OF[name], *(f"d{o}" for o in OF[name]))
        for word in words
    ):
        return -1
    if any(part in word for word in words for part in RUNNING):
        return -1
    if _root(entry) == "back" and not words:
        return 2
    mine = any(_names(word, name) for word in words)
    other = any(_names(word, twin) for word in words for twin in twins)
    if other and not mine:
        return -1
    said = _is_gradient(entry) or words[-1].endswith(ENDINGS)
    if mine and said:  # dldw may stand beside the step dw, of momentum
        return 4 + any(word.startswith(OF_LOSS) for word in words)
    return 1 if "grad" in spelled or words[-1].startswith("d") else 0


def _names(word: str, name: str) -> bool:
    bare = word.rstrip("0123456789")
    for prefix in PREFIXES:
        for suffix in ("", *ENDINGS):
            if any(bare == f"{prefix}{alias}{suffix}" for alias in OF[name]):
                return True
    return False


def _by_name(
    name: str, returned: Sequence[Entry], left: Sequence[Entry], c: Convention, used: set[int], count: int
) -> Place | None:
    """A gradient of the wrong shape is found by its name, or by its place among what is returned."""
    for entry in [*returned, *left]:
        words = _words(entry)
        mine = _is_gradient(entry) and any(_names(word, name) for word in words)
        said = _root(entry) == "back" or any(
            w.startswith(("d", "grad", "nabla")) or "grad" in w for w in words
        )
        if id(entry) not in used and mine and said:
            used.add(id(entry))
            return place_of(entry, _layout(name, c))
    items = [e for e in returned if len(e["path"]) == 2]
    if len(items) == count + 1:
        rest = [e for e in items if id(e) not in used]
        if len(rest) == 1:
            used.add(id(rest[0]))
            return place_of(rest[0], _layout(name, c))
    return None
