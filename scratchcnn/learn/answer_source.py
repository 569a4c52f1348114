"""What an answer's source shows: whether it imports what it should be, and where it does not end."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scratchcnn.learn.exercise import Exercise

READY_MADE = ("scratchcnn", "parity", "torch", "jax", "keras", "tensorflow")
HANGS = 3  # seconds after which a call is looked at; on the exercise's own inputs it takes milliseconds
WATCH = """
import faulthandler, sys
from scratchcnn.learn.exercises import EXERCISES
exercise, source = EXERCISES[int(sys.argv[1]) - 1], sys.stdin.read()
faulthandler.dump_traceback_later(float(sys.argv[2]), exit=True)
exercise.results(exercise.object_of(source))
"""


def refuse_imports(exercise: Exercise, source: str, path: Path) -> None:
    """Raise ValueError if the answer imports layers from a library that the lesson's file does not import."""
    given = {name for name, _ in _imports(exercise.solution)}
    for name, line in _imports(source):
        if name not in given and name.split(".")[0] in READY_MADE:
            raise ValueError(
                f"{path}, line {line}, imports {name}: the exercise is to be written with NumPy and what "
                "the lesson's file imports; remove that import"
            )


def _imports(source: str) -> Iterator[tuple[str, int]]:
    """`package.name` and its line, for everything that is imported."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def endless_line(exercise: Exercise, source: str) -> int:
    """The line of the answer in which a process of its own still was after a few seconds; 0 if it ended."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(exercise.number), str(HANGS)],
        input=source,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    found = re.search(rf'File "{exercise.name}\.py", line (\d+)', done.stderr)
    return int(found[1]) if found else 0
