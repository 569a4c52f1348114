"""Both frameworks trained side by side on real images: the same weights, the same batches, the same masks.

In float64 the two must end with the same prediction for every test image; in float32, where two correct
runs part by rounding, with test accuracies within half a point of each other. The learning rate falls
linearly to 0, as is usual: at a constant rate the last steps still move weights about, and correct runs
were seen to end 0.7 points apart (3 % of the predictions; 0.1 points and 0.3 % with the rate falling).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from parity.kinds.kind import to_numpy
from parity.reference.devices import synchronize
from parity.reference.model_pair import build_pair
from parity.reference.trace import draw_masks, dropout_shapes, injected, torch_injected
from scratchcnn.data import load
from scratchcnn.data.batches import minibatches
from scratchcnn.images import resize
from scratchcnn.networks import Network
from scratchcnn.optim import Adam
from scratchcnn.typing import Array

Progress = Callable[[int, int], None]
HALF_A_POINT = 0.005 + 1e-9  # 0.845 - 0.84 is a little more than 0.005
RATES = {"lenet": 0.005}  # Adam's learning rate at the start; 0.003 for the others


@dataclass(frozen=True)
class Plan:
    """One comparison: which network, on which data, for how long."""

    network: str
    dtype: str = "float32"
    device: str = "cpu"
    seed: int = 0
    epochs: int = 3
    batch_size: int = 100
    lr: float | None = None
    data: str = "fashion-mnist-sample"
    data_dir: str | None = None

    @property
    def rate(self) -> float:
        """Adam's learning rate at the start."""
        return RATES.get(self.network, 0.003) if self.lr is None else self.lr


@dataclass(frozen=True)
class Outcome:
    """What came of it: a row an epoch, and whether the two ended alike.

    `chance` is the share of the commonest label. Where PyTorch's network is not at least half again as good
    as naming that one always, it has not learnt, equal predictions prove nothing, and `ok` is False.
    """

    plan: Plan
    history: pd.DataFrame
    same_predictions: float
    accuracy: float
    torch_accuracy: float
    chance: float = 0.0

    @property
    def learnt(self) -> bool:
        return self.torch_accuracy >= 1.5 * self.chance

    @property
    def ok(self) -> bool:
        return self.learnt and self.alike

    @property
    def alike(self) -> bool:
        """Whether the two ended with the same result, whether or not they learnt anything."""
        if self.plan.dtype == "float64":
            return self.same_predictions == 1.0
        return abs(self.accuracy - self.torch_accuracy) <= HALF_A_POINT

    def sentence(self) -> str:
        return (
            f"{self.plan.network} {self.plan.dtype}: test accuracy {self.accuracy:.2%} (NumPy) and "
            f"{self.torch_accuracy:.2%} (PyTorch) after {self.plan.epochs} epochs; "
            f"{self.same_predictions:.2%} of the predictions are the same"
            + ("" if self.learnt else "; PyTorch's has not learnt, so that this proves nothing")
        )


def train_both(plan: Plan, progress: Progress = lambda done, total: None) -> Outcome:
    """Train ours and PyTorch's in turn on every batch with Adam, its rate falling from plan.rate to 0;
    `progress(step, steps)` after each."""
    training = Training(plan)
    training.run(progress)
    return training.outcome()


