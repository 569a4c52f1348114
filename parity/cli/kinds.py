"""`python -m parity kinds`: what `verify` can check, and how each kind is built and called."""

from __future__ import annotations

from typing import Annotated

import typer

from parity.cli.options import Misuse, console


def kinds(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="One kind, to list its optional features and known differences too.", show_default="all"
        ),
    ] = None,
) -> None:
    """List the kinds that verify checks, how each is called, and the adapters."""
    from parity.cli import kinds_help

    if kind is not None:
        _print_one(kind.replace("-", "_").lower())
        return
    for name in kinds_help.kinds():
        _print(f"{name:20} {kinds_help.protocol_of(name)}")
    _print("\nadapters, for code that is called in another way (--adapter)")
    for name, description in kinds_help.adapters().items():
        _print(f"{name:20} {description}")
    _print(
        "\npython -m parity kinds convolution lists its optional features (--supports) and the known "
        "differences that can be declared (--allow)"
    )


def _print_one(kind: str) -> None:
    from parity.cli import kinds_help

    if kind not in kinds_help.kinds():
        raise Misuse(f"no kind is named {kind!r}; there are {', '.join(kinds_help.kinds())}")
    _print(f"{kind:20} {kinds_help.protocol_of(kind)}")
    if optional := kinds_help.optional(kind):
        _print(f"{'may lack':20} {', '.join(optional)}")
    for i, (name, description) in enumerate(kinds_help.differences(kind).items()):
        _print(f"{'' if i else 'known differences':20} {name}: {description}")


def _print(text: str) -> None:
    console.print(text, markup=False)
