"""How code is told whether it trains or infers: by a flag of either meaning, or by a word, `mode="test"`.

The names are those that people use. Which words a mode is given is read off the code that compares with them.
Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import CodeType
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.code_objects import codes_of, constants_in, defined_in

TRAINS = (  # of arguments and attributes that are True in training; the first is the book's
    *("train_flg", "training", "is_training", "train", "is_train", "train_flag", "train_mode"),
    *("training_mode", "training_flag", "train_phase", "training_phase", "in_training", "is_train_mode"),
)
INFERS = (  # of those that are True in inference
    *("inference", "is_inference", "test", "is_test", "testing", "is_testing", "test_mode", "test_phase"),
    *("eval", "is_eval", "evaluate", "is_evaluation", "eval_mode", "predict", "predicting", "is_predict"),
    *("infer", "is_infer", "inference_mode", "deterministic"),
)
MODES = ("mode", "phase")  # of those that may be a word
LEARN_WORDS = ("train", "training", "fit", "learn", "learning")
INFER_WORDS = (
    *("test", "eval", "inference", "testing", "evaluate", "evaluation", "predict", "prediction", "infer"),
    *("val", "valid", "validation", "deploy"),
)
METHODS = (  # of inference and training
    *(("eval", "train"), ("evaluate", "train"), ("set_eval", "set_train"), ("test", "train")),
    *(("eval_mode", "train_mode"), ("test_mode", "train_mode"), ("inference", "training")),
    *(("set_eval_mode", "set_train_mode"), ("inference_mode", "training_mode"), ("evaluation", "training")),
)
WORD_SETTERS = ("set_mode", "set_phase")  # of those that may take a word
SETTERS = (
    *("set_training", "set_is_training", "set_train", "set_train_mode", "set_training_mode", "train"),
    *WORD_SETTERS,
)
SWITCHING = ("dropout", "batch_norm")  # the kinds that do something else in inference


def meaning_of(word: str) -> str:
    """What a parameter of that plain name is: "training", "inference" or "mode"; "" for another."""
    if word in MODES:
        return "mode"
    known = {plain(name): "inference" for name in INFERS} | {plain(name): "training" for name in TRAINS}
    return known.get(word, "")


def is_told_as_in_the_book(about: Mapping[str, Any], kind: str) -> bool:
    """Whether forward takes a flag that is True in training, if the kind does something else in inference."""
    forward = about.get("methods", {}).get("forward") or ()
    return kind not in SWITCHING or any(p and p["name"] in TRAINS for p in forward)


def words_in(codes: Iterable[CodeType]) -> list[str]:
    """The words for training and inference in code, those of training first."""
    known = [*LEARN_WORDS, *INFER_WORDS]
    found = {one for one in constants_in(codes) if isinstance(one, str) and one.lower() in known}
    return sorted(found, key=lambda word: (known.index(word.lower()), word))


def in_its_words(
    args: tuple[tuple[str, str], ...], params: Sequence[Mapping[str, Any]] | None, words: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """The arguments with a mode as its code has it: "mode:train;test", or "training" where it is no word."""
    defaults = {p["name"]: p["default"].strip("'\"") for p in params or () if p}
    return tuple(
        (name, _mode(defaults.get(name, ""), words) if meaning == "mode" else meaning)
        for name, meaning in args
    )


def _mode(default: str, words: Sequence[str]) -> str:
    learn, infer = of_words([default, *words])
    if default in ("True", "False") or not (words or default.lower() in (*LEARN_WORDS, *INFER_WORDS)):
        return "training"
    return f"mode:{learn};{infer}"


def of_words(words: Sequence[str]) -> tuple[str, str]:
    """The word for training and the one for inference: the first of each that is there, or the usual one."""
    learn = next((word for word in words if word.lower() in LEARN_WORDS), LEARN_WORDS[0])
    return learn, next((word for word in words if word.lower() in INFER_WORDS), INFER_WORDS[0])


def by_method(methods: Mapping[str, Any], words: Sequence[str]) -> tuple[Any, ...]:
    """How methods switch it: ("method", "eval", "train"), or ("setter", its name, what it is given in
    training, and in inference); nothing where none does. `words` are those of `words_in`."""
    for infer, learn in METHODS:
        if {infer, learn} <= methods.keys() and not _required(methods[infer]):
            return ("method", infer, learn)
    named = next((name for name in SETTERS if name in methods and len(methods[name] or ()) == 1), "")
    if named and not (words and named in WORD_SETTERS):
        return ("setter", named, True, False)
    return ("setter", named, *of_words(words)) if named else ()


def _required(params: Sequence[Mapping[str, Any]] | None) -> list[Any]:
    return [p for p in params or () if p and p["required"]]


def by_attribute(built: Any) -> tuple[Any, ...]:
    """("attribute", its name, its value in training, that in inference); nothing where none shows."""
    names = {**defined_in(type(built)), **(vars(built) if hasattr(built, "__dict__") else {})}
    for known, learn in ((TRAINS, True), (INFERS, False)):
        for name in [n for n in names if plain(n) in {plain(one) for one in known}]:
            if type(names[name]) is bool:
                return ("attribute", name, learn, not learn)
    for name in [n for n in names if plain(n) in MODES]:
        if isinstance(names[name], str) and names[name].lower() in (*LEARN_WORDS, *INFER_WORDS):
            return ("attribute", name, *of_words([names[name], *words_in(codes_of(type(built)))]))
    return ()
