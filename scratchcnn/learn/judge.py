"""How an answer is judged, and the hints in three stages: which result, where, what it looks like."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scratchcnn.learn.exercise import Difference, Exercise, Results, alike, first_difference
from scratchcnn.learn.texts import lesson_texts, messages


@dataclass(frozen=True)
class Answer:
    """What became of an answer.

    right     whether it passed everything
    gap       the first gap that is not filled in, if so
    first     the first result that is wrong on the exercise's own inputs
    mistake   the key of the known mistake that gives the same numbers
    says      what `parity.verify` found, if it found something
    judge     who judged: "PyTorch", "NumPy" or "the textbook"
    """

    right: bool
    gap: str = ""
    first: Difference | None = None
    mistake: str = ""
    says: str = ""
    judge: str = ""

    def hint(self, exercise: Exercise, stage: int, language: str) -> str:
        """The hint of that stage, 1 to 3, in the language."""
        word = messages(language)
        if self.gap:
            return word["gap"].format(name=self.gap)
        if self.first is None:
            return word["diagnosis_known"].format(says=self.says)
        if stage == 1:
            return word["hint_which"].format(tensor=self.first.tensor)
        if stage == 2:
            values = _values(self.first, word)
            return word["hint_where"].format(tensor=self.first.tensor, case=self.first.case, values=values)
        if self.mistake:
            text: str = lesson_texts(exercise.number, language)["mistakes"][self.mistake]
            return text
        known = word["diagnosis_known"].format(says=self.says) if self.says else word["diagnosis_none"]
        return word["hint_unknown"].format(diagnosis=known)


def judge_answer(exercise: Exercise, path: Path, isolated: bool | None = None) -> Answer:
    """Judge the file. What `parity.verify` knows goes there first, in a process of its own.

    PyTorch is the judge where it is installed, otherwise NumPy. With `isolated` False the code runs here, and
    an answer that makes a known mistake is recognised by that, without `parity.verify`. Raises ValueError if
    the file is not Python.
    """
    source = path.read_text(encoding="utf-8")
    try:
        compile(source, str(path), "exec")
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{path} is not Python: {error}") from None
    for gap in exercise.gaps:
        if f'raise NotImplementedError("{gap}")' in source:
            return Answer(False, gap=gap)
    if isolated is False and (mistaken := _on_its_inputs(exercise, source)).mistake:
        return mistaken
    judge, says, passed = "the textbook", "", True
    if exercise.kind:
        judge, says, passed, ended = _verified(exercise, path, isolated)
        if ended:
            return Answer(False, says=says, judge=judge)
    found = _on_its_inputs(exercise, source)
    return replace(found, right=found.right and passed, says=found.says or says, judge=judge)


def _on_its_inputs(exercise: Exercise, source: str) -> Answer:
    """The answer as the textbook's code judges it, on the exercise's own inputs."""
    try:
        found = exercise.results(exercise.object_of(source))
    except Exception as error:
        return Answer(False, says=f"{type(error).__name__}: {error}", judge="the textbook")
    first = first_difference(found, exercise.results(exercise.object_of(exercise.solution)))
    mistake = "" if first is None else mistake_of(exercise, found)
    return Answer(first is None, first=first, mistake=mistake, judge="the textbook")


def mistake_of(exercise: Exercise, found: dict[str, Results | Exception]) -> str:
    """The key of the known mistake that gives these results; "" if it is another one."""
    for mistake in exercise.mistakes:
        if alike(found, exercise.results(exercise.object_of(exercise.wrong(mistake)))):
            return mistake.key
    return ""


def _verified(exercise: Exercise, path: Path, isolated: bool | None) -> tuple[str, str, bool, bool]:
    """(the judge, what is wrong, whether it passed, whether the code hung or died)."""
    from parity.verification.verify import verify

    torch = importlib.util.find_spec("torch") is not None
    verdict = verify(
        f"{path}:{exercise.target}",
        exercise.kind,
        adapter=exercise.adapter,
        isolated=isolated,
        judge="torch" if torch else "numpy",
        profile="none",
    )
    says = verdict.diagnosis.says or "; ".join(verdict.buts)
    ended = verdict.ending or verdict.unfinished
    passed = verdict.outcome == "right"
    return "PyTorch" if torch else "NumPy", ended or says or verdict.unchecked, passed, bool(ended)


def _values(first: Difference, word: dict[str, str]) -> str:
    if first.error is not None:
        return word["hint_error"].format(error=f"{type(first.error).__name__}: {first.error}")
    ours, wanted = np.asarray(first.ours), np.asarray(first.wanted)
    if ours.shape != wanted.shape:
        return word["hint_shape"].format(ours=ours.shape, wanted=wanted.shape)
    return word["hint_values"].format(ours=_few(ours, ours, wanted), wanted=_few(wanted, ours, wanted))


def _few(array: Any, ours: Any, wanted: Any) -> str:
    """A few numbers, from the first that differs on."""
    if array.dtype.kind not in "fiu":
        return str(array)
    start = int(np.argmax(~np.isclose(ours, wanted).ravel()))
    return ", ".join(f"{value:.4g}" for value in array.ravel()[start : start + 3])