class Training:
    """Both sides of one comparison while they are trained.

    `run` goes on from where it stands, and may be interrupted between any two steps: whatever decides
    the rest (weights, optimizers, generator, the images that the epoch has still to see) is an attribute,
    which parity.checks.training_checkpoint writes to a file and reads back.
    """

    def __init__(self, plan: Plan):
        self.plan = plan
        self.network, self.module = build_pair(plan.network, np.dtype(plan.dtype), plan.device, plan.seed)
        self.data = load(plan.data, data_dir=plan.data_dir)
        self.optimizer = Adam(plan.rate)
        self.twin = torch.optim.Adam(self.module.parameters(), lr=plan.rate)
        self.rng = np.random.default_rng([plan.seed, 4])
        self.dropouts = dropout_shapes(self.network)
        self.left: list[Array] = []  # the batches that the epoch under way has still to see
        self.seconds = np.zeros(2)  # of the epoch under way: ours, PyTorch's
        self.losses: list[tuple[float, float]] = []  # of every step: ours, PyTorch's
        self.rows: list[dict[str, Any]] = []  # of every epoch that is over
        self.steps = plan.epochs * self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.data.x_train) // self.plan.batch_size)

    def run(self, progress: Progress = lambda done, total: None) -> None:
        """Train to the end of the plan."""
        while len(self.rows) < self.plan.epochs:
            if not self.left and len(self.losses) == len(self.rows) * self.steps_per_epoch:
                self.left = list(minibatches(len(self.data.x_train), self.plan.batch_size, self.rng))
                self.seconds = np.zeros(2)
            while self.left:
                self._step(self.left[0])
                progress(len(self.losses), self.steps)
            self.rows.append(self._epoch_row())

    def _step(self, batch: Array) -> None:
        """One batch through both; nothing is noted unless both are done."""
        plan, data = self.plan, self.data
        x, t = resize(data.x_train[batch], self.network.input_dim), data.t_train[batch]
        with uninterrupted():
            masks = draw_masks(self.dropouts, len(x), self.rng)
            rate = plan.rate * (1 - len(self.losses) / self.steps)
            self.optimizer.lr = self.twin.param_groups[0]["lr"] = rate
            start = time.perf_counter()
            with injected(self.network, masks):
                self.optimizer.update(self.network.params, self.network.gradient(x, t))
            middle = time.perf_counter()
            with torch_injected(self.module, masks):
                loss = _torch_step(self.module, self.twin, x, t, plan)
            end = time.perf_counter()
            self.losses.append((float(self.network.last_loss), loss))
            self.seconds += (middle - start, end - middle)
            self.left.pop(0)

    def predictions(self) -> tuple[Array, Array]:
        """The class that ours gives each test image, and that PyTorch's gives it."""
        x = resize(self.data.x_test, self.network.input_dim)
        return predictions(self.network, x), torch_predictions(self.module, x, self.plan)

    def _epoch_row(self) -> dict[str, Any]:
        plan, t = self.plan, self.data.t_test
        losses = np.array(self.losses[len(self.rows) * self.steps_per_epoch :])
        (ours, theirs), mean, images = self.predictions(), losses.mean(axis=0), len(self.data.x_train)
        return {
            "network": plan.network,
            "dtype": plan.dtype,
            "device": plan.device,
            "data": plan.data,
            "epoch": len(self.rows) + 1,
            "train_loss": mean[0],
            "torch_train_loss": mean[1],
            "max_loss_difference": float(np.abs(losses[:, 0] - losses[:, 1]).max()),
            "test_accuracy": float((ours == t).mean()),
            "torch_test_accuracy": float((theirs == t).mean()),
            "same_predictions": float((ours == theirs).mean()),
            "images_per_s": images / self.seconds[0],
            "torch_images_per_s": images / self.seconds[1],
        }

    def step_frame(self) -> pd.DataFrame:
        """A row a step: both losses."""
        plan, count = self.plan, len(self.losses)
        ours, theirs = np.array(self.losses).reshape(-1, 2).T
        step = np.arange(1, count + 1)
        return pd.DataFrame(
            {
                "network": plan.network,
                "dtype": plan.dtype,
                "device": plan.device,
                "data": plan.data,
                "step": step,
                "epoch": (step - 1) // self.steps_per_epoch + 1,
                "train_loss": ours,
                "torch_train_loss": theirs,
            }
        )

    def outcome(self) -> Outcome:
        """How it stands after the epochs that are over. Raises ValueError before the first."""
        if not self.rows:
            raise ValueError(f"no epoch of {self.plan.network} {self.plan.dtype} is over yet")
        last, t = self.rows[-1], self.data.t_test
        ended = last["same_predictions"], last["test_accuracy"], last["torch_test_accuracy"]
        return Outcome(self.plan, pd.DataFrame(self.rows), *ended, np.bincount(t).max() / len(t))


def training_frame(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """One row per epoch of every comparison; empty where there is none."""
    histories = [outcome.history for outcome in outcomes]
    return pd.concat(histories, ignore_index=True) if histories else pd.DataFrame()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait for the end of the `with` block, so that both sides make the same steps."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: asked.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        raise KeyboardInterrupt


def _torch_step(module: nn.Module, optimizer: torch.optim.Optimizer, x: Array, t: Array, plan: Plan) -> float:
    dtype = next(module.parameters()).dtype
    optimizer.zero_grad()
    images, labels = torch.from_numpy(x).to(plan.device, dtype), torch.from_numpy(t).to(plan.device)
    loss = module.loss(module(images), labels)  # type: ignore[operator]
    loss.backward()
    optimizer.step()
    synchronize(plan.device)
    return float(loss.detach())


def predictions(network: Network, x: Array, batch_size: int = 200) -> Array:
    """The class that ours gives each image."""
    return classes(network.predict, x, batch_size)


def torch_predictions(module: nn.Module, x: Array, plan: Plan, batch_size: int = 200) -> Array:
    """The class that PyTorch's gives each image (LeNet-5's outputs are penalties: the smallest wins)."""
    dtype, sign = next(module.parameters()).dtype, -1 if plan.network == "lenet5" else 1

    def scores(images: Array) -> Array:
        return sign * to_numpy(module(torch.from_numpy(images).to(plan.device, dtype)))

    module.eval()
    try:
        with torch.no_grad():
            return classes(scores, x, batch_size)
    finally:
        module.train()


def classes(scores: Callable[[Array], Array], x: Array, batch_size: int) -> Array:
    """The class of the largest score of each image, a few images at a time."""
    parts = [scores(x[i : i + batch_size]).argmax(axis=1) for i in range(0, len(x), batch_size)]
    return np.concatenate(parts)
