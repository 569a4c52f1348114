"""What an implementation can be asked for, so that what it cannot do is reported and not taken for a pass.

Features come from the probes: `groups`, `dilation`, `pad`, ... One that needs a keyword (`dilation=`) is
looked for in the signature. The others show in use: an implementation that refuses every input with the
feature, and not every input without it, does not have it. An implementation whose features are named by
`supports=` is held to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from parity.adapters.recipe import is_reduced
from parity.adapters.training_flag import SWITCHING
from parity.comparison.records import Record
from parity.kinds import ELEMENTWISE, Probe, kind_of
from parity.kinds.same_padding import SAME

OURS_ALONE = {"amplitude"}  # LeNet's tanh
# Features that no keyword stands for; they show in use, by any exception.
WORDS = {
    "pairs": "a stride or pad of its own for each axis",
    "no_bias": "a bias of None",
    "images": "images (4-D input)",
    "sequences": "sequences (3-D input)",
    "one_hot": "labels as one-hot rows",
    "even_window": "windows of an even size",
    "negative_axis": "an axis counted from the last one",
    "integers": "arrays of whole numbers",
    "negative_slope": "a slope other than its own",
    "alpha": "an alpha other than its own",
    "delta": "a delta other than its own",
    "approximate": "the form that it does not have (exact or by a tanh)",
    "same": "padding='same'",
    "same_strided": "padding='same' with a stride above 1",
    "same_even": "padding='same' with a window of an even size",
    "uneven": "an output size that does not divide the input's",
}
SIZED = ("same", "same_strided", "same_even")  # a result of the wrong shape is no refusal of these
STRIDED = "rectangular_strided"  # shown by random sizes alone: each fixed input that has it has another
# What nearly everyone has: lacked only by code that says so, by a `raise` or `assert` of its own.
ORDINARY = {
    "rectangular": "windows that are not square",
    STRIDED: "windows that are not square at a stride above 1",
    "pixels_over": "sizes that the stride does not divide",
    "thin": "images one pixel high or wide",
    "several_outputs": "more than one output per row",
    "single": "layers of one input or of one output",
    "other_stride": "a stride that is not the window's size",
}
# The other form of an input: lacked by code that takes the feature on the right alone.
FORMS = {
    "rows": ("images", "rows (2-D input)"),
    "class_numbers": ("one_hot", "labels as numbers of classes"),
    "matrices": ("sequences", "rows (2-D input)"),
}
EITHER = ("batch_norm", *ELEMENTWISE, "dropout", "flatten")  # of rows or of images
TOLD = {**WORDS, **ORDINARY, **{name: words for name, (_, words) in FORMS.items()}}
# In the words of `bench.py`: refused on purpose; raised by the constructor.
MEANT = re.compile(r"raised NotImplementedError|: (raise|assert)\)( while it was built)?$")
MARK = re.compile(r"(, line \d+): (?:raise|assert|bug)\)")
OF_ONE_NUMBER = ("raised TypeError", "raised ValueError: The truth value of an array")
NO_GRADIENT = "raised NoGradient: "
OF_ENGINE = re.compile(f"(?:(?:its )?(?:forward|backward) )?{NO_GRADIENT}")
EMPTY = re.compile(r"shape \((\d+, )*0\b.*, expected ")  # a result without a number
DIVIDES = "raised ValueError: cannot reshape array of size"  # into windows side by side
BUILT = " while it was built"
INFERENCE = "gradients after an inference call"
AS_IN_TRAINING = f"{INFERENCE}, which are not PyTorch's (are they training's?)"


def unmarked(text: str) -> str:
    """What was raised without the mark of how: `(layers.py, line 3: raise)`, on purpose; and what was said of
    an engine's gradients without the exception that said it, which is none of the code's own."""
    text = MARK.sub(r"\1)", text) if "line" in text else text
    return OF_ENGINE.sub("", text) if NO_GRADIENT in text else text


def features(cases: Sequence[Probe]) -> set[str]:
    """Everything optional that some probe needs."""
    return {need for probe in cases for need in probe.needs}


def asked(probe: Probe) -> frozenset[str]:
    """What the probe asks for: its needs, and the ordinary things that few implementations lack."""
    found, args = set(probe.needs), probe.args
    window = _window(probe)
    if window is not None:
        x, sizes = window
        stride, pad, dilation = (
            _pair(args.get(n, d)) for n, d in (("stride", 1), ("pad", 0), ("dilation", 1))
        )
        divided = args.get("pad") == SAME  # as much padding as the stride needs
        pad = (0, 0) if divided else pad
        span = [n + 2 * p - d * (k - 1) - 1 for n, p, d, k in zip(x, pad, dilation, sizes, strict=True)]
        found |= {"rectangular"} if sizes[0] != sizes[1] else set()
        found |= {STRIDED} if sizes[0] != sizes[1] and max(stride) > 1 else set()
        found |= {"thin"} if 1 in x else set()
        found |= {"other_stride"} if "pool_h" in args and stride != sizes else set()
        over = not divided and any(n % s for n, s in zip(span, stride, strict=True))
        found |= {"pixels_over"} if over else set()
    if probe.kind == "affine" and 1 in args["W"].shape:
        found.add("single")
    if is_reduced(probe.kind):
        found |= {"several_outputs"} if probe.inputs["x"].shape[1] > 1 else set()
    elif "t" in probe.inputs and "one_hot" not in found:
        found.add("class_numbers")
    if probe.kind in EITHER and "images" not in found:
        found.add("rows")
    if probe.kind == "layer_norm" and "sequences" not in found:
        found.add("matrices")
    return frozenset(found)


def _window(probe: Probe) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """(H, W) and the window's two sizes, of an operation that has a window."""
    args, x = probe.args, probe.inputs.get("x", probe.inputs.get("input_data"))
    shape = args.get("input_shape") or (x.shape if isinstance(x, np.ndarray) else ())
    for names in (("pool_h", "pool_w"), ("filter_h", "filter_w")):
        if names[0] in args:
            return shape[2:], (args[names[0]], args[names[1]])
    W = args.get("W")
    if isinstance(W, np.ndarray) and W.ndim == 4:
        return shape[2:], W.shape[2:]
    return None


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def lacking(
    kind: str, names: Sequence[str] | None, cases: Sequence[Probe], supports: Iterable[str] | None
) -> set[str]:
    """The features that `supports` leaves out, or that the signature has no room for.

    `names` are the arguments that it takes, None where any name goes or they cannot be known.

    Raises ValueError for a feature in `supports` that the kind does not know.
    """
    known, found = features(cases), kind_of(kind)
    if supports is not None:
        claimed = claims(kind, cases, supports)
        return known - claimed
    if names is None:  # nobody's **kwargs mean what only ours has
        return known & OURS_ALONE
    return {name for name in known & found.optional.keys() if name not in names}


