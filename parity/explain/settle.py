"""Rounding or bug? For any two functions of arrays, of any framework.

Both are run in float64 where they take it. What two right formulas differ by shrinks with the precision; what
two different formulas differ by does not. How far rounding alone may part them is measured, not assumed: on
inputs moved by one unit in the last place, and on batches in another order.

    parity.settle(f, g, x, W)        # Settlement: rounding, bug or undecided

TF32, bfloat16, float16 and float32 arithmetic on one side are recognised: by results that lie on the coarser
grid, or that the other side gives as well for inputs rounded to it.
"""

# Foreign functions return Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from parity.explain.maps import View, factor, maps_of
from scratchcnn.typing import Array

Outcome = Literal["rounding", "bug", "undecided"]
Function = Callable[..., Any]

MARGIN = 16.0  # times what was measured is granted
FAR = 64.0  # times what is granted is a bug even where float64 could not be tried
MOVES = 4  # inputs moved by one unit in the last place
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11}
FORMATS = {"bfloat16": 7, "float16": 10, "TF32": 10, "float32": 23}  # name: bits after the point
SHRINKS = 150  # smaller inputs that are tried


@dataclass(frozen=True)
class Settlement:
    """What the difference of two functions is.

    outcome    rounding, bug or undecided
    says       the sentence of the report
    difference the largest, in the inputs' own precision; allowed: what rounding may come to there
    share      difference / allowed
    arithmetic of one side, where it is coarser than the inputs' precision: "TF32", "bfloat16", ...
    inputs     the smallest on which they differ, where it is a bug
    f, g       both results there
    """

    outcome: Outcome
    says: str
    difference: float = 0.0
    allowed: float = 0.0
    share: float = 0.0
    arithmetic: str = ""
    inputs: tuple[Array, ...] = field(default=(), repr=False)
    f: Array | None = field(default=None, repr=False)
    g: Array | None = field(default=None, repr=False)

    @property
    def status(self) -> int:
        """The exit status: 0 rounding, 1 bug, 2 undecided."""
        return {"rounding": 0, "bug": 1, "undecided": 2}[self.outcome]

    def __bool__(self) -> bool:
        return self.outcome == "rounding"

    def __str__(self) -> str:
        lines = [f"{self.outcome}: {self.says}"]
        if self.inputs:
            shapes = ", ".join(str(a.shape) for a in self.inputs)
            lines.append(f"smallest     inputs of shape {shapes}")
            if sum(a.size for a in self.inputs) <= 40:
                lines += [f"input        {a.tolist()}" for a in self.inputs]
            for name, a in (("f", self.f), ("g", self.g)):
                if a is not None and a.size <= 20:
                    lines.append(f"{name:12} {a.tolist()}")
        return "\n".join(lines)


def settle(f: Function, g: Function, *arrays: Array, seed: int = 0) -> Settlement:
    """Whether f(*arrays) and g(*arrays) differ by rounding or by a bug.

    Arrays of NumPy, PyTorch and JAX are converted for whichever framework a function takes.

    Raises ValueError where one of them fails on the inputs, and for no arrays at all.
    """
    if not arrays:
        raise ValueError("settle needs the arrays that both functions are called with; got none")
    given = tuple(_numpy(a) for a in arrays)
    if not any(a.dtype.kind == "f" for a in given):
        given = tuple(
            a.astype(np.float32) if a.dtype.kind in "iu" and i == 0 else a for i, a in enumerate(given)
        )
    first, second = _Side(f, "f", given), _Side(g, "g", given)
    with np.errstate(all="ignore"):
        return _settle(first, second, given, np.random.default_rng([seed, 9]))


# -- calling --------------------------------------------------------------------------------------
class _Side:
    """One of the functions, and the framework whose arrays it takes."""

    def __init__(self, call: Function, name: str, arrays: Sequence[Array]):
        self.name, self.call = name, call
        errors = []
        for framework in ("numpy", "torch", "jax"):
            try:
                _flat(call(*_to(framework, arrays)))
            except ImportError:
                continue
            except Exception as error:
                errors.append(f"{framework}: {type(error).__name__}: {error}")
                continue
            self.framework = framework
            return
        raise ValueError(f"{name} takes none of the arrays: {'; '.join(errors)[:400]}")

    def __call__(self, arrays: Sequence[Array]) -> Array:
        """All of its results as one row of numbers, in the precision that it gives them in."""
        return _flat(self.call(*_to(self.framework, [a.copy() for a in arrays])))

    def try_on(self, arrays: Sequence[Array]) -> Array | None:
        """The same, or None where it raises."""
        try:
            return self(arrays)
        except Exception:
            return None

    def shaped(self, arrays: Sequence[Array]) -> Array | None:
        """Its result with its shape; None where it gives several."""
        found = self.call(*_to(self.framework, [a.copy() for a in arrays]))
        return None if isinstance(found, (tuple, list, dict)) else _numpy(found)


