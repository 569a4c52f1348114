"""The training loop (book, section 4.5.2 and common/trainer.py), with checkpoints.

    trainer = Trainer(network, x_train, t_train, x_test, t_test, Adam(lr=0.001), epochs=3, rng=0)
    history = trainer.train()           # [{"epoch": 1, "loss": 0.9, "test_accuracy": 0.76, ...}]

A run that was interrupted and resumed ends with the same numbers, bit for bit, as one that was not: a
checkpoint keeps the parameters, the state of the optimizer and of every random number generator, and the
position in the epoch.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np

from scratchcnn import checkpoint
from scratchcnn.arrays import at_least, unmasked
from scratchcnn.data.batches import minibatches
from scratchcnn.finite import check_scores, is_finite, origin
from scratchcnn.labels import class_numbers
from scratchcnn.lookup import lookup
from scratchcnn.optim import OPTIMIZERS, Optimizer
from scratchcnn.pixel_range import warn_of_pixel_range
from scratchcnn.typing import Array, PathLike

__all__ = ["Progress", "Trainer"]


class Progress(NamedTuple):
    """What `progress` receives after each step and, with `row`, after each epoch."""

    epoch: int  # 1, 2, ... epochs
    step: int  # steps since the start of the run
    steps: int  # steps in the whole run
    loss: float  # of the last batch
    row: dict[str, Any] | None = None  # the epoch's entry in the history


class Trainer:
    """Trains `network` on x_train, t_train and measures its accuracy on both sets after each epoch.

    network      one of ours, or one of your own with the book's predict, loss, gradient and params

    optimizer    an Optimizer, or the name of one ("SGD", "Adam", ...) with `optimizer_param={"lr": ...}`
    epochs       number of passes over the training images; `batch_size` images per step, the last batch
                 may be smaller
    rng          a Generator or a seed for the order of the images; None: a fresh one
    evaluate     number of images of each set to measure accuracies on: None all, 0 none
    transform    applied to each batch before the network sees it, such as a resize that would take too
                 much memory for all images at once
    progress     called with a `Progress` after each step and each epoch
    checkpoint   a file to write after each epoch and on Ctrl-C
    verbose      print one line per epoch (the book's Trainer prints by default)

    `mini_batch_size` and `evaluate_sample_num_per_epoch` are the book's names for `batch_size` and
    `evaluate`. The book draws each batch independently; here an epoch visits each image once
    (`minibatches`).

    history           one dict per epoch: epoch, step, loss (the mean over the epoch's images),
                      train_accuracy, test_accuracy (None if not measured), seconds (without the
                      measuring), images_per_second
    train_loss_list   the loss of each step; train_acc_list, test_acc_list: of each epoch
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
        self.network, self.optimizer = _network(network), _optimizer(optimizer, optimizer_param)
        self.x_train, self.t_train = _pair(x_train, t_train, "train")
        self.x_test, self.t_test = _pair(x_test, t_test, "test")
        self.epochs = at_least(0, epochs, "epochs")
        self.batch_size = at_least(
            1, batch_size if mini_batch_size is None else mini_batch_size, "batch_size"
        )
        evaluate = evaluate if evaluate_sample_num_per_epoch is None else evaluate_sample_num_per_epoch
        self.evaluate = None if evaluate is None else at_least(0, evaluate, "evaluate")
        self.rng = np.random.default_rng(rng)
        self.progress, self.transform = progress, transform
        self.checkpoint, self.verbose = checkpoint, verbose

        self.history: list[dict[str, Any]] = []
        self.train_loss_list: list[float] = []
        self.epoch = 0  # epochs completed
        self.batches: list[Array] | None = None  # still to come in the current epoch; None between epochs
        self.seconds = 0.0  # spent on the steps of the current epoch
        self._whole = True  # False during a step, while weights and optimizer may be half updated

    # -- training --------------------------------------------------------------------------------
    def train(self) -> list[dict[str, Any]]:
        """Train until `epochs` are complete, from the run's current state; returns the history.

        Ctrl-C or SIGTERM lets the current step finish, writes the checkpoint if there is to be one, and
        raises KeyboardInterrupt. A second one does not wait and leaves the last checkpoint unchanged; then
        `train()` and `save_checkpoint` raise RuntimeError until `resume`. `history` is kept either way.

        Raises FloatingPointError if the loss is not finite, or images are not. Warns with
        PixelRangeWarning if the images look like bytes, or divided by 255 twice.
        """
        self._refuse_half_a_step()
        if hasattr(self.network, "train"):
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
            self._report(loss)
            interrupted()
        row = self._row()
        interrupted()
        self.history.append(row)
        self.epoch, self.batches, self.seconds = self.epoch + 1, None, 0.0
        if self.checkpoint is not None:
            self.save_checkpoint(self.checkpoint)
        if self.verbose:
            print(" ".join(f"{key}={value}" for key, value in row.items()))
        self._report(self.train_loss_list[-1], row)

    def _step(self, batches: list[Array]) -> float:
        """One step on the first of the batches to come: the gradients, then the optimizer."""
        start, batch = time.perf_counter(), batches[0]
        self._whole = False
        x, t = self._images(self.x_train[batch]), self.t_train[batch]
        if not hasattr(self.network, "check_images"):  # ours warn themselves
            warn_of_pixel_range(x, "Trainer")
        grads = self.network.gradient(x, t)
        loss = float(
            self.network.last_loss if hasattr(self.network, "last_loss") else self.network.loss(x, t)
        )
        if not math.isfinite(loss) or not is_finite(x):
            why = origin(x, t, {} if self.step else self.network.params)
            raise FloatingPointError(
                f"the loss is {loss} at step {self.step + 1} (epoch {self.epoch + 1}); "
                + (why or "a smaller learning rate may help")
            )
        self.optimizer.update(self.network.params, grads)
        self.train_loss_list.append(loss)
        del batches[0]
        self.seconds += time.perf_counter() - start
        self._whole = True
        return loss

    def _report(self, loss: float, row: dict[str, Any] | None = None) -> None:
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
        """The share of the first `limit` images (default: `evaluate`) that the network gets right."""
        limit = self.evaluate if limit is None else limit
        if limit == 0:
            return None
        x, t = x[:limit], t[:limit]
        correct = 0
        for i in range(0, len(x), self.batch_size):
            images = self._images(x[i : i + self.batch_size])
            scores = self.network.predict(images)
            check_scores(scores, images, self.network.params, "accuracy")
            labels = _labels(t[i : i + self.batch_size], scores)
            correct += int((scores.argmax(axis=1) == labels).sum())
        return correct / len(x)

    def _images(self, x: Array) -> Array:
        return x if self.transform is None else self.transform(x)

    @property
    def step(self) -> int:
        """Number of steps since the start of the run."""
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
        """Write everything that the rest of the run depends on to one file, whole or not at all.

        Raises RuntimeError if the run was stopped in the middle of a step.
        """
        self._refuse_half_a_step()
        checkpoint.save(self, path)

    def resume(self, path: PathLike) -> Self:
        """Set network, optimizer and generators to the checkpoint's state; `train()` continues the run.

        `epochs` may differ from the interrupted run's; the network, the images, the batch size and the
        optimizer may not. The optimizer's settings (lr, ...) become those of the checkpoint.

        Raises FileNotFoundError if there is no file, ValueError if it is not a checkpoint, is damaged, or
        belongs to another run (the message lists each difference); nothing is changed then.
        """
        checkpoint.load(self, path)
        self._whole = True
        return self

    def _refuse_half_a_step(self) -> None:
        if not self._whole:
            raise RuntimeError("the run was stopped in the middle of a step; resume it from a checkpoint")


@contextmanager
def _interrupts_wait() -> Iterator[Callable[[], None]]:
    """Inside the `with`, Ctrl-C only sets a flag; the yielded function raises KeyboardInterrupt if it is set.

    SIGTERM does the same, and a second signal raises at once. In a thread, or where a signal has another
    handler, nothing changes.
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

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    main = threading.current_thread() is threading.main_thread()
    waiting = {s: handler for s, handler in usual.items() if main and signal.getsignal(s) is handler}
    for signum in waiting:
        signal.signal(signum, press)
    try:
        yield check
    finally:
        for signum, handler in waiting.items():
            signal.signal(signum, handler)
    check()


def _network(network: Any) -> Any:
    """The network itself; raises TypeError if it lacks what the book's networks have."""
    if isinstance(network, type):
        raise TypeError(f"network is the class {network.__name__}; pass an object: {network.__name__}()")
    needed = [name for name in ("predict", "loss", "gradient", "params") if not hasattr(network, name)]
    if needed:
        raise TypeError(
            f"Trainer: {type(network).__name__} has no {', '.join(needed)}; a network needs predict(x), "
            "loss(x, t), gradient(x, t) and the dict params"
        )
    return network


def _optimizer(optimizer: Any, param: Mapping[str, float] | None) -> Optimizer:
    """The optimizer itself, or a new one of that name."""
    if isinstance(optimizer, type):
        raise TypeError(
            f"optimizer is the class {optimizer.__name__}; pass an object: {optimizer.__name__}()"
        )
    if not isinstance(optimizer, str):
        if param is not None:
            raise TypeError(
                "optimizer_param is for an optimizer given by name; pass these settings to the optimizer"
            )
        if not hasattr(optimizer, "update"):
            raise TypeError(f"optimizer must be a name or have update(params, grads), got {optimizer!r}")
        given: Optimizer = optimizer
        return given
    return lookup("optimizer", optimizer, OPTIMIZERS)(**(param or {}))


def _pair(x: Array, t: Array, which: str) -> tuple[Array, Array]:
    x, t = unmasked(x, f"x_{which}"), unmasked(t, f"t_{which}")
    for name, array in ((f"x_{which}", x), (f"t_{which}", t)):
        if not array.ndim:
            raise ValueError(f"{name} must be an array with one entry per image, got {array[()]!r}")
    if len(x) != len(t) or not len(x):
        raise ValueError(
            f"expected as many labels as images and at least one, got {len(x)} in x_{which} "
            f"and {len(t)} in t_{which}"
        )
    return x, t


def _labels(t: Array, scores: Array) -> Array:
    """The class of each image. Raises ValueError unless there is one for each row of scores."""
    labels = class_numbers(t, scores.shape[1])
    if len(labels) != len(scores):
        raise ValueError(f"expected labels ({len(scores)},) or one-hot {scores.shape}, got {t.shape}")
    return labels
