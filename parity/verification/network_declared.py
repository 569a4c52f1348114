"""Declared differences of a whole network: `--allow loss-clamped-logarithm`, `--allow Conv1:conv-db-mean`.

The twin gets the declared loss, reads a flattened image as (H, W, C), or has the bug in the layer that is
named (in those of its kind where none is), and everything else is compared as ever: the declaration loosens
nothing. Several may be declared. The gradients of log(y + 1e-7) are those of the plain logarithm, as the
book has them. The book's habits are taken away in the same way, and listed as its habits.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from parity.faults import FAULTS, Fault
from parity.faults.diagnose import Diagnosis
from parity.kinds.kind import to_numpy
from parity.verification.declared import JOINED
from parity.verification.faulty_modules import MODULES, Change, changes_of_layers
from parity.verification.profiles import NETWORK_HABITS
from parity.verification.slight_names import NAMES
from parity.verification.twin import NetworkMisuse, Twin
from parity.verification.unchecked import ENDED
from parity.verification.verdict import RIGHT, Verdict

CLAMPED = "loss-clamped-logarithm"
FLATTENED = "flatten-channels-last"
LOSS = "softmax_with_loss"
WIDENS = "float64 comes out of float32"  # how such a sentence of a verdict begins
SMALL = 1e-7
OF = ":"  # between a layer and the name of its bug
MOST_AT_ONCE = 3

Run = Callable[[Any], Verdict]


def declared_names(names: Sequence[str]) -> list[str]:
    """The names, `a + b` taken apart; `layer:name` keeps its layer. Raises ValueError for one that no kind
    knows."""
    parts = [part.strip().rpartition(OF) for name in names for part in name.split(JOINED)]
    wanted = [layer + of + name.strip().lower().replace("_", "-") for layer, of, name in parts]
    bare = [_bare(name) for name in wanted]
    if unknown := [name for name in bare if name not in FAULTS and name not in NAMES]:
        raise ValueError(
            f"no known difference named {', '.join(unknown)} for a network; "
            f"there are: {', '.join(NAMES)}, and those of its layers (`parity kinds NAME` lists them)"
        )
    return wanted


# -- twins that differ so ---------------------------------------------------------------------------
def clamped_loss(outputs: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """The mean of -log(y + 1e-7) over the images, with the gradient of the mean of -log(y)."""
    plain = F.cross_entropy(outputs, t)
    y = F.softmax(outputs, dim=1).gather(1, t[:, None])
    return plain + (-(y + SMALL).log().mean() - plain).detach()


class _FaultyLoss(torch.autograd.Function):
    """The loss and gradient of a known bug, as the catalogue has it in NumPy."""

    @staticmethod
    def forward(ctx: Any, outputs: torch.Tensor, t: torch.Tensor, fault: Fault) -> torch.Tensor:
        layer = fault.make()
        loss = layer.forward(to_numpy(outputs).copy(), to_numpy(t).copy())
        ctx.dx = torch.as_tensor(layer.backward(1.0), dtype=outputs.dtype)
        return torch.as_tensor(loss, dtype=outputs.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return grads[0] * ctx.dx, None, None


def _loss_of(name: str) -> Callable[..., torch.Tensor]:
    if name == CLAMPED:
        return clamped_loss

    def loss(outputs: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = _FaultyLoss.apply(outputs, t, FAULTS[name])  # type: ignore[no-untyped-call]
        return found

    return loss


def twins_with(names: Sequence[str], twin: Any) -> Iterator[nn.Module]:
    """Twins that differ from PyTorch's way as all these names say; none where that cannot be had."""
    built = Twin(twin)
    for changes in itertools.product(*(_changes(name, built) for name in names)):
        module = copy.deepcopy(built.module)
        for change in changes:
            change(module)
        yield module


def _changes(name: str, twin: Twin) -> list[Change]:
    """What makes a module differ as the name says, in the places where it may be."""
    layer, _, name = name.rpartition(OF)
    if name == FLATTENED:
        return list(_channels_last(twin.module))
    if name not in FAULTS:
        return []
    if FAULTS[name].kind == LOSS:
        return [] if twin.own_loss() else [lambda module: setattr(module, "loss", _loss_of(name))]
    return list(changes_of_layers(FAULTS[name], layer, twin.module))


def _channels_last(module: nn.Module) -> Iterator[Change]:
    """Per fully connected layer that may follow a flatten: what gives it (H, W, C)."""
    channels = {m.out_channels for m in module.modules() if isinstance(m, nn.Conv2d)}
    for path, layer in module.named_modules():
        if isinstance(layer, nn.Linear):
            for C in sorted(c for c in channels if 1 < c < layer.in_features and not layer.in_features % c):
                yield functools.partial(_turn, path=path, channels=C)


def _turn(module: nn.Module, path: str, channels: int) -> None:
    module.get_submodule(path).register_forward_pre_hook(_Turned(channels))


