"""The bench on which foreign code is tried: it holds the code and its objects, and does what it is asked.

Every method without an underscore is a request that the checker may make; the answer is plain data. `Bench`
runs where the code runs: in a process of its own or, with `isolated=False`, in the checker's. It knows no
reference and judges nothing. Needs NumPy alone.
"""

from __future__ import annotations

import os
import site
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from parity.adapters.arguments import Misfit, defaults, options, room
from parity.adapters.book import Adapter
from parity.adapters.called import Called, Live
from parity.adapters.convention import Convention
from parity.adapters.conventions import adapter_of
from parity.adapters.description import (
    about,
    classes_beside,
    functions_kept,
    functions_of,
    held,
    momentum_kept,
    small_constant,
)
from parity.adapters.former_names import used
from parity.adapters.layouts import labels_of, pieces
from parity.adapters.load import TargetError, load
from parity.adapters.logarithms import taken_of
from parity.adapters.made_steps import as_class
from parity.adapters.options import never_read
from parity.adapters.recipe import RECIPES, Recipe
from parity.adapters.sure_errors import Sure, can_only_raise
from parity.adapters.training_flag import by_attribute
from parity.adapters.unread import unread
from parity.adapters.wire import Odd, clean
from parity.kinds.probe import Probe

LARGEST = 1 << 32  # bytes of one array
OURS = f"{Path(__file__).parents[1]}{os.sep}"
INSTALLED = (os.path.dirname(os.__file__), *site.getsitepackages(), "<")
_ADAPTER_FILES: set[str] = set()  # of adapters that are not ours


class Raised(Exception):
    """The code under test raised: `ValueError: what it said (layers.py, line 3)`."""


@dataclass
class _Object:
    """One object built of the implementation, and what it was given last."""

    layer: Any
    probe: Probe
    returned: dict[str, Any] = field(default_factory=dict)  # by the call that returned it
    earlier: dict[str, Any] = field(default_factory=dict)  # what the same call returned before that
    arrays: dict[str, Any] = field(default_factory=dict)  # an optimizer's parameters as they were handed over

    def keep(self, by: str, result: Any) -> None:
        self.earlier[by], self.returned[by] = self.returned.get(by), result