def _to(framework: str, arrays: Sequence[Array]) -> list[Any]:
    if framework == "numpy":
        return list(arrays)
    if framework == "torch":
        import torch

        return [torch.from_numpy(np.ascontiguousarray(a)) for a in arrays]
    if "jax" not in sys.modules:  # a function of JAX's has imported it
        raise ImportError("jax")
    import jax.numpy as jnp

    return [jnp.asarray(a) for a in arrays]


def _numpy(value: Any) -> Array:
    """Any framework's array as NumPy's; bfloat16, which NumPy has not, as float32."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return value.float().numpy() if str(value.dtype) == "torch.bfloat16" else value.numpy()
    found = np.asarray(value)
    return found.astype(np.float32) if found.dtype.name == "bfloat16" else found


def _flat(found: Any) -> Array:
    """Several results one after another; raises TypeError for what is no array of numbers."""
    if isinstance(found, dict):
        found = [found[key] for key in sorted(found)]
    parts = [_numpy(one) for one in found] if isinstance(found, (tuple, list)) else [_numpy(found)]
    if not parts or any(a.dtype.kind not in "fiub" for a in parts):
        raise TypeError("its result is no array of numbers")
    return parts[0].ravel() if len(parts) == 1 else np.concatenate([a.ravel() for a in parts])


# -- the decision ---------------------------------------------------------------------------------
def _settle(f: _Side, g: _Side, arrays: tuple[Array, ...], rng: np.random.Generator) -> Settlement:
    a, b = f(arrays), g(arrays)
    if not (_same(a, f(arrays)) and _same(b, g(arrays))):
        which = "f" if not _same(a, f(arrays)) else "g"
        says = f"{which} gives two answers for the same input; with a fixed seed it could be decided"
        return Settlement("undecided", says)
    if a.shape != b.shape or (
        (one := f.shaped(arrays)) is not None
        and (other := g.shaped(arrays)) is not None
        and one.shape != other.shape
    ):
        shapes = _shapes(f, g, arrays)
        return Settlement("bug", f"the results have different shapes: {shapes}", inputs=arrays)
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return _bug(f, g, arrays, "one is infinite or NaN where the other is a number", _apart_in_kind)
    off = _difference(a, b)
    precision = _precision(arrays)
    exact_f, exact_g = _in_float64(f, arrays), _in_float64(g, arrays)
    allowed = _allowed(f, g, arrays, precision, rng)
    share = off / allowed if allowed else (0.0 if off == 0 else np.inf)
    if off == 0 and (exact_f is None or exact_g is None or _difference(exact_f, exact_g) == 0):
        return Settlement("rounding", "the same bits", 0.0, allowed, 0.0)
    if exact_f is not None and exact_g is not None:
        return _by_float64(f, g, arrays, (a, b), (exact_f, exact_g), (off, allowed, share), rng)
    return _by_size(f, g, arrays, (a, b), (off, allowed, share))


def _by_float64(
    f: _Side,
    g: _Side,
    arrays: tuple[Array, ...],
    own: tuple[Array, Array],
    exact: tuple[Array, Array],
    sizes: tuple[float, float, float],
    rng: np.random.Generator,
) -> Settlement:
    """Both take float64: what is left of the difference there is none of float32's rounding."""
    off, allowed, share = sizes
    left = _difference(*exact)
    wide = tuple(a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays)
    granted = _allowed(f, g, wide, "float64", rng)
    if left <= granted:
        if off > allowed * FAR:
            coarse = _coarse(f, g, arrays, own, exact)
            if coarse:
                return _named(coarse, off, allowed, share)
            says = (
                f"in float64 they agree, in {_precision(arrays)} they differ by {off:.3g}, {share:.3g} times "
                "what rounding explains; more bits inside one of them would decide it"
            )
            return Settlement("undecided", says, off, allowed, share)
        coarse = _coarse(f, g, arrays, own, exact) if share > 1 else ""
        if coarse:
            return _named(coarse, off, allowed, share)
        says = (
            f"they differ by {off:.3g}, {share:.2g} of the {allowed:.3g} that rounding may come to; "
            f"in float64 by {left:.3g}"
        )
        return Settlement("rounding", says, off, allowed, share)
    coarse = _coarse(f, g, arrays, own, exact)
    if coarse:
        return _named(coarse, off, allowed, share)
    if left <= granted * FAR:
        says = (
            f"in float64 they differ by {left:.3g}, {left / granted:.3g} times what rounding explains; "
            "exact arithmetic on these inputs would decide it"
        )
        return Settlement("undecided", says, off, allowed, share)
    says = f"in float64 they still differ by {left:.3g}; rounding explains {granted:.1g}"
    return _bug(
        f,
        g,
        wide,
        says,
        lambda p, q: _difference(p, q) > FAR * UNIT["float64"] * MARGIN * max(_scale(p), _scale(q)),
        off,
        allowed,
    )


