"""`python -m parity verify`: anyone's layer, function, optimizer or network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from parity.cli.options import Misuse, Out, Seed, console, save
from parity.kinds.names import NAMES, kind_by_name


def verify(
    target: Annotated[
        str,
        typer.Argument(help="path/to/layers.py:Name or module:Name; two functions as :forward,backward."),
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
            "passes. Repeat the option for several.",
            show_default="none",
        ),
    ] = None,
    twin: Annotated[
        str | None,
        typer.Option(help="For a network: the PyTorch module, file.py:Class.", show_default="none"),
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
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where only the numbers are right.")
    ] = False,
    seed: Seed = 0,
    timeout: Annotated[
        float, typer.Option(help="Seconds without an answer after which it counts as hung.", min=0.1)
    ] = 10.0,
    memory: Annotated[int, typer.Option(help="Memory limit of the code, in MiB.", min=16)] = 1024,
    out: Out = None,
) -> None:
    """Check anyone's layer, function, optimizer or network against PyTorch, without changing its code.

    The code runs in a process of its own. Its kind is known from its name, or given by --as.

    `python -m parity kinds` lists how each kind is built and called;

    `python -m parity kinds convolution` lists its optional features and known differences.

    Exit status: 0 right, or (without --strict) right numbers with something else that is not; 1 wrong;
    2 misuse, or it could not be checked.
    """
    kind = kind or kind_by_name(target)
    if kind is None:
        raise Misuse(f"the name of {target} does not say what it is; add --as convolution, or another kind")
    given: dict[str, Any] = {"twin": twin, "names": names, "input_shape": _shape(input_shape)}
    given = {name: value for name, value in given.items() if value is not None}
    from parity.comparison.records import frame
    from parity.verification.verify import verify as check

    verdict = check(
        target,
        kind,
        adapter=adapter,
        allow=allow or (),
        strict=strict,
        seed=seed,
        timeout=timeout,
        memory=memory,
        supports=None if supports is None else [name for name in supports.split(",") if name],
        **given,
    )
    console.print(str(verdict), markup=False)
    save(out, {"findings": frame(verdict.records)})
    raise typer.Exit(2 if verdict.outcome == "not_checked" else 0 if verdict.ok else 1)


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise Misuse(f"--input: expected the shape of one image, such as 1,28,28; got {text!r}") from None