class _Turned:
    """A hook that turns rows of (C, H, W) into rows of (H, W, C)."""

    def __init__(self, channels: int):
        self.channels = channels

    def __call__(self, _: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        x = args[0]
        return (x.reshape(len(x), self.channels, -1).transpose(1, 2).reshape(x.shape), *args[1:])


# -- verdicts ---------------------------------------------------------------------------------------
def _taken_away(plain: Verdict, run: Run, twin: Any, names: Iterable[str]) -> tuple[Verdict, list[str]]:
    """The verdict without those of the names that it takes to be right, and which these are."""
    found, used, names = plain, [], list(names)
    if plain.outcome == "wrong":
        sets = itertools.chain(*(itertools.combinations(names, size) for size in range(1, MOST_AT_ONCE + 1)))
        for chosen in sets:
            verdicts = _with(chosen, run, twin)
            right = next((v for v in verdicts if v.outcome in RIGHT), None)
            if right is not None:
                found, used = right, list(chosen)
                break
    widened = [text for text in found.buts if text.startswith(WIDENS)]
    if widened and (allowed := [name for name in names if "float64" in name]):
        found.buts = [text for text in found.buts if text not in widened]
        used.append(allowed[0])
    return found, used


def _with(names: Sequence[str], run: Run, twin: Any) -> Iterator[Verdict]:
    """The verdicts with twins that differ so, where a bug is in the layer that was named for it: that layer's
    numbers are not its kind's, and the changed twin's."""
    paths = {path for path, _ in Twin(twin).module.named_modules()}
    layers = [layer for layer, of, _ in (name.rpartition(OF) for name in names) if of and layer not in paths]
    for module in twins_with(names, twin):
        try:
            found = run(module)
        except NetworkMisuse:  # with the bug the twin does not take these images
            continue
        own = [text.partition(" individually (")[0] for text in found.not_checked if "the twin's" in text]
        if all(layer in own for layer in layers):
            yield found


def with_declared(
    plain: Verdict, run: Run, twin: Any, names: Sequence[str], habits: Sequence[str] = ()
) -> Verdict:
    """The verdict where these names are declared; `habits` are the book's, which are listed beside them.

    `plain` is the verdict without them, `run` gives that on another twin.
    """
    if plain.outcome == "right":
        plain.complaint = f"{', '.join(names)}: nothing differs from PyTorch; take the declaration away"
        return plain
    right_so_far = all(row.ok for row in plain.records if row.phase not in ENDED)
    if (plain.ending and right_so_far) or plain.outcome == "not_checked":
        why = plain.unchecked or f"it {plain.ending or plain.unfinished}"
        raising = [name for name in names if _raises(name, run, twin)]
        if raising:  # what raises as declared has no number that could be as declared
            plain.unchecked = f"{why}; with {', '.join(raising)} the twin raises too: nothing to compare"
            return plain
        if plain.outcome == "not_checked":
            plain.unchecked = f"{why}, so whether it is {', '.join(names)} is not known"
            return plain
    found, used = _taken_away(plain, run, twin, dict.fromkeys([*names, *habits]))
    by_design = [NETWORK_HABITS[name] for name in used if name not in names]
    used = [name for name in used if name in names]
    if used and found.outcome in RIGHT:
        found.reproduction = plain.reproduction
        found.declared = " + ".join(used)
        found.diagnosis = Diagnosis(found.declared, _says(used), 0.0)
        if by_design:
            found.habits, found.buts = by_design, [*by_design, *found.buts]
        return found
    plain.complaint = f"{', '.join(names)}: what it computes is not exactly that"
    if inner := [name for name in names if not _can_be_had(name, twin)]:
        plain.complaint += (
            f"; {', '.join(inner)} cannot be taken away in a network: the twin has no module for it (one of "
            f"{', '.join(kind.__name__ for kind in MODULES.values())}); declare it for the layer itself"
        )
    return plain


def _raises(name: str, run: Run, twin: Any) -> bool:
    """Whether a twin with that bug takes no such images."""
    for module in twins_with([name], twin):
        try:
            run(module)
        except NetworkMisuse:
            return True
    return False


def _can_be_had(name: str, twin: Any) -> bool:
    return "float64" in name or _bare(name) in NAMES or bool(_changes(name, Twin(twin)))


def _bare(name: str) -> str:
    return name.rpartition(OF)[2]


def with_habits(plain: Verdict, run: Run, twin: Any) -> Verdict:
    """The verdict on a network of the book's: its habits are listed, and what is left is judged."""
    if plain.outcome in ("right", "not_checked"):
        return plain
    found, used = _taken_away(plain, run, twin, list(NETWORK_HABITS))
    if not used and plain.outcome == "wrong" and (changed := next(twins_with([CLAMPED], twin), None)):
        rest = run(changed)  # with the book's loss the first thing that is wrong may be another
        if _is_loss_right(rest) and not _is_loss_right(plain):
            found, used = rest, [CLAMPED]
    found.habits = [NETWORK_HABITS[name] for name in used]
    if found.outcome != "wrong":
        found.buts = [*found.habits, *found.buts]
    return found


def _is_loss_right(verdict: Verdict) -> bool:
    return any(row.layer == "loss" and row.phase == "forward" and row.ok for row in verdict.records)


def _says(names: Sequence[str]) -> str:
    return ", and ".join(_says_one(*name.rpartition(OF)) for name in names)


def _says_one(layer: str, of: str, name: str) -> str:
    return (NAMES.get(name) or FAULTS[name].says) + (f" in {layer}" if of else "")