class Bench:
    """One implementation under test and the objects that were built of it."""

    def __init__(self, factory: Any = None, adapter: Adapter | None = None):
        self._factory, self._adapter = factory, adapter
        self._objects: dict[int, _Object] = {}
        self._others: dict[str, Any] = {}  # classes beside it

    def open(
        self,
        target: str | None,
        adapter: str | None,
        how: dict[str, Any],
        convention: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Load what is not here yet. What is known without a call: which arguments it takes, and so on."""
        recipe = Recipe(**how)
        RECIPES[recipe.kind] = recipe
        with as_raised():
            if target is not None:
                self._factory = load(target)
            if recipe.role == "optimizer":
                self._factory = as_class(self._factory)
            if adapter is not None:
                self._adapter = _beside(adapter)
            if convention is not None:
                self._adapter = Called(Convention.of(convention))
            using = self._using()
            names = using.parameters(self._factory)
            forward = using.convention.forward if isinstance(using, Called) else "forward"
            held = using.convention.held if isinstance(using, Called) else ()
            own = options(self._factory, recipe, forward, held)
            optimizer = recipe.role == "optimizer" and isinstance(self._factory, type)
            idle = [n for n in unread(self._factory) if own.get(n) is False] if optimizer else []
            return {
                "names": names if names is None or isinstance(using, Called) else room(names, recipe),
                "defaults": {name: repr(value) for name, value in defaults(self._factory, recipe).items()},
                "options": {name: repr(value) for name, value in own.items() if name not in idle},
                "unread": idle,
                "misfit": using.misfit(self._factory, recipe),
                "backward_too": bool(using.backward_too),
                "convention": using.convention.data() if isinstance(using, Called) else None,
            }

    def about(self) -> dict[str, Any]:
        """What can be read off the implementation without a call; see `description.about`."""
        return about(self._factory)

    def beside(self, name: str, how: dict[str, Any]) -> dict[str, Any]:
        """What can be read off another class of its file, which can then be tried as that kind."""
        kind = Recipe(**how)
        RECIPES[kind.kind] = kind
        self._others[name] = classes_beside(self._factory)[name]
        return about(self._others[name])

    def former_names(self) -> list[str]:
        """The names that Python or NumPy once had and that its code used; see `former_names`."""
        return used()

    def logarithms(self) -> dict[str, dict[str, str]]:
        """Which argument of a loss its functions take the logarithm of, and divide by; see `logarithms`."""
        logarithms, divisors = taken_of(functions_of(self._factory))
        return {"logarithms": logarithms, "divisors": divisors}

    def attempt(
        self,
        convention: dict[str, Any],
        kind: str,
        args: dict[str, Any],
        inputs: dict[str, Any],
        of: str = "",
    ) -> dict[str, Any]:
        """One object, one forward and one backward under a convention; what each step left.

        `of` names the class beside it that is meant instead. "at" is the step that raised "error", or "done".
        """
        how = Convention.of(convention)
        live = Live(how, self._others.get(of, self._factory), Probe(kind, "a trial", args, inputs))
        found: dict[str, Any] = {"error": ""}
        at = "build"
        try:
            with as_raised():
                live.make()
                live.training = args.get("training") is not False
                found["built"], found["flag"] = held(live), by_attribute(live.object)
                found["eps"], found["momentum"] = small_constant(live.object), momentum_kept(live.object)
                found["functions"] = functions_kept(live.object)
                at = "forward" if how.forward or how.backward else "done"
                if how.forward or how.backward:
                    x, t = inputs["x"], inputs.get("t")
                    part = pieces(x, layout := how.x_layouts.get(x.ndim, ""))[0]
                    t = labels_of(t, 1, layout)[0]
                    live.forward_once(part, t)
                    found["never_read"] = never_read(live.options.values(), args)
                    found["forward"] = held(live)
                    at = "backward" if how.backward else "done"
                if how.backward:
                    dout = inputs.get("dout")
                    d = None if dout is None else pieces(dout, how.out_layouts.get(dout.ndim, ""))[0]
                    live.backward_once(d, part, t)
                    found["backward"] = held(live)
                    at = "done"
        except Raised as error:
            found["error"] = str(error)
        return found | {"at": at}

    def build(
        self,
        number: int,
        kind: str,
        case: str,
        args: dict[str, Any],
        inputs: dict[str, Any],
        copy: bool,
        forget: Sequence[int] = (),
    ) -> None:
        """A new object, under that number; those to be forgotten are given up."""
        for old in forget:
            self._objects.pop(old, None)
        probe = Probe(kind, case, args, inputs)
        with as_raised():
            self._objects[number] = _Object(self._using().build(self._factory, probe, copy), probe)

    def forward(self, number: int, inputs: dict[str, Any]) -> Any:
        """What the call returns."""
        on = self._given(number, inputs)
        with as_raised():
            on.keep("forward", self._using().forward(on.layer, on.probe))
        return plain(on.returned["forward"])

    def backward(self, number: int, inputs: dict[str, Any] | None = None) -> Any:
        """dx for inputs["dout"], or for what lies there since forward; an Odd where it raises."""
        on = self._objects[number] if inputs is None else self._given(number, inputs)
        try:
            with as_raised():
                on.keep("backward", self._using().backward(on.layer, on.probe))
            return plain(on.returned["backward"])
        except Raised as error:
            return Odd(f"raised {error}")

    def state(self, number: int) -> dict[str, Any]:
        """Gradients and running statistics as they are now."""
        on = self._objects[number]
        with as_raised():
            found = self._using().state(on.layer, on.probe)
        return {name: plain(value) for name, value in found.items()}

    def whole(self, kind: str, case: str, args: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        """`results` of a new object, in one request."""
        try:
            self.build(0, kind, case, args, inputs, True)
        except Raised as error:
            raise Raised(f"{error} while it was built") from None
        return self.results(0, inputs)

    def results(self, number: int, inputs: dict[str, Any]) -> dict[str, Any]:
        """Forward, backward and state; what cannot be had is an Odd that says why."""
        on, using = self._given(number, inputs), self._using()
        with as_raised():
            if type(using).results is not Adapter.results:
                found = self._results_of_its_own(on)
            elif RECIPES[on.probe.kind].role == "optimizer":
                on.arrays = dict(inputs["params"])
                found = using.steps(on.layer, inputs["params"], inputs["grads"])
            else:
                found = using.attempt(on.layer, on.probe, plain)
        return {str(name): plain(value) for name, value in found.items()}

    def _results_of_its_own(self, on: _Object) -> dict[str, Any]:
        """Of an adapter with its own `results`; where that raises after forward, forward is not blamed."""
        using, how = self._using(), RECIPES[on.probe.kind]
        try:
            return using.results(on.layer, on.probe)
        except Exception as error:
            try:
                found = {how.out: using.forward(using.build(self._factory, on.probe), on.probe)}
            except Exception:
                raise error from None
            gradients = [f"d{name}" for name in how.params if on.probe.args.get(name) is not None]
            return found | dict.fromkeys(["dx", *gradients, *how.buffers], error)

    def draw(self, number: int, x: Any) -> Any:
        """The output for a mask that the layer draws itself; None where the adapter cannot say."""
        on = self._objects[number]
        with as_raised():
            return plain(self._using().draw(on.layer, x))

    def infer(self, number: int) -> None:
        with as_raised():
            self._using().infer(self._objects[number].layer)

    def learn(self, number: int) -> None:
        with as_raised():
            self._using().learn(self._objects[number].layer)

    def change(self, number: int, args: dict[str, Any]) -> list[str]:
        """Write other weights over its own, as an optimizer does; the names of those that were found."""
        on = self._objects[number]
        with as_raised():
            return list(self._using().change(on.layer, on.probe, args))

    def used_twice(self, number: int, inputs: dict[str, Any]) -> dict[str, Any]:
        """Of an autograd engine: the gradients of expressions in which x is used twice; else nothing."""
        on = self._objects[number]
        with as_raised():
            found = self._using().used_twice(on.layer, replace(on.probe, inputs=inputs))
        return {says: plain(value) for says, value in found.items()}

    def expressions(self, number: int, x: Any, slope: Any) -> dict[str, Any]:
        """Of an operator of an engine: its expressions with plain numbers and axes; else nothing."""
        asked = getattr(type(self._objects[number].layer), "expressions", None)
        if asked is None:
            return {}
        with as_raised():
            found = asked(self._objects[number].layer, x, slope)
        return {says: plain(value) for says, value in found.items()}

    def train(self, number: int) -> dict[str, Any]:
        """The weights after a forward and a backward that change them; none where backward leaves them."""
        on = self._objects[number]
        with as_raised():
            found = self._using().train(on.layer, on.probe)
        return {name: plain(value) for name, value in found.items()}

    def backward_of(self, number: int, dout: float) -> Any:
        """dx of a loss for that dout; None where its backward takes none or raises."""
        on = self._objects[number]
        try:
            with as_raised():
                return plain(self._using().backward_of(on.layer, on.probe, dout))
        except Raised:
            return None

    def rates(self, number: int, value: float) -> list[str]:
        """The names under which an optimizer shows its learning rate."""
        with as_raised():
            return list(self._using().rates(self._objects[number].layer, value))

    def set_rate(self, number: int, old: float, new: float, at: str = "") -> bool:
        """Set the learning rate of an optimizer, everywhere or under one name alone; whether it shows one."""
        alone = {"at": at} if at else {}  # an adapter of theirs may know no names
        with as_raised():
            return self._using().set_rate(self._objects[number].layer, old, new, **alone)

    def held(self, number: int) -> dict[str, Any]:
        """What the arrays that it was given hold now."""
        on = self._objects[number]
        held: dict[str, Any] = copied({"args": on.probe.args, "inputs": on.probe.inputs, "arrays": on.arrays})
        return held

    def returned(self, number: int, by: str, before: bool = False) -> Any:
        """What the last forward or backward returned, or the one before, as it is now."""
        on = self._objects[number]
        return plain((on.earlier if before else on.returned).get(by))

    def overwrite(self, number: int, name: str, value: float | np.ndarray[Any, Any]) -> None:
        """Fill the input of that name, which the code may have kept, with one number or with others."""
        self._objects[number].probe.inputs[name][...] = value

    @property
    def parts(self) -> tuple[Any, Adapter]:
        """The implementation and its adapter, for whoever runs in the same process."""
        return self._factory, self._using()

    def _given(self, number: int, inputs: dict[str, Any]) -> _Object:
        on = self._objects[number]
        on.probe = replace(on.probe, inputs=inputs)
        return on

    def _using(self) -> Adapter:
        assert self._adapter is not None, "open comes first"
        return self._adapter


def _beside(adapter: str) -> Adapter:
    """Load the adapter; neither its folder nor what it imported from there hides what the code imports."""
    path, modules = list(sys.path), set(sys.modules)
    found = adapter_of(adapter)
    folders = [folder for folder in sys.path if folder not in path]
    sys.path[:] = [*path, *folders]
    file = getattr(sys.modules.get(type(found).__module__), "__file__", None)
    if file is not None and not file.startswith(OURS):
        _ADAPTER_FILES.add(file)
    for name in set(sys.modules) - modules:
        own = getattr(sys.modules[name], "__file__", None)
        if own is not None and own != file and str(Path(own).parent) in folders:
            del sys.modules[name]
    return found


# -- plain data -----------------------------------------------------------------------------------
def plain(value: Any) -> Any:
    """A copy of what is an array of real numbers; an Odd that says what anything else is."""
    if value is None or isinstance(value, Odd):
        return value
    if isinstance(value, Exception):
        return Odd(f"raised {words_of(value)}")
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if type(value) is not np.ndarray:
        what = "a plain array" if isinstance(value, np.ndarray) else "an array"
        return Odd(f"expected {what}, got {clean(type(value).__name__, 80)}")
    if value.dtype.kind not in "fiub":
        return Odd(f"dtype {value.dtype}, expected real numbers")
    if value.nbytes > LARGEST:
        return Odd(f"shape {value.shape}: larger than any right answer")
    return np.array(value, order="C")


def copied(value: Any) -> Any:
    """`plain` of every array in dicts and lists of ours."""
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(copied(v) for v in value)
    return plain(value) if isinstance(value, (np.ndarray, np.generic)) else value


# -- exceptions -----------------------------------------------------------------------------------
@contextmanager
def as_raised() -> Iterator[None]:
    """What the code raises leaves as Raised, in one line. Its warnings about numbers are its own affair."""
    try:
        with np.errstate(all="ignore"):
            yield
    except TargetError:
        raise
    except Exception as error:
        raise Raised(words_of(error)) from None


def _origin(error: BaseException) -> BaseException:
    """The code's own exception, where an adapter's came while that one was being handled."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if isinstance(before, Exception) and _is_adapters(error) and not _is_adapters(before):
        return _origin(before)
    return error


def _is_adapters(error: BaseException) -> bool:
    """Whether it was raised by an adapter, ours or one of theirs."""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    own = [name for name in files if not _is_installed(name)]
    return not own or own[-1].startswith(OURS) or own[-1] in _ADAPTER_FILES


def words_of(error: BaseException) -> str:
    """`ValueError: what it said (layers.py, line 3)`"""
    if isinstance(error, Sure):
        return clean(error)
    error = _origin(error)
    name = "TypeError" if isinstance(error, Misfit) else clean(type(error).__name__, 80)
    try:
        said = clean(error)
    except Exception:
        said = "(its message cannot be printed)"
    line = _line(error)
    return (f"{name}: {said}" if said else name) + (f" ({line})" if line else "")


def _is_installed(file: str) -> bool:
    """Whether it is of Python or of an installed package, wherever that lies."""
    return file.startswith(INSTALLED) or bool({"site-packages", "dist-packages"} & {*Path(file).parts})


def _line(error: BaseException) -> str:
    """The innermost line that is neither ours nor of an installed package, and how it is marked: whether it
    says `raise`, or whether it raises whatever it is given."""
    frames = traceback.extract_tb(error.__traceback__)
    names = [frame.filename for frame in frames]
    theirs = [f for f, n in zip(frames, names, strict=True) if not (n.startswith(OURS) or _is_installed(n))]
    if not theirs:
        return ""
    at = theirs[-1]
    statement = (at.line or "").split(" ")[0] if at is frames[-1] else ""
    meant = f": {statement}" if statement in ("raise", "assert") else ""
    if not meant and can_only_raise(error, at.filename, at.lineno or 0, directly=at is frames[-1]):
        meant = ": bug"
    return f"{clean(Path(at.filename).name, 80)}, line {at.lineno}{meant}"
