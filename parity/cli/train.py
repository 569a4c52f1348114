"""`python -m parity train`: both frameworks trained side by side; a run can be interrupted and resumed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from parity.cli.interruption import INTERRUPTED
from parity.cli.options import (
    DataSet,
    Device,
    DeviceOption,
    Dtypes,
    Misuse,
    Seed,
    console,
    print_written,
    save,
    set_device,
    split_names,
)

if TYPE_CHECKING:
    from parity.checks.training import Outcome, Plan, Training

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TextColumn("{task.fields[losses]}"),
    TimeRemainingColumn(),
)


def train(
    network: Annotated[str, typer.Argument(help="Network to train.")],
    data: Annotated[DataSet, typer.Option(help="Data set to train on.")] = DataSet.fashion_mnist_sample,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder with the data set's four IDX files.", show_default="download to a cache"),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Number of epochs.", min=1)] = 3,
    batch_size: Annotated[int, typer.Option(help="Images per batch.", min=1)] = 100,
    lr: Annotated[
        float | None,
        typer.Option(
            help="Adam's initial learning rate; it falls linearly to 0.", show_default="0.003; lenet 0.005"
        ),
    ] = None,
    dtype: Annotated[Dtypes, typer.Option(help="Floating-point type, used on both sides.")] = Dtypes.float32,
    device: DeviceOption = Device.cpu,
    seed: Seed = 0,
    out: Annotated[
        Path, typer.Option(help="Folder for the tables and, until the run is complete, its checkpoint.")
    ] = Path("build/train"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the interrupted run whose checkpoint is in --out.")
    ] = False,
) -> None:
    """Train both frameworks from the same weights on the same batches, and compare their predictions.

    Exit status: 0 they match, 1 they do not, 2 misuse, or they have not learnt, 130 interrupted.
    """
    networks, kinds = split_names([network])
    if kinds:
        raise Misuse(f"{network} is a layer; train takes a network")
    from parity.checks.training import Plan
    from parity.timing.clock import Watch

    set_device(device)
    folder = None if data_dir is None else str(data_dir)
    trainings: list[Training] = []
    interrupted = False
    shares: list[float] = []
    for name in dtype.names:
        watch = Watch()
        plan = Plan(networks[0], name, device.value, seed, epochs, batch_size, lr, data.value, folder)
        training, interrupted = _train(plan, out, resume)
        trainings.append(training)
        shares.append(watch.share())
        if interrupted:
            break
    _finish(trainings, out, interrupted, shares)


def _train(plan: Plan, out: Path, resume: bool) -> tuple[Training, bool]:
    """One comparison, run to its end or to Ctrl-C; saved after every epoch and on Ctrl-C."""
    from parity.checks import training_checkpoint
    from parity.checks.training import Training
    from parity.timing.clock import Watch

    training, path = Training(plan), checkpoint_path(out, plan)
    out.mkdir(parents=True, exist_ok=True)
    if resume and path.exists():
        training_checkpoint.load(training, path)
        console.print(f"resuming after {len(training.losses)} of {training.steps} steps")
    elif resume:
        console.print(f"there is no checkpoint {path}; starting at the first step", markup=False)
    elif path.exists():
        console.print(
            f"{path} holds an interrupted run, which this new run will replace; --resume would continue it",
            markup=False,
        )
    interrupted = False
    with Progress(*COLUMNS, console=console, transient=True) as bar:
        task = bar.add_task(f"{plan.network} {plan.dtype}", total=training.steps, losses="")
        printed, watch = len(training.rows), Watch()

        def progress(done: int, total: int) -> None:
            nonlocal printed, watch
            ours, theirs = training.losses[-1]
            bar.update(task, completed=done, losses=f"loss {ours:.4f} / {theirs:.4f}")
            if len(training.rows) > printed:  # an epoch ended before this step
                printed = len(training.rows)
                console.print(epoch_line(training.rows[-1], plan.epochs, watch.share()))
                _save(training, path)
                watch = Watch()

        try:
            training.run(progress)
            console.print(epoch_line(training.rows[-1], plan.epochs, watch.share()))
        except KeyboardInterrupt:
            interrupted = True
        _save(training, path)
    return training, interrupted


def _save(training: Training, path: Path) -> None:
    """Write the checkpoint; where that fails, as on a full disk, to another folder, which the error names."""
    from parity.checks import training_checkpoint

    try:
        training_checkpoint.save(training, path)
    except OSError as error:
        steps = f"the run after {len(training.losses)} of {training.steps} steps"
        try:
            folder = Path(tempfile.mkdtemp(prefix="parity-train-"))
            training_checkpoint.save(training, folder / path.name)
        except OSError as another:
            raise OSError(f"{error}; {steps} is lost ({another})") from error
        raise OSError(f"{error}; {steps} is in {folder}; --resume --out {folder} continues it") from error


def checkpoint_path(out: Path, plan: Plan) -> Path:
    return out / f"{plan.network}-{plan.dtype}.safetensors"


def epoch_line(row: dict[str, Any], epochs: int, others: float) -> str:
    """`epoch 2/3  loss 0.5611 / 0.5611  test 80.10 % / 80.10 %  5,120 / 4,811 images/s`, without the speeds
    where other processes used a part of the cores."""
    speeds = f"{row['images_per_s']:,.0f} / {row['torch_images_per_s']:,.0f} images/s (NumPy / PyTorch)"
    return (
        f"epoch {row['epoch']}/{epochs}  loss {row['train_loss']:.4f} / {row['torch_train_loss']:.4f}  "
        f"test {row['test_accuracy']:.2%} / {row['torch_test_accuracy']:.2%}  "
        + (f"speed not comparable: others use {others:.0%} of the cores" if disturbed(others) else speeds)
    )


def disturbed(others: float) -> bool:
    from parity.timing.clock import FOREIGN

    return others > FOREIGN


def _finish(trainings: list[Training], out: Path, interrupted: bool, shares: list[float]) -> None:
    """Write the tables, print the verdict, and exit with its status: 130 after Ctrl-C.

    `shares` are those of the cores that other processes used during each training.

    A run that is complete no longer needs its checkpoint; after an interruption all of them stay.
    """
    import pandas as pd

    from parity.checks.training import training_frame
    from parity.cli import printing
    from parity.reference.environment import write_environment

    outcomes: list[Outcome] = [training.outcome() for training in trainings if training.rows]
    steps = pd.concat([training.step_frame() for training in trainings], ignore_index=True)
    plan = trainings[0].plan
    save(out, {"training": training_frame(outcomes), "training_steps": steps})
    print_written(write_environment(out, plan.device, seed=plan.seed))
    if interrupted:
        last, path = trainings[-1], checkpoint_path(out, trainings[-1].plan)
        print(
            f"interrupted after {len(last.losses)} of {last.steps} steps, saved in {path}; "
            "the same command with --resume continues",
            file=sys.stderr,
        )
        raise typer.Exit(INTERRUPTED)
    for training in trainings:
        checkpoint_path(out, training.plan).unlink(missing_ok=True)
    ok, lines = printing.verdict([], outcomes)
    for outcome, others in zip(outcomes, shares, strict=True):
        console.print(speed_line(outcome, others))
    console.rule("verdict", align="left")
    for text in lines:
        console.print(text)
    raise typer.Exit(0 if ok else 2 if printing.undecided([], outcomes) else 1)


def speed_line(outcome: Outcome, others: float) -> str:
    """`lenet float32: 7,126 images/s (NumPy) and 8,972 (PyTorch) while training, median of 3 epochs`"""
    history, plan = outcome.history, outcome.plan
    if disturbed(others):
        return (
            f"{plan.network} {plan.dtype}: the speeds are not comparable, since other processes used "
            f"{others:.0%} of the cores while training"
        )
    ours, theirs = history["images_per_s"].median(), history["torch_images_per_s"].median()
    epochs = f"median of {len(history)} epochs" if len(history) > 1 else "one epoch"
    return (
        f"{plan.network} {plan.dtype}: {ours:,.0f} images/s (NumPy) and {theirs:,.0f} (PyTorch) "
        f"while training, {epochs}"
    )
