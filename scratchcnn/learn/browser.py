"""What the course's page calls in the browser: run the reader's code, and judge it with NumPy.

Python in the browser has one process and no threads, so the page runs this in a web worker, which it stops
when a time limit is over.
"""

from __future__ import annotations

import io
import json
import linecache
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from scratchcnn.learn.exercises import EXERCISES
from scratchcnn.learn.judge import judge_answer, judged_by
from scratchcnn.learn.texts import messages

FILE = "answer.py"
LONGEST = 20_000  # characters that are shown of what the code prints


def prepare() -> None:
    """Judge the smallest right answer while the page still shows that Python is loading.

    All that the judge imports is imported then, and the reader's first answer does not wait for it.
    """
    exercise = EXERCISES[11]
    check(exercise.number, exercise.solution, "en")


def run(code: str) -> str:
    """Run the code as a script; what it printed, its traceback included."""
    linecache.cache[FILE] = (len(code), None, code.splitlines(keepends=True), FILE)
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            exec(compile(code, FILE, "exec"), {"__name__": "__main__"})
        except BaseException as error:  # an exit too: the page goes on
            inner = error.__traceback__ and error.__traceback__.tb_next  # without the line above
            traceback.print_exception(type(error), error, inner)
    return printed.getvalue()[:LONGEST]


def rehearse(number: int, code: str) -> None:
    """Call the answer on the exercise's own inputs, which takes no time unless it hangs."""
    exercise = EXERCISES[number - 1]
    if any(f'raise NotImplementedError("{gap}")' in code for gap in exercise.gaps):
        return
    try:
        exercise.results(exercise.object_of(code))
    except Exception:  # `check` says it better
        return


def check(number: int, code: str, language: str) -> str:
    """Judge the answer: JSON with `right`, the verdict in `text`, and the three hints of a wrong one."""
    exercise, word = EXERCISES[number - 1], messages(language)
    path = Path(f"{exercise.name}.py")
    path.write_text(code, encoding="utf-8")
    try:
        answer = judge_answer(exercise, path, isolated=False)
    except ValueError as error:
        return json.dumps({"right": False, "text": str(error), "hints": []})
    if answer.right:
        text = f"{word['right'].format(number=number)} {judged_by(answer, word)}"
        return json.dumps({"right": True, "text": text, "hints": []})
    if answer.gap:
        return json.dumps({"right": False, "text": answer.hint(exercise, 1, language), "hints": []})
    hints = [answer.hint(exercise, stage, language) for stage in (1, 2, 3)]
    text = word["not_yet"].format(stage="").strip()
    return json.dumps({"right": False, "text": text, "hints": hints})
