"""One implementation under trial: what it looks like, what has been tried and what was raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from parity.adapters.arguments import plain
from parity.adapters.convention import Convention
from parity.adapters.recipe import Recipe, recipe
from parity.adapters.signatures import FORWARD
from parity.adapters.trial.probes import probes_of_classes, trial_probes
from parity.kinds.probe import Probe

MOST = 400  # trials
BOOK = (("*", "book"),)  # a constructor that is called as the book calls it


@dataclass
class Trial:
    """What has been tried of one implementation.

    ask      one attempt under a convention, by the process that runs the code
    about    what it looks like
    fits     whether the signature is the book's
    in_columns  the dense layers of its file that take samples as columns, asked for where that matters
    errors   what was raised, by the convention's text, the first first
    classes  how many numbers a row has, where its source has that number; 0 for the usual inputs
    own      other inputs in the place of the usual ones, of the sizes that its source has
    gives_lists  whether it made a list of lists of a whole batch
    of_batches  whether a batch went through as it is, under any of the conventions
    as_book  whether it was built in the book's way, in any and in all of the attempts at it
    """

    ask: Callable[[Convention, Probe], dict[str, Any]]
    about: dict[str, Any]
    kind: str
    fits: bool
    errors: list[tuple[str, str]] = field(default_factory=list)
    in_columns: Callable[[], str | None] = lambda: ""
    count: int = 0
    classes: int = 0
    own: Sequence[tuple[Probe, dict[str, Any]]] = ()
    gives_lists: bool = False
    of_batches: bool = False
    flag: tuple[str, ...] = ()
    most: int = MOST
    as_book: set[bool] = field(default_factory=set)

    @property
    def how(self) -> Recipe:
        return recipe(self.kind)

    def probes(self) -> Iterable[tuple[Probe, dict[str, Any]]]:
        """The inputs of the trial, each with the limits that it stands for."""
        if self.own:
            return self.own
        return probes_of_classes(self.kind, self.classes) if self.classes else trial_probes(self.kind)

    def attempt(self, convention: Convention, probe: Probe) -> dict[str, Any]:
        self.count += 1
        if self.count <= self.most:
            found = self.ask(convention, probe)
        else:
            found = {"at": "build", "error": "too many trials"}
        if convention.constructor == BOOK:
            self.as_book.add("built" in found)
        self.flag = tuple(found.get("flag", self.flag))
        self._learn(found.get("functions", {}))
        if found["error"]:
            self.errors.append((str(convention), f"{found['at']}: {found['error']}"))
        return found

    def _learn(self, functions: dict[str, Any]) -> None:
        """Take functions that an object holds for its methods, where none of those is a forward."""
        methods = self.about["methods"] if functions else {}
        if functions and not any(plain(name) in FORWARD for name in methods):
            self.about = self.about | {"methods": {**functions, **methods}}
