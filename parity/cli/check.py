"""`python -m parity check`: networks and layers compared with PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parity.cli.options import (
    Device,
    DeviceOption,
    Dtypes,
    JsonOption,
    Misuse,
    Optimizer,
    Out,
    Seed,
    Verbose,
    console,
    only_json,
    print_json,
    print_written,
    save,
    set_device,
    split_names,
)

if TYPE_CHECKING:
    from parity.checks.training import Outcome
    from parity.comparison.records import Record
    from parity.referees.outcome import RefereeOutcome


def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Networks or layers to check.", show_default="the chapter's four networks and all layers"
        ),
    ] = None,
    dtype: Annotated[
        Dtypes, typer.Option(help="float64 finds bugs, float32 judges precision.")
    ] = Dtypes.both,
    device: DeviceOption = Device.cpu,
    seed: Seed = 0,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Number of training steps to compare after the gradients.",
            show_default="10; 2 for networks outside the chapter",
            min=0,
        ),
    ] = None,
    optimizer: Annotated[Optimizer, typer.Option(help="Optimizer of those steps.")] = Optimizer.momentum,
    batch_size: Annotated[
        int | None,
        typer.Option(
            help="Images per batch.",
            show_default="8; 2 for alexnet and networks outside the chapter",
            min=1,
        ),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Also train simple_conv_net and lenet in both frameworks.")
    ] = False,
    verbose: Verbose = False,
    out: Out = None,
    against: Annotated[
        str,
        typer.Option(
            help="References for the networks, separated by commas: torch, jax, onnxruntime. If not torch "
            "alone, the one that disagrees with the majority is named (scores, loss, gradients; on the CPU)."
        ),
    ] = "torch",
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Compare whole networks on whole numbers instead, where float64 rounds nothing: forward and "
            "backward, by == and with no tolerance. Without NETWORKS: the chapter's four, vgg16, googlenet "
            "and resnet50, large ones on smaller images.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare networks and layers with PyTorch: outputs, loss, every gradient, then training steps.

    With --json: {"schema": 1, "outcome": "match", "mismatch" or "undecided", "records": [a row per tensor],
    "training": [a row per epoch], "referees": null or whether they agree}.

    Exit status: 0 everything matches, 1 something does not, 2 misuse, or what could not be checked: a
    training that has not learnt, numbers that leave the bound of --exact.
    """
    if exact:
        if train or against != "torch" or device is not Device.cpu or dtype is Dtypes.float32 or out:
            raise Misuse(
                "--exact compares networks with torch in float64 on the CPU and writes no tables; leave out "
                "--train, --against, --device, --dtype and --out"
            )
        from parity.cli.exact import check_networks

        raise typer.Exit(check_networks(names, seed, as_json))
    with only_json(as_json):
        records, outcomes, referee_outcome, ok = _check(
            names, dtype, device, seed, steps, optimizer, batch_size, train, verbose, out, against
        )
    from parity.cli.printing import undecided

    agree = referee_outcome is None or referee_outcome.ok
    outcome = "match" if ok else "undecided" if agree and undecided(records, outcomes) else "mismatch"
    if as_json:
        from parity.checks.training import training_frame
        from parity.verification.as_json import SCHEMA, rows

        epochs = training_frame(outcomes)
        print_json(
            {
                "schema": SCHEMA,
                "outcome": outcome,
                "records": [
                    row | {"network": record.network}
                    for row, record in zip(rows(records), records, strict=True)
                ],
                "training": epochs.astype(object).to_dict("records"),
                "referees": referee_outcome and referee_outcome.ok,
            }
        )
    raise typer.Exit({"match": 0, "mismatch": 1, "undecided": 2}[outcome])


def _check(
    names: list[str] | None,
    dtype: Dtypes,
    device: Device,
    seed: int,
    steps: int | None,
    optimizer: Optimizer,
    batch_size: int | None,
    train: bool,
    verbose: bool,
    out: Path | None,
    against: str,
) -> tuple[list[Record], list[Outcome], RefereeOutcome | None, bool]:
    """What was compared, and whether all of it matches; printed and written."""
    from parity import referees
    from parity.kinds import kind_of

    networks, kinds = split_names(names or [])
    for kind in kinds if names else []:
        if not set(has := kind_of(kind).dtypes) & set(dtype.names):
            raise Misuse(f"{kind} is checked in {' and '.join(has)} only; leave out --dtype {dtype.value}")
    voices = referees.parse_names(against)
    if "torch" not in voices:
        if train or (kinds and names):
            raise Misuse("individual layers and training are compared with torch only; add it to --against")
        kinds = []
    others = referees.load_referees(voices) if voices != ["torch"] else []
    from parity.checks.network import Case, steps_of
    from parity.cli import run_checks as run
    from parity.reference import devices

    set_device(device)
    cases = [
        Case(n, d, device.value, seed, steps_of(n) if steps is None else steps, batch_size, optimizer.value)
        for n in networks
        for d in dtype.names
    ]
    records: list[Record] = []
    for mode, dtypes in devices.modes(device.value, dtype.names):
        devices.prepare(mode)
        records += run.check_kinds(console, kinds, dtypes, device.value, seed, verbose, mode)
        if "torch" in voices:
            records += run.check_networks(console, [c for c in cases if c.dtype in dtypes], verbose, mode)
    devices.prepare(device.value)
    outcomes = []
    if train:
        from parity.checks.training import Plan

        set_device(device)
        console.rule("trained side by side on real images", align="left")
        plans = [Plan(n, d, device.value, seed) for n in run.TRAINED for d in dtype.names]
        outcomes = run.train_pairs(console, plans)
    referee_outcome = None
    if others and networks:
        from parity.cli.referees import ask_referees

        referee_outcome = ask_referees(console, cases, others, verbose)
    ok = _finish(records, outcomes, referee_outcome, out, device, seed)
    return records, outcomes, referee_outcome, ok


def _finish(
    records: list[Record],
    outcomes: list[Outcome],
    referee_outcome: RefereeOutcome | None,
    out: Path | None,
    device: Device,
    seed: int,
) -> bool:
    """Write the tables and the environment, print the verdict; whether everything matches."""
    from parity.checks.training import training_frame
    from parity.cli import printing
    from parity.comparison.records import frame
    from parity.referees import outcome as referees
    from parity.reference.environment import write_environment

    if out is not None:
        tables = {"check": frame(records), "training": training_frame(outcomes)}
        if referee_outcome is not None:
            tables["referees"] = referees.pairs_frame(referee_outcome)
            tables["not_compared"] = referees.not_compared_frame(referee_outcome)
        save(out, tables)
        print_written(write_environment(out, device.value, seed=seed))
    console.rule("verdict", align="left")
    ok = True
    if records or outcomes or referee_outcome is None:
        ok, lines = printing.verdict(records, outcomes)
        for text in lines:
            console.print(text)
    if referee_outcome is not None:
        from parity.cli.referees import closing_lines

        for text in closing_lines(referee_outcome):
            console.print(text)
        ok = ok and referee_outcome.ok
    return ok