def _by_size(
    f: _Side, g: _Side, arrays: tuple[Array, ...], own: tuple[Array, Array], sizes: tuple[float, float, float]
) -> Settlement:
    """One of them has no float64: the size of the difference must do."""
    off, allowed, share = sizes
    exact = tuple(_in_float64(side, arrays) for side in (f, g))
    coarse = _coarse(
        f,
        g,
        arrays,
        own,
        (exact[0] if exact[0] is not None else own[0], exact[1] if exact[1] is not None else own[1]),
    )
    if coarse and coarse != "float32":
        return _named(coarse, off, allowed, share)
    if share <= 1:
        which = "f" if exact[0] is None else "g"
        says = (
            f"they differ by {off:.3g}, {share:.2g} of the {allowed:.3g} that rounding may come to "
            f"({which} does not compute in float64)"
        )
        return Settlement("rounding", says, off, allowed, share)
    if share > FAR:
        says = f"they differ by {off:.3g}, {share:.3g} times what rounding may come to"
        return _bug(f, g, arrays, says, lambda p, q: _difference(p, q) > allowed, off, allowed)
    says = (
        f"they differ by {off:.3g}, {share:.3g} times what rounding was measured to come to; "
        "a version of each that computes in float64 would decide it"
    )
    return Settlement("undecided", says, off, allowed, share)


def _named(coarse: str, off: float, allowed: float, share: float) -> Settlement:
    which, name = coarse.split(" ", 1) if " " in coarse else ("one", coarse)
    says = f"{which} computes in {name}: they differ by {off:.3g}, which {name}'s rounding explains"
    return Settlement("rounding", says, off, allowed, share, name)


# -- what rounding may come to --------------------------------------------------------------------
def _precision(arrays: Sequence[Array]) -> str:
    """The coarsest precision among the inputs."""
    found = [a.dtype.name for a in arrays if a.dtype.name in UNIT]
    return max(found, key=lambda name: UNIT[name], default="float64")


def _allowed(
    f: _Side, g: _Side, arrays: tuple[Array, ...], precision: str, rng: np.random.Generator
) -> float:
    """MARGIN times what results move when inputs do by a unit in the last place, or a batch is permuted.

    At least a few roundings of the largest result: a sum of n terms has sqrt(n) of them.
    """
    unit = UNIT[precision]
    moved = 0.0
    for side in (f, g):
        base = side(arrays)
        terms = max(1.0, sum(a.size for a in arrays) / max(1, base.size))
        moved = max(moved, unit * np.sqrt(terms) * _scale(base))
        for _ in range(MOVES):
            other = side.try_on(tuple(_nudged(a, precision, rng) for a in arrays))
            if other is not None and other.shape == base.shape:
                moved = max(moved, _difference(base, other))
        turned = _permuted(side, arrays, rng)
        if turned is not None and turned <= 2.0**-18 * _scale(base):
            moved = max(moved, turned)
    return MARGIN * float(moved)


def _nudged(a: Array, precision: str, rng: np.random.Generator) -> Array:
    """Every number one unit in the last place up, down or left as it is."""
    if a.dtype.kind != "f":
        return a
    steps = rng.integers(-1, 2, a.shape)
    return (a * (1 + 2 * UNIT[precision] * steps)).astype(a.dtype)


