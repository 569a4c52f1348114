"""`python -m parity verify` and `compare`: somebody else's code, and arrays that it saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from parity.kinds.names import KINDS, guess_kind

if TYPE_CHECKING:
    from parity.comparison.records import Record

console = Console(highlight=False, soft_wrap=True, markup=False)
Out = Annotated[
    Path | None, typer.Option(help="Folder for the findings, CSV and Parquet.", show_default="none")
]


def verify(
    target: Annotated[
        str, typer.Argument(help="path/to/layers.py:Name or module:Name (two functions: a,b).")
    ],
    kind: Annotated[
        str | None,
        typer.Option("--as", help=f"{', '.join(KINDS)}, network.", show_default="by its name"),
    ] = None,
    adapter: Annotated[
        str,
        typer.Option(
            help="book; cs231n: functions with a cache; channels_last: (N, H, W, C); hwio: W (FH, FW, C, FN) "
            "too; params_grads: gradients in .grads; forward_only: no backward; or file.py:Name of your own."
        ),
    ] = "book",
    supports: Annotated[
        str | None,
        typer.Option(
            help="Optional features it has and is held to, with commas: dilation,groups,pairs; none: ''.",
            show_default="by its signature",
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="A declared difference, like dropout-not-inverted: only exactly that passes.",
            show_default="none",
        ),
    ] = None,
    twin: Annotated[str | None, typer.Option(help="For a network: the torch module, file.py:Class.")] = None,
    names: Annotated[Path | None, typer.Option(help='For a network: TOML, our name = "their name".')] = None,
    input_shape: Annotated[
        str | None, typer.Option("--input", help="For a network: one image's shape, 1,28,28.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the inputs.", min=0)] = 0,
    timeout: Annotated[
        float, typer.Option(help="Seconds without an answer before it counts as hung.", min=0.1)
    ] = 10.0,
    memory: Annotated[int, typer.Option(help="MiB that the code may use.", min=16)] = 1024,
    out: Out = None,
) -> None:
    """Check anyone's layer, function, optimizer or network against PyTorch; its code is not changed.

    It runs in a process of its own. The kind is told by the name, or by --as.

    `python -m parity kinds` lists how each kind is built and called,

    `python -m parity kinds convolution` its optional features and known differences.

    Exit status: 0 right, 1 wrong, 2 misuse.
    """
    from parity.verification.verify import verify as run

    kind = kind or guess_kind(target)
    if kind is None:
        raise ValueError(
            f"the name of {target} does not say what it is; add --as convolution, or another kind"
        )
    given: dict[str, Any] = {"twin": twin, "names": names, "input_shape": _shape(input_shape)}
    verdict = run(
        target, kind, adapter=adapter, allow=allow or (), seed=seed, timeout=timeout, memory=memory,
        supports=None if supports is None else [name for name in supports.split(",") if name],
        **{name: value for name, value in given.items() if value is not None},
    )  # fmt: skip
    console.print(str(verdict))
    _write(verdict.records, out)
    raise typer.Exit(0 if verdict.ok else 1)


def compare(
    ours: Annotated[
        Path, typer.Argument(help="The arrays to check: .npz, .npy, .csv, .pth, .safetensors, or a folder.")
    ],
    theirs: Annotated[
        Path, typer.Argument(help="The reference's arrays, in the same forms, in float64 if possible.")
    ],
    names: Annotated[
        Path | None, typer.Option("--map", help='TOML, our name = "their name".', show_default="equal names")
    ] = None,
    exact: Annotated[
        Path | None, typer.Option(help="The reference in float64, where both files are float32.")
    ] = None,
    out: Out = None,
) -> None:
    """Compare the arrays that two programs saved, by the same gates.

    Exit status: 0 all match, 1 one differs, 2 misuse, or the files do not suffice to decide.
    """
    from parity.cli.printing import line
    from parity.verification.files import ASK, TERMS, compare_files, granted_as_sums, is_undecided

    for path in filter(None, (ours, theirs, names, exact)):
        if not path.exists():
            raise ValueError(f"there is no file or folder {path}")
    rows = compare_files(ours, theirs, names, exact)
    colored = Console(highlight=False, soft_wrap=True)
    for row in rows:
        if is_undecided(row):
            colored.print(f"{row.phase:9} {escape(row.tensor):18} {escape(row.why)}", style="yellow")
        else:
            colored.print(line(row))
    undecided = [row for row in rows if is_undecided(row)]
    wrong = [row for row in rows if not row.ok and not is_undecided(row)]
    _write(rows, out)
    if not rows:
        raise ValueError(f"{ours} and {theirs} hold no arrays")
    if exact is None and (sums := [row.tensor for row in rows if granted_as_sums(row)]):
        console.print(
            f"{', '.join(sums)}: passed with the rounding of sums of up to {TERMS:,} terms, since the files "
            f"do not show how long the sums are. To judge them more closely, {ASK}"
        )
    if wrong:
        console.print(f"MISMATCH: {len(wrong)} of {len(rows)} arrays; the first: {wrong[0].tensor}")
    elif undecided:
        console.print(f"UNDECIDED: {len(undecided)} of {len(rows)} arrays; the first: {undecided[0].tensor}")
    else:
        console.print(f"MATCH: {len(rows)} arrays")
    raise typer.Exit(1 if wrong else 2 if undecided else 0)


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise ValueError(f"--input: expected one image's shape like 1,28,28, got {text!r}") from None


def _write(rows: list[Record], out: Path | None) -> None:
    if out is not None:
        from parity.comparison.records import frame
        from parity.comparison.tables import write_tables

        for path in write_tables(out, {"findings": frame(rows)}):
            console.print(f"wrote {path}")
