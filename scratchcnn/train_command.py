"""`train NETWORK`: train a network on a data set and write its weights."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import rich.console
import rich.progress
import typer

from scratchcnn import data as datasets
from scratchcnn.images import resize
from scratchcnn.lookup import key_of, lookup
from scratchcnn.networks import NETWORKS
from scratchcnn.optim import OPTIMIZERS
from scratchcnn.terminal import NetworkName, console
from scratchcnn.trainer import Progress, Trainer
from scratchcnn.weights import refuse_other_format, save_weights

# Learning rates for the default batch size and epochs, found on the sample. Networks and optimizers that are
# not listed use the optimizer's default. LeNet's sigmoids need large steps, and with SGD many epochs.
# AlexNet's are untuned: after the 125 steps that were tried, its loss was not yet below chance.
LEARNING_RATES: dict[str, dict[str, float]] = {
    "simple_conv_net": dict(sgd=0.1, momentum=0.02, nesterov=0.02, adagrad=0.02, adam=0.002, adamw=0.002),
    "lenet": dict(sgd=1, momentum=0.1, nesterov=0.1, adagrad=0.03, rmsprop=0.002, adam=0.005, adamw=0.005),
    "lenet5": dict(momentum=0.001, nesterov=0.001, rmsprop=0.001, adam=0.003, adamw=0.003),
    "alexnet": dict(adagrad=0.001, rmsprop=1e-4, adam=1e-4, adamw=1e-4),
}

# Empty pixels around what each image of a set shows.
MARGINS = {"mnist": 4}


def train(
    ctx: typer.Context,
    network: NetworkName,
    data: Annotated[
        str, typer.Option(help=f"Data set: {', '.join(datasets.NAMES)}, or a path.")
    ] = datasets.NAMES[0],
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the data set: IDX files, .npz, CSV, or a folder of pictures per class.",
            show_default="$SCRATCHCNN_DATA, else downloaded into a cache",
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Number of epochs.", min=0)] = 5,
    batch_size: Annotated[int, typer.Option(help="Images per step.", min=1)] = 20,
    optimizer: Annotated[str, typer.Option(help=f"Optimizer: {', '.join(OPTIMIZERS)}.")] = "adam",
    lr: Annotated[
        float | None,
        typer.Option(help="Learning rate.", show_default="depends on the optimizer and the network"),
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Weight decay.", show_default="0, or 0.01 with adamw")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the initial weights and the order of the images.", min=0)
    ] = 0,
    dtype: Annotated[str, typer.Option(help="Floating-point type: float32 or float64.")] = "float32",
    out: Annotated[
        Path | None,
        typer.Option(help="Write the weights to this file (safetensors).", show_default="not written"),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Write the state of the run to this file after each epoch and on Ctrl-C.",
            show_default="the resumed checkpoint, else not written",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Continue the run from this checkpoint.", show_default="a new run"),
    ] = None,
) -> int:
    """Train a network and measure its accuracy on images it has not seen."""
    checkpoint = checkpoint or resume
    _refuse_unwritable(out, checkpoint)
    if out is not None:
        refuse_other_format(out)
    if dtype not in ("float32", "float64"):
        raise ValueError(f"--dtype must be float32 or float64, got {dtype}")
    kind: Any = lookup("network", network, NETWORKS)
    rule: Any = lookup("optimizer", optimizer, OPTIMIZERS)
    images = datasets.load(data, data_dir)
    net = kind(output_size=len(images.class_names), rng=seed, dtype=np.dtype(dtype))
    default = LEARNING_RATES.get(key_of(network), {}).get(rule.__name__.lower())
    settings = {"lr": default if lr is None else lr, "weight_decay": weight_decay}
    trainer = Trainer(
        net,
        images.x_train,
        images.t_train,
        images.x_test,
        images.t_test,
        rule(**{name: value for name, value in settings.items() if value is not None}),
        epochs,
        batch_size,
        rng=seed,
        transform=lambda x: resize(x, net.input_dim),
        checkpoint=checkpoint,
    )
    if resume is not None:
        trainer.resume(resume)
        for name, value in (("lr", lr), ("weight_decay", weight_decay)):
            if value is not None:
                setattr(trainer.optimizer, name, value)
    out_stream = console()
    out_stream.print(
        f"{type(net).__name__}, {net.num_params:,} parameters, {dtype}; {images.name}, "
        f"{len(images.x_train):,} training images; {trainer.optimizer!r}, "
        f"batches of {batch_size}, seed {seed}"
    )
    if images.note:
        out_stream.print(images.note)
    try:
        _train(trainer, out_stream)
    except KeyboardInterrupt:
        return _interrupted(trainer, ctx.obj)
    except OSError as error:  # a checkpoint that could not be written
        raise OSError(f"{error}; {_rescue(trainer, images, Path(trainer.checkpoint or ''))}") from error
    return _finish(trainer, images, out, out_stream)


def _train(trainer: Trainer, console: rich.console.Console) -> None:
    """Train, printing one line per epoch, with a progress bar on a terminal."""
    columns = (
        rich.progress.TextColumn("epoch {task.fields[epoch]}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TextColumn("loss {task.fields[loss]:.4f}"),
        rich.progress.TimeRemainingColumn(),
    )
    bar = rich.progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    total = trainer.epochs * trainer.steps_per_epoch
    task = bar.add_task("", total=total, completed=trainer.step, epoch=trainer.epoch + 1, loss=float("nan"))

    def show(progress: Progress) -> None:
        bar.update(task, completed=progress.step, epoch=progress.epoch, loss=progress.loss)
        if row := progress.row:
            bar.console.print(
                f"epoch {row['epoch']}/{trainer.epochs}  loss {row['loss']:.4f}  "
                f"train {row['train_accuracy']:.2%}  test {row['test_accuracy']:.2%}  "
                f"{row['seconds']:.1f} s  {row['images_per_second']:,.0f} images/s"
            )

    trainer.progress = show
    with bar:
        trainer.train()


def _finish(
    trainer: Trainer, images: datasets.Dataset, out: Path | None, console: rich.console.Console
) -> int:
    """Print the final accuracy and write the weights; returns the exit status."""
    n = len(images.x_test)
    accuracy = (
        trainer.test_acc_list[-1] if trainer.history else trainer.accuracy(images.x_test, images.t_test)
    )
    assert accuracy is not None
    console.print(f"test accuracy {accuracy:.2%} ({round(accuracy * n):,} of {n:,} images)")
    if out is not None:
        try:
            _save(trainer, images, out, accuracy)
        except OSError as error:
            raise OSError(f"{error}; {_rescue(trainer, images, out)}") from error
        console.print(f"weights written to {out}")
    return 0


def _save(trainer: Trainer, images: datasets.Dataset, out: Path, accuracy: float | None) -> None:
    """Write the weights, with all that `predict` needs."""
    net = trainer.network
    metadata = {
        "input_dim": json.dumps(net.input_dim),
        "image_shape": json.dumps(images.x_train.shape[1:]),
        "margin": str(MARGINS.get(images.name, 0)),
        "class_names": json.dumps(images.class_names),
        "data": images.name,
        "epochs": str(trainer.epoch),
    }
    save_weights(net, out, metadata | ({} if accuracy is None else {"test_accuracy": f"{accuracy:.4f}"}))


def _rescue(trainer: Trainer, images: datasets.Dataset, out: Path) -> str:
    """Write the weights to another folder, as after a disk was full; returns where they are."""
    try:
        other = Path(tempfile.mkdtemp(prefix="scratchcnn-")) / f"{out.stem}.safetensors"
        _save(trainer, images, other, None)
    except OSError as error:
        return f"the weights after {trainer.step} steps are lost ({error})"
    return f"the weights after {trainer.step} steps are in {other}"


def _interrupted(trainer: Trainer, args: Sequence[str]) -> int:
    """Print how to continue; returns the exit status of a program ended by Ctrl-C."""
    kept = trainer.checkpoint
    if kept is None or not Path(kept).exists():
        how = "nothing was kept; with --checkpoint FILE a run can be resumed"
    else:
        command = ["python", "-m", "scratchcnn", *_without(args, "--resume"), "--resume", str(kept)]
        how = f"continue with: {shlex.join(command)}"
    print(f"interrupted after {trainer.step} steps; {how}", file=sys.stderr)
    return 130


def _without(args: Sequence[str], option: str) -> Iterator[str]:
    """The arguments without `--option value` and `--option=value`."""
    rest = iter(args)
    for arg in rest:
        if arg == option:
            next(rest, None)
        elif not arg.startswith(f"{option}="):
            yield arg


def _refuse_unwritable(*paths: Path | None) -> None:
    """Refuse output files that cannot be written, before training rather than after it."""
    wanted = [path.absolute() for path in paths if path is not None]
    for path in wanted:
        if not path.parent.is_dir():
            raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}; make it first")
        if path.is_dir():
            raise ValueError(f"cannot write {path}: it is a folder; name a file")
        if not os.access(path.parent, os.W_OK):
            raise ValueError(f"cannot write {path}: its folder is read-only")
    if len({path.resolve() for path in wanted}) < len(wanted):
        raise ValueError(
            f"--out and --checkpoint both name {wanted[0]}; the weights and the checkpoint need two files"
        )
