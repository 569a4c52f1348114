"""What a signature shows before anything runs: meanings, one size for both axes, padding by a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parity.adapters.arguments import BOTH_AXES, plain
from parity.adapters.meanings import BOTH_SIDES, PADS, STRINGS, meanings, padding_word, share_of_old
from parity.adapters.name_parts import meanings_of_parts
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.dropout_share import EITHER
from parity.kinds import ELEMENTWISE


def parameter_meanings(p: dict[str, Any], kind: str) -> tuple[str, ...]:
    name = p["name"].lstrip("*")
    found = meanings(name, kind) or meanings_of_parts(name, kind)
    if "momentum" in found and p["default"]:
        return share_of_old(p["default"]) or found
    if "ratio" in found and plain(p["name"]) in EITHER and p["default"]:
        try:  # nobody drops most of what there is
            return ("keep",) if float(p["default"]) > 0.5 else ("ratio",)
        except ValueError:
            return found
    if p["default"] in ("True", "False") and {"gamma", "beta"} & {*found}:
        return ()  # whether it has one
    if p["default"] in ("True", "False") and "b" in found:
        return ("bias",)
    if p["default"].startswith(("'", '"')) and "optimizer" in found:
        return ()  # it makes one of its own, by that name
    if word := padding_word(p["default"], kind):
        return (word,)
    if p["default"].startswith(("'", '"')) and found[:1] and found[0] in STRINGS:
        return ()  # the mode of np.pad
    if p["default"].startswith(("((", "[(", "([", "[[")):
        return tuple(BOTH_SIDES if meaning == "pad" else meaning for meaning in found)
    pairs = {"stride": "(SH,SW)", "pad": "(PH,PW)"}
    found = tuple(m for meaning in found for m in (meaning, pairs.get(meaning, "")) if m)
    if p["default"].startswith(("(", "[")):
        return tuple(sorted(found, key=lambda m: not m.startswith("(")))
    return found


def sizes_that_change_nothing(name: str, kind: str) -> tuple[str, ...]:
    """What an activation or a dropout gets where it asks for the size of a layer: that of its samples."""
    word = plain(name)
    own = {*(meanings(name, "affine") or meanings_of_parts(name, "affine"))}
    if kind not in (*ELEMENTWISE, "dropout", "softmax") or len(word) < 2 or not own & {"I", "O", "(I,)"}:
        return ()
    return ("shape", "numbers") if "shape" in word else ("numbers", "shape")


def one_for_both_axes(signature: Sequence[dict[str, Any]], kind: str) -> bool:
    """Whether one parameter gives both sizes of a window: it may take a pair, unlike the book's."""
    both = [p["name"] for p in signature if plain(p["name"].lstrip("*")) in BOTH_AXES]
    return bool(both) and any("kernel" in meanings(name, kind) for name in both)


def pads_by_word(signature: Sequence[dict[str, Any]], kind: str) -> bool:
    """Whether some parameter is 'valid' or 'same' where it is not given."""
    return any(padding_word(p["default"], kind) for p in signature)


def may_pad_always(trial: Trial) -> bool:
    """Whether it may keep the size of an image: by a word, or unasked where nothing asks for padding."""
    signature = trial.about["signature"] or ()
    if pads_by_word(signature, trial.kind):
        return True
    found = {m for p in signature for m in meanings(p["name"].lstrip("*"), trial.kind)}
    asked = found & {*PADS, *STRINGS}
    return not asked or (not trial.fits and bool(found & {*STRINGS}))


def may_stride_always(trial: Trial) -> bool:
    """Whether it is a class whose windows may move by a number of its own: nothing asks for a stride."""
    names = [p["name"].lstrip("*") for p in trial.about["signature"] or ()]
    asked = any(meaning.startswith(("stride", "(SH")) for n in names for meaning in meanings(n, trial.kind))
    return trial.about["what"] == "class" and not asked


def takes_what_is_kept(signature: Sequence[dict[str, Any]], kind: str) -> bool:
    """Whether a dropout may take the share that it keeps: its parameter is called so, or says nothing."""
    may = (plain(p["name"]) in EITHER or "keep" in parameter_meanings(p, kind) for p in signature)
    return kind == "dropout" and any(may)
