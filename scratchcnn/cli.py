"""The command line: `python -m scratchcnn train | summary | predict | export`.

Exit status 0 when it went well, 2 with one sentence on stderr when something was wrong with what was
asked for, 130 after Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import rich.box
import rich.table
import typer

from scratchcnn.export_command import export
from scratchcnn.images import light_background, read_image, resize
from scratchcnn.layers import softmax
from scratchcnn.networks import NETWORKS
from scratchcnn.predict_command import predict_with
from scratchcnn.summary import summarize
from scratchcnn.terminal import NetworkName, console, lookup
from scratchcnn.train_command import train
from scratchcnn.trained import load_trained

app = typer.Typer(
    help="Convolutional networks in NumPy alone: train one, see its layers, ask it about a picture, export.",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        status = app(args=args or ["--help"], prog_name="scratchcnn", standalone_mode=False, obj=args)
    except (OSError, ValueError, TypeError, FloatingPointError, MemoryError, ImportError) as error:
        return _fail(str(error) or type(error).__name__)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer raises for wrong usage
            raise
        return _fail(f"{error.format_message()} (scratchcnn -h shows how it is used)")
    return status if isinstance(status, int) else 0


def _fail(sentence: str, status: int = 2) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return status


app.command()(train)
app.command()(export)


# -- summary -------------------------------------------------------------------------------------
@app.command()
def summary(
    network: NetworkName,
    batch: Annotated[int, typer.Option(help="Images in the batch.", min=1)] = 1,
) -> None:
    """Show a network layer by layer: shapes, parameters, multiply-adds."""
    kind: Any = lookup("network", network, NETWORKS)
    net = kind(rng=0)
    rows = summarize(net, batch)
    table = rich.table.Table("layer", "definition", box=rich.box.SIMPLE_HEAD)
    for title in ("output", "parameters", "multiply-adds"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        numbers = (f"{n:,}" if n else "" for n in (row.params, row.multiply_adds))
        table.add_row(row.name, row.layer, str(row.output), *numbers)
    out, size = console(), sum(p.nbytes for p in net.params.values())
    out.print(f"{type(net).__name__}, input {(batch, *net.input_dim)}")
    out.print(table, soft_wrap=False)
    out.print(f"parameters     {net.num_params:,} ({size:,} bytes in {net.dtype})")
    out.print(f"multiply-adds  {sum(row.multiply_adds for row in rows):,} (forward)")


# -- predict -------------------------------------------------------------------------------------
@app.command()
def predict(
    weights: Annotated[
        Path,
        typer.Argument(
            metavar="WEIGHTS",
            help="A file that train --out wrote; with --weights the name of a network.",
            show_default=False,
        ),
    ],
    image: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files.", show_default=False)
    ],
    invert: Annotated[
        bool | None,
        typer.Option(
            "--invert/--no-invert",
            help="Turn light into dark: the data sets are light on black, photographs mostly dark on white.",
            show_default="where a picture's background is light",
        ),
    ] = None,
    weights_file: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            help="PyTorch weights of a network for photographs: predict resnet50 --weights FILE photo.jpg",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="With --weights: the classes' names, a line each.", metavar="FILE", show_default=False
        ),
    ] = None,
) -> None:
    """Name the five likeliest classes of pictures, with their probabilities."""
    if weights_file is not None:
        if invert is not None:
            raise ValueError("--invert is for files that train --out wrote, and not for --weights")
        predict_with(str(weights), weights_file, image, labels)
        return
    if labels is not None:
        raise ValueError("--labels goes with --weights; a file that train --out wrote has its names in it")
    net, class_names, shape, margin = load_trained(weights)
    flips = [light_background(path) if invert is None else invert for path in image]
    pictures = [read_image(path, shape, flip, margin) for path, flip in zip(image, flips, strict=True)]
    out = console()
    for path, x, flip in zip(image, pictures, flips, strict=True):
        why = "" if invert is not None else "light background" if flip else "dark background"
        out.print(f"{path}: {'inverted' if flip else 'not inverted'}{why and f' ({why})'}")
        scores = net.predict(resize(x, net.input_dim)).astype(np.float64)
        probabilities = softmax(scores)[0]
        for i in probabilities.argsort(kind="stable")[::-1][:5]:
            out.print(f"  {probabilities[i]:7.2%}  {class_names[i]}")
