"""The loop that trains a network (book, section 4.5.2 and common/trainer.py), with checkpoints.

    trainer = Trainer(network, x_train, t_train, x_test, t_test, Adam(lr=0.001), epochs=3, rng=0)
    history = trainer.train()           # [{"epoch": 1, "loss": 0.9, "test_accuracy": 0.76, ...}]

A run that was interrupted and resumed ends with the same numbers, bit for bit, as one that was not:
a checkpoint keeps the parameters, the optimizer's state, the place in the epoch, and the state of
every random number generator.
"""

from __future__ import annotations

import math
import operator
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np

from scratchcnn import checkpoint
from scratchcnn.data.batches import minibatches
from scratchcnn.optim import OPTIMIZERS, Optimizer
from scratchcnn.typing import Array, PathLike

__all__ = ["Progress", "Trainer"]


class Progress(NamedTuple):
    """What `progress` is told after every step, and once more, with `row`, after every epoch."""

    epoch: int  # 1, 2, ... epochs
    step: int  # steps made since the start of the run
    steps: int  # steps in the whole run
    loss: float  # of the last batch
    row: dict[str, Any] | None = None  # the epoch's entry in the history


class Trainer:
    """Trains `network` on x_train, t_train, and measures it on both sets after every epoch.

    optimizer    an Optimizer, or the name of one ("SGD", "Adam", ...) with `optimizer_param={"lr": ...}`
    epochs       how often every training image is seen; `batch_size` images a step, the last batch smaller
    rng          a Generator or a seed for the order of the images; None: a fresh one
    evaluate     how many images of each set the accuracies are measured on: None all, 0 none
    transform    applied to every batch before the network sees it, say a resize too large for all at once
    progress     called with a `Progress` after every step and every epoch
    checkpoint   a file to write after every epoch and on Ctrl-C
    verbose      print a line an epoch, as the book's Trainer does unless told not to

    `mini_batch_size` and `evaluate_sample_num_per_epoch` are the book's names for `batch_size` and
    `evaluate`. The book draws every batch anew; here an epoch visits each image once (`minibatches`).

    history           one dict an epoch: epoch, step, loss (the mean over the epoch's images),
                      train_accuracy, test_accuracy (None where not measured), seconds of training
                      alone, images_per_second
    train_loss_list   the loss of every step; train_acc_list, test_acc_list: of every epoch
    """

    def __init__(
        self,
        network: Any,
        x_train: Array,
        t_train: Array,
        x_test: Array,
        t_test: Array,
        optimizer: Any = "SGD",
        epochs: int = 20,
        batch_size: int = 100,
        rng: np.random.Generator | int | None = None,
        progress: Callable[[Progress], Any] | None = None,
        evaluate: int | None = None,
        *,
        transform: Callable[[Array], Array] | None = None,
        checkpoint: PathLike | None = None,
        verbose: bool = False,
        optimizer_param: Mapping[str, float] | None = None,
        mini_batch_size: int | None = None,
        evaluate_sample_num_per_epoch: int | None = None,
    ):
        self.network, self.optimizer = network, _optimizer(optimizer, optimizer_param)
        self.x_train, self.t_train = _pair(x_train, t_train, "train")
        self.x_test, self.t_test = _pair(x_test, t_test, "test")
        self.epochs = _at_least(0, epochs, "epochs")
        self.batch_size = _at_least(
            1, batch_size if mini_batch_size is None else mini_batch_size, "batch_size"
        )
        evaluate = evaluate if evaluate_sample_num_per_epoch is None else evaluate_sample_num_per_epoch
        self.evaluate = None if evaluate is None else _at_least(0, evaluate, "evaluate")
        self.rng = np.random.default_rng(rng)
        self.progress, self.transform = progress, transform
        self.checkpoint, self.verbose = checkpoint, verbose

        self.history: list[dict[str, Any]] = []
        self.train_loss_list: list[float] = []
        self.epoch = 0  # epochs completed
        self.batches: list[Array] | None = None  # still to come in the epoch under way; None between two
        self.seconds = 0.0  # spent on those that were made
        self._whole = True  # False inside a step, when weights and optimizer may be half changed

    # -- training --------------------------------------------------------------------------------
    def train(self) -> list[dict[str, Any]]:
        """Train until `epochs` are complete, from wherever the run stands; returns the history.

        Ctrl-C lets the step in progress finish, writes the checkpoint if one was asked for, and
        raises KeyboardInterrupt; a second Ctrl-C does not wait, and leaves the last checkpoint as it
        was; `train()` and `save_checkpoint` then refuse until `resume`. `history` is kept either way.

        Raises FloatingPointError when the loss is not finite, RuntimeError as said.
        """
        self._refuse_half_a_step()
        self.network.train()
        try:
            with _interrupts_wait() as interrupted:
                while self.epoch < self.epochs:
                    self._train_epoch(interrupted)
        except KeyboardInterrupt:
            if self.checkpoint is not None and self._whole:
                self.save_checkpoint(self.checkpoint)
            raise
        return self.history

    def _train_epoch(self, interrupted: Callable[[], None]) -> None:
        if self.batches is None:
            self.batches = list(minibatches(len(self.x_train), self.batch_size, self.rng))
        while self.batches:
            loss = self._step(self.batches)
            self._tell(loss)
            interrupted()
        row = self._row()
        interrupted()
        self.history.append(row)
        self.epoch, self.batches, self.seconds = self.epoch + 1, None, 0.0
        if self.checkpoint is not None:
            self.save_checkpoint(self.checkpoint)
        if self.verbose:
            print(" ".join(f"{key}={value}" for key, value in row.items()))
        self._tell(self.train_loss_list[-1], row)

    def _step(self, batches: list[Array]) -> float:
        """The first of the batches to come: gradients, then the optimizer."""
        start, batch = time.perf_counter(), batches[0]
        self._whole = False
        grads = self.network.gradient(self._images(self.x_train[batch]), self.t_train[batch])
        loss = float(self.network.last_loss)
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} at step {self.step + 1} (epoch {self.epoch + 1}); "
                "a smaller learning rate may help"
            )
        self.optimizer.update(self.network.params, grads)
        self.train_loss_list.append(loss)
        del batches[0]
        self.seconds += time.perf_counter() - start
        self._whole = True
        return loss

    def _tell(self, loss: float, row: dict[str, Any] | None = None) -> None:
        if self.progress is not None:
            epoch = row["epoch"] if row else self.epoch + 1
            self.progress(Progress(epoch, self.step, self.epochs * self.steps_per_epoch, loss, row))

    def _row(self) -> dict[str, Any]:
        """The finished epoch's entry in the history."""
        n, losses = len(self.x_train), self.train_loss_list[-self.steps_per_epoch :]
        sizes = [min(self.batch_size, n - i) for i in range(0, n, self.batch_size)]
        return {
            "epoch": self.epoch + 1,
            "step": self.step,
            "loss": float(np.average(losses, weights=sizes)),
            "train_accuracy": self.accuracy(self.x_train, self.t_train),
            "test_accuracy": self.accuracy(self.x_test, self.t_test),
            "seconds": self.seconds,
            "images_per_second": n / self.seconds,
        }

    def accuracy(self, x: Array, t: Array, limit: int | None = None) -> float | None:
        """The share of images that the network gets right, of the first `limit` (default: `evaluate`)."""
        limit = self.evaluate if limit is None else limit
        if limit == 0:
            return None
        x, t = x[:limit], t[:limit]
        labels = t if t.ndim == 1 else t.argmax(axis=1)
        correct = 0
        for i in range(0, len(x), self.batch_size):
            scores = self.network.predict(self._images(x[i : i + self.batch_size]))
            correct += int((scores.argmax(axis=1) == labels[i : i + self.batch_size]).sum())
        return correct / len(x)

    def _images(self, x: Array) -> Array:
        return x if self.transform is None else self.transform(x)

    @property
    def step(self) -> int:
        """Steps made since the start of the run."""
        return len(self.train_loss_list)

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.x_train) // self.batch_size)

    @property
    def train_acc_list(self) -> list[float | None]:
        return [row["train_accuracy"] for row in self.history]

    @property
    def test_acc_list(self) -> list[float | None]:
        return [row["test_accuracy"] for row in self.history]

    # -- checkpoints -----------------------------------------------------------------------------
    def save_checkpoint(self, path: PathLike) -> None:
        """Write all that the rest of the run depends on to one file, whole or not at all (checkpoint.py).

        Raises RuntimeError when the run was stopped in the middle of a step.
        """
        self._refuse_half_a_step()
        checkpoint.save(self, path)

    def resume(self, path: PathLike) -> Self:
        """Put network, optimizer and generators where the checkpoint's run stood; `train()` continues it.

        `epochs` may differ from the interrupted run's; the network, the images, the batch size and the
        optimizer may not. The optimizer's settings (lr, ...) become the checkpoint's.

        Raises FileNotFoundError when there is none, ValueError when the file is not a checkpoint or
        belongs to another run (saying each difference); nothing was changed then.
        """
        checkpoint.load(self, path)
        self._whole = True
        return self

    def _refuse_half_a_step(self) -> None:
        if not self._whole:
            raise RuntimeError("the run was stopped in the middle of a step; resume it from a checkpoint")


