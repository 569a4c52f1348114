"""How a constructor may be called, the likeliest meanings of its parameters together first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.built_with import labels_built_in
from parity.adapters.constants import is_not_pytorch_s
from parity.adapters.loss_arguments import names_a_reduction
from parity.adapters.meanings import INITIALIZERS
from parity.adapters.options import ANY, pools_windows
from parity.adapters.recipe import is_reduced
from parity.adapters.setters import holds_weights, together
from parity.adapters.signatures import X
from parity.adapters.sizes_by_shape import unknown_sizes
from parity.adapters.trial.attempt import BOOK, Trial
from parity.adapters.trial.hints import (
    one_for_both_axes,
    pads_by_word,
    parameter_meanings,
    sizes_that_change_nothing,
    takes_what_is_kept,
)
from parity.adapters.trial.scale import LAYER_NORM

# of parameters whose own default serves as well
WINDOW = {"kernel", "FH", "(FH,FW)", "(FN,C,FH,FW)", "W"}  # what gives the size of a window
SIDES = {"height": "FH", "width": "FW", "h": "FH", "w": "FW"}
LINEAR = "='linear'"  # among what a parameter that names an activation may get
NAMED = ("='relu'", "='sigmoid'", "='tanh'")  # those that it must name where it knows no linear one
SWITCHES = ("use", "enable")  # how the name of what is off begins, where it must be given
MOST = 32  # constructors that are tried
GENERATORS = ("rng", "legacy_rng")  # of random numbers: given where its own default serves nothing
KEPT = ("seed", "rng", "N", "='layer'", "=True", "eps", "=0", "=0.01", "dtype", "approximate")


def constructors(trial: Trial) -> Iterator[Any]:
    """What each parameter of the constructor may be, the likeliest together first; BOOK where that fits."""
    if trial.about["what"] in ("function", "pair"):
        yield None
        return
    signature = trial.about["signature"] or ()
    if is_reduced(trial.kind) and not signature:
        yield ()
        return
    odd = (one_for_both_axes, pads_by_word, takes_what_is_kept, is_not_pytorch_s)
    margin = any("=1.0" in parameter_meanings(p, trial.kind) for p in signature)  # is given the kind's
    if trial.fits and not margin and not any(test(signature, trial.kind) for test in odd):
        yield BOOK
    options: list[list[tuple[str, str] | None]] = []
    placed = _by_place(signature, trial.kind) | _sides_of_window(signature, trial.kind)
    placed |= labels_built_in(signature) if trial.how.role == "loss" else {}
    required = {p["name"]: parameter_meanings(p, trial.kind) for p in signature if p["required"]}
    placed |= unknown_sizes([tuple(s) for s in trial.about["shapes"]], trial.kind, required)
    for p in signature:
        known = (placed[p["name"]],) if p["name"] in placed else parameter_meanings(p, trial.kind)
        if p["required"] and not known and p.get("unused"):
            known = ("=None",)
        if p["required"] and not known and trial.how.role == "layer":
            known = sizes_that_change_nothing(p["name"], trial.kind)
        if trial.kind == "affine" and known[:1] == ("O",) and not _asks_for_inputs(signature):
            known = (*known, "(I,O)", "(O,I)")
        if trial.kind == "affine" and known[:1] == ("(I,O)",) and _asks_for_inputs(signature):
            known = ("O", *known)
        if trial.kind == "convolution" and "kernel" in known and not _asks_for_filters(signature):
            known = (*known, "(FN,C,FH,FW)", "(FH,FW,C,FN)")
        if _holds_all(p, signature, trial):
            known = (*known, *together(trial.how.params))
        if p["required"] and trial.how.role == "layer" and plain(p["name"].lstrip("*")) in X:
            known = (*known, "x")
        if p["required"] and not known and plain(p["name"]).startswith(SWITCHES):
            known = ("=False",)
        if p["required"] and LINEAR in known:
            known = (*known, *NAMED)
        found: list[tuple[str, str] | None] = [(p["name"], m) for m in known]
        if not p["required"]:
            if is_reduced(trial.kind) and p["name"] == "reduction" and not names_a_reduction(p["default"]):
                found = []  # words of its own
            shapes = bool(found) and "," in found[0][1]  # type: ignore[index]
            if LINEAR in known:
                found.append(None)  # the one that it has by default, which is then a part of it
            elif plain(p["name"]).endswith(INITIALIZERS):
                found = [None]
            else:
                given = found and _worth_giving(found[0])
                drawn = [pair for pair in found if pair is not None and pair[1] in GENERATORS]
                found = found[: None if shapes else 2] if given else [None, *drawn]
        elif not found:
            return
        options.append(found)
    for chosen in itertools.islice(likeliest_first(options), MOST):
        yield tuple(pair for pair in chosen if pair is not None)


def likeliest_first(options: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """One of each; those with the fewest that are not the first come first."""
    every = itertools.islice(itertools.product(*(range(len(own)) for own in options)), 4096)
    ordered = sorted(every, key=lambda places: sum(place > 0 for place in places))
    return [tuple(own[i] for own, i in zip(options, places, strict=True)) for places in ordered]


def _holds_all(p: dict[str, Any], signature: Sequence[dict[str, Any]], trial: Trial) -> bool:
    """Whether a parameter may be all weights at once: by its name, where no other is one of them."""
    weights = set(trial.how.params)
    if not p["required"] or len(weights) < 2 or not holds_weights(p["name"]):
        return False
    others = (parameter_meanings(q, trial.kind) for q in signature if q is not p)
    return not any(weights & set(found) for found in others)


def _by_place(signature: Sequence[dict[str, Any]], kind: str) -> dict[str, str]:
    """The sizes of a dense layer that asks for two things of names that say nothing: in, out; out for one
    such, alone or after what comes in. The size of a window, of a pooling that asks for one; that of a row,
    of a layer normalization that does."""
    required = [p for p in signature if p["required"]]
    if pools_windows(kind):
        left = [p for p in required if not _is_known(p, kind)]
        sized = any(WINDOW & {*parameter_meanings(p, kind)} for p in signature)
        return {left[0]["name"]: "kernel"} if len(left) == 1 and not sized else {}
    if kind == LAYER_NORM and len(required) == 1 and not _is_known(required[0], kind):
        return {required[0]["name"]: "C"}
    if kind == "affine" and len(required) == 1 and not _is_known(required[0], kind):
        return {required[0]["name"]: "O"}
    if kind != "affine" or len(required) != 2:
        return {}
    known = [set(parameter_meanings(p, kind)) for p in required]
    if known[0] & {"I"} and not known[1]:
        return {required[1]["name"]: "O"}
    if any(known):
        return {}
    return {p["name"]: size for p, size in zip(required, "IO", strict=True)}


def _sides_of_window(signature: Sequence[dict[str, Any]], kind: str) -> dict[str, str]:
    """Height and width are those of the window where nothing else is its size: no image has them alone."""
    if kind != "convolution" and not pools_windows(kind):
        return {}
    found = {p["name"]: SIDES[word] for p in signature if (word := plain(p["name"])) in SIDES}
    others = (parameter_meanings(p, kind) for p in signature if p["name"] not in found)
    sized = any(WINDOW & {*own} or ANY in own for own in others)
    return found if {*found.values()} == {"FH", "FW"} and not sized else {}


def _asks_for_inputs(signature: Sequence[dict[str, Any]]) -> bool:
    """Whether some parameter of a dense layer is the size of what comes in."""
    return any("I" in parameter_meanings(p, "affine") for p in signature)


def _asks_for_filters(signature: Sequence[dict[str, Any]]) -> bool:
    """Whether some parameter of a convolution is the number of its filters, or holds its weights."""
    return any({"FN", "W"} & {*parameter_meanings(p, "convolution")} for p in signature)


def _is_known(p: dict[str, Any], kind: str) -> bool:
    return plain(p["name"].lstrip("*")) in X or bool(parameter_meanings(p, kind))


def _worth_giving(pair: tuple[str, str] | None) -> bool:
    """Whether an argument that has a default is to be given all the same."""
    return pair is not None and pair[1] not in KEPT