def claims(kind: str, cases: Sequence[Probe], supports: Iterable[str]) -> set[str]:
    """The features named in `supports`. Raises ValueError for one that the kind does not know."""
    known = {need for probe in cases for need in asked(probe)}
    claimed = {name.strip().replace("-", "_") for name in supports}
    claimed |= {STRIDED} & known if "rectangular" in claimed else set()
    if unknown := claimed - known:
        there = ", ".join(sorted(features(cases))) or "none"
        raise ValueError(f"{kind} has no feature {', '.join(sorted(unknown))}; there are: {there}")
    return claimed


def shown_lacking(
    records: Sequence[Record],
    cases: Sequence[Probe],
    supports: Iterable[str] | None = None,
    by_crash: Iterable[str] = (),
) -> set[str]:
    """Features whose probes are all refused, while those without are not.

    Of those that `supports` names none is; where it names any, only ordinary ones are looked for. Those in
    `by_crash` are also lacked where any exception comes before a number, and all that is without is right or
    some of it, which none of them excuses, is not.
    """
    rows = [row for row in records if row.phase in ("forward", "backward")]
    wrong = {row.case for row in rows if not row.ok and not row.why}  # a number that is wrong is no refusal
    raised = {row.case for row in rows if row.why.startswith("raised")} - wrong
    no_number = {row.case for row in rows if row.phase == "forward" and row.why.startswith("raised")}
    of_one_number = {  # a tuple where it calculates with a number
        row.case for row in rows if row.phase == "forward" and row.why.startswith(OF_ONE_NUMBER)
    }
    empty = {row.case for row in rows if row.phase == "forward" and EMPTY.match(row.why)} - wrong
    misshapen = {row.case for row in rows if row.phase == "forward" and row.why.startswith("shape")}
    misfits = _of_another_shape(rows)
    meant = {row.case for row in rows if MEANT.search(row.why)} - (misshapen - empty)  # no dout fits that out
    divides = {row.case for row in rows if row.phase == "forward" and row.why.startswith(DIVIDES)}
    right = {row.case for row in rows} - {row.case for row in rows if not row.ok}
    if cases and cases[0].kind == "flatten":
        raised |= {row.case for row in rows if _of_one_image(row.why)}
    claimed = claims(cases[0].kind, cases, supports or ()) if cases else set()
    plain = {probe.id for probe in cases if not probe.needs}
    found: set[str] = set()
    for feature in WORDS if supports is None else ():
        having = {probe.id for probe in cases if feature in probe.needs}
        if feature == "one_hot":  # flattened, one row is as many numbers of classes
            labelled = [probe for probe in cases if probe.id in having]
            having = {probe.id for probe in labelled if len(probe.inputs["x"]) > 1} or having
        if feature == "pairs":  # np.pad of one image makes something of any two numbers
            strides = {probe.id for probe in cases if isinstance(probe.args.get("stride"), tuple)}
            having = strides if strides and strides <= of_one_number else having
        refused = no_number if feature in SIZED else raised
        if having & no_number and feature == "images" and cases[0].kind == "batch_norm":
            refused = raised | misfits  # statistics per number of an image fit where it is as wide as gamma
        if having and having <= refused and not plain <= raised:
            found.add(feature)
    cases = without(cases, found)
    crashing = {probe.id for probe in cases if asked(probe) & set(by_crash)}
    for feature in {need for probe in cases for need in asked(probe)} - claimed - {*WORDS, STRIDED}:
        having = {probe.id for probe in cases if feature in asked(probe)}
        if feature in FORMS:
            other_form = {probe.id for probe in cases if FORMS[feature][0] in probe.needs}
            mostly = 2 * len(having & raised) > len(having)
            if other_form & right and not having & right and mostly:
                found.add(feature)
        else:
            others = {probe.id for probe in cases} - having
            otherwise_wrong = bool(others - right - crashing)  # then it is a limit beside the bug
            crashes = (
                feature in by_crash
                and (others <= right or otherwise_wrong)
                and _all_crash(feature, having, raised | empty, cases)
            )
            refused = meant | divides if feature == "pixels_over" else meant
            if crashes or (having <= refused and not others <= raised):
                found.add(feature)
    return found


