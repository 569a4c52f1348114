"""`python -m parity`: check, train, time. Exit status 0 all match, 1 a mismatch, 2 misuse."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from parity.cli_diff import diff
from parity.cli_faults import faults
from parity.cli_kinds import kinds
from parity.cli_report import report
from parity.cli_sweep import sweep, sweep_report, sweep_speed
from parity.cli_time import time
from parity.cli_train import train
from parity.cli_verify import compare, verify

if TYPE_CHECKING:
    from parity.records import Record
    from parity.referees.court import Ruling
    from parity.training import Outcome

app = typer.Typer(
    help="Check that scratchcnn's networks and layers are the same functions as PyTorch's, and time both.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
console = Console(highlight=False, soft_wrap=True)


app.command()(faults)
app.command()(sweep)
app.command("sweep-report")(sweep_report)
app.command("sweep-speed")(sweep_speed)
app.command()(time)
app.command()(report)
app.command()(diff)
app.command()(train)
app.command()(verify)
app.command()(compare)
app.command()(kinds)


class Dtype(StrEnum):
    float64 = "float64"
    float32 = "float32"
    both = "both"

    @property
    def names(self) -> list[str]:
        return ["float64", "float32"] if self is Dtype.both else [self.value]


class Rule(StrEnum):
    sgd = "sgd"
    momentum = "momentum"
    nesterov = "nesterov"
    adagrad = "adagrad"
    rmsprop = "rmsprop"
    adam = "adam"
    adamw = "adamw"


class Device(StrEnum):
    cpu = "cpu"
    cuda = "cuda"


class Misuse(Exception):
    """A request that cannot be carried out; the message is for the user."""


Seed = Annotated[int, typer.Option(help="Draws weights, batches and probes.", min=0)]
Out = Annotated[
    Path | None, typer.Option(help="Folder for the tables, CSV and Parquet.", show_default="none")
]
DeviceOption = Annotated[Device, typer.Option(help="Where PyTorch runs.")]


@app.command()
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Networks or layers; when none is named the chapter's four networks and all layers."
        ),
    ] = None,
    dtype: Annotated[
        Dtype, typer.Option(help="float64 catches bugs, float32 judges precision.")
    ] = Dtype.both,
    device: DeviceOption = Device.cpu,
    seed: Seed = 0,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Training steps in lockstep after the gradients.",
            show_default="10, beyond the chapter's networks 2",
            min=0,
        ),
    ] = None,
    optimizer: Annotated[Rule, typer.Option(help="The update rule of those steps.")] = Rule.momentum,
    batch_size: Annotated[
        int | None,
        typer.Option(
            help="Images in a batch.", show_default="8, alexnet and beyond the chapter's networks 2", min=1
        ),
    ] = None,
    train: Annotated[
        bool, typer.Option(help="Also train simple_conv_net and lenet in both frameworks.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="A line a tensor for the steps and probes too.")
    ] = False,
    out: Out = None,
    against: Annotated[
        str,
        typer.Option(
            help="Referees of the networks: torch, jax, onnxruntime, with commas. With others than torch "
            "it says who stands apart (scores, loss, gradients; on the CPU)."
        ),
    ] = "torch",
) -> None:
    """Compare layer outputs, loss, dx and every gradient, then training steps in lockstep."""
    from parity import devices, referees, run
    from parity.check import Case, steps_of

    networks, kinds = split_names(names or [])
    voices = referees.split(against)
    called = referees.called(voices) if voices != ["torch"] else []
    if "torch" not in voices:
        if train or (kinds and names):
            raise Misuse("layers by themselves and training are compared with torch; name it in --against")
        kinds = []
    set_device(device)
    cases = [
        Case(n, d, device.value, seed, steps_of(n) if steps is None else steps, batch_size, optimizer.value)
        for n in networks
        for d in dtype.names
    ]
    records: list[Record] = []
    for mode, dtypes in devices.modes(device.value, dtype.names):
        devices.prepare(device.value, tf32=devices.TF32 in mode)
        records += run.check_kinds(console, kinds, dtypes, device.value, seed, verbose, mode)
        if "torch" in voices:
            records += run.check_networks(console, [c for c in cases if c.dtype in dtypes], verbose, mode)
    outcomes = []
    if train:
        from parity.training import Plan

        set_device(device)
        console.rule("trained side by side on real images", align="left")
        plans = [Plan(n, d, device.value, seed) for n in run.TRAINED for d in dtype.names]
        outcomes = run.train_pairs(console, plans)
    ruling = None
    if called and networks:
        from parity.referees.command import rule

        ruling = rule(console, cases, called, verbose)
    finish(records, outcomes, out, device, seed, ruling)


def finish(
    records: list[Record],
    outcomes: list[Outcome],
    out: Path | None,
    device: Device,
    seed: int,
    ruling: Ruling | None = None,
) -> None:
    """Write the tables and what they were made on, print the verdict, and leave with its status."""
    from parity import run
    from parity.environment import write_environment
    from parity.records import frame
    from parity.referees import court
    from parity.tables import write_tables

    if out is not None:
        tables = {"check": frame(records), "training": run.training_frame(outcomes)}
        if ruling is not None:
            tables |= {"referees": court.pairs_frame(ruling), "not_compared": court.gaps_frame(ruling)}
        for path in [*write_tables(out, tables), write_environment(out, device.value, seed=seed)]:
            console.print(f"wrote {path}")
    console.rule("verdict", align="left")
    ok = True
    if records or outcomes or ruling is None:
        ok, lines = run.verdict(records, outcomes)
        for text in lines:
            console.print(text)
    if ruling is not None:
        from parity.referees.command import verdict

        for text in verdict(ruling):
            console.print(text)
        ok = ok and ruling.ok
    raise typer.Exit(0 if ok else 1)


def split_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Networks and kinds among the names; the chapter's networks and every kind when there are none."""
    from parity.registry import ALL_KINDS
    from parity.torch_networks import TORCH_NETWORKS
    from scratchcnn.networks import CHAPTER

    names = [name.replace("-", "_").lower() for name in names]
    unknown = [name for name in names if name not in TORCH_NETWORKS and name not in ALL_KINDS]
    if unknown:
        raise Misuse(
            f"nothing named {', '.join(unknown)}; networks: {', '.join(TORCH_NETWORKS)}; "
            f"layers: {', '.join(ALL_KINDS)}"
        )
    if not names:
        return list(CHAPTER), list(ALL_KINDS)
    return [n for n in names if n in TORCH_NETWORKS], [n for n in names if n in ALL_KINDS]


def set_device(device: Device) -> None:
    """Refuse CUDA where there is none; where there is, fix the modes that would change its results."""
    from parity.devices import prepare

    try:
        prepare(device.value)
    except RuntimeError as error:
        raise Misuse(str(error)) from None


def main(arguments: list[str] | None = None) -> None:
    """The console script: misuse is one sentence on stderr and status 2, never a traceback."""
    try:
        app(arguments)
    except (Misuse, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
