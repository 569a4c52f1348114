"""The lessons as files: percent cells, which Jupyter, VS Code and Colab open as notebooks."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from scratchcnn.learn.exercises import EXERCISES
from scratchcnn.learn.texts import lesson_texts, messages

CODE = Path(__file__).parent / "cells"
EXPERIMENT = "# %% experiment\n"


def code_of(number: int) -> tuple[str, str]:
    """The code of the lesson's picture and of its experiment."""
    picture, _, experiment = (CODE / f"{number:02}.py").read_text(encoding="utf-8").partition(EXPERIMENT)
    return picture, experiment


def lesson(number: int, language: str = "en") -> str:
    """The lesson as one Python file in percent cells."""
    text, word = lesson_texts(number, language), messages(language)
    picture, experiment = code_of(number)
    beyond = not re.match(r"\d", text["section"])
    where = word["book_beyond"] if beyond else f"{word['section']} {text['section']}"
    exercise = f"{text['exercise']} {word['exercise_how'].format(name=EXERCISES[number - 1].name)}"
    cells = (
        _words(f"# {number}. {text['title']}", where, text["idea"]),
        _words(f"## {word['formula_title']}", f"    {text['formula']}"),
        _words(f"## {word['picture_title']}", text["picture"]),
        f"# %%\n{picture.rstrip()}\nplt.show()",
        _words(f"## {word['experiment_title']}", text["experiment"]),
        f"# %%\n{experiment}",
        _words(f"## {word['exercise_title']}", exercise, word["then"].format(number=number)),
    )
    return "\n".join(cell.rstrip() + "\n" for cell in cells)


def notebook(number: int, language: str = "en") -> str:
    """The lesson as an .ipynb file, by the package jupytext."""
    import jupytext

    text: str = jupytext.writes(jupytext.reads(lesson(number, language), fmt="py:percent"), fmt="ipynb")
    return text


def _words(*paragraphs: str) -> str:
    """A cell of text; paragraphs are wrapped unless they are indented."""
    lines = ["# %% [markdown]"]
    for i, paragraph in enumerate(paragraphs):
        lines += ["#"] if i else []
        fixed = paragraph.startswith("    ")
        wrapped = [paragraph] if fixed else textwrap.wrap(" ".join(paragraph.split()), 100)
        lines += [f"# {line}" for line in wrapped]
    return "\n".join(lines) + "\n"
