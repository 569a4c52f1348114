"""`python -m parity settle`: rounding or bug, for any two functions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from parity.cli.options import JsonOption, Misuse, Seed, console, only_json, print_json


def settle(
    f: Annotated[str, typer.Argument(help="path/to/a.py:f or module:f.")],
    g: Annotated[str, typer.Argument(help="path/to/b.py:g.")],
    inputs: Annotated[
        Path | None,
        typer.Option(help="A .npz file: its arrays, in its order, are the arguments.", show_default="none"),
    ] = None,
    shapes: Annotated[
        list[str] | None,
        typer.Option(
            help="The shape of an argument, such as 8,3,32,32, filled with normal numbers in float32. "
            "Repeat the option for several.",
            show_default="none",
        ),
    ] = None,
    seed: Seed = 0,
    as_json: JsonOption = False,
) -> None:
    """Is the difference between two functions rounding or a bug? NumPy, PyTorch and JAX, in any pairing.

    Both run in this process, without limits.

    Exit status: 0 rounding, 1 a bug, 2 undecided (with what would decide it) or misuse.
    """
    import numpy as np

    from parity.adapters.load import load
    from parity.explain.settle import as_object
    from parity.explain.settle import settle as decide

    if (inputs is None) == (not shapes):
        raise Misuse("settle needs either --inputs x.npz or --shapes 8,3,32,32")
    if inputs is not None:
        try:
            with np.load(inputs, allow_pickle=False) as found:
                arrays = [found[name] for name in found.files]
        except (OSError, ValueError) as error:
            raise Misuse(f"{inputs} cannot be read as .npz: {error}") from None
    else:
        rng = np.random.default_rng(seed)
        arrays = [rng.standard_normal(_shape(text), dtype=np.float32) for text in shapes or ()]
    try:
        decided = decide(load(f), load(g), *arrays, seed=seed)
    except ValueError as error:
        raise Misuse(str(error)) from None
    with only_json(as_json):
        console.print(str(decided), markup=False)
    if as_json:
        print_json(as_object(decided))
    raise typer.Exit(decided.status)


def _shape(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise Misuse(f"--shapes: expected numbers such as 8,3,32,32; got {text!r}") from None
