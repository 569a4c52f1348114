"""Both frameworks trained side by side on real images: the same weights, the same batches, the same masks.

In float64 the two must end with the same prediction for every test image; in float32, where two correct
runs part by rounding, with test accuracies within half a point of each other. The learning rate falls
linearly to 0, as is usual: at a constant rate the last steps still move weights about, and correct runs
were seen to end 0.7 points apart (3 % of the predictions; 0.1 points and 0.3 % with the rate falling).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from parity.devices import synchronize
from parity.pair import build_pair
from parity.trace import draw_masks, dropout_shapes, injected, torch_injected
from scratchcnn.data import load
from scratchcnn.data.batches import minibatches
from scratchcnn.images import resize
from scratchcnn.networks import Network
from scratchcnn.optim import Adam

HALF_A_POINT = 0.005
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
        if not self.learnt:
            return False
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


def train_both(plan: Plan, progress: Callable[[int, int], None] = lambda done, total: None) -> Outcome:
    """Train ours and PyTorch's in turn on every batch with Adam, its rate falling from plan.rate to 0;
    `progress(step, steps)` after each."""
    network, module = build_pair(plan.network, np.dtype(plan.dtype), plan.device, plan.seed)
    data = load(plan.data, data_dir=plan.data_dir)
    x_test = resize(data.x_test, network.input_dim)
    optimizer = Adam(plan.rate)
    twin = torch.optim.Adam(module.parameters(), lr=plan.rate)
    rng = np.random.default_rng([plan.seed, 4])
    dropouts = dropout_shapes(network)
    steps = plan.epochs * -(-len(data.x_train) // plan.batch_size)
    rows: list[dict[str, Any]] = []
    done = 0
    for epoch in range(1, plan.epochs + 1):
        losses, seconds = [], np.zeros(2)
        for batch in minibatches(len(data.x_train), plan.batch_size, rng):
            x, t = resize(data.x_train[batch], network.input_dim), data.t_train[batch]
            masks = draw_masks(dropouts, len(x), rng)
            optimizer.lr = twin.param_groups[0]["lr"] = plan.rate * (1 - done / steps)
            start = time.perf_counter()
            with injected(network, masks):
                optimizer.update(network.params, network.gradient(x, t))
            middle = time.perf_counter()
            with torch_injected(module, masks):
                loss = _torch_step(module, twin, x, t, plan)
            end = time.perf_counter()
            losses.append((float(network.last_loss), loss))
            seconds += (middle - start, end - middle)
            done += 1
            progress(done, steps)
        ours, theirs = predictions(network, x_test), torch_predictions(module, x_test, plan)
        rows.append(_epoch_row(plan, epoch, losses, seconds, ours, theirs, data.t_test, len(data.x_train)))
    last, chance = rows[-1], np.bincount(data.t_test).max() / len(data.t_test)
    ended = last["same_predictions"], last["test_accuracy"], last["torch_test_accuracy"]
    return Outcome(plan, pd.DataFrame(rows), *ended, chance)


def _epoch_row(
    plan: Plan,
    epoch: int,
    losses: list,
    seconds: NDArray,
    ours: NDArray,
    theirs: NDArray,
    t: NDArray,
    images: int,
) -> dict[str, Any]:
    mean = np.mean(losses, axis=0)
    return {
        "network": plan.network, "dtype": plan.dtype, "device": plan.device, "data": plan.data,
        "epoch": epoch,
        "train_loss": mean[0], "torch_train_loss": mean[1],
        "max_loss_difference": float(np.abs(np.subtract(*zip(*losses, strict=True))).max()),
        "test_accuracy": float((ours == t).mean()), "torch_test_accuracy": float((theirs == t).mean()),
        "same_predictions": float((ours == theirs).mean()),
        "images_per_s": images / seconds[0], "torch_images_per_s": images / seconds[1],
    }  # fmt: skip


def _torch_step(
    module: nn.Module, optimizer: torch.optim.Optimizer, x: NDArray, t: NDArray, plan: Plan
) -> float:
    dtype = next(module.parameters()).dtype
    optimizer.zero_grad()
    images, labels = torch.from_numpy(x).to(plan.device, dtype), torch.from_numpy(t).to(plan.device)
    loss = module.loss(module(images), labels)  # type: ignore[operator]
    loss.backward()
    optimizer.step()
    synchronize(plan.device)
    return float(loss.detach())


def predictions(network: Network, x: NDArray, batch_size: int = 200) -> NDArray:
    """The class that ours gives each image."""
    parts = [network.predict(x[i : i + batch_size]).argmax(axis=1) for i in range(0, len(x), batch_size)]
    return np.concatenate(parts)


def torch_predictions(module: nn.Module, x: NDArray, plan: Plan, batch_size: int = 200) -> NDArray:
    """The class that PyTorch's gives each image (LeNet-5's outputs are penalties: the smallest wins)."""
    dtype, sign = next(module.parameters()).dtype, -1 if plan.network == "lenet5" else 1
    module.eval()
    with torch.no_grad():
        parts = [
            (sign * module(torch.from_numpy(x[i : i + batch_size]).to(plan.device, dtype)))
            .argmax(1)
            .cpu()
            .numpy()
            for i in range(0, len(x), batch_size)
        ]
    module.train()
    return np.concatenate(parts)
