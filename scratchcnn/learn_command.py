"""`learn [NUMBER]`: the course, its exercises and what is done."""

from __future__ import annotations

import importlib.util
import json
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any
from unicodedata import east_asian_width

import typer

from scratchcnn.files import atomic_write
from scratchcnn.learn.exercise import Exercise
from scratchcnn.learn.exercises import EXERCISES
from scratchcnn.learn.hunt import bug_numbered, choose, hunt_file, still_wrong
from scratchcnn.learn.judge import judge_answer, judged_by
from scratchcnn.learn.lessons import lesson, notebook
from scratchcnn.learn.texts import lesson_texts, messages

PROGRESS = "learn.json"


def learn(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NUMBER",
            help="A lesson, 1 to 15; with --hunt a kind of layer, or the number of a bug.",
            show_default="list the lessons",
        ),
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="Judge the lesson's exercise.")] = False,
    hint: Annotated[
        int,
        typer.Option(help="With --check: 1 which is wrong, 2 where, 3 what it looks like.", min=0, max=3),
    ] = 0,
    solution: Annotated[
        bool, typer.Option("--solution", help="Show the textbook's code and yours side by side.")
    ] = False,
    hunt: Annotated[
        bool, typer.Option("--hunt", help="Write a file with one bug, whose tests pass; find and mend it.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="With --hunt: the same bug again.", min=0, show_default="another each time"),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(help="Only write the course as pages to this folder.", show_default="not written"),
    ] = None,
    lang: Annotated[
        str, typer.Option(help="Language: en or ko.", show_default="that of the last time, else en")
    ] = "",
    folder: Annotated[Path, typer.Option(help="Where the lessons' folders and learn.json are.")] = Path("."),
) -> None:
    """A course along the book's chapter 7 and on trust: lessons with pictures, exercises with a judge."""
    if page is not None:
        from scratchcnn.learn.page import write_pages

        return print(*write_pages(page), sep="\n")
    progress = _read_progress(folder)
    chosen, lang = lang, lang or progress.get("lang", "en")
    word = _messages(lang, folder)
    if chosen and progress.get("lang") != chosen:
        progress = progress | {"lang": lang}
        with suppress(OSError):  # where nothing can be written, the list is shown all the same
            _save(folder, progress)
    if hunt:
        if hint or solution:
            raise ValueError(word["hunt_options"])
        return _hunt(folder, what, check, seed, lang, word)
    if not what:
        if check or hint or solution:
            raise ValueError(word["which_lesson"])
        return _print_list(progress, lang, word)
    number = int(what) if what.isdecimal() else 0
    if not 1 <= number <= len(EXERCISES):
        raise ValueError(word["no_lesson"].format(number=what, count=len(EXERCISES)))
    exercise = EXERCISES[number - 1]
    path = folder / f"lesson{number}" / f"{exercise.name}.py"
    if not (check or hint or solution):
        _begin(exercise, path, lang, word)
        return _write_progress(folder, progress, lang, number, "begun")
    if not path.is_file():
        raise FileNotFoundError(word["no_file"].format(path=path, number=number))
    if solution:
        print(_side_by_side(path.read_text(encoding="utf-8"), exercise.solution, word))
        return None
    answer = judge_answer(exercise, path)
    if answer.right:
        print(word["right"].format(number=number), judged_by(answer, word))
        _write_progress(folder, progress, lang, number, "done")
        return _print_next(_read_progress(folder), word, number)
    print(
        word["not_yet"]
        .format(stage=answer.hint(exercise, hint, lang) if hint or answer.gap or answer.endless else "")
        .strip()
    )
    if not answer.gap:
        print(word["hint_next" if hint < 3 else "hint_over"].format(number=number, hint=hint + 1))
    raise typer.Exit(1)


def _hunt(folder: Path, what: str, check: bool, seed: int | None, lang: str, word: dict[str, str]) -> None:
    """Write a file with a bug, or judge it."""
    if what.isdecimal():
        bug = bug_numbered(int(what))
    elif check:
        raise ValueError(word["hunt_which"])
    else:
        bug = choose(what, seed)
    path = folder / "hunt" / f"bug{bug.number}.py"
    if not check:
        if path.exists():
            return print(word["hunt_kept"].format(path=path, number=bug.number))
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, hunt_file(bug, lang))
        return print(word["hunt_written"].format(path=path, number=bug.number))
    if not path.is_file():
        raise FileNotFoundError(word["hunt_no_file"].format(path=path))
    wrong, says = still_wrong(bug, path)
    if not wrong:
        return print(word["hunt_found"], bug.story, word["hunt_next"], sep="\n")
    print(word["hunt_there"] if says == bug.fault else word["hunt_other"].format(says=says))
    raise typer.Exit(1)


