"""`python -m parity train`: both frameworks trained side by side; a run can be interrupted and resumed."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from parity.checks.training import Outcome, Plan, Training

console = Console(highlight=False, soft_wrap=True)


class Dtype(StrEnum):
    float64 = "float64"
    float32 = "float32"
    both = "both"


class Device(StrEnum):
    cpu = "cpu"
    cuda = "cuda"


def train(
    network: Annotated[str, typer.Argument(help="Which network.")],
    data: Annotated[
        str, typer.Option(help="fashion-mnist-sample, fashion-mnist or mnist.")
    ] = "fashion-mnist-sample",
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder with the four IDX files.", show_default="none")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 3,
    batch_size: Annotated[int, typer.Option(min=1)] = 100,
    lr: Annotated[
        float | None,
        typer.Option(help="Adam's rate at the start; it falls to 0.", show_default="0.003, lenet 0.005"),
    ] = None,
    dtype: Annotated[Dtype, typer.Option()] = Dtype.float32,
    device: Annotated[Device, typer.Option(help="Where PyTorch runs.")] = Device.cpu,
    seed: Annotated[int, typer.Option(help="Draws weights, batches and masks.", min=0)] = 0,
    out: Annotated[
        Path, typer.Option(help="Folder for the tables and, until the end, the checkpoint.")
    ] = Path("build/train"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the interrupted run whose checkpoint is there.")
    ] = False,
) -> None:
    """Train both frameworks from the same weights on the same batches and compare what they predict."""
    from parity.checks.training import Plan
    from parity.cli import options

    networks, kinds = options.split_names([network])
    if kinds:
        raise options.Misuse(f"{network} is a layer; train takes a network")
    options.set_device(options.Device(device.value))
    folder = None if data_dir is None else str(data_dir)
    dtypes = ["float64", "float32"] if dtype is Dtype.both else [dtype.value]
    trainings: list[Training] = []
    interrupted = False
    for name in dtypes:
        plan = Plan(networks[0], name, device.value, seed, epochs, batch_size, lr, data, folder)
        training, interrupted = _train(plan, out, resume)
        trainings.append(training)
        if interrupted:
            break
    _finish(trainings, out, interrupted)


def _train(plan: Plan, out: Path, resume: bool) -> tuple[Training, bool]:
    """One comparison, to its end or to Ctrl-C; a checkpoint after every epoch and on Ctrl-C."""
    from parity.checks import training_checkpoint
    from parity.checks.training import Training

    training, path = Training(plan), checkpoint_path(out, plan)
    out.mkdir(parents=True, exist_ok=True)
    if resume and path.exists():
        training_checkpoint.load(training, path)
        console.print(f"going on after {len(training.losses)} of {training.steps} steps")
    elif resume:
        console.print(f"there is no checkpoint {path}; starting at the first step")
    elif path.exists():
        console.print(f"{path} holds an interrupted run; this one starts anew and will replace it "
                      "(--resume would go on with it)")  # fmt: skip
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[losses]}"), TimeRemainingColumn())  # fmt: skip
    interrupted = False
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"{plan.network} {plan.dtype}", total=training.steps, losses="")
        said = len(training.rows)

        def progress(done: int, total: int) -> None:
            nonlocal said
            ours, theirs = training.losses[-1]
            bar.update(task, completed=done, losses=f"loss {ours:.4f} / {theirs:.4f}")
            if len(training.rows) > said:  # an epoch ended before this step
                said = len(training.rows)
                bar.console.print(epoch_line(training.rows[-1], plan.epochs))
                training_checkpoint.save(training, path)

        try:
            training.run(progress)
            console.print(epoch_line(training.rows[-1], plan.epochs))
        except KeyboardInterrupt:
            interrupted = True
        training_checkpoint.save(training, path)
    return training, interrupted


def checkpoint_path(out: Path, plan: Plan) -> Path:
    return out / f"{plan.network}-{plan.dtype}.safetensors"


def epoch_line(row: dict, epochs: int) -> str:
    """`epoch 2/3  loss 0.5611 / 0.5611  test 80.10 % / 80.10 %  5,120 / 4,811 images/s`"""
    return (
        f"epoch {row['epoch']}/{epochs}  loss {row['train_loss']:.4f} / {row['torch_train_loss']:.4f}  "
        f"test {row['test_accuracy']:.2%} / {row['torch_test_accuracy']:.2%}  "
        f"{row['images_per_s']:,.0f} / {row['torch_images_per_s']:,.0f} images/s (NumPy / PyTorch)"
    )


def _finish(trainings: list[Training], out: Path, interrupted: bool) -> None:
    """Write the tables, print the verdict, and leave with its status: 130 after Ctrl-C.

    A run that came to its end needs its checkpoint no more; with an interrupted one all of them stay.
    """
    from parity.checks.training import training_frame
    from parity.cli import printing as run
    from parity.comparison.tables import write_tables
    from parity.reference.environment import write_environment

    outcomes: list[Outcome] = [training.outcome() for training in trainings if training.rows]
    steps = pd.concat([training.step_frame() for training in trainings], ignore_index=True)
    tables = {"training": training_frame(outcomes), "training_steps": steps}
    plan = trainings[0].plan
    for path in [*write_tables(out, tables), write_environment(out, plan.device, seed=plan.seed)]:
        console.print(f"wrote {path}")
    if interrupted:
        made, path = trainings[-1], checkpoint_path(out, trainings[-1].plan)
        print(
            f"interrupted after {len(made.losses)} of {made.steps} steps, which {path} holds; "
            "the same command with --resume goes on",
            file=sys.stderr,
        )
        raise typer.Exit(130)
    for training in trainings:
        checkpoint_path(out, training.plan).unlink(missing_ok=True)
    ok, lines = run.verdict([], outcomes)
    for outcome in outcomes:
        console.print(speed_line(outcome))
    console.rule("verdict", align="left")
    for text in lines:
        console.print(text)
    raise typer.Exit(0 if ok else 1)


def speed_line(outcome: Outcome) -> str:
    """`lenet float32: 7,126 images/s (NumPy) and 8,972 (PyTorch) while training, median of 3 epochs`"""
    history, plan = outcome.history, outcome.plan
    ours, theirs = history["images_per_s"].median(), history["torch_images_per_s"].median()
    epochs = f"median of {len(history)} epochs" if len(history) > 1 else "one epoch"
    return (
        f"{plan.network} {plan.dtype}: {ours:,.0f} images/s (NumPy) and {theirs:,.0f} (PyTorch) "
        f"while training, {epochs}"
    )
