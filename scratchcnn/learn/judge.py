"""How an answer is judged, and the hints in three stages: which result, where, what it looks like."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scratchcnn.learn.answer_source import endless_line, refuse_imports
from scratchcnn.learn.clues import Clue, clues
from scratchcnn.learn.exercise import Difference, Exercise, Results, alike, first_difference
from scratchcnn.learn.texts import lesson_texts, messages

TEXTBOOK = "the textbook"


@dataclass(frozen=True)
class Answer:
    """What became of an answer.

    right     whether it passed everything
    gap       the first gap that is not filled in, if so
    first     the first result that is wrong on the exercise's own inputs
    mistake   the key of the known mistake that gives the same numbers
    clues     what the numbers say, where it is no known mistake
    says      what `parity.verify` found, if it found something
    where     the results that it found wrong, and those that are right
    judge     who judged: "PyTorch", "NumPy" or "the textbook"
    endless   whether it did not end, and line, where it then was; 0 if that is not known
    """

    right: bool
    gap: str = ""
    first: Difference | None = None
    mistake: str = ""
    clues: tuple[Clue, ...] = ()
    says: str = ""
    where: str = ""
    judge: str = ""
    endless: bool = False
    line: int = 0

    def hint(self, exercise: Exercise, stage: int, language: str) -> str:
        """The hint of that stage, 1 to 3, in the language."""
        word, names = messages(language), lesson_texts(exercise.number, language).get("names", {})
        if self.gap:
            return word["gap"].format(name=self.gap)
        if self.endless:
            return word["endless_line" if self.line else "endless"].format(line=self.line)
        if self.first is None:
            return word["diagnosis_known"].format(says=self.says or self.where)
        tensor, case = (names.get(name, name) for name in (self.first.tensor, self.first.case))
        if stage == 1:
            raised = self.first.error is not None
            return word["hint_which_raised" if raised else "hint_which"].format(tensor=tensor)
        if stage == 2:
            return word["hint_where"].format(tensor=tensor, case=case, values=_values(self.first, word))
        if self.mistake:
            text: str = lesson_texts(exercise.number, language)["mistakes"][self.mistake]
            return text
        told = []
        for key, values in self.clues:
            told.append(word[key].format(**{name: names.get(value, value) for name, value in values.items()}))
        told += [word["diagnosis_known"].format(says=self.says)] if self.says else []
        return " ".join([word["hint_unknown"], *(told or [word["diagnosis_none"]])])


def judged_by(answer: Answer, word: dict[str, str]) -> str:
    """`(judged by NumPy)` in the language of the messages."""
    if answer.judge == TEXTBOOK:
        return f"({word['judge_textbook']})"
    return f"({word['judge'].format(judge=answer.judge)})"


def judge_answer(exercise: Exercise, path: Path, isolated: bool | None = None) -> Answer:
    """Judge the file. What `parity.verify` knows goes there first, in a process of its own.

    PyTorch is the judge where it is installed, otherwise NumPy. With `isolated` False the code runs here, and
    an answer that makes a known mistake is recognised by that, without `parity.verify`. Raises ValueError if
    the file is not Python, or imports what the exercise is to be written without.
    """
    source = path.read_text(encoding="utf-8")
    try:
        compile(source, str(path), "exec")
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{path} is not Python: {error}") from None
    refuse_imports(exercise, source, path)
    for gap in exercise.gaps:
        if f'raise NotImplementedError("{gap}")' in source:
            return Answer(False, gap=gap)
    if isolated is False and (mistaken := _on_its_inputs(exercise, source)).mistake:
        return mistaken
    if not exercise.kind:
        return _on_its_inputs(exercise, source)
    verified, ended = _verified(exercise, path, isolated)
    if ended:
        hung = verified.says.startswith("hung")
        return replace(verified, endless=hung, line=endless_line(exercise, source) if hung else 0)
    found = _on_its_inputs(exercise, source)
    right, says = found.right and verified.right, found.says or verified.says
    return replace(found, right=right, says=says, where=verified.where, judge=verified.judge)


def _on_its_inputs(exercise: Exercise, source: str) -> Answer:
    """The answer as the textbook's code judges it, on the exercise's own inputs."""
    try:
        found = exercise.results(exercise.object_of(source))
    except Exception as error:
        return Answer(False, says=f"{type(error).__name__}: {error}", judge=TEXTBOOK)
    first = first_difference(found, exercise.results(exercise.object_of(exercise.solution)))
    if first is None:
        return Answer(True, judge=TEXTBOOK)
    mistake = mistake_of(exercise, found)
    told = () if mistake else tuple(clues(first, found))
    return Answer(False, first=first, mistake=mistake, clues=told, judge=TEXTBOOK)


def mistake_of(exercise: Exercise, found: dict[str, Results | Exception]) -> str:
    """The key of the known mistake that gives these results; "" if it is another one."""
    for mistake in exercise.mistakes:
        if alike(found, exercise.results(exercise.object_of(exercise.wrong(mistake)))):
            return mistake.key
    return ""


def _verified(exercise: Exercise, path: Path, isolated: bool | None) -> tuple[Answer, bool]:
    """What `parity.verify` finds, and whether the code hung or died."""
    from parity.verification.verify import verify

    if isolated is False:
        _forget(path)
    torch = importlib.util.find_spec("torch") is not None
    verdict = verify(
        f"{path}:{exercise.target}",
        exercise.kind,
        adapter=exercise.adapter,
        isolated=isolated,
        judge="torch" if torch else "numpy",
        profile="none",
    )
    says = verdict.diagnosis.says or "; ".join(verdict.buts) or verdict.unchecked
    ended = verdict.ending or verdict.unfinished
    name, passed = "PyTorch" if torch else "NumPy", verdict.outcome == "right"
    where = verdict.culprit.sentence if verdict.culprit else ""
    return Answer(passed, says=ended or says, where=where, judge=name), bool(ended)


def _forget(path: Path) -> None:
    """The file may have been imported by this process before, as it was then."""
    for name in (path.stem, f"_target_{path.stem}"):
        if getattr(sys.modules.get(name), "__file__", None) == str(path.resolve()):
            del sys.modules[name]
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def _values(first: Difference, word: dict[str, str]) -> str:
    if first.error is not None:
        error = f"{type(first.error).__name__}: {first.error}"
        key = "hint_error_line" if first.line else "hint_error"
        return word[key].format(error=error, line=first.line)
    if first.ours is None:
        return word["hint_values"].format(ours="None", wanted=_few(*[np.asarray(first.wanted)] * 3))
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