def _permuted(side: _Side, arrays: tuple[Array, ...], rng: np.random.Generator) -> float | None:
    """How far the result moves when the batch is taken in another order; None where it is no batch."""
    if not arrays[0].ndim or len(arrays[0]) < 2:
        return None
    base = side.shaped(arrays)
    order = rng.permutation(len(arrays[0]))
    if base is None or not base.ndim or len(base) != len(order):
        return None
    try:
        other = side.shaped((arrays[0][order], *arrays[1:]))
    except Exception:
        return None
    return None if other is None or other.shape != base.shape else _difference(base[order], other)


def _in_float64(side: _Side, arrays: Sequence[Array]) -> Array | None:
    """Its results in float64; None where it raises or gives them in another precision."""
    found = side.try_on([a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays])
    return found if found is not None and found.dtype == np.float64 else None


def _difference(a: Array, b: Array) -> float:
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    return float(np.abs(a - b)[finite].max(initial=0.0))


def _scale(a: Array) -> float:
    a = a.ravel().astype(np.float64)
    return float(np.abs(a[np.isfinite(a)]).max(initial=0.0))


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=True)


def _shapes(f: _Side, g: _Side, arrays: Sequence[Array]) -> str:
    one, other = f.shaped(arrays), g.shaped(arrays)
    return " and ".join(str(a.shape) if a is not None else "several results" for a in (one, other))


# -- coarser arithmetic on one side ---------------------------------------------------------------
def rounded(a: Array, bits: int) -> Array:
    """The nearest numbers with so many bits after the point, in float64."""
    a = a.astype(np.float64)
    part, power = np.frexp(a)
    return np.ldexp(np.round(np.ldexp(part, bits + 1)), power - bits - 1)


def _coarse(
    f: _Side, g: _Side, arrays: tuple[Array, ...], own: tuple[Array, Array], exact: tuple[Array, Array]
) -> str:
    """`f TF32`: which side computes in which coarser format; empty where none does."""
    sides = ((f, own[0], exact[0], g, exact[1]), (g, own[1], exact[1], f, exact[0]))
    precise = 52 if _precision(arrays) == "float64" else 23
    for name, bits in FORMATS.items():
        if bits > precise or (bits == precise and name != "float32"):
            continue
        for side, mine, wide, other, right in sides:
            if _computes_in(
                bits,
                side,
                mine,
                wide,
                other,
                right,
                arrays,
                grid_only=name == "float16",
                inputs_only=name == "TF32",
            ):
                return f"{side.name} {name}"
    return ""


def _computes_in(
    bits: int,
    side: _Side,
    mine: Array,
    wide: Array,
    other: _Side,
    right: Array,
    arrays: tuple[Array, ...],
    grid_only: bool,
    inputs_only: bool,
) -> bool:
    """Whether this side's results lie on the grid, or are the other's for inputs rounded to it."""
    coarse = tuple(rounded(a, bits) if a.dtype.kind == "f" else a for a in arrays)
    expected = other.try_on(coarse)
    unit, scale = 2.0 ** -(bits + 1), _scale(right)
    off = max(_difference(mine, right), _difference(wide, right))
    if expected is None or expected.shape != mine.shape or not scale or off < unit * scale / 64:
        return False
    terms = max(1.0, sum(a.size for a in arrays) / max(1, mine.size))
    by_inputs = _difference(expected, right)
    explained = off <= 4 * (by_inputs + unit * np.sqrt(terms) * scale)
    nonzero = wide[np.isfinite(wide) & (wide != 0)]
    on_grid = len(nonzero) >= 4 and np.array_equal(rounded(nonzero, bits), nonzero.astype(np.float64))
    if on_grid and explained and not inputs_only:
        return True
    near = max(_difference(mine, expected), _difference(wide, expected))
    return not grid_only and by_inputs > 0 and near <= off / 32 and explained


# -- the smallest input ---------------------------------------------------------------------------
def _apart_in_kind(a: Array, b: Array) -> bool:
    finite = np.isfinite(a) & np.isfinite(b)
    return not np.array_equal(a[~finite], b[~finite], equal_nan=True)


def _bug(
    f: _Side,
    g: _Side,
    arrays: tuple[Array, ...],
    says: str,
    apart: Callable[[Array, Array], bool],
    off: float = 0.0,
    allowed: float = 0.0,
) -> Settlement:
    """A bug on the smallest input found, with the map that leads from one result to the other, if any."""
    small = _shrunk(f, g, arrays, apart)
    a, b = f.shaped(small), g.shaped(small)
    wiring = _wiring(f, g, arrays)
    says = f"{says}; f's result is g's {wiring}" if wiring else says
    share = off / allowed if allowed else np.inf
    return Settlement("bug", says, off, allowed, share, "", small, a, b)


