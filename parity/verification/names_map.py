"""Which of our arrays is which of theirs: a TOML file, or a dict of the same shape.

    W1 = "conv1.weight"
    W2 = { theirs = "fc1.weight", transposed = true }

Without a map names must be equal; shapes are only believed where they leave no choice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """Where an array is on the other side; `transposed` None: the shapes decide."""

    theirs: str
    transposed: bool | None = None


Names = dict[str, Entry]
Shapes = Mapping[str, tuple[int, ...]]


def read_names(given: str | Path | Mapping[str, Any] | None) -> Names | None:
    """The map in a TOML file or a dict. Raises ValueError for an entry that is none."""
    if given is None:
        return None
    if isinstance(given, (str, Path)):
        try:
            table: Mapping[str, Any] = tomllib.loads(Path(given).read_text())
        except FileNotFoundError:
            raise ValueError(f"there is no file of names {given}") from None
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{given} is not TOML: {error}") from None
    else:
        table = given
    return {ours: _entry(ours, value) for ours, value in table.items()}


def _entry(ours: str, value: Any) -> Entry:
    if isinstance(value, str):
        return Entry(value)
    if (
        isinstance(value, Mapping)
        and isinstance(value.get("theirs"), str)
        and set(value) <= {"theirs", "transposed"}
    ):
        return Entry(value["theirs"], value.get("transposed"))
    if isinstance(value, tuple) and len(value) == 2:
        return Entry(*value)
    raise ValueError(f'{ours}: expected "name" or {{ theirs = "name", transposed = true }}, got {value!r}')


def fitted(names: Names, ours: Shapes, theirs: Shapes) -> Names:
    """The map with every `transposed` settled by the shapes.

    Raises ValueError listing what is missing, left over, of another shape, or square and not said.
    """
    problems = [f"{name}: the map has it, ours has not" for name in names if name not in ours]
    problems += [f"{name}: ours has it, the map has not" for name in ours if name not in names]
    targets = [entry.theirs for entry in names.values()]
    problems += [f"{name}: named twice" for name in sorted({t for t in targets if targets.count(t) > 1})]
    problems += [f"{name}: theirs has it, the map has not" for name in theirs if name not in targets]
    settled: Names = {}
    for name in [n for n in names if n in ours]:
        entry = names[name]
        if entry.theirs not in theirs:
            problems.append(f"{name}: theirs has no {entry.theirs}")
            continue
        transposed, why = _transposed(entry, ours[name], theirs[entry.theirs])
        if why:
            problems.append(f"{name}: {why}")
        settled[name] = Entry(entry.theirs, transposed)
    if problems:
        raise ValueError("the names do not fit:\n  " + "\n  ".join(problems))
    return settled


def _transposed(entry: Entry, ours: tuple[int, ...], theirs: tuple[int, ...]) -> tuple[bool, str]:
    plain, turned = ours == theirs, len(ours) == 2 and ours[::-1] == theirs
    if entry.transposed is not None:
        fits = turned if entry.transposed else plain
        return entry.transposed, "" if fits else f"shape {ours} does not fit {entry.theirs} of {theirs}"
    if plain and turned and len(ours) == 2 and ours[0] > 1:
        return (
            False,
            f"a square {ours} may be transposed or not; say it: "
            f'{{ theirs = "{entry.theirs}", transposed = true }} or false',
        )
    if not plain and not turned:
        return False, f"shape {ours} does not fit {entry.theirs} of {theirs}"
    return turned and not plain, ""


def guessed(ours: Shapes, theirs: Shapes) -> Names:
    """The map where it cannot be otherwise: equal names, or shapes that only one of each side has.

    Raises ValueError listing the arrays that could be one another.
    """
    if ours.keys() == theirs.keys():
        return {name: Entry(name) for name in ours}
    names, doubtful = {}, []
    for name, shape in ours.items():
        matches = [n for n, s in theirs.items() if _same(s, shape)]
        rivals = [n for n, s in ours.items() if _same(s, shape)]
        if len(matches) == 1 and len(rivals) == 1:
            names[name] = Entry(matches[0])
        else:
            doubtful.append(f"{name} {shape}: {', '.join(matches) or 'nothing'}")
    if doubtful:
        raise ValueError(
            "the shapes do not show which array is which; give a map of names for:\n  "
            + "\n  ".join(doubtful)
        )
    return names


def _same(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return a == b or (len(a) == 2 and a[::-1] == b)
