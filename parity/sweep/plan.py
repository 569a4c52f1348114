"""A sweep's plan: a TOML file of parts, each a product of names, dtypes, devices and seeds.

timeout = 60      # seconds without an answer after which a cell counts as hung
memory = 2048     # MiB that it may add

[[part]]
layers = "all"                    # or a list of kinds
dtypes = ["float64", "float32"]
devices = ["cpu"]                 # "cuda", and its modes: "cuda tf32" for float32,
                                  # "cuda channels_last", "cuda cudnn_benchmark"
seeds = 100                       # 0 to 99; or a list; or {first = 100, count = 50}
geometry = 5                      # random geometries per seed, for kinds with windows
contracts = true
faults = "all"                    # known bugs that must be caught; or a list; default: none

[[part]]
networks = ["lenet"]
steps = 3                         # training steps in lockstep
optimizer = "adam"

[[part]]
folder = "submissions"            # other people's files; each class or function is taken by its name
adapter = "auto"                  # how they are called: found by trial
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

DTYPES = ("float64", "float32")
DEVICES = ("cpu", "cuda", "cuda tf32", "cuda channels_last", "cuda cudnn_benchmark")


class PlanError(ValueError):
    """The plan cannot be run; the message names the part and what was expected."""


@dataclass(frozen=True)
class Part:
    """One product. `subject` is layers, networks or folder; `names` are its kinds, networks or classes."""

    name: str
    subject: str
    names: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = DTYPES
    devices: tuple[str, ...] = ("cpu",)
    seeds: Sequence[int] = range(1)
    geometry: int = 0
    contracts: bool = True
    faults: tuple[str, ...] = ()
    steps: int = 0
    optimizer: str = "momentum"
    batch_size: int | None = None
    folder: str = ""
    adapter: str = "auto"


@dataclass(frozen=True)
class Plan:
    """The parts, and the limits of one cell. Paths in the plan are relative to the folder `base`."""

    parts: tuple[Part, ...]
    timeout: float = 60.0
    memory: int = 2048
    base: Path = field(default=Path(), compare=False)

    def as_data(self) -> dict[str, Any]:
        """The plan as stored in JSON: a sweep can only be resumed with an equal one."""
        parts = []
        for part in self.parts:
            s = part.seeds
            seeds = {"first": s.start, "count": len(s)} if isinstance(s, range) else list(s)
            parts.append({k: list(v) if isinstance(v, tuple) else v for k, v in asdict(part).items()})
            parts[-1]["seeds"] = seeds
        return {"timeout": self.timeout, "memory": self.memory, "parts": parts}


def load_plan(path: Path) -> Plan:
    """Read a plan. Raises PlanError naming the part and the key that are wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} is not TOML: {error}") from None
    return make_plan(data, path.resolve().parent, path.name)


def make_plan(data: Mapping[str, Any], base: Path = Path(), name: str = "the plan") -> Plan:
    """The plan in the data of a TOML file. Raises PlanError like `load_plan`."""
    _known(data, ("part", "timeout", "memory"), name)
    tables = data.get("part")
    if not isinstance(tables, list) or not tables:
        raise PlanError(f"{name} has no part; add one: [[part]] with layers, networks or folder")
    parts = tuple(_part(table, i, base, name) for i, table in enumerate(tables, 1))
    names = [part.name for part in parts]
    if double := next((n for n in names if names.count(n) > 1), None):
        raise PlanError(f"{name}: two parts are named {double!r}; give each its own name")
    timeout, memory = data.get("timeout", 60.0), data.get("memory", 2048)
    if not _is_number(timeout) or timeout <= 0:
        raise PlanError(f"{name}: expected timeout to be a number of seconds above 0, got {timeout!r}")
    return Plan(parts, float(timeout), _count(memory, "memory", name, least=64), base)


# -- one part -------------------------------------------------------------------------------------
def _part(table: Any, number: int, base: Path, plan: str) -> Part:
    where = f"{plan}, part {number}"
    if not isinstance(table, dict):
        raise PlanError(f"{where}: expected a table, [[part]], got {table!r}")
    subjects = [s for s in SUBJECTS if s in table]
    if len(subjects) != 1:
        raise PlanError(
            f"{where}: expected one of {', '.join(SUBJECTS)}, got {' and '.join(subjects) or 'none'}"
        )
    (subject,) = subjects
    own = SUBJECTS[subject]
    _known(table, ("name", "seeds", subject, *own), where)
    given: dict[str, Any] = {"name": table.get("name", f"{number}-{subject}"), "subject": subject}
    if not isinstance(given["name"], str) or not given["name"].replace("-", "").replace("_", "").isalnum():
        raise PlanError(f"{where}: expected a name of letters, digits, - and _, got {given['name']!r}")
    given["seeds"] = _seeds(table.get("seeds", 1), where)
    for key in own:
        if key in table:
            given["names" if key == "names" else key] = READERS[key](table[key], key, where)
    if subject == "folder":
        given["folder"] = _folder(table["folder"], base, where)
    else:
        given["names"] = _names(table[subject], _available(subject), subject, where)
    if given.get("faults"):
        given["faults"] = _faults(given["faults"], given["names"], where)
    part = Part(**given)
    if "cuda tf32" in part.devices and "float32" not in part.dtypes:
        raise PlanError(f'{where}: "cuda tf32" rounds float32 products; add float32 to dtypes')
    return part