def _shrunk(
    f: _Side, g: _Side, arrays: tuple[Array, ...], apart: Callable[[Array, Array], bool]
) -> tuple[Array, ...]:
    """The smallest arrays found on which both run and still differ; then with whole numbers and zeros."""
    tried = 0

    def differ(small: tuple[Array, ...]) -> bool:
        nonlocal tried
        tried += 1
        a, b = f.try_on(small), g.try_on(small)
        return a is not None and b is not None and a.size > 0 and (a.shape != b.shape or apart(a, b))

    for step in (_smaller, _simpler):
        going = True
        while going and tried < SHRINKS:
            going = False
            for small in step(arrays):
                if tried >= SHRINKS:
                    break
                if differ(small):
                    arrays, going = small, True
                    break
    return arrays


def _smaller(arrays: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
    """One axis cut to a part: of one array, or of all that have an axis of this size."""
    for number, a in enumerate(arrays):
        for axis, size in enumerate(a.shape):
            for length in dict.fromkeys((1, size // 2, size - 1)):
                if 0 < length < size:
                    yield tuple(_cut(b, axis, length) if i == number else b for i, b in enumerate(arrays))
                    together = tuple(
                        _cut(b, b.shape.index(size), length) if size in b.shape else b for b in arrays
                    )
                    yield together


def _cut(a: Array, axis: int, length: int) -> Array:
    return np.ascontiguousarray(np.take(a, range(length), axis))


def _simpler(arrays: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
    """One array of whole numbers, or with one of its numbers zero."""
    for number, a in enumerate(arrays):
        if a.dtype.kind != "f":
            continue
        whole = np.round(a)
        if not np.array_equal(whole, a):
            yield tuple(whole if i == number else b for i, b in enumerate(arrays))
        for at in range(min(a.size, 16)):
            if a.flat[at]:
                zero = a.copy()
                zero.flat[at] = 0
                yield tuple(zero if i == number else b for i, b in enumerate(arrays))


def _wiring(f: _Side, g: _Side, arrays: tuple[Array, ...]) -> str:
    """The small map from g's result to f's, on these inputs and on others; empty if there is none."""
    rng = np.random.default_rng(4)
    trials = [arrays]
    for _ in range(2):
        trials.append(tuple(_redrawn(a, rng) for a in arrays))
    results = []
    for trial in trials:
        try:
            a, b = f.shaped(trial), g.shaped(trial)
        except Exception:
            return ""
        if a is None or b is None or not a.ndim or a.ndim > 4:
            return ""
        results.append((a.astype(np.float64), b.astype(np.float64)))
    scaled = (
        factor([a for a, _ in results], [b for _, b in results], [{} for _ in results])
        if results[0][0].shape == results[0][1].shape
        else ""
    )
    if scaled:
        return scaled
    letters = tuple(f"axis {i}" for i in range(results[0][1].ndim))
    for change in maps_of(letters):
        if all(_close(change.apply(b, View(b.shape, letters)), a) for a, b in results):
            return change.says
    return ""


def _redrawn(a: Array, rng: np.random.Generator) -> Array:
    if a.dtype.kind != "f" or not a.size:
        return a
    found = a.mean() + (a.std() or 1.0) * rng.standard_normal(a.shape)
    return (np.abs(found) if (a >= 0).all() else found).astype(a.dtype)


def _close(a: Array, b: Array) -> bool:
    return a.shape == b.shape and _difference(a, b) <= 1e-6 * max(_scale(b), 1e-300)


def as_object(found: Settlement) -> dict[str, Any]:
    """The settlement as plain data, for `--json`."""
    plain = replace(found, inputs=(), f=None, g=None)
    return {
        "schema": 1,
        "outcome": plain.outcome,
        "says": plain.says,
        "difference": plain.difference,
        "allowed": plain.allowed,
        "share": plain.share,
        "arithmetic": plain.arithmetic,
        "inputs": [a.tolist() for a in found.inputs] if sum(a.size for a in found.inputs) <= 400 else [],
        "shapes": [list(a.shape) for a in found.inputs],
    }
