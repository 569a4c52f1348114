"""The rules that change the weights (book, section 6.1): the book's names, PyTorch's formulas.

    optimizer = Momentum(lr=0.01)
    optimizer.update(network.params, network.gradient(x, t))       # writes into the arrays of params

An optimizer sees two dicts with the same keys and nothing else. In the formulas p is a parameter
and g its gradient, number by number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from scratchcnn.fast import threads
from scratchcnn.typing import Array

__all__ = ["OPTIMIZERS", "SGD", "AdaGrad", "Adam", "AdamW", "Momentum", "Nesterov", "Optimizer", "RMSProp"]

# How many numbers a rule works on at a time. Its formula passes over its arrays several times; in
# blocks that fit into the cache, temporaries included, only the first pass waits for memory.
BLOCK = 65536
LARGE = 16 * BLOCK  # what each thread has to do at least, where threads share the work


class Optimizer:
    """What the rules share: checks, weight decay, state, blocks. A rule adds a `step`.

    settings   names of the constructor's arguments; `optimizer.lr = ...` may be set between updates
    slots      names of the state dicts, {parameter name: array like the parameter}
    iter       how many updates were made
    """

    settings: ClassVar[tuple[str, ...]] = ("lr", "weight_decay")
    slots: ClassVar[tuple[str, ...]] = ()
    decoupled: ClassVar[bool] = False  # True: the rule does the weight decay in its step
    lr: float
    weight_decay: float

    def __init__(self, **settings: float):
        for name, value in settings.items():
            share = name in ("beta1", "beta2", "decay_rate")
            if not 0 <= value < (1 if share else np.inf):
                wanted = "in [0, 1)" if share else "at least 0 and finite"
                raise ValueError(f"{type(self).__name__}: {name} must be {wanted}, got {value!r}")
            setattr(self, name, float(value))
        self.iter = 0
        for slot in self.slots:
            setattr(self, slot, {})

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change every array of `params` in place by its gradient; `grads` is only read.

        With `weight_decay` the gradient is g + weight_decay * p, as in PyTorch (the book adds the
        penalty to the loss, which comes to the same).

        Raises ValueError for keys and shapes and TypeError for dtypes that do
        not fit, also those of the state kept from earlier updates; nothing was changed then.
        """
        self._check(params, grads)
        for slot in self.slots:
            if not getattr(self, slot):
                setattr(self, slot, {key: np.zeros_like(p) for key, p in params.items()})
        self.iter += 1
        with threads.team() as size:
            for key, array in params.items():
                arrays = [array, np.asarray(grads[key]), *(getattr(self, slot)[key] for slot in self.slots)]
                threads.each(self._walk, _pieces(arrays, size))

    def _walk(self, arrays: Sequence[Array]) -> None:
        """The rule over all of the arrays, BLOCK numbers at a time."""
        for p, g, *state in _blocks(arrays):
            if self.weight_decay and not self.decoupled:
                g = g + self.weight_decay * p
            self.step(p, g, *state)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        """The rule: writes into p and the state, reads g."""
        raise NotImplementedError

    # -- checkpoints -----------------------------------------------------------------------------
    def state_dict(self) -> dict[str, dict[str, Any]]:
        """A copy of all that the next update depends on:
        {"scalars": {"lr": ..., "iter": ...}, "arrays": {"v.<parameter>": ...}}."""
        scalars = {name: float(getattr(self, name)) for name in self.settings} | {"iter": self.iter}
        slots = {slot: getattr(self, slot) for slot in self.slots}
        arrays = {f"{slot}.{key}": a.copy() for slot, state in slots.items() for key, a in state.items()}
        return {"scalars": scalars, "arrays": arrays}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Go on where the optimizer that gave this `state_dict` stood, bit for bit.

        Raises ValueError for the state of another rule; nothing was changed then.
        """
        who, scalars = type(self).__name__, state["scalars"]
        slots: dict[str, dict[str, Array]] = {slot: {} for slot in self.slots}
        for name, array in state["arrays"].items():
            slot, _, key = name.partition(".")
            slots.setdefault(slot, {})[key] = np.array(array)
        if set(scalars) != {*self.settings, "iter"} or list(slots) != list(self.slots):
            raise ValueError(
                f"{who}: expected a state of {', '.join([*self.settings, 'iter', *self.slots])}; "
                f"got {', '.join([*scalars, *slots])}. Is it another optimizer's?"
            )
        for slot in self.slots[1:]:
            if slots[slot].keys() != slots[self.slots[0]].keys():
                raise ValueError(f"{who}: the state has {self.slots[0]} and {slot} for different parameters")
        vars(self).update(
            {name: float(scalars[name]) for name in self.settings}, iter=int(scalars["iter"]), **slots
        )

    # -- errors ----------------------------------------------------------------------------------
    def _check(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        who = type(self).__name__
        _check_keys(params, grads, f"{who}: params and grads must have the same keys", "grads")
        for key, p in params.items():
            if not isinstance(p, np.ndarray) or p.dtype.kind != "f":
                got = getattr(p, "dtype", type(p).__name__)
                raise TypeError(f"{who}: {key} must be an array of floating-point numbers, got {got}")
            _check_like(
                p, np.asarray(grads[key]), f"{who}: {key}", "its gradient", "cast or reshape one of them"
            )
        for slot in self.slots:
            if state := getattr(self, slot):
                _check_keys(params, state, f"{who}: its state must be of the same parameters", "the state")
                for key, p in params.items():
                    _check_like(
                        p, state[key], f"{who}: {key}", f"its {slot}", "give each network its own optimizer"
                    )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name):g}' for name in self.settings)})"
        )


class SGD(Optimizer):
    """p -= lr * g                              (book, eq. 6.1; `torch.optim.SGD`)"""

    def __init__(self, lr: float = 0.01, weight_decay: float = 0.0):
        super().__init__(lr=lr, weight_decay=weight_decay)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p -= self.lr * g


class Momentum(Optimizer):
    """v = momentum * v + g,   p -= lr * v      (`torch.optim.SGD(momentum=...)`)

    The book's eq. 6.3 has the other sign and lr inside: v = momentum * v - lr * g, p += v. The path
    is the same until lr changes; then this v, which holds no lr, follows at once.
    """

    settings = ("lr", "momentum", "weight_decay")
    slots = ("v",)
    momentum: float
    v: dict[str, Array]

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0):
        super().__init__(lr=lr, momentum=momentum, weight_decay=weight_decay)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        p -= self.lr * v


class Nesterov(Momentum):
    """v = momentum * v + g,   p -= lr * (g + momentum * v)      (`torch.optim.SGD(nesterov=True)`)

    The book's (common/optimizer.py) has the sign and the lr of its Momentum.
    """

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        p -= self.lr * (g + self.momentum * v)


class AdaGrad(Optimizer):
    """h += g * g,   p -= lr * g / (sqrt(h) + eps)      (book, eq. 6.5 and 6.6; `torch.optim.Adagrad`)

    The book's eps is 1e-7.
    """

    settings = ("lr", "eps", "weight_decay")
    slots = ("h",)
    eps: float
    h: dict[str, Array]

    def __init__(self, lr: float = 0.01, eps: float = 1e-10, weight_decay: float = 0.0):
        super().__init__(lr=lr, eps=eps, weight_decay=weight_decay)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (h,) = state
        h += g * g
        p -= self.lr * g / (np.sqrt(h) + self.eps)


class RMSProp(Optimizer):
    """h = decay_rate * h + (1 - decay_rate) * g * g,   p -= lr * g / (sqrt(h) + eps)

    `torch.optim.RMSprop(alpha=decay_rate)`. The book's eps is 1e-7.
    """

    settings = ("lr", "decay_rate", "eps", "weight_decay")
    slots = ("h",)
    decay_rate: float
    eps: float
    h: dict[str, Array]

    def __init__(
        self, lr: float = 0.01, decay_rate: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ):
        super().__init__(lr=lr, decay_rate=decay_rate, eps=eps, weight_decay=weight_decay)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (h,) = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        p -= self.lr * g / (np.sqrt(h) + self.eps)


class Adam(Optimizer):
    """Kingma and Ba 2015, algorithm 1; `torch.optim.Adam`. In update number i:

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        p -= lr * (m / (1 - beta1**i)) / (sqrt(v / (1 - beta2**i)) + eps)

    The book moves both corrections into lr and adds its 1e-7 to the *uncorrected* sqrt(v), which
    makes its eps up to 32 times larger in the first updates.
    """

    settings = ("lr", "beta1", "beta2", "eps", "weight_decay")
    slots = ("m", "v")
    beta1: float
    beta2: float
    eps: float
    m: dict[str, Array]
    v: dict[str, Array]

    def __init__(
        self,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, v = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        lr = self.lr / (1 - self.beta1**self.iter)
        p -= lr * m / (np.sqrt(v) / (1 - self.beta2**self.iter) ** 0.5 + self.eps)


class AdamW(Adam):
    """p -= lr * weight_decay * p, then Adam      (Loshchilov and Hutter 2019; `torch.optim.AdamW`)

    The decay goes past the gradient, so that m and v never see it.
    """

    decoupled = True

    def __init__(
        self,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(lr, beta1, beta2, eps, weight_decay)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p *= 1 - self.lr * self.weight_decay
        super().step(p, g, *state)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}


def _pieces(arrays: list[Array], count: int) -> list[list[Array]]:
    """The arrays in so many parts for the threads; whole where they are small or not in one piece."""
    if arrays[0].size < count * LARGE or not all(a.flags.c_contiguous for a in arrays):
        return [arrays]
    return [[a.reshape(-1)[part] for a in arrays] for part in threads.parts(arrays[0].size, count)]


def _blocks(arrays: Sequence[Array]) -> Iterator[list[Array]]:
    """Views of all the arrays, the same BLOCK numbers of each; whole where they are small or one does not lie
    in one piece."""
    if arrays[0].size <= BLOCK or not all(a.flags.c_contiguous for a in arrays):
        yield list(arrays)
        return
    flat = [a.reshape(-1) for a in arrays]
    for i in range(0, flat[0].size, BLOCK):
        yield [a[i : i + BLOCK] for a in flat]


def _check_keys(params: Mapping[str, Any], other: Mapping[str, Any], must: str, name: str) -> None:
    if params.keys() != other.keys():
        lacking, surplus = sorted(params.keys() - other.keys()), sorted(other.keys() - params.keys())
        raise ValueError(f"{must}; {name} lacks {lacking} and has {surplus} too much")


def _check_like(p: Array, other: Array, label: str, name: str, mend: str) -> None:
    if other.shape != p.shape:
        raise ValueError(f"{label} has shape {p.shape}, {name} {other.shape}; {mend}")
    if other.dtype != p.dtype:
        raise TypeError(f"{label} is {p.dtype}, {name} {other.dtype}; {mend}")
