"""Submissions: found in a folder, copied to where nothing else lies, and read before anything is run."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import shutil
import sys
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from parity.adapters.definitions import parsed
from parity.adapters.load import TargetError
from parity.adapters.wire import clean
from parity.sandbox.policy import ALWAYS_REFUSED
from parity.verification.listing import SUFFIXES
from parity.verification.whole import unpacked

MOST_FILES, MOST_BYTES = 500, 8 << 20  # of a folder
LARGEST = MOST_BYTES // 8  # bytes of one file
NOTEBOOKS = 64 << 20  # bytes of notebooks with their outputs
INSIDE = (  # the checker's own process and modules, by the name's end
    *(
        "sys.modules",
        "sys._getframe",
        "sys._current_frames",
        "sys.settrace",
        "sys.setprofile",
        "sys.addaudithook",
    ),
    *("gc.get_objects", "gc.get_referrers", "os.getppid", "__globals__", "__subclasses__", "f_back"),
)
UNUSUAL = ("ctypes", "subprocess", "socket", "multiprocessing", "gc", "inspect", "importlib", "pickle")
LONGEST = 160  # bytes of a student's name
PASSED_OVER = ("__MACOSX", "__pycache__", "site-packages", "node_modules")  # folders of no one's own code
PROGRAMS = (".so", ".pyd", ".dll", ".dylib", ".pyc", ".pth", ".whl", ".zip")  # that Python might load
DEEPEST = 40  # folders in each other that are looked through
SHINGLE = 12  # tokens that are compared together
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OSError, tokenize.TokenError)


@dataclass(frozen=True)
class Submission:
    """One student's: the file, notebook, zip or folder, whose name is the student's."""

    student: str
    path: Path


def submissions_in(folder: Path) -> list[Submission]:
    """One per entry of the folder, by name. Raises ValueError where there is none or two have one name."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder of submissions")
    found = [Submission(name_of(p), p) for p in sorted(folder.iterdir()) if _is_submission(p)]
    if not found:
        raise ValueError(
            f"{folder} has no submissions: .py, .ipynb or .zip files, or folders, one per student"
        )
    names = [one.student for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{folder} has two submissions of {twice[0]}; one per student is expected")
    return found


def left_out(folder: Path) -> list[str]:
    """The names of what lies there and is no submission; not those that systems put everywhere."""
    others = (p for p in sorted(folder.iterdir()) if not _is_submission(p))
    return [clean(p.name, 80) for p in others if not p.name.startswith((".", "__"))]


def _is_submission(path: Path) -> bool:
    if path.name.startswith((".", "__")):
        return False
    return path.is_dir() or path.suffix.lower() in (*SUFFIXES, ".zip")


def name_of(path: Path) -> str:
    """The student's, from the name of the file or folder: printable, and short enough to name files by."""
    name = path.name if path.is_dir() else path.stem
    shown = clean(name, 80)
    if shown.strip("?") and len(shown.encode()) <= LONGEST and len(name) <= 80:
        return shown
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    return f"{shown.encode()[:LONGEST].decode(errors='ignore').strip(' ?.')} {digest}".strip()


def files_in(path: Path) -> list[Path]:
    """The file itself, or every file in the folder as far down as anybody's code lies; no links."""
    if not path.is_dir() or path.is_symlink():
        return [path]
    found, left = [], [(str(path), 0)]
    while left:
        where, depth = left.pop()
        with suppress(OSError), os.scandir(where) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    found.append(Path(entry.path))
                elif depth < DEEPEST and entry.is_dir(follow_symlinks=False):
                    left.append((entry.path, depth + 1))
    return sorted(found)


@dataclass
class Staged:
    """A copy in a folder of its own: its files, and what was found by reading them."""

    files: list[Path]
    digest: str
    refused: list[str] = field(default_factory=list)
    shingles: frozenset[int] = frozenset()


def room_in(temporary: str) -> Path:
    """The folder for a copy, in one that holds nothing else and may be read: it may be a package."""
    folder = Path(temporary).resolve() / "submission"
    folder.mkdir()
    return folder


def stage(where: Path, folder: Path, allowed: tuple[str, ...]) -> Staged:
    """Copy the submission to `folder`, with what is zipped in it. Raises TargetError for what is too large
    or no zip. Other files than Python and notebooks are copied as far as they are small, and no programs.
    """
    if where.is_symlink():
        raise TargetError("it is a link, and links are not followed")
    with ExitStack() as stack:
        base = stack.enter_context(unpacked(where))
        found = [(base, Path(base.name))] if base.is_file() else list(_below(base, stack))
        code = {path: name.with_suffix(name.suffix.lower()) for path, name in found if _is_code(path)}
        if len(code) > MOST_FILES or too_large(list(code)):
            raise TargetError(f"more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB")
        copies = [_copied(path, folder / name, len(code) == 1) for path, name in code.items()]
        _copy_data([(path, folder / name) for path, name in found if path not in code])
    digest = hashlib.sha256()
    for copy in copies:
        digest.update(copy.relative_to(folder).as_posix().encode("utf-8", "replace") + b"\0")
        digest.update(copy.read_bytes() + b"\0")
    staged = Staged(copies, digest.hexdigest())
    staged.refused = list(dict.fromkeys(text for copy in copies for text in _refused(copy, copies, allowed)))
    staged.shingles = frozenset(number for copy in copies for number in _shingles(copy))
    return staged


def _below(base: Path, stack: ExitStack, zips: bool = True) -> Iterator[tuple[Path, Path]]:
    """The files in a folder, and in the zips that lie in it, with their names below it."""
    for path in files_in(base):
        name = path.relative_to(base)
        if any(part.startswith(".") or part in PASSED_OVER for part in name.parts):
            continue
        if path.suffix.lower() == ".zip" and zips:
            with suppress(TargetError):
                inner = stack.enter_context(unpacked(path))
                for file, inside in _below(inner, stack, zips=False):
                    yield file, name.with_suffix("") / inside
                continue
        yield path, name


def _is_code(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _copied(path: Path, copy: Path, alone: bool) -> Path:
    """The copy of a Python file or notebook; one that is damaged stays as it is where it is not alone."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)
    if copy.suffix == ".ipynb":
        try:
            copy.write_text(without_outputs(path), encoding="utf-8")
        except ValueError:
            if alone:
                raise
    if copy.stat().st_size > LARGEST:
        raise TargetError(f"{clean(path.name)}: larger than {LARGEST >> 20} MiB")
    return copy


def _copy_data(found: list[tuple[Path, Path]]) -> None:
    """What code may read: files that are no programs, the smallest first, as many as one may hand in."""
    left = MOST_BYTES
    for path, copy in sorted(found, key=lambda pair: pair[0].stat().st_size)[:MOST_FILES]:
        left -= path.stat().st_size
        if left < 0:
            return
        if path.suffix.lower() not in PROGRAMS:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def too_large(paths: list[Path]) -> bool:
    """Whether the files, or the notebooks among them with their outputs, are more than is read."""
    sizes = {of: sum(p.stat().st_size for p in paths if (p.suffix == ".ipynb") is of) for of in (True, False)}
    return sizes[True] > NOTEBOOKS or sizes[False] > MOST_BYTES


def without_outputs(path: Path) -> str:
    """The notebook's text without what its cells printed and drew, which is most of many a notebook."""
    text = path.read_text(encoding="utf-8", errors="replace")
    found = json.loads(text)
    cells = found.get("cells") if isinstance(found, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        return text  # no notebook that is known; it is read as it is
    for cell in cells:
        if "outputs" in cell:
            cell["outputs"] = []
        cell.pop("attachments", None)
    return json.dumps(found)


def _refused(path: Path, own: list[Path], allowed: tuple[str, ...]) -> Iterator[str]:
    """What the file imports, and may not: sentences."""
    brought = {p.stem for p in own} | {p.parent.name for p in own}
    try:
        nodes = [node for _, tree in parsed(path) for node in ast.walk(tree)]
    except UNREADABLE:
        return
    for name in dict.fromkeys(ast.unparse(n) for n in nodes if isinstance(n, ast.Attribute) and _looks(n)):
        yield f"reaches for {clean(name, 60)}, which a layer has no use for"
    for node in nodes:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
        for name in (name.partition(".")[0] for name in names):
            free = name in allowed or name in sys.stdlib_module_names or name in brought
            if name in ALWAYS_REFUSED or not free:
                yield f"imports {clean(name, 40)}"
            elif name in UNUSUAL:
                yield f"imports {name}, which a layer has no use for"
    for name in dict.fromkeys(name for node in nodes for name in _replaced(node)):
        yield f"replaces NumPy's {clean(name, 60)}"


def _replaced(node: ast.AST) -> Iterator[str]:
    """The functions of NumPy in whose place it puts something; not a name that NumPy had once."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    for target in targets:
        if isinstance(target, ast.Attribute):
            first, *rest = ast.unparse(target).split(".")
            if first in ("np", "numpy") and _there(rest):
                yield ".".join(rest)


def _there(path: list[str]) -> bool:
    found: object = np
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in path:
            found = getattr(found, name, None)
    return found is not None


def _looks(node: ast.Attribute) -> bool:
    """Whether it names something of INSIDE."""
    of = node.value.id if isinstance(node.value, ast.Name) else ""
    return f"{of}.{node.attr}" in INSIDE or node.attr in INSIDE


def source_of(path: Path) -> str:
    """The code of a file; of a notebook that of its cells."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text).get("cells", [])
    return "\n\n".join("".join(c.get("source", "")) for c in cells if c.get("cell_type") == "code")


def _shingles(path: Path) -> set[int]:
    """The code without names, comments, strings and layout, as overlapping runs of tokens."""
    kept: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source_of(path)).readline):
            if token.type == tokenize.NAME:
                kept.append(token.string if token.string in KEPT else "name")
            elif token.type in (tokenize.OP, tokenize.NUMBER):
                kept.append(token.string)
    except (*UNREADABLE, AttributeError, TypeError):
        pass
    runs = (" ".join(kept[i : i + SHINGLE]) for i in range(max(len(kept) - SHINGLE + 1, 0)))
    return {int.from_bytes(hashlib.blake2b(run.encode(), digest_size=6).digest()) for run in runs}


KEPT = {"class", "def", "return", "for", "if", "else", "in", "while", "import", "from", "forward", "backward"}
