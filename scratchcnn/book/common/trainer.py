"""The book's common/trainer.py: trains any network with params, gradient, loss and accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.book.common import optimizer as optimizers
from scratchcnn.typing import Array

OPTIMIZERS = {
    "sgd": optimizers.SGD,
    "momentum": optimizers.Momentum,
    "nesterov": optimizers.Nesterov,
    "adagrad": optimizers.AdaGrad,
    "rmsprop": optimizers.RMSprop,
    "rmsprpo": optimizers.RMSprop,  # its name in the book's own table
    "adam": optimizers.Adam,
}


class Trainer:
    """The book's: each step draws a fresh batch from `np.random`; one line per step is printed, and the
    accuracies at the start of each epoch (on the first `evaluate_sample_num_per_epoch` images).

    train_loss_list   the loss of every step; one of our networks keeps it from the gradient, of any other
                      it is computed after the step, as in the book
    train_acc_list, test_acc_list   one accuracy per epoch

    `scratchcnn.Trainer` is the one with checkpoints, shuffled epochs and a history.
    """

    def __init__(
        self,
        network: Any,
        x_train: Array,
        t_train: Array,
        x_test: Array,
        t_test: Array,
        epochs: int = 20,
        mini_batch_size: int = 100,
        optimizer: str = "SGD",
        optimizer_param: dict[str, float] | None = None,
        evaluate_sample_num_per_epoch: int | None = None,
        verbose: bool = True,
    ):
        if str(optimizer).lower() not in OPTIMIZERS:
            raise ValueError(f"no optimizer {optimizer!r}; there are {', '.join(OPTIMIZERS)}")
        self.network, self.verbose = network, verbose
        self.x_train, self.t_train, self.x_test, self.t_test = x_train, t_train, x_test, t_test
        self.epochs, self.batch_size = epochs, mini_batch_size
        self.evaluate_sample_num_per_epoch = evaluate_sample_num_per_epoch
        settings = {"lr": 0.01} if optimizer_param is None else optimizer_param
        self.optimizer: Any = OPTIMIZERS[optimizer.lower()](**settings)
        self.train_size = len(x_train)
        self.iter_per_epoch = max(self.train_size // mini_batch_size, 1)
        self.max_iter = int(epochs * self.iter_per_epoch)
        self.current_iter = self.current_epoch = 0
        self.train_loss_list: list[float] = []
        self.train_acc_list: list[float] = []
        self.test_acc_list: list[float] = []

    def train_step(self) -> None:
        """One batch, one update; at the start of an epoch the accuracies too."""
        batch = np.random.choice(self.train_size, self.batch_size)  # noqa: NPY002  (scripts seed this one)
        x, t = self.x_train[batch], self.t_train[batch]
        grads = self.network.gradient(x, t)
        kept = getattr(self.network, "last_loss", None)
        self.optimizer.update(self.network.params, grads)
        loss = float(self.network.loss(x, t) if kept is None else kept)
        self.train_loss_list.append(loss)
        self._print(f"train loss:{loss}")
        if self.current_iter % self.iter_per_epoch == 0:
            self._evaluate()
        self.current_iter += 1

    def _evaluate(self) -> None:
        self.current_epoch += 1
        first = slice(self.evaluate_sample_num_per_epoch)
        train_acc = self.network.accuracy(self.x_train[first], self.t_train[first])
        test_acc = self.network.accuracy(self.x_test[first], self.t_test[first])
        self.train_acc_list.append(train_acc)
        self.test_acc_list.append(test_acc)
        self._print(f"=== epoch:{self.current_epoch}, train acc:{train_acc}, test acc:{test_acc} ===")

    def train(self) -> None:
        """All epochs, then the accuracy on the whole test set."""
        for _ in range(self.max_iter):
            self.train_step()
        test_acc = self.network.accuracy(self.x_test, self.t_test)
        self._print("=============== Final Test Accuracy ===============")
        self._print(f"test acc:{test_acc}")

    def _print(self, line: str) -> None:
        if self.verbose:
            print(line)
