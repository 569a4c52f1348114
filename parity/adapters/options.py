"""Options in one dict, `conv_param` or `params`, which notes what is read of it. Needs NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

KEYS = {"stride": ("stride", "strides"), "pad": ("pad", "padding")}  # what people call them there
DEFAULTS = {"stride": 1, "pad": 0}
_BOTH = ";".join(f"{key}:{name}" for name, keys in KEYS.items() for key in keys)
_RUNNING = "running_mean:running_mean;running_var:running_var"
GROUPED = {  # the dicts of a kind, the likeliest first: key:meaning
    "convolution": (
        f"{{{_BOTH}}}",
        f"{{{_BOTH};f:kernel;kernel_size:kernel;filter_size:kernel}}",
        "{stride:stride;pad:pad}",
    ),
    "pooling": (
        f"{{pool_height:FH;pool_width:FW;pool_h:FH;pool_w:FW;{_BOTH}}}",
        f"{{f:kernel;pool_size:kernel;kernel_size:kernel;size:kernel;{_BOTH}}}",
        "{pool_height:FH;pool_width:FW;stride:stride}",
        "{f:kernel;stride:stride}",
    ),
    "batch_norm": (f"{{mode:mode;eps:eps;momentum:momentum;{_RUNNING}}}",),
    "layer_norm": ("{eps:eps}",),
    "dropout": ("{mode:mode;p:keep}",),  # as CS231n has had it since 2017
}
ANY = "{*}"  # a dict that is asked for sizes by their names
HOLDS = ("config", "cfg", "info", "dict", "spec", "settings", "kwargs", "conf")  # how its parameter ends
NAMES = ("params", "parameters", "param", "options", "opts", "config", "hyperparams", "hparams")


def is_group(word: str) -> bool:
    """Whether a parameter of that plain name is a dict of options: conv_param, hparameters, params."""
    grouped = word.endswith(("param", "params", "parameters"))
    return word in NAMES or (grouped and (word[0] in "cpbdh" or word.startswith(("ln", "layernorm"))))


def holds_sizes(word: str) -> bool:
    """Whether a constructor's parameter of that plain name is a dict of sizes: layer_info, config."""
    return word.endswith(HOLDS)


class ByName(dict[str, Any]):
    """A dict that has a value for each key whose name is known, and no other; it holds nothing itself."""

    def __init__(self, find: Callable[[str], Any]):
        super().__init__()
        self.find = find

    def __missing__(self, key: str) -> Any:
        return self.find(key)

    def __contains__(self, key: object) -> bool:
        return self.get(str(key), self) is not self

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self.find(key)
        except KeyError:
            return default

    pop = setdefault = get


class Renamed(dict[str, Any]):
    """A dict that is also asked by the other names that people have for its keys: `mu` for `momentum`.

    names  key -> those names; a key that it holds itself is never another's
    """

    def __init__(self, held: Mapping[str, Any], names: Mapping[str, Sequence[str]]):
        super().__init__(held)
        self.names = names

    def _own(self, key: str) -> str:
        others = (
            own
            for own, names in self.names.items()
            if super(Renamed, self).__contains__(own) and key in names
        )
        return key if super().__contains__(key) else next(others, key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._own(str(key)))

    def __missing__(self, key: str) -> Any:
        own = self._own(key)
        if own == key:
            raise KeyError(key)
        return self[own]

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(self._own(key), default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        return super().setdefault(self._own(key), default)


def pools_windows(kind: str) -> bool:
    """Whether the kind is a pooling whose window is an argument."""
    return kind.endswith("pooling") and not kind.startswith(("global", "adaptive"))


def grouped(kind: str) -> tuple[str, ...]:
    """What such a parameter may get in an implementation of that kind."""
    return GROUPED.get("pooling" if pools_windows(kind) else kind, ())


class Options(dict[str, Any]):
    """A dict that notes which of its keys were read; `find` has others by their names, or raises KeyError."""

    def __init__(self, held: Mapping[str, Any], find: Callable[[str], Any] | None = None):
        super().__init__(held)
        self.read: set[str] = set()
        self.find = find

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __missing__(self, key: str) -> Any:
        if self.find is None:
            raise KeyError(key)
        return self.find(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().setdefault(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self.read.add(key)
        return super().pop(key, *default)

    def keys(self) -> Any:
        self.read.update(super().keys())  # whoever goes through all of them reads them
        return super().keys()

    def values(self) -> Any:
        self.read.update(super().keys())
        return super().values()

    def items(self) -> Any:
        self.read.update(super().keys())
        return super().items()


def never_read(options: Iterable[Any], args: Mapping[str, Any]) -> list[str]:
    """Which of a stride and a pad that are not the usual ones stand in a dict and were never looked at."""
    found = []
    for group in (one for one in options if isinstance(one, Options)):
        for name, keys in KEYS.items():
            there = [key for key in keys if key in group]
            if there and args.get(name, DEFAULTS[name]) != DEFAULTS[name] and not group.read & {*there}:
                found.append(name)
    return found


def all_read(options: Iterable[Any], args: Mapping[str, Any]) -> None:
    """Raises NotImplementedError for a stride or pad that matters and was never looked at."""
    for name in never_read(options, args):
        raise NotImplementedError(f"{name} is never read")
