"""Every layer, loss, optimizer and network of a file, a notebook, a folder or a zip of one."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from traceback import extract_tb
from typing import Any

from parity.adapters.bench import Raised
from parity.adapters.connection import Ended
from parity.adapters.conventions import NotCallable
from parity.adapters.definitions import does_nothing, parsed
from parity.adapters.isolate import TIMES, Limits
from parity.adapters.load import TargetError, only_definitions
from parity.adapters.own_layer_subject import layer_apart
from parity.adapters.own_network_subject import OwnSubject, own_apart
from parity.adapters.subject import place_apart
from parity.adapters.wire import clean
from parity.kinds import ALL_KINDS
from parity.verification.by_function import by_function
from parity.verification.declared import declared_faults
from parity.verification.left_out import PLURAL, TOGETHER, left_out
from parity.verification.listed_names import Listed
from parity.verification.listing import NETWORK, files_of, listed, passed_over
from parity.verification.other_layers import IS_NONE, NO_KIND
from parity.verification.own_instead import held_to_its_forward
from parity.verification.own_listed import OWN_LAYER
from parity.verification.verdict import RIGHT, Outcome, Verdict, by_judge
from parity.verification.verify import known_kind, strictly, verify
from parity.verification.within_network import within_its_network

# What zipfile raises for a file that is none, or was damaged.
BROKEN = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error)
MOST_NAMES = 1000  # characters of a list of names
WIDEST = 60  # characters of a name, in the column of names
LONGEST = 160  # characters of how it was called, in the line of a page
MOST_FILES, MOST_BYTES = 2000, 200 << 20  # of a zip
ONLY_DEFINITIONS = "--only-definitions loads its classes and functions without running the rest"
PARTLY = "only its classes, functions and constants were loaded"
PATIENCE = 15.0  # seconds that running a file may take, before only its definitions are loaded
ALONE = "only the gradients are checked, by their own loss"
MODULE = "a module"  # the kind of a file that could not be imported
SHORT: dict[Outcome, str] = {
    "right": "right",
    "right_but": "right in the numbers only",
    "wrong": "wrong",
    "not_checked": "could not be checked",
}


@dataclass
class Sheet:
    """The verdicts on all that a file or folder defines, in its order.

    where      the file, folder or zip
    verdicts   of what could be recognised
    unknown    what is none of the kinds by its name
    left_out   what has no verdict of its own, with the reason: helpers, tests, and what is in `unknown`
    partly     files of which only the definitions were loaded, with why: running them raised, or took long
    networks   those for which no twin was given
    unread     files that are no Python, with what was wrong
    passed     what is named like a Python file and is none (a pipe, a link to nothing), with what it is
    """

    where: str
    verdicts: list[Verdict] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    partly: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return bool(self.verdicts) and not self.unread and all(verdict.ok for verdict in self.verdicts)

    @property
    def status(self) -> int:
        """The exit status: 1 where something is wrong, else 2 where something could not be checked."""
        if any(not v.ok and v.outcome != "not_checked" for v in self.verdicts):
            return 1
        return 0 if self.ok else 2

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        lines = self.summary(with_calls=True)
        for verdict in self.verdicts:
            text = verdict.without_suggestion()
            more = "\n" in text and verdict.kind != MODULE  # than the line above
            if verdict.outcome == "wrong" or (verdict.outcome == "not_checked" and more):
                lines += ["", text]
        asked = [v.name for v in self.verdicts if v.asks_for_an_adapter]
        if asked:
            target = f"python -m parity verify {clean(self.where)}:{clean(asked[0])} --template ."
            lines += ["", f"an adapter can say how it is called; this begins one: {target}"]
        return "\n".join(lines)

    def summary(self, with_calls: bool = False) -> list[str]:
        """A line per definition, and what was not looked at; below what is right also how it was called."""
        if why := self.unread.get(self.where):
            return [f"{clean(self.where)}: could not be read: {clean(why)}"]
        lines = [f"{clean(self.where)}: {self._counts()}"]
        for name, why in self.partly.items():
            of = "" if name == self.where else f"{clean(name)}: "
            lines.append(f"{of}{PARTLY}: running it {clean(why)}")
        if self.passed:
            names = _names([f"{name} ({what})" for name, what in self.passed.items()])
            lines.append(f"passed over: {names}")
        lines.append("")
        wide = min(WIDEST, max([len(v.name) for v in self.verdicts], default=0))
        for v in self.verdicts:
            lines.append(f"  {clean(v.name):{wide}}  {v.kind:20} {_brief(v)}")
            if with_calls and v.called and v.outcome in RIGHT and not v.gradient_of:  # else it is below
                lines.append(f"    {clean(v.called, LONGEST)}")
        for name, why in self.unread.items():
            lines.append(f"  {clean(name)}: could not be read: {clean(why)}")
        groups = [name for name in self.networks if "," in name]
        if classes := [name for name in self.networks if name not in groups]:
            twin = "networks without a twin (--as network --twin file.py:Class)"
            lines.append(f"{twin}, of which {ALONE}: {_names(classes)}")
        if groups:
            lines.append(f"networks of functions, of which {ALONE}: {_names(groups)}")
        lines += self._left_out()
        return lines + self._by_design()

    def _left_out(self) -> list[str]:
        """What has no verdict of its own: a line per reason, that of what is none of the kinds last."""
        lines = []
        for reason, words in PLURAL.items():
            names = [name for name, why in self.left_out.items() if why == reason]
            lines += [f"{words}: {_names(names)}"] if names else []
        for reason in dict.fromkeys(why for why in self.left_out.values() if why.endswith(IS_NONE)):
            names = [name for name, why in self.left_out.items() if why == reason]
            lines.append(f"{reason}: {_names(names)}")
        if others := [name for name in self.unknown if not self.left_out.get(name, "").endswith(IS_NONE)]:
            lines.append(f"{NO_KIND}: {_names(others)} (if one is after all, name it and add --as)")
        return lines

    def _by_design(self) -> list[str]:
        """The habits of a profile, each once, with those that have it."""
        having: dict[str, list[str]] = {}
        for verdict in self.verdicts:
            for text in verdict.habits:
                having.setdefault(text, []).append(verdict.name)
        lines = [f"  {text} ({_names(names)})" for text, names in having.items()]
        return ["by design, as in the book:", *lines] if lines else []

    def _counts(self) -> str:
        count = Counter(verdict.outcome for verdict in self.verdicts)
        texts = [f"{count[outcome]} {text}" for outcome, text in SHORT.items() if count[outcome]]
        texts += [f"{len(self.unread)} could not be read"] if self.unread else []
        return ", ".join(texts) or "nothing in it could be recognised as a layer, loss, optimizer or network"


def _brief(verdict: Verdict) -> str:
    text = verdict.headline
    if verdict.outcome == "right_but" and verdict.habits:
        return text.split(":")[0] + "".join(f"; {but}" for but in verdict.buts if but not in verdict.habits)
    if verdict.outcome == "wrong" and verdict.culprit is not None:
        text = f"WRONG: {verdict.wrong_function or verdict.culprit.phase}, {verdict.culprit.tensor}"
        if verdict.diagnosis.fault:
            text += f" ({verdict.diagnosis.says})"
    return by_judge(text, verdict.judge)


def _names(names: list[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more (--json has all)" if len(names) > most else ""
    return clean(", ".join(names[:most]) + more, MOST_NAMES)


def verify_all(
    where: str | Path,
    kind: str | None = None,
    *,
    definitions_only: bool = False,
    each: Callable[[Verdict], None] | None = None,
    starts: Callable[[str], None] | None = None,
    **options: Any,
) -> Sheet:
    """The verdict on everything in a file, a notebook (its definitions), a folder or a zip of a folder.

    kind              what each class and function is meant to be, where their names do not say it
    definitions_only  do not run what is neither class, function, import nor constant
    each              called with each verdict as it is there
    starts            called with what is checked next, such as "layers.py:Relu as relu"
    options           as those of `verify`

    Raises TargetError where there is no such file.
    """
    for name in options.get("allow", ()):
        if not any(_is_known(name, kind) for kind in ALL_KINDS):
            raise ValueError(f"no known difference named {name}; `parity kinds NAME` lists those of a kind")
    kind = kind and known_kind(kind)
    where = Path(where)
    if not where.exists():
        raise TargetError(f"no file or folder {where}")
    sheet = Sheet(str(where))
    with unpacked(where) as base:
        files = files_of(base) if base.is_dir() else [base]
        sheet.passed = passed_over(base) if base.is_dir() else {}
        for path in files:
            shown = path.relative_to(base).as_posix() if base.is_dir() else str(where)
            for verdict in _verdicts(path, shown, kind, definitions_only, sheet, options, starts):
                if base != where:  # what was unpacked is gone when the lines are pasted
                    verdict.reproduction = ""
                sheet.verdicts.append(verdict)
                if each is not None:
                    each(verdict)
    return sheet


def _verdicts(
    path: Path,
    shown: str,
    kind: str | None,
    only: bool,
    sheet: Sheet,
    options: dict[str, Any],
    starts: Callable[[str], None] | None,
) -> Iterator[Verdict]:
    """Of one file. Where running it raises, only its definitions are loaded; what then fails is a verdict."""
    try:
        found = listed(path)
    except (SyntaxError, ValueError, RecursionError, OSError) as error:
        sheet.unread[shown] = f"{type(error).__name__}: {error}"
        return

    def named(name: str) -> str:
        return name if shown == sheet.where else f"{shown}:{name}"

    checked: list[tuple[Listed, Verdict]] = []
    apart: set[str] = set()
    body = [node for _, tree in parsed(path) for node in tree.body]
    meant = [replace(one, kind=kind or one.kind) for one in found]
    if not only and (first := next((one for one in meant if one.kind), None)):
        only = _runs_long(f"{path}:{first.name}", first.kind, options)
        sheet.partly |= {shown: f"was not done after {PATIENCE:g} s"} if only else {}
    for one in meant:
        if one.kind == NETWORK and "twin" not in options:
            sheet.networks.append(named(one.name))
        if one.kind:
            if starts is not None:
                starts(f"{named(one.name)} as {one.kind}")
            verdict = _verdict(path, one, one.kind, only, options)
            if not only and failed_at_import(verdict):
                without = _verdict(path, one, one.kind, True, options)
                if not failed_at_import(without):
                    sheet.partly[shown] = verdict.unchecked
                    verdict, only = without, True
            if not kind and not failed_at_import(verdict):
                target = f"{path}:{one.name}"
                verdict = held_to_its_forward(verdict, only_definitions(target) if only else target, options)
                if verdict.kind == OWN_LAYER and named(one.name) in sheet.networks:
                    sheet.networks.remove(named(one.name))
            verdict.name = named(one.name)
            if failed_at_import(verdict):
                verdict.name, verdict.kind = shown, MODULE
                verdict.unchecked += f" ({ONLY_DEFINITIONS})"
                yield verdict
                return
            verdict = within_its_network(verdict, one, checked, body, bool(options.get("strict")))
            checked.append((one, verdict))
            for part in by_function(verdict, body):
                if part is verdict or part.name not in apart:  # a backward of two functions
                    apart.add(part.name)
                    yield strictly(part, bool(options.get("strict")))
    left = left_out(path, meant, checked).items()
    reasons = {name: why for name, why in left if why != TOGETHER or named(name) not in apart}
    for one in meant:  # a dict's items are no definitions
        if not one.kind and one.name.partition(".")[0].partition("[")[0] not in reasons:
            reasons[one.name] = NO_KIND
    sheet.left_out |= {named(name): why for name, why in reasons.items()}
    sheet.unknown += [named(name) for name, why in reasons.items() if why.endswith(NO_KIND)]


def _runs_long(target: str, kind: str, options: dict[str, Any]) -> bool:
    """Whether running the target's file, which is done for each of its definitions, takes long: it trains.

    Only of one that does something besides defining.
    """
    path = Path(target.rpartition(":")[0])
    if options.get("isolated") is False or all(
        does_nothing(node) for _, tree in parsed(path) for node in tree.body
    ):
        return False
    limits = Limits(silence=PATIENCE / TIMES)
    if kind == OWN_LAYER:
        subject: Any = layer_apart(target, limits)
    else:
        subject = own_apart(target, limits) if kind == NETWORK else place_apart(target, None, limits)
    try:
        if isinstance(subject, OwnSubject):
            subject.open()
        else:
            subject.open(kind)
    except Ended as error:
        return str(error).startswith("hung")
    except (Raised, TargetError, NotCallable):
        pass
    finally:
        subject.close()
    return False


def failed_at_import(verdict: Verdict) -> bool:
    """Whether the module itself could not be imported, so that nothing in it can be checked."""
    return any(row.phase == "import" for row in verdict.records)


def _verdict(path: Path, one: Listed, kind: str, only: bool, options: dict[str, Any]) -> Verdict:
    target = f"{path}:{one.name}"
    target = only_definitions(target) if only else target
    own, allow = dict(options), tuple(options.get("allow", ()))
    own["allow"] = ()
    if kind != NETWORK or "twin" not in options:
        own = {name: value for name, value in own.items() if name not in ("twin", "names", "input_shape")}
    try:
        verdict = verify(target, kind, **own)
        if verdict.suggestion and "," in one.name and own.get("adapter", "auto") == "auto":
            cached = own | {"adapter": "cs231n"}  # functions with a cache
            again = verify(target, kind, **cached)
            verdict, own = (again, cached) if again.outcome != "not_checked" else (verdict, own)
        allowed = [name for name in allow if _is_known(name, kind)]
        return (
            verify(target, kind, **own | {"allow": allowed})
            if allowed and not _is_right(verdict)
            else verdict
        )
    except TargetError as error:
        return Verdict(kind, one.name, False, [], unchecked=str(error)).unmark()
    except Exception as error:
        if _is_misuse(error, options):
            raise
        return Verdict(kind, one.name, False, [], unchecked=_own_defect(error)).unmark()


ASKED = ("supports", "adapter", "profile", "judge")  # options that may be refused, by a ValueError


def _is_misuse(error: Exception, options: dict[str, Any]) -> bool:
    """Whether the caller asked for what there is not, so that no definition could be checked."""
    asked = any(options.get(name) not in (None, (), "auto", "torch") for name in ASKED)
    by_verify = extract_tb(error.__traceback__)[-1].name == "verify"
    return isinstance(error, (TypeError, ValueError)) and (by_verify or asked)


def _own_defect(error: Exception) -> str:
    """That parity raised, and where."""
    last = extract_tb(error.__traceback__)[-1]
    where = "/".join(Path(last.filename).parts[-3:])
    return (
        f"parity itself raised {type(error).__name__}: {clean(error, 200)} ({where}, line {last.lineno}); "
        "this is a defect of parity, not of this code"
    )


def _is_right(verdict: Verdict) -> bool:
    return verdict.outcome in ("right", "not_checked")


def _is_known(name: str, kind: str) -> bool:
    """Whether a difference of that name can be declared for the kind."""
    try:
        return bool(declared_faults(kind, [name]))
    except ValueError:
        return False


@contextmanager
def unpacked(where: Path) -> Iterator[Path]:
    """The file or folder; that of a zip, unpacked where nothing else is."""
    if where.suffix.lower() != ".zip" or where.is_dir():
        yield where
        return
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        try:
            with zipfile.ZipFile(where) as archive:
                _extract(archive, Path(folder))
        except BROKEN as error:
            raise TargetError(f"{where} is no zip that can be read: {error}") from None
        yield Path(folder)


def _extract(archive: zipfile.ZipFile, folder: Path) -> None:
    """Python files and notebooks alone; a name that would lie outside the folder is refused."""
    members = [m for m in archive.infolist() if not m.is_dir()]
    if len(members) > MOST_FILES or sum(m.file_size for m in members) > MOST_BYTES:
        raise TargetError(f"the zip holds more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB")
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts:
            raise TargetError(f"the zip has a file outside its folder: {member.filename!r}")
        if not member.filename.startswith("__MACOSX/"):
            archive.extract(member, folder)
