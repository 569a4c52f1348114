"""What a network owes its caller beyond the right numbers of one call on three images.

Batches of other sizes, images of the other floating-point type, the same call again, and a second network of
its class: what is right on three images once can be wrong in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.adapters.bench import Raised
from parity.checks.network_outputs import LOSS, Key
from parity.comparison.gates import Comparison, held
from parity.comparison.records import Record, record
from parity.verification.network_layers import narrow
from parity.verification.network_steps import same_array
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from parity.verification.network_checks import NetworkCheck

BATCH, MANY = 3, 100
OTHER_TYPE, TWO = "images of the other type", "two networks at once"
CONTRACTS = {
    "arguments unchanged": "x, t and the parameters hold after a call what they held before",
    "same call, same answer": "the same call gives the same answer; gradients are not added to the last ones",
    "another batch": "a batch of another size is answered as if it were the first",
    "one image": "a batch of one image is answered as any other",
    "many images": f"a batch of up to {MANY} images is answered as any other",
    OTHER_TYPE: "images of float32 and of float64 get the same answer, as exact as float32 is",
    TWO: "two networks of one class do not change each other's parameters and answers",
}
MOST_NUMBERS = 1 << 20  # in the images of a batch
MOST_COLUMNS = 1 << 25  # numbers that im2col makes of a batch, over all convolutions
MOST_SECONDS = 5.0  # of processor time that the largest batch may take
LARGER = np.float32(1.25)  # times as large are the second network's weights
MOST_PARAMETERS = 1 << 24  # of a network of which a second one is built


def predictions(check: NetworkCheck, seconds: float) -> Iterator[Record]:
    """What `predict` gives for one image, for many, and for images of the other type.

    `seconds` is what an image took.
    """
    for phase, x in _batches(check, seconds):
        yield from _prediction(check, phase, x, x)
    yield from _prediction(check, OTHER_TYPE, check.x.astype(np.float32), check.x.astype(_other(check)))


def closest(compared: Sequence[tuple[Comparison, Array]]) -> tuple[Comparison, Array]:
    """The first that is right, or the first."""
    return next((one for one in compared if one[0].ok), compared[0])


def contracts(check: NetworkCheck) -> Iterator[Record]:
    """The same call again, batches of other sizes, images of the other type."""
    x, t = check.x, check.t
    check.network.gradient(x, check.labels(t))
    reference, _ = check.twin.gradients(x, t, {})
    before = check.network.connection.busy()
    yield from reference.compare(check.place, check.called(x, t), "same call, same answer")
    seconds = (check.network.connection.busy() - before) / len(x)
    yield from check.predicted
    for phase, images in _batches(check, seconds, check.unchecked):
        yield from _of_size(check, phase, images)
    yield from _of_other_type(check)


# -- batches of other sizes --------------------------------------------------------------------------
def _batches(
    check: NetworkCheck, seconds: float, cut: list[str] | None = None
) -> Iterator[tuple[str, Array]]:
    """Images for each of those contracts; for the last one fewer where memory or time would not suffice."""
    one = check.x[:1]
    fitting = MOST_NUMBERS // one.size
    fitting = min(fitting, MOST_COLUMNS // max(check.twin.columns(one.astype(np.float64)), 1))
    quick = int(MOST_SECONDS / seconds) if seconds > 0 else MANY
    for phase, size in (("another batch", BATCH + 2), ("one image", 1), ("many images", MANY)):
        size = size if phase != "many images" else min(MANY, fitting, quick)
        if phase == "many images" and cut is not None and quick < min(MANY, fitting):
            cut.append(f"batches of more than {max(size, BATCH + 2)} images, which would take too long")
        if (phase != "many images" and size <= fitting) or size > BATCH + 2:
            rng = np.random.default_rng([size, 9])
            yield phase, rng.standard_normal((size, *one.shape[1:])).astype(check.x.dtype)


def _of_size(check: NetworkCheck, phase: str, x: Array) -> Iterator[Record]:
    """The gradient first: it must not be that of the loss before."""
    t = np.random.default_rng([len(x), 11]).permutation(np.resize(check.t, len(x)))
    try:
        reference, _ = check.twin.gradients(x, t, {})
    except (RuntimeError, ValueError):
        return  # PyTorch refuses one image where it normalizes over the batch
    try:
        found = check.called(x, t)
    except Raised as error:
        yield record(check.place, "network", phase, "the call", held((), f"raised {error}"))
        return
    check.largest = max(check.largest, x.shape)
    yield from reference.compare(check.place, found, phase)


def _prediction(check: NetworkCheck, phase: str, x: Array, given: Array) -> Iterator[Record]:
    """`predict` of these images, whose numbers are those of x; x is of the type that it is compared in."""
    place = check.place_of(x.dtype.name)
    try:
        found = check.network.predict(given).value
    except Raised as error:
        if phase != OTHER_TYPE:
            yield record(place, "predict", phase, "the call", held((), f"raised {error}"))
        return
    try:
        comparison, _ = closest(check.judged_scores(x, as_type(found, x.dtype)))
    except (RuntimeError, ValueError):
        return  # as above
    yield record(place, "scores", phase, "out", comparison)


# -- images of the other type ------------------------------------------------------------------------
def _other(check: NetworkCheck) -> str:
    return "float32" if check.x.dtype == np.float64 else "float64"


def _of_other_type(check: NetworkCheck) -> Iterator[Record]:
    """The same images as float32 to a float64 network, or the other way round, compared as float32."""
    x, other = check.x.astype(np.float32), _other(check)
    reference, _ = check.twin.gradients(x, check.t, {})
    given = check.x.astype(other)
    try:
        grads = check.network.gradient(given, check.labels(check.t)).value
        loss = check.network.loss(given, check.labels(check.t)).value
    except Raised as error:
        check.remarks.append(f"images of {other} are refused: {error}")
        return
    found = {key: as_type(value, np.float32) for key, value in results(check, loss, grads).items()}
    yield from reference.compare(check.place_of("float32"), found, OTHER_TYPE)


def as_type(value: Any, dtype: Any) -> Any:
    """float64 in float32, where that is compared: what comes of both types may be of either."""
    wide = isinstance(value, np.ndarray) and value.dtype == np.float64
    return narrow(value) if wide and dtype == np.float32 else value


def results(check: NetworkCheck, loss: Any, grads: Any) -> dict[Key, Any]:
    """What the two calls gave, by the keys of a reference."""
    found: dict[Key, Any] = {LOSS: np.asarray(loss, check.x.dtype) if isinstance(loss, float) else loss}
    for name in check.twin.names:
        found["grad", name] = grads.get(name) if isinstance(grads, dict) else grads
    return found


# -- two networks ------------------------------------------------------------------------------------
def two_at_once(check: NetworkCheck) -> Iterator[Record]:
    """A second network with other weights and other images: each call of the one, then of the other.

    It comes when the network was seen to follow its parameters.
    """
    network, mine = check.network, check.network.params()
    if sum(array.size for array in mine.values()) > MOST_PARAMETERS:
        check.unchecked.append(f"{TWO}, since they are large")
        return
    try:
        built = network.open_another()
        theirs = _other_weights(check, mine)
    except Raised as error:
        network.use(0)
        check.remarks.append(f"a second network beside it could not be had: {error}")
        return
    network.use(0)
    after = network.params()
    try:
        first, second = _Turn(check, 0, mine, check.x), _Turn(check, 1, theirs, check.x[::-1].copy())
        if not built and not second.is_right_alone():
            return  # the copy of an object need not be a network of its own
        for name, array in mine.items():
            why = "" if same_array(array, after[name]) else "was changed with that of a second network"
            yield record(check.place, name, TWO, "param", held(array.shape, why))
        for method in ("loss", "gradient", "predict"):
            first.call(method)
            second.call(method)
        yield from (*first.compared(), *second.compared())
    except Raised as error:
        yield record(check.place, "network", TWO, "the call", held((), f"raised {error}"))
    finally:
        network.use(0)
        check.twin.copy(mine)


def _other_weights(check: NetworkCheck, mine: Mapping[str, Array]) -> dict[str, Array]:
    """Go on with the second network, whose weights become larger than the first one's; what it has then.

    What is 0 stays 0: it may have to.
    """
    check.network.use(1)
    for name, array in mine.items():
        check.network.set_array(name, LARGER * array)
    found = check.network.params()
    if any(getattr(found[name], "shape", None) != array.shape for name, array in mine.items()):
        raise Raised("its parameters are of other shapes")
    return found


class _Turn:
    """One of the two networks with its images: what it gave, and what the twin gives with its weights."""

    def __init__(self, check: NetworkCheck, number: int, params: Mapping[str, Array], x: Array):
        self.check, self.number, self.params, self.x = check, number, params, x
        self.found: dict[str, Any] = {}
        check.twin.copy(params)
        self.reference, _ = check.twin.gradients(x, check.t, {})

    def call(self, method: str) -> None:
        network, labels = self.check.network, self.check.labels(self.check.t)
        network.use(self.number)
        if method == "predict" and (not self.check.predicted or self._infers_otherwise()):
            return  # it was not comparable, or other calls have moved what it uses
        called = network.predict(self.x) if method == "predict" else getattr(network, method)(self.x, labels)
        self.found[method] = called.value

    def _infers_otherwise(self) -> bool:
        return self.check.twin.infers_otherwise(self.x.astype(np.float64))

    def is_right_alone(self) -> bool:
        self.call("gradient")
        self.call("loss")
        return all(row.ok for row in self.compared())

    def compared(self) -> Iterator[Record]:
        check, dtype = self.check, self.x.dtype
        found = results(check, self.found["loss"], self.found["gradient"])
        narrowed = {key: as_type(value, dtype) for key, value in found.items()}
        yield from self.reference.compare(check.place, narrowed, TWO)
        if "predict" in self.found:
            check.twin.copy(self.params)
            comparison, _ = closest(check.judged_scores(self.x, as_type(self.found["predict"], dtype)))
            yield record(check.place, "scores", TWO, "out", comparison)
