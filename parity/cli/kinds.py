"""`python -m parity kinds`: what `verify` can check, and how each kind is built and called."""

from __future__ import annotations

from typing import Annotated

import typer

from parity.cli.options import Misuse, console
from scratchcnn.lookup import nearest


def kinds(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="One kind, to list its optional features and known differences too.", show_default="all"
        ),
    ] = None,
) -> None:
    """List the kinds that verify checks, how each is called, and the adapters."""
    from parity.verification.targets import TARGETS, adapters, call_of

    if kind is not None:
        name = kind.replace("-", "_").lower()
        if name not in TARGETS:
            raise Misuse(f"no kind is named {name!r}; there are {', '.join(TARGETS)}{nearest(name, TARGETS)}")
        _print_one(name)
        return
    for name in TARGETS:
        _print(name, call_of(name))
    _print("\nadapters, for code that is called in another way (--adapter)")
    for name, description in adapters().items():
        _print(name, description)
    _print(
        "\npython -m parity kinds convolution lists its optional features (--supports) and the known "
        "differences that can be declared (--allow)"
    )


def _print_one(name: str) -> None:
    from parity.verification.targets import call_of, known_differences, optional_features

    _print(name, call_of(name))
    if optional := optional_features(name):
        _print("may lack", ", ".join(optional))
    for i, (difference, description) in enumerate(known_differences(name).items()):
        _print("" if i else "known differences", f"{difference}: {description}")


def _print(*cells: str) -> None:
    """A sentence, or a name and a text in two columns."""
    console.print(" ".join([*(f"{cell:20}" for cell in cells[:-1]), cells[-1]]), markup=False)