def _begin(exercise: Exercise, path: Path, lang: str, word: dict[str, str]) -> None:
    """Write the lesson, and its exercise unless it is there already."""
    number = exercise.number
    path.parent.mkdir(parents=True, exist_ok=True)
    page = path.parent / "lesson.py"
    _write(page, lesson(number, lang))
    if path.exists():
        print(word["kept"].format(exercise=path))
    else:
        _write(path, exercise.with_gaps(lesson_texts(number, lang)["gaps"]))
        print(word["written"].format(lesson=page, exercise=path))
    print(word["read"].format(lesson=page))
    if importlib.util.find_spec("jupytext"):
        _write(page.with_suffix(".ipynb"), notebook(number, lang))
        print(word["notebook"].format(notebook=page.with_suffix(".ipynb")))
    if importlib.util.find_spec("matplotlib") is None:
        print(word["read_needs"])
    print(word["then"].format(number=number))


def _messages(lang: str, folder: Path) -> dict[str, str]:
    """What the command says; the commands in it are for that folder."""
    word = messages(lang)
    if folder == Path("."):
        return word
    command = "python -m scratchcnn learn"
    return {
        key: text.replace(
            command, f"{command} --folder {shlex.quote(str(folder)).replace('{', '{{').replace('}', '}}')}"
        )
        for key, text in word.items()
    }


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _side_by_side(mine: str, right: str, word: dict[str, str]) -> str:
    """Two sources in two columns."""
    left, other = mine.splitlines(), right.splitlines()
    width = max(_cells(line) for line in [*left, word["yours"]])
    rows = max(len(left), len(other))
    left, other = left + [""] * (rows - len(left)), other + [""] * (rows - len(other))
    pairs = [(word["yours"], word["textbook"]), *zip(left, other, strict=True)]
    return "\n".join(f"{a}{' ' * (width - _cells(a))}  | {b}".rstrip() for a, b in pairs)


def _cells(text: str) -> int:
    """How wide it is in a terminal, where a Korean letter takes two cells."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


# -- progress ---------------------------------------------------------------------------------------
def _read_progress(folder: Path) -> dict[str, Any]:
    """{"lang": "ko", "lessons": {"5": "done"}}, {} without a file. Raises ValueError for a damaged one."""
    try:
        found = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("lessons", {}), dict):
        raise ValueError(
            f"{folder / PROGRESS}, which says what is done, is damaged; mend it, or delete it to begin anew"
        )
    return found


def _write_progress(folder: Path, progress: dict[str, Any], lang: str, number: int, state: str) -> None:
    lessons = dict(progress.get("lessons", {}))
    if lessons.get(str(number)) != "done":
        lessons[str(number)] = state
    _save(folder, {**progress, "lang": lang, "lessons": lessons})


def _save(folder: Path, progress: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / PROGRESS, json.dumps(progress, indent=1) + "\n")


def _print_list(progress: dict[str, Any], lang: str, word: dict[str, str]) -> None:
    lessons = progress.get("lessons", {})
    print(word["lessons"])
    for exercise in EXERCISES:
        number, state = exercise.number, lessons.get(str(exercise.number), "")
        mark = f"  [{word[state]}]" if state in ("done", "begun") else ""
        print(f"{number:3}  {lesson_texts(number, lang)['title']}{mark}")
    _print_next(progress, word)


def _print_next(progress: dict[str, Any], word: dict[str, str], after: int = 0) -> None:
    """Name the next lesson that is not done: after that number, or else the first."""
    lessons = progress.get("lessons", {})
    open_ones = [e.number for e in EXERCISES if lessons.get(str(e.number)) != "done"]
    following = [number for number in open_ones if number > after] or open_ones
    print(word["next"].format(number=following[0]) if following else word["all_done"])
