"""The texts of the course: one file per lesson and language, `words/LANGUAGE/lesson05.toml`.

A further language is one more folder with the same files and the same keys.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "words"


def languages() -> list[str]:
    """The languages that there are, English first."""
    names = [path.name for path in FOLDER.iterdir() if path.is_dir()]
    return sorted(names, key=lambda name: (name != "en", name))


@cache
def _read(name: str, language: str) -> dict[str, Any]:
    if language not in languages():
        raise ValueError(f"there is no language {language!r}; there are {', '.join(languages())}")
    return tomllib.loads((FOLDER / language / f"{name}.toml").read_text(encoding="utf-8"))


def lesson_texts(number: int, language: str = "en") -> dict[str, Any]:
    """What a lesson says: title, section, idea, formula, picture, experiment, exercise, gaps, mistakes.

    Raises ValueError for a language that there is not.
    """
    return _read(f"lesson{number:02}", language)


def messages(language: str = "en") -> dict[str, str]:
    """What the command says. Raises ValueError for a language that there is not."""
    return _read("messages", language)
