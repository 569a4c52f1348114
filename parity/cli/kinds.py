"""`python -m parity kinds`: what `verify` can check, and how each kind is built and called."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True, markup=False)


def kinds(
    kind: Annotated[
        str | None,
        typer.Argument(help="One kind: its features and known differences too.", show_default="all"),
    ] = None,
) -> None:
    """List the kinds that verify checks, how each is called, the adapters and known differences."""
    from parity.cli import kinds_help as protocol

    if kind is not None:
        _one(kind.replace("-", "_").lower())
        return
    for name in protocol.kinds():
        console.print(f"{name:20} {protocol.protocol_of(name)}")
    console.print("\nadapters, for code of another shape (--adapter)")
    for name, says in protocol.adapters().items():
        console.print(f"{name:20} {says}")
    console.print(
        "\npython -m parity kinds convolution lists its optional features (--supports) and the known "
        "differences that can be declared (--allow)"
    )


def _one(kind: str) -> None:
    from parity.cli import kinds_help as protocol

    if kind not in protocol.kinds():
        raise ValueError(f"no kind named {kind!r}; there are {', '.join(protocol.kinds())}")
    console.print(f"{kind:20} {protocol.protocol_of(kind)}")
    if optional := protocol.optional(kind):
        console.print(f"{'may lack':20} {', '.join(optional)}")
    for i, (name, says) in enumerate(protocol.differences(kind).items()):
        console.print(f"{'' if i else 'known differences':20} {name}: {says}")
