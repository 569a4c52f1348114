"""What a teacher asks for: kinds, points, imports, hints and the due date, read from a TOML file."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parity.kinds import ALL_KINDS
from parity.sandbox.policy import ALLOWED, ALWAYS_REFUSED
from parity.timing.layer_sizes import LAYERS
from scratchcnn.lookup import nearest

HINTS = ("which", "where", "what")
NUMBERS, CONTRACTS, SPEED = "numbers", "contracts", "speed"  # checks besides results by their names
EXAMPLE = """# python -m parity grade submissions/ --assignment assignment.toml --out grades
title = "Layers of a convolutional network"
due = 2027-01-31T23:59:00Z          # with a time zone; leave it out for no date
allowed = ["numpy"]                 # what may be imported besides Python's own modules
hints = ["which", "where"]          # what a student is shown: which check, where it fails, what it could be
reference_numbers = false           # whether PyTorch's numbers are shown
definitions_only = false            # true: only classes and functions of a file are loaded
timeout = 10.0                      # seconds without an answer
memory = 1024                       # MiB
speed_factor = 2.0                  # times the textbook's time, at most, for the points of speed

[[task]]
kind = "relu"                       # python -m parity kinds lists them
names = ["Relu", "ReLU"]            # found by one of these names; left out, by what the name shows
points = { forward = 2, dx = 2, contracts = 1 }

[[task]]
kind = "affine"                     # forward: every result of forward; dx, dW, db: that gradient;
points = { forward = 2, dx = 2, dW = 2, db = 1, contracts = 1 }   # numbers: all of these; contracts: the rest
                                    # speed: beside the textbook's, of what has all its numbers right
"""


class AssignmentError(ValueError):
    """The file is no assignment; the message says where."""


@dataclass(frozen=True)
class Task:
    """One thing that is asked for, and the points of each check of it."""

    kind: str
    points: Mapping[str, float]
    names: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.names[0] if self.names else self.kind

    @property
    def most(self) -> float:
        return sum(self.points.values())


@dataclass(frozen=True)
class Assignment:
    """`digest` is of the file: a grade that another version of it gave is no longer one."""

    tasks: tuple[Task, ...]
    title: str = "assignment"
    due: datetime | None = None
    allowed: tuple[str, ...] = ALLOWED
    hints: tuple[str, ...] = ("which", "where")
    reference_numbers: bool = False
    definitions_only: bool = False
    timeout: float = 10.0
    memory: int = 1024
    speed_factor: float = 2.0
    digest: str = field(default="", repr=False)

    @property
    def most(self) -> float:
        return sum(task.most for task in self.tasks)


def read_assignment(path: str | Path) -> Assignment:
    """The assignment in that file. Raises AssignmentError for what is none, OSError for what is not there."""
    data = Path(path).read_bytes()
    try:
        return _assignment(tomllib.loads(data.decode()), hashlib.sha256(data).hexdigest())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AssignmentError(f"{path} is no TOML: {error}") from None
    except AssignmentError as error:
        raise AssignmentError(f"{path}: {error}") from None


FIELDS: dict[str, type | tuple[type, ...]] = {
    "title": str,
    "due": datetime,
    "allowed": list,
    "hints": list,
    "reference_numbers": bool,
    "definitions_only": bool,
    "timeout": (int, float),
    "memory": int,
    "speed_factor": (int, float),
}


def _assignment(found: dict[str, Any], digest: str) -> Assignment:
    tasks = found.pop("task", None)
    if not isinstance(tasks, list) or not tasks:
        raise AssignmentError("expected at least one [[task]]")
    for name, value in found.items():
        if name not in FIELDS:
            raise AssignmentError(f"no setting named {name}; there are {', '.join(FIELDS)} and [[task]]")
        if not isinstance(value, FIELDS[name]) or (isinstance(value, bool) and FIELDS[name] is not bool):
            raise AssignmentError(f"{name}: {value!r} is not of the right type")
    for name in ("allowed", "hints"):
        if name in found:
            found[name] = _texts(name, found[name])
    if unknown := [h for h in found.get("hints", ()) if h not in HINTS]:
        raise AssignmentError(f"hints: expected some of {', '.join(HINTS)}; got {unknown[0]!r}")
    if refused := [name for name in found.get("allowed", ()) if name in ALWAYS_REFUSED]:
        raise AssignmentError(f"allowed: {refused[0]} has the answers in it")
    if (due := found.get("due")) is not None and due.tzinfo is None:
        found["due"] = due.replace(tzinfo=UTC)
    for name in ("timeout", "memory", "speed_factor"):
        if name in found and not found[name] > 0:
            raise AssignmentError(f"{name}: expected a number above 0, got {found[name]}")
    return Assignment(tuple(_task(task) for task in tasks), **found, digest=digest)


def _texts(name: str, values: list[Any]) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise AssignmentError(f"{name}: expected a list of texts, got {values!r}")
    return tuple(values)


def _task(found: Any) -> Task:
    if not isinstance(found, dict) or {*found} - {"kind", "names", "points"}:
        raise AssignmentError(f"[[task]]: expected kind, points and names, got {found!r}")
    kind = str(found.get("kind", "")).replace("-", "_").lower()
    if kind not in ALL_KINDS:
        near = nearest(kind, ALL_KINDS)
        raise AssignmentError(f"[[task]]: no kind named {kind!r}; there are {', '.join(ALL_KINDS)}{near}")
    points = found.get("points")
    if not isinstance(points, dict) or not points:
        raise AssignmentError(f"{kind}: expected points such as {{ forward = 2, dx = 2 }}, got {points!r}")
    for check, value in points.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < 0:
            raise AssignmentError(f"{kind}: points for {check} are {value!r}, and not a number of at least 0")
        if not (check in ("forward", NUMBERS, CONTRACTS, SPEED) or check.startswith("d")):
            raise AssignmentError(
                f"{kind}: no check named {check}; there are forward, {NUMBERS}, {CONTRACTS}, {SPEED} "
                "and gradients such as dx, dW"
            )
    if SPEED in points and kind not in LAYERS:
        raise AssignmentError(f"{kind}: its speed is not measured; that of {', '.join(LAYERS)} is")
    return Task(kind, points, _texts(f"{kind}: names", found.get("names", [])))