def _of_another_shape(rows: Iterable[Record]) -> set[str]:
    """The inputs of which some result has another shape, and those that infer on the same arrays."""
    found = {row.case for row in rows if row.why.startswith("shape ")}
    return found | {
        row.case for row in rows if is_inference(row.case) and row.case.rpartition(",")[0] in found
    }


def is_refused(probe: Probe, rows: Iterable[Record], feature: str) -> bool:
    """Whether code refuses, on purpose, an input that has the feature."""
    return feature in asked(probe) and any(MEANT.search(row.why) for row in rows)


def _of_one_image(why: str) -> bool:
    """Whether flattening took what has no fourth axis for one image, and made one row of all its rows."""
    found = re.match(r"shape \(1, (\d+)\), expected \((\d+), (\d+)\)", why)
    return found is not None and int(found[1]) == int(found[2]) * int(found[3])


def _all_crash(feature: str, having: set[str], raised: set[str], cases: Sequence[Probe]) -> bool:
    """Whether all inputs with the feature crash or give nothing; NumPy may stretch a window 1 wide."""
    if feature == "rectangular":
        windows = ((probe.id, _window(probe)) for probe in cases if probe.id in having)
        wide = {case for case, window in windows if window is not None and min(window[1]) > 1}
        return bool(wide) and wide <= raised
    return having <= raised


def after_inference(records: Sequence[Record], cases: Sequence[Probe]) -> str:
    """What is to be said of gradients after an inference call; nothing where they are as they should be.

    The book never calls backward there. It may raise after every inference call and no other; and a batch
    normalization or a dropout that is right in all else may have no backward but that of training.
    """
    if not cases or not kind_of(cases[0].kind).switches:
        return ""
    ids = {probe.id for probe in cases}
    rows = [row for row in records if row.case in ids and row.phase in ("forward", "backward")]
    raised = {row.case for row in rows if row.phase == "backward" and row.why.startswith("raised")}
    if raised and raised == {row.case for row in rows if is_inference(row.case)}:
        return INFERENCE
    wrong = [row for row in rows if not row.ok and row.dtype == "float64"]
    others = [row for row in wrong if row.phase != "backward" or not is_inference(row.case)]
    others = [row for row in others if row.tensor != "running_var"]  # judged for itself: no gradient uses it
    return AS_IN_TRAINING if wrong and not others and cases[0].kind in SWITCHING else ""


def is_inference(case: str) -> bool:
    """Whether the probe of that id infers."""
    return case.endswith("inference")


def fits(probe: Probe, missing: set[str]) -> bool:
    """Whether the probe asks for nothing that is missing."""
    return not asked(probe) & missing


def without(cases: Sequence[Probe], missing: set[str]) -> list[Probe]:
    """The probes that ask for nothing that is missing."""
    return [probe for probe in cases if fits(probe, missing)]


def in_words(missing: Iterable[str]) -> list[str]:
    """The features as the report prints them, without those that PyTorch does not have either."""
    missing = set(missing) - OURS_ALONE
    missing -= {"same_strided", "same_even"} if "same" in missing else set()
    missing -= {STRIDED} if "rectangular" in missing else set()
    return [TOLD.get(name, name) for name in sorted(missing)]


def with_names(features: Iterable[str]) -> list[str]:
    """The features as `supports` names them, each with its words where it has some."""
    names = sorted(set(features) - OURS_ALONE)
    return [
        words if (words := TOLD.get(name, name)).startswith(name) else f"{name} ({words})" for name in names
    ]