@contextmanager
def _interrupts_wait() -> Iterator[Callable[[], None]]:
    """Inside the `with`, Ctrl-C only sets a mark; calling what this yields raises KeyboardInterrupt then.

    A second Ctrl-C raises at once. In a thread, or where Ctrl-C was given another meaning, nothing changes.
    """
    pressed = False

    def press(signum: int, frame: Any) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    signal.signal(signal.SIGINT, press)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    check()


def _optimizer(optimizer: Any, param: Mapping[str, float] | None) -> Optimizer:
    """An optimizer as it came, or the one of that name."""
    if not isinstance(optimizer, str):
        if param is not None:
            raise TypeError(
                "optimizer_param belongs to an optimizer given by name; set it on the optimizer itself"
            )
        return optimizer
    if (kind := OPTIMIZERS.get(optimizer.lower())) is None:
        raise ValueError(f"there is no optimizer {optimizer!r}; there are {', '.join(OPTIMIZERS)}")
    return kind(**(param or {}))


def _pair(x: Array, t: Array, which: str) -> tuple[Array, Array]:
    x, t = np.asarray(x), np.asarray(t)
    if len(x) != len(t) or not len(x):
        raise ValueError(
            f"expected as many labels as images and at least one, got {len(x)} in x_{which} "
            f"and {len(t)} in t_{which}"
        )
    return x, t


def _at_least(least: int, value: int, name: str) -> int:
    try:
        whole = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from None
    if whole < least:
        raise ValueError(f"{name} must be at least {least}, got {whole}")
    return whole
