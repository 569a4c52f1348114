"""`summary NETWORK`: a network layer by layer."""

from __future__ import annotations

from typing import Annotated, Any

import rich.box
import rich.table
import typer

from scratchcnn.lookup import lookup
from scratchcnn.networks import NETWORKS
from scratchcnn.summary import summarize
from scratchcnn.terminal import NetworkName, console


def summary(
    network: NetworkName,
    batch: Annotated[int, typer.Option(help="Number of images in the batch.", min=1)] = 1,
) -> None:
    """Show a network layer by layer: output shapes, parameters, multiply-adds."""
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
