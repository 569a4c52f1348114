"""`python -m parity verify`: anyone's layer, function, optimizer or network."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parity.cli.options import (
    JsonOption,
    Misuse,
    Out,
    Seed,
    console,
    only_json,
    print_json,
    print_written,
    progress,
    save,
)
from parity.kinds import torch_ahead
from parity.kinds.names import NAMES
from parity.verification.listing import kind_of_target, no_such_name, unreadable
from parity.verification.own_listed import OWN_LAYER

if TYPE_CHECKING:
    from parity.comparison.records import Record
    from parity.verification.verdict import Verdict
    from parity.verification.whole import Sheet


def verify(
    target: Annotated[
        str,
        typer.Argument(
            help="path/to/layers.py:Name or module:Name; two functions as :forward,backward. Without a name, "
            "all of a file, a notebook, a folder or a zip of one is checked."
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--as", help=f"What it is meant to be: {', '.join(NAMES)} or network.", show_default="by its name"
        ),
    ] = None,
    adapter: Annotated[
        str,
        typer.Option(
            help="How it is called. auto: found by trial; book: as in the book; cs231n: functions with a "
            "cache; channels_last: images (N, H, W, C); hwio: the same, with W (FH, FW, C, FN); "
            "params_grads: gradients in .grads; "
            "forward_only: no backward; one_array: update(w, dw); or one of your own, file.py:Name."
        ),
    ] = "auto",
    supports: Annotated[
        str | None,
        typer.Option(
            help="Optional features that it has and must get right, separated by commas: "
            "dilation,groups,pairs; '' for none.",
            show_default="by its signature",
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="A declared difference from PyTorch, such as dropout-not-inverted; exactly that difference "
            "passes. Repeat the option for several; in a network a layer's own is Relu1:relu-leaky.",
            show_default="none",
        ),
    ] = None,
    twin: Annotated[
        str | None,
        typer.Option(
            help="For a network: the PyTorch module, file.py:Class. Without it its gradients are held to its "
            "own loss.",
            show_default="none",
        ),
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(
            help='For a network: a TOML file of lines our-name = "their-name".', show_default="by shape"
        ),
    ] = None,
    input_shape: Annotated[
        str | None,
        typer.Option(
            "--input", help="For a network: the shape of one image, such as 1,28,28.", show_default="none"
        ),
    ] = None,
    judge: Annotated[
        str,
        typer.Option(
            help="Who computes what is right: torch, or numpy, which needs no PyTorch (layers only)."
        ),
    ] = "torch",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where only the numbers are right.")
    ] = False,
    template: Annotated[
        Path | None,
        typer.Option(
            help="Only write files to be filled in to this folder: adapter.py for a layer, twin.py and "
            "names.toml for a network.",
            show_default="none",
        ),
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            help="Habits to be taken as differences by design. book: those of the book's own code (float64 "
            "columns, log(y + 1e-7), dout written into, 1e-7 outside the root, pooling that ignores pad); "
            "none; auto: book where name and signature are the book's."
        ),
    ] = "auto",
    called: Annotated[
        bool,
        typer.Option(
            "--called", help="Only print how it was called, as an adapter to keep: --adapter file.py:Mine."
        ),
    ] = False,
    definitions_only: Annotated[
        bool,
        typer.Option(
            "--only-definitions", help="Load classes, functions and constants without running the rest."
        ),
    ] = False,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="Run it as a stranger's code: it may read its own folder, import NumPy, and compute.",
        ),
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(
            help="Draw which number met which in the first wrong entry to this .svg, and print it as a grid "
            "of characters. For convolution, affine, average pooling, im2col, col2im and flatten.",
            show_default="none",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Write the verdict to this page, with that picture where there is one to draw; of a file or "
            "folder one section per definition.",
            show_default="none",
        ),
    ] = None,
    seed: Seed = 0,
    timeout: Annotated[
        float, typer.Option(help="Seconds without an answer after which it counts as hung.", min=0.1)
    ] = 10.0,
    memory: Annotated[int, typer.Option(help="Memory limit of the code, in MiB.", min=16)] = 1024,
    out: Out = None,
    as_json: JsonOption = False,
) -> None:
    """Check anyone's layer, function, optimizer or network against PyTorch, without changing its code.

    The code runs in a process of its own. Its kind is known from its name, or given by --as.

    `python -m parity kinds` lists how each kind is built and called;

    `python -m parity kinds convolution` lists its optional features and known differences.

    Exit status: 0 right, or (without --strict) right numbers with something else that is not; 1 wrong;
    2 misuse, or it could not be checked.
    """
    whole = is_whole(target)
    known = "network" if twin is not None else kind_of_target(target)  # nothing else has a twin
    given = kind is not None or twin is not None or adapter != "auto"
    backward = ""  # that was asked for, in place of its function
    if kind is None and known is None and not whole:
        from parity.verification.by_function import function_beside

        if function := function_beside(target):
            backward, target, known = target, function, kind_of_target(function)
    kind = kind or (None if whole else known)
    if kind is None and not whole:
        if unread := unreadable(target):
            raise Misuse(unread)
        if missing := no_such_name(target):
            raise Misuse(missing)
        raise Misuse(f"the name of {target} does not say what it is; add --as convolution, or another kind")
    if template is not None:
        from parity.verification.template import write_template

        if kind in (None, OWN_LAYER):
            raise Misuse("--template needs one layer or network, path/to/file.py:Name")
        return print_written(*write_template(target, kind.replace("-", "_"), template))
    options: dict[str, Any] = {"twin": twin, "names": names, "input_shape": _shape(input_shape)}
    options = {name: value for name, value in options.items() if value is not None} | {
        "adapter": adapter,
        "allow": allow or (),
        "strict": strict,
        "profile": profile,
        "seed": seed,
        "timeout": timeout,
        "memory": memory,
        "judge": judge,
        "supports": None if supports is None else [name for name in supports.split(",") if name],
    }
    from parity.sandbox.policy import Policy, sandboxed

    policy = Policy(str(folder_of(target).absolute()), memory=memory) if sandbox else None
    if sandbox:  # the process inside works in the code's own folder
        target = str(Path(target).absolute())
    if whole and picture is not None:
        raise Misuse("--picture draws one layer, path/to/file.py:Name; --html draws all that a file defines")
    if judge == "torch":
        torch_ahead.begin()
    if whole:
        with progress(f"reading {target}") as said, sandboxed(policy):
            from parity.verification.as_json import sheet_object
            from parity.verification.whole import verify_all

            sheet = verify_all(
                target,
                kind,
                definitions_only=definitions_only,
                starts=lambda what: said(f"checking {what}"),
                **options,
            )
        with only_json(as_json):
            console.print(str(sheet), markup=False)
            console.print(f"protection: {protection_of(sandbox)}", markup=False)
            if html is not None:
                write_page(sheet, protection_of(sandbox), html)
            _save(out, (row for verdict in sheet.verdicts for row in verdict.records))
        if as_json:
            print_json({**sheet_object(sheet), "protection": protection_of(sandbox)})
        raise typer.Exit(sheet.status)
    assert kind is not None
    with progress(f"checking {target} as {kind}"), sandboxed(policy):
        from parity.adapters.load import only_definitions
        from parity.verification.as_json import verdict_object
        from parity.verification.own_instead import held_to_its_forward
        from parity.verification.verify import verify as check

        target = only_definitions(target) if definitions_only else target
        verdict = check(target, kind, **options)
        verdict = verdict if given else held_to_its_forward(verdict, target, options)
        if backward:
            from parity.verification.by_function import of_backward

            verdict = of_backward(verdict, backward)
    if called:
        how = (
            f"# {verdict.called}"
            if verdict.kind in ("network", OWN_LAYER)
            else f"# {target} is called as in the book: --adapter book"
        )
        print(verdict.adapter or how, end="")
        raise typer.Exit(status_of(verdict))
    with only_json(as_json):
        console.print(str(verdict), markup=False)
        console.print(f"protection   {protection_of(sandbox)}", markup=False)
        if picture is not None:
            draw(verdict, picture)
        if html is not None:
            write_page(verdict, protection_of(sandbox), html)
        _save(out, verdict.records)
    if as_json:
        print_json({**verdict_object(verdict), "protection": protection_of(sandbox)})
    raise typer.Exit(status_of(verdict))


def _save(out: Path | None, records: Iterable[Record]) -> None:
    """Write the findings into the folder, if one is named: only then is pandas needed."""
    if out is not None:
        from parity.comparison.records import frame

        save(out, {"findings": frame(records)})


def protection_of(sandbox: bool) -> str:
    """In a line what stands between the code and this machine."""
    from parity.sandbox.protection import OPEN, protection

    return str(protection()) if sandbox else OPEN


def folder_of(target: str) -> Path:
    """The folder that the code may read. Raises Misuse where it is no file, or a zip."""
    from parity.sandbox.protection import protection

    path = (
        Path(target.rpartition(":")[0].removesuffix(":") or target) if not is_whole(target) else Path(target)
    )
    if path.suffix == ".zip" or not path.exists():
        raise Misuse(f"--sandbox: expected a file or folder, got {path}; a zip has to be unpacked first")
    if not protection().holds:
        raise Misuse(f"--sandbox: this machine offers only {protection()}; README lists what is needed")
    folder = path if path.is_dir() else path.parent
    while (folder / "__init__.py").is_file():  # a package is found in the folder above it
        folder = folder.absolute().parent
    return folder


def draw(verdict: Verdict, path: Path) -> None:
    """Write the picture of the wrong entry and print its grid; a line where there is none to draw."""
    from parity.verification.verdict import by_judge
    from scratchcnn.files import atomic_write

    wiring = verdict.explanation.wiring if verdict.explanation is not None else None
    if wiring is None:
        console.print("no picture: there is no wrong entry of a linear map to draw")
        return
    with atomic_write(path) as temporary:
        temporary.write_text(by_judge(wiring.svg(), verdict.judge), encoding="utf-8")
    console.print(by_judge(wiring.text(), verdict.judge), markup=False)
    print_written(path)


def write_page(found: Verdict | Sheet, protection: str, path: Path) -> None:
    from parity.cli.verify_page import page, page_of_all
    from parity.verification.whole import Sheet
    from scratchcnn.files import atomic_write

    text = page_of_all(found, protection) if isinstance(found, Sheet) else page(found, protection)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print_written(path)


def status_of(verdict: Verdict) -> int:
    """The exit status of a verdict: 0 ok, 1 wrong (or strict), 2 could not be checked."""
    return 2 if verdict.outcome == "not_checked" else 0 if verdict.ok else 1


def is_whole(target: str) -> bool:
    """Whether the target is a file, folder or zip and not one name in it."""
    path = Path(target)
    return path.is_dir() or path.suffix in (".py", ".ipynb", ".zip")


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise Misuse(f"--input: expected the shape of one image, such as 1,28,28; got {text!r}") from None
