"""`python -m parity check`: networks and layers held against PyTorch. Status 0 all match, 1 a mismatch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import (
    Device,
    DeviceOption,
    Dtype,
    Misuse,
    Out,
    Rule,
    Seed,
    console,
    set_device,
    split_names,
)

if TYPE_CHECKING:
    from parity.checks.training import Outcome
    from parity.comparison.records import Record
    from parity.referees.court import Ruling


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
    from parity import referees
    from parity.checks.network import Case, steps_of
    from parity.cli import printing as run
    from parity.reference import devices

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
        from parity.checks.training import Plan

        set_device(device)
        console.rule("trained side by side on real images", align="left")
        plans = [Plan(n, d, device.value, seed) for n in run.TRAINED for d in dtype.names]
        outcomes = run.train_pairs(console, plans)
    ruling = None
    if called and networks:
        from parity.cli.referees import rule

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
    from parity.checks.training import training_frame
    from parity.cli import printing as run
    from parity.comparison.records import frame
    from parity.comparison.tables import write_tables
    from parity.referees import court
    from parity.reference.environment import write_environment

    if out is not None:
        tables = {"check": frame(records), "training": training_frame(outcomes)}
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
        from parity.cli.referees import verdict

        for text in verdict(ruling):
            console.print(text)
        ok = ok and ruling.ok
    raise typer.Exit(0 if ok else 1)
