"""The optimizers, which change the weights (book, section 6.1): the book's names, PyTorch's formulas.

    optimizer = Momentum(lr=0.01)
    optimizer.update(network.params, network.gradient(x, t))       # writes into the arrays of params

An optimizer sees two dicts with the same keys and nothing else. In the formulas p is a parameter and g
its gradient, element by element.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from scratchcnn.fast import threads
from scratchcnn.lookup import Table
from scratchcnn.typing import Array

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AdaGrad",
    "Adadelta",
    "Adam",
    "AdamW",
    "Adamax",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Optimizer",
    "RMSProp",
]

# Elements per block. A formula passes over its arrays several times; in blocks that fit into the cache,
# temporaries included, only the first pass waits for memory.
BLOCK_ELEMENTS = 65536
MIN_THREAD_ELEMENTS = 4 * BLOCK_ELEMENTS  # below this many per thread, threads cost more than they save


class Optimizer:
    """The base class: checks, weight decay, state and blocks. A subclass adds its formula as `step`.

    settings   names of the constructor's arguments; `optimizer.lr = ...` may be set between updates
    options    further arguments, all of them keywords, with their defaults
    slots      names of the state dicts, {parameter name: array like the parameter}
    kept_for   options that need a state dict of their own, with its name
    iter       number of updates so far
    numbers    further numbers that updates go on from, by name, with what they start at
    maximize   whether to climb: every rule then sees -g, as in PyTorch
    """

    settings: ClassVar[tuple[str, ...]] = ("lr", "weight_decay")
    options: ClassVar[dict[str, float]] = {"maximize": False}
    slots: tuple[str, ...] = ()
    kept_for: ClassVar[dict[str, str]] = {}
    numbers: ClassVar[dict[str, float]] = {}
    decoupled: ClassVar[bool] = False  # True if `step` applies the weight decay
    lr: float
    weight_decay: float
    maximize: bool

    def __init__(self, **settings: float):
        for name, value in settings.items():
            setattr(self, name, self._checked(name, value))
        self.iter = 0
        vars(self).update(self.numbers)
        self.slots = self._slots(settings)
        for slot in self.slots:
            setattr(self, slot, {})

    def _slots(self, settings: Mapping[str, float]) -> tuple[str, ...]:
        """The state dicts that a rule with these settings has."""
        return (*type(self).slots, *(slot for option, slot in self.kept_for.items() if settings.get(option)))

    def _checked(self, name: str, value: Any) -> float:
        """A setting as a float, an option that is on or off as a bool.

        Raises TypeError if it is not a number (a bool), ValueError if it is out of range.
        """
        who, share = type(self).__name__, name in ("beta1", "beta2", "decay_rate")
        if isinstance(self.options.get(name), bool):
            if not isinstance(value, (bool, np.bool_)):
                raise TypeError(f"{who}: {name} must be True or False, got {value!r}")
            return bool(value)
        try:
            number = float("" if isinstance(value, str) else value)
        except (TypeError, ValueError):
            raise TypeError(f"{who}: {name} must be a number, got {value!r}") from None
        if not 0 <= number < (1 if share else np.inf):
            wanted = "in [0, 1)" if share else "at least 0 and finite"
            raise ValueError(f"{who}: {name} must be {wanted}, got {value!r}")
        return number

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change every array of `params` in place by its gradient; `grads` is only read.

        With `weight_decay` the gradient is g + weight_decay * p, as in PyTorch (the book adds the
        penalty to the loss, which amounts to the same).

        Raises ValueError for keys and shapes and TypeError for dtypes that do not fit, also those of the
        state kept from earlier updates; nothing is changed then.
        """
        self._check(params, grads)
        for slot in self.slots:
            if not getattr(self, slot):
                setattr(self, slot, {key: np.zeros_like(p) for key, p in params.items()})
        self.advance()
        blocks: list[list[Array]] = []
        for key, array in params.items():
            state = (getattr(self, slot)[key] for slot in self.slots)
            blocks += _blocks([array, np.asarray(grads[key]), *state])
        with threads.team() as size:
            threads.each(self._walk, _shares(blocks, size))

    def advance(self) -> None:
        """Count the update, before any parameter is changed."""
        self.iter += 1

    def _walk(self, blocks: Sequence[Sequence[Array]]) -> None:
        """Apply `step` to one block after another."""
        for p, g, *state in blocks:
            if self.maximize:
                g = -g
            if self.weight_decay and not self.decoupled:
                g = g + self.weight_decay * p
            self.step(p, g, *state)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        """The formula: writes into p and the state, reads g."""
        raise NotImplementedError

    # -- checkpoints -----------------------------------------------------------------------------
    def state_dict(self) -> dict[str, dict[str, Any]]:
        """A copy of everything that the next update depends on:
        {"scalars": {"lr": ..., "iter": ...}, "arrays": {"v.<parameter>": ...}}."""
        kept = (*self.settings, *self.numbers)
        scalars = {name: float(getattr(self, name)) for name in kept} | {"iter": self.iter}
        scalars |= {name: float(getattr(self, name)) for name in self._options_in_use()}
        slots = {slot: getattr(self, slot) for slot in self.slots}
        arrays = {f"{slot}.{key}": a.copy() for slot, state in slots.items() for key, a in state.items()}
        return {"scalars": scalars, "arrays": arrays}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Continue, bit for bit, from the state of the optimizer that returned this `state_dict`.

        Raises ValueError for the state of another optimizer; nothing is changed then.
        """
        who, scalars = type(self).__name__, state["scalars"]
        options = {name: scalars.get(name, default) for name, default in self.options.items()}
        expected, kept = self._slots(options), (*self.settings, *self.numbers)
        slots: dict[str, dict[str, Array]] = {slot: {} for slot in expected}
        for name, array in state["arrays"].items():
            slot, _, key = name.partition(".")
            slots.setdefault(slot, {})[key] = np.array(array)
        if scalars.keys() - self.options.keys() != {*kept, "iter"} or list(slots) != list(expected):
            raise ValueError(
                f"{who}: expected a state of {', '.join([*kept, 'iter', *expected])}; "
                f"got {', '.join([*scalars, *slots])}. Is it another optimizer's?"
            )
        for slot in expected[1:]:
            if slots[slot].keys() != slots[expected[0]].keys():
                raise ValueError(f"{who}: the state has {expected[0]} and {slot} for different parameters")
        for name, default in self.options.items():
            setattr(self, name, type(default)(options[name]))
        self.slots = expected
        vars(self).update({name: float(scalars[name]) for name in kept}, iter=int(scalars["iter"]), **slots)

    def _options_in_use(self) -> list[str]:
        """The options that differ from their defaults."""
        return [name for name, default in self.options.items() if getattr(self, name) != default]

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
        self.check_state(params)

    def check_state(self, params: Mapping[str, Array]) -> None:
        """Raises ValueError or TypeError if the state kept from earlier updates does not fit the params."""
        who = type(self).__name__
        for slot in self.slots:
            if state := getattr(self, slot):
                _check_keys(params, state, f"{who}: its state must have the parameters' keys", "the state")
                for key, p in params.items():
                    _check_like(
                        p, state[key], f"{who}: {key}", f"its {slot}", "give each network its own optimizer"
                    )

    def __repr__(self) -> str:
        said = [f"{name}={getattr(self, name):g}" for name in self.settings]
        for name in self._options_in_use():
            value = getattr(self, name)
            said.append(f"{name}={value if isinstance(value, bool) else format(value, 'g')}")
        return f"{type(self).__name__}({', '.join(said)})"


class SGD(Optimizer):
    """p -= lr * g                              (book, eq. 6.1; `torch.optim.SGD`)"""

    def __init__(self, lr: float = 0.01, weight_decay: float = 0.0, *, maximize: bool = False):
        super().__init__(lr=lr, weight_decay=weight_decay, maximize=maximize)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p -= self.lr * g


class Momentum(Optimizer):
    """v = momentum * v + g,   p -= lr * v      (`torch.optim.SGD(momentum=...)`)

    The book's eq. 6.3 has the other sign and lr inside: v = momentum * v - lr * g, p += v. The weights
    are the same until lr changes; this v, which does not contain lr, then follows at once.

    dampening   v = momentum * v + (1 - dampening) * g from the second update on; the first gradient
                enters whole, and without momentum dampening does nothing
    """

    settings = ("lr", "momentum", "weight_decay")
    options: ClassVar[dict[str, float]] = {"dampening": 0.0, "maximize": False}
    slots = ("v",)
    momentum: float
    dampening: float
    v: dict[str, Array]

    def __init__(
        self,
        lr: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        *,
        dampening: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(
            lr=lr, momentum=momentum, weight_decay=weight_decay, dampening=dampening, maximize=maximize
        )

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (v,) = state
        if self.dampening and self.momentum and self.iter > 1:
            g = (1 - self.dampening) * g
        v *= self.momentum
        v += g
        p -= self.lr * v


class Nesterov(Momentum):
    """v = momentum * v + g,   p -= lr * (g + momentum * v)      (`torch.optim.SGD(nesterov=True)`)

    The book's (common/optimizer.py) differs in sign and lr as its Momentum does. PyTorch refuses
    dampening here, and so there is none.
    """

    options: ClassVar[dict[str, float]] = {"maximize": False}

    def __init__(
        self,
        lr: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        Optimizer.__init__(self, lr=lr, momentum=momentum, weight_decay=weight_decay, maximize=maximize)

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

    def __init__(
        self, lr: float = 0.01, eps: float = 1e-10, weight_decay: float = 0.0, *, maximize: bool = False
    ):
        super().__init__(lr=lr, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        (h,) = state
        h += g * g
        p -= self.lr * g / (np.sqrt(h) + self.eps)


class RMSProp(Optimizer):
    """h = decay_rate * h + (1 - decay_rate) * g * g,   p -= lr * g / (sqrt(h) + eps)

    `torch.optim.RMSprop(alpha=decay_rate)`. The book's eps is 1e-7.

    centered   divide by the standard deviation: sqrt(h - mean**2) for sqrt(h), where
               mean = decay_rate * mean + (1 - decay_rate) * g   (Graves 2013)
    momentum   v = momentum * v + g / (sqrt(h) + eps),   p -= lr * v
    """

    settings = ("lr", "decay_rate", "eps", "weight_decay")
    options: ClassVar[dict[str, float]] = {"momentum": 0.0, "centered": False, "maximize": False}
    slots = ("h",)
    kept_for: ClassVar[dict[str, str]] = {"centered": "mean", "momentum": "v"}
    decay_rate: float
    eps: float
    momentum: float
    centered: bool
    h: dict[str, Array]
    mean: dict[str, Array]
    v: dict[str, Array]

    def __init__(
        self,
        lr: float = 0.01,
        decay_rate: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ):
        super().__init__(
            lr=lr,
            decay_rate=decay_rate,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def step(self, p: Array, g: Array, *state: Array) -> None:
        h, *further = state  # mean if centered, then v with momentum
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        variance = h
        if self.centered:
            mean = further[0]
            mean *= self.decay_rate
            mean += (1 - self.decay_rate) * g
            variance = np.maximum(h - mean * mean, 0)  # rounding may leave less than 0: NaN in PyTorch
        change = g / (np.sqrt(variance) + self.eps)
        if self.momentum:
            v = further[-1]
            v *= self.momentum
            v += change
            change = v
        p -= self.lr * change


class Adadelta(Optimizer):
    """Steps in the parameter's own unit, without a rate to tune   (Zeiler 2012; `torch.optim.Adadelta`)

        h = decay_rate * h + (1 - decay_rate) * g * g
        change = sqrt(d + eps) / sqrt(h + eps) * g
        d = decay_rate * d + (1 - decay_rate) * change * change
        p -= lr * change

    `torch.optim.Adadelta(rho=decay_rate)`. h averages the squared gradients and d the squared changes, of
    the parameter's shape both; eps is what the first change is made of. The paper has no lr, which is 1.
    """

    settings = ("lr", "decay_rate", "eps", "weight_decay")
    slots = ("h", "d")
    decay_rate: float
    eps: float
    h: dict[str, Array]
    d: dict[str, Array]

    def __init__(
        self,
        lr: float = 1.0,
        decay_rate: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(lr=lr, decay_rate=decay_rate, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        h, d = state
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        change = np.sqrt(d + self.eps) / np.sqrt(h + self.eps) * g
        d *= self.decay_rate
        d += (1 - self.decay_rate) * change * change
        p -= self.lr * change


class Adam(Optimizer):
    """Kingma and Ba 2015, algorithm 1; `torch.optim.Adam`. In the i-th update:

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        p -= lr * (m / (1 - beta1**i)) / (sqrt(v / (1 - beta2**i)) + eps)

    The book moves both corrections into lr and adds its 1e-7 to the *uncorrected* sqrt(v), which
    makes its eps up to 32 times larger in the first updates.

    amsgrad   divide by the largest v so far of each element, for v (Reddi, Kale and Kumar 2018)
    """

    settings = ("lr", "beta1", "beta2", "eps", "weight_decay")
    options: ClassVar[dict[str, float]] = {"amsgrad": False, "maximize": False}
    slots = ("m", "v")
    kept_for: ClassVar[dict[str, str]] = {"amsgrad": "v_max"}
    beta1: float
    beta2: float
    eps: float
    amsgrad: bool
    m: dict[str, Array]
    v: dict[str, Array]
    v_max: dict[str, Array]

    def __init__(
        self,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        amsgrad: bool = False,
        maximize: bool = False,
    ):
        super().__init__(
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
        )

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, v, *largest = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        if self.amsgrad:
            v = np.maximum(largest[0], v, out=largest[0])
        lr = self.lr / (1 - self.beta1**self.iter)
        p -= lr * m / (np.sqrt(v) / (1 - self.beta2**self.iter) ** 0.5 + self.eps)


class AdamW(Adam):
    """p -= lr * weight_decay * p, then Adam      (Loshchilov and Hutter 2019; `torch.optim.AdamW`)

    The decay bypasses the gradient, so it does not enter m and v.
    """

    decoupled = True

    def __init__(
        self,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        amsgrad: bool = False,
        maximize: bool = False,
    ):
        super().__init__(lr, beta1, beta2, eps, weight_decay, amsgrad=amsgrad, maximize=maximize)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        p *= 1 - self.lr * self.weight_decay
        super().step(p, g, *state)


class Adamax(Optimizer):
    """Adam with the largest gradient for the root of the squares   (Kingma and Ba 2015, section 7.1;
    `torch.optim.Adamax`). In the i-th update:

        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        p -= lr / (1 - beta1**i) * m / u

    m and u have the parameter's shape, and the maximum is taken element by element. The paper has no eps.
    """

    settings = ("lr", "beta1", "beta2", "eps", "weight_decay")
    slots = ("m", "u")
    beta1: float
    beta2: float
    eps: float
    m: dict[str, Array]
    u: dict[str, Array]

    def __init__(
        self,
        lr: float = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, u = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        np.maximum(self.beta2 * u, np.abs(g) + self.eps, out=u)
        p -= self.lr / (1 - self.beta1**self.iter) * m / u


class NAdam(Optimizer):
    """Adam that looks ahead, as Nesterov's momentum does   (Dozat 2016; `torch.optim.NAdam`).

    In the i-th update:

        mu(i) = beta1 * (1 - 0.96 ** (i * momentum_decay) / 2)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        now = (1 - mu(i)) / (1 - mu(1) * ... * mu(i)) * g
        ahead = mu(i + 1) / (1 - mu(1) * ... * mu(i + 1)) * m
        p -= lr * (now + ahead) / (sqrt(v / (1 - beta2**i)) + eps)

    m and v have the parameter's shape. The momentum grows from beta1 / 2 to beta1; with a large
    momentum_decay it is beta1 from the first update on.

    product   mu(1) * ... * mu(i), of the updates so far
    """

    settings = ("lr", "beta1", "beta2", "eps", "weight_decay", "momentum_decay")
    slots = ("m", "v")
    numbers: ClassVar[dict[str, float]] = {"product": 1.0}
    beta1: float
    beta2: float
    eps: float
    momentum_decay: float
    product: float
    m: dict[str, Array]
    v: dict[str, Array]

    def __init__(
        self,
        lr: float = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 0.004,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            maximize=maximize,
        )

    def momentum(self, i: int) -> float:
        """mu(i)."""
        return self.beta1 * (1 - 0.5 * float(0.96 ** (i * self.momentum_decay)))

    def advance(self) -> None:
        super().advance()
        self.product *= self.momentum(self.iter)

    def step(self, p: Array, g: Array, *state: Array) -> None:
        m, v = state
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        now, then = self.momentum(self.iter), self.momentum(self.iter + 1)
        ahead = (1 - now) / (1 - self.product) * g + then / (1 - self.product * then) * m
        p -= self.lr * ahead / (np.sqrt(v) / (1 - self.beta2**self.iter) ** 0.5 + self.eps)


OPTIMIZERS: Table[type[Optimizer]] = Table(
    "optimizer",
    {
        "sgd": SGD,
        "momentum": Momentum,
        "nesterov": Nesterov,
        "adagrad": AdaGrad,
        "rmsprop": RMSProp,
        "adadelta": Adadelta,
        "adam": Adam,
        "adamw": AdamW,
        "adamax": Adamax,
        "nadam": NAdam,
    },
)


def _shares(blocks: list[list[Array]], count: int) -> list[list[list[Array]]]:
    """The blocks in `count` parts of nearly the same size for the threads; in one if they are few."""
    sizes = [block[0].size for block in blocks]
    if count == 1 or sum(sizes) < count * MIN_THREAD_ELEMENTS:
        return [blocks]
    ends = np.cumsum(sizes)
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, count) / count, side="right").tolist()
    return [blocks[start:stop] for start, stop in itertools.pairwise([0, *cuts, len(blocks)])]


def _blocks(arrays: Sequence[Array]) -> Iterator[list[Array]]:
    """Views of the same block of each array, in memory order if they are contiguous; otherwise some rows."""
    first, step = arrays[0], BLOCK_ELEMENTS
    if first.size <= BLOCK_ELEMENTS:
        yield list(arrays)
        return
    if all(a.flags.c_contiguous for a in arrays):
        arrays = [a.reshape(-1) for a in arrays]
    else:
        step = max(1, BLOCK_ELEMENTS * len(first) // first.size)
    for i in range(0, len(arrays[0]), step):
        yield [a[i : i + step] for a in arrays]


def _check_keys(params: Mapping[str, Any], other: Mapping[str, Any], must: str, name: str) -> None:
    if params.keys() != other.keys():
        parts = []
        if missing := sorted(params.keys() - other.keys()):
            parts.append(f"is missing {missing}")
        if unexpected := sorted(other.keys() - params.keys()):
            parts.append(f"has unexpected {unexpected}")
        raise ValueError(f"{must}; {name} {' and '.join(parts)}")


def _check_like(p: Array, other: Array, label: str, name: str, mend: str) -> None:
    if other.shape != p.shape:
        raise ValueError(f"{label} has shape {p.shape}, {name} {other.shape}; {mend}")
    if other.dtype != p.dtype:
        raise TypeError(f"{label} is {p.dtype}, {name} {other.dtype}; {mend}")