def _known(table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in table:
        if key not in keys:
            close = difflib.get_close_matches(key, keys, 1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise PlanError(f"{where}: unknown key {key!r}{hint} The keys are {', '.join(keys)}")


def _available(subject: str) -> tuple[str, ...]:
    if subject == "networks":
        from parity.reference.networks import TORCH_NETWORKS

        return tuple(TORCH_NETWORKS)
    from parity.kinds import ALL_KINDS

    return tuple(ALL_KINDS)


def _names(value: Any, available: Sequence[str], what: str, where: str) -> tuple[str, ...]:
    """`"all"`, or a list of names that exist, each once."""
    if value == "all":
        return tuple(available)
    names = _texts(value, what, where)
    for name in names:
        if name not in available:
            close = difflib.get_close_matches(name, available, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(available)}"
            raise PlanError(f"{where}: none of the {what} is named {name!r}; {hint}")
    return names


def _faults(asked: tuple[str, ...], kinds: Sequence[str], where: str) -> tuple[str, ...]:
    from parity.faults import FAULTS

    mine = tuple(name for name, fault in FAULTS.items() if fault.kind in kinds)
    if asked == ("all",):
        return mine
    for name in asked:
        if name in FAULTS and name not in mine:
            raise PlanError(f"{where}: the fault {name!r} belongs to {FAULTS[name].kind}; add that to layers")
    return _names(list(asked), mine, "faults", where)


def _folder(value: Any, base: Path, where: str) -> str:
    if not isinstance(value, str) or not (base / value).is_dir():
        raise PlanError(f"{where}: there is no folder {value!r} in {base}")
    return value


def _texts(value: Any, key: str, where: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and v for v in values):
        raise PlanError(f"{where}: expected {key} to be a list of names, got {value!r}")
    return tuple(dict.fromkeys(values))


def _among(choices: Sequence[str]) -> Callable[[Any, str, str], tuple[str, ...]]:
    return lambda value, key, where: _names(list(_texts(value, key, where)), choices, key, where)


def _seeds(value: Any, where: str) -> Sequence[int]:
    """`3` means 0, 1, 2; a list means itself; {first, count} is a range."""
    if isinstance(value, dict):
        _known(value, ("first", "count"), f"{where}, seeds")
        first = _count(value.get("first", 0), "seeds.first", where, least=0)
        return range(first, first + _count(value.get("count"), "seeds.count", where))
    if isinstance(value, list):
        if not value or len(set(map(repr, value))) != len(value):
            raise PlanError(f"{where}: expected seeds to be different numbers, got {value!r}")
        return tuple(_count(seed, "seeds", where, least=0) for seed in value)
    return range(_count(value, "seeds", where))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: Any, key: str, where: str, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise PlanError(f"{where}: expected {key} to be a whole number of at least {least}, got {value!r}")
    return value


def _at_least_0(value: Any, key: str, where: str) -> int:
    return _count(value, key, where, least=0)


def _switch(value: Any, key: str, where: str) -> bool:
    if not isinstance(value, bool):
        raise PlanError(f"{where}: expected {key} to be true or false, got {value!r}")
    return value


def _optimizer(value: Any, key: str, where: str) -> str:
    from parity.kinds import OPTIMIZER_KINDS

    return _names([value] if isinstance(value, str) else value, tuple(OPTIMIZER_KINDS), key, where)[0]


def _adapter(value: Any, key: str, where: str) -> str:
    from parity.adapters.conventions import ADAPTERS
    from parity.adapters.subject import AUTO

    known = (AUTO, *ADAPTERS)
    return _names([value] if isinstance(value, str) else value, known, key, where)[0]


COMMON = ("dtypes", "devices")
SUBJECTS: dict[str, tuple[str, ...]] = {
    "layers": (*COMMON, "geometry", "contracts", "faults"),
    "networks": (*COMMON, "steps", "optimizer", "batch_size"),
    "folder": ("names", "adapter"),
}
READERS: dict[str, Callable[[Any, str, str], Any]] = {
    "dtypes": _among(DTYPES),
    "devices": _among(DEVICES),
    "geometry": _at_least_0,
    "contracts": _switch,
    "faults": _texts,
    "steps": _at_least_0,
    "optimizer": _optimizer,
    "batch_size": _count,
    "names": _texts,
    "adapter": _adapter,
}
