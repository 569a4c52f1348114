"""Optimizers that make all steps in one call: `adam(grad, x0, lr, n_steps)`, `optimize(x0, grad_fn, f)`.

They are handed the gradient as a function, which gives the gradients of the steps one after another wherever
it is asked; it must be asked once a step. The result after each further step is that of a run from the first
arrays. Whatever else is returned, the arrays are the last ones of their shape. Nesterov's, which asks for the
gradient at another place than that of its arrays, is not called so. Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.adapters.arguments import plain, signature
from parity.adapters.optimizer_names import DECAYS, EPSILON, RATES
from parity.adapters.recipe import recipe
from parity.adapters.stateful import AVERAGED, CONSTANTS, KINDS

if TYPE_CHECKING:
    from parity.adapters.rule import Rule

WORDS = {
    "slope": (
        *("grad", "gradient", "gradfn", "gradfunc", "gradf", "gradfunction", "gradientfn", "gradientfunc"),
        *("gradientfunction", "df", "dfdx", "dfx", "fprime", "derivative", "dfn", "dfunc", "computegrad"),
        *("computegradient", "getgrad", "jac", "gradj", "gradloss", "lossgrad", "nablaf", "gradobjective"),
    ),
    "start": (
        *("x0", "xinit", "initx", "x", "theta0", "theta", "inittheta", "thetainit", "w0", "w", "winit"),
        *("initw", "init", "start", "initial", "initialx", "initialpoint", "startpoint", "startingpoint"),
        *("initialparams", "initparams", "params", "initialweights", "initialguess", "initialtheta"),
        *("xstart", "startx", "p0", "point", "initialvalue", "initpoint", "initialposition", "xinitial"),
    ),
    "steps": (
        *("nsteps", "numsteps", "steps", "niterations", "numiterations", "niters", "numiters", "niter"),
        *("numiter", "iterations", "iters", "maxiterations", "maxiters", "maxiter", "maxsteps", "epochs"),
        *("nepochs", "numepochs", "maxepochs", "n", "maxit", "numepoch"),
    ),
    "value": (
        *("f", "fn", "func", "function", "fun", "objective", "objectivefn", "loss", "lossfn", "lossfunc"),
        *("cost", "costfn", "costfunc", "objfunc", "objectivefunction", "lossfunction"),
    ),
    "tolerance": ("tol", "tolerance", "threshold", "precision", "stoptol", "gtol", "ftol", "xtol"),
}
NEEDED = {"slope", "start", "steps"}
OF_KINDS = ("sgd", *(kind for kind in KINDS if kind != "nesterov"))
NEVER = -1.0  # a tolerance that nothing is below


def roles_of(params: Sequence[Mapping[str, Any]], kind: str) -> dict[str, str]:
    """What each parameter of a whole run gets, by name; nothing where one is unknown or one is missing."""
    tables = {argument: CONSTANTS[argument] for argument in KINDS.get(kind, ())}
    if kind in AVERAGED:
        constant, _, others = AVERAGED[kind]
        tables[constant] = (*tables[constant], *others)
    tables |= {"lr": RATES, "weight_decay": DECAYS}
    tables |= {"eps": EPSILON} if kind not in ("sgd", "momentum") else {}
    words = {**WORDS, "tolerance": (*WORDS["tolerance"], *(() if "eps" in tables else EPSILON))}
    found: dict[str, str] = {}
    for p in params:
        word = plain(p["name"])
        known = (role for role, names in {**tables, **words}.items() if word in names)
        role = next((role for role in known if role not in found.values()), "")
        if role:
            found[p["name"]] = role
        elif p["required"]:
            return {}
    return found if kind in OF_KINDS and {*found.values()} >= NEEDED else {}


def run(rule: Rule, params: dict[str, Any], grads: dict[str, Any]) -> None:
    """The arrays after one more step than before."""
    for name, array in params.items():
        start, slopes = rule.states.setdefault(name, (array.copy(), []))
        slopes.append(grads[name].copy())
        found = _ran(rule, start, slopes)
        at = rule.states.setdefault("", _place_of(found, start, len(slopes)))
        last = _last(_parts(found)[at] if at is not None else None, start, len(slopes))
        if last is None:
            raise TypeError("returned no arrays of the shape of its first ones")
        array[...] = last


def _ran(rule: Rule, start: Any, slopes: Sequence[Any]) -> Any:
    """What a run of as many steps returns."""
    asked, values = count(), count(1000, -1)
    if isinstance(rule.factory, type):
        call: Callable[..., Any] = getattr(rule.new(), rule.how.forward)
    else:
        call = rule.factory
    own = [{"name": n, "required": p.default is p.empty} for n, p in (signature(call) or {}).items()]
    usual = recipe(rule.kind).optional["weight_decay"]
    given = {"weight_decay": usual, **rule.args, "eps": rule.eps, "start": start.copy(), "steps": len(slopes)}
    given |= {"tolerance": NEVER, "value": lambda *_: float(next(values))}
    given["slope"] = lambda *_: slopes[min(next(asked), len(slopes) - 1)].copy()
    found = call(**{name: given[role] for name, role in roles_of(own, rule.kind).items()})
    if (times := next(asked)) != len(slopes):
        raise TypeError(f"asks for the gradient {times} times in {len(slopes)} steps")
    return found


def _parts(found: Any) -> list[Any]:
    """What was returned, alone or one after another."""
    if isinstance(found, dict):
        return [*found.values()]
    return [*found] if isinstance(found, tuple) else [found]


def _place_of(found: Any, start: Any, steps: int) -> int | None:
    """Which of these has the arrays; of arrays with two axes, no losses are of their shape."""
    parts = enumerate(_parts(found))
    return next((at for at, part in parts if _last(part, start, steps) is not None), None)


def _last(part: Any, start: Any, steps: int) -> Any:
    """The array itself, or the last one of a history with or without the first; None for something else."""
    if isinstance(part, np.ndarray) and part.shape == start.shape:
        return part
    if isinstance(part, (list, tuple, np.ndarray)) and len(part) in (steps, steps + 1):
        return np.asarray(part[-1]) if np.shape(part[-1]) == start.shape else None
    return None
