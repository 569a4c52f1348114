"""Which of the failed records names the culprit."""

import numpy as np
import pytest

from parity.checks.culprit import localize
from parity.comparison.gates import logic_gate
from parity.comparison.records import Place, record
from parity.reference.trace import Trace

PLACE = Place("net", "float64", "cpu")
R = np.arange(1.0, 7.0)


def row(layer, phase, tensor, ok=True):
    return record(PLACE, layer, phase, tensor, logic_gate(R if ok else R + 1, R))


def network(*wrong):
    """Records of a network a -> b -> c in the order of a check; `wrong` ones fail."""
    names = [(layer, "forward", "out") for layer in "abc"] + [("loss", "forward", "loss")]
    names += [(layer, "backward", "dx") for layer in "cba"] + [("b.W", "backward", "grad")]
    names += [(layer, "alone", tensor) for layer in "abc" for tensor in ("out", "dx")]
    names += [("b", "alone", "dW"), ("loss", "alone", "loss"), ("loss", "alone", "dx")]
    names += [("b.W", "step 1", "param")]
    return [row(*name, ok=name not in wrong) for name in names]


INHERITED = [("c", "forward", "out"), ("loss", "forward", "loss"), ("a", "backward", "dx")]


@pytest.mark.parametrize(
    ("wrong", "culprit"),
    [
        ([("b", "forward", "out"), *INHERITED, ("b", "alone", "out")], "b, forward, out"),
        ([("b", "alone", "dx"), ("a", "alone", "dx"), ("a", "backward", "dx")], "b, backward, dx"),
        ([("b", "alone", "dW"), ("b.W", "backward", "grad")], "b, backward, dW"),
        ([("a", "alone", "dx"), ("c", "alone", "out"), ("c", "forward", "out")], "c, forward, out"),
        ([("loss", "forward", "loss")], "loss, forward, loss"),
        ([("b.W", "backward", "grad")], "b.W, names, grad"),
        ([("b.W", "step 1", "param")], "optimizer, step 1, b.W param"),
    ],
)
def test_the_first_introduced_error_is_the_culprit_and_not_what_is_inherited(wrong, culprit):
    assert str(localize(network(*wrong))) == culprit


def test_nothing_wrong_has_no_culprit():
    assert localize(network()) is None
    assert localize([]) is None


def traces():
    def trace():
        found = Trace()
        for i, path in enumerate("abc"):
            found.inputs[path], found.outputs[path] = R + i, R + i + 1
            found.douts[path], found.dxs[path] = R * (i + 2), R * (i + 1)
        return found

    return trace(), trace()


@pytest.mark.parametrize(
    ("spoil", "culprit"),
    [
        (lambda t: t.inputs.update(b=R), "b, wiring, x"),
        (lambda t: t.outputs.update(b=R), "b, weights, out"),
        (lambda t: t.outputs.pop("b"), "b, wiring, out"),
        (lambda t: t.douts.update(a=R), "a, wiring, dout"),
        (lambda t: t.douts.pop("a"), "a, wiring, dout"),
        (lambda t: t.douts.update(c=R), "loss, backward, dx"),
    ],
)
def test_where_all_layers_are_right_alone_it_is_what_lies_between_them(spoil, culprit):
    ours, exact = traces()
    spoil(ours)
    found = localize(network(("c", "forward", "out"), ("b.W", "backward", "grad")), ours, exact)
    assert str(found) == culprit and found.layer in found.sentence
