"""Optimizers are called as their source shows: by its names of arrays, in its shapes, with its state."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.adapters.names_in_steps import pairs_in, stem_of
from parity.adapters.own_counts import counted_elsewhere
from parity.adapters.parameter_uses import uses_of
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "steps_by_source.py"
CASES = [
    ("AdamOfKernels", "adam", "an attribute for each array", "W step 1"),
    ("MomentumOfNodes", "momentum", "whose .layers have one array and its gradient each", "W step 2"),
    ("RMSPropOfColumns", "rmsprop", "biases are (n, 1), weights (n, m)", "W step 1"),
    ("MomentumOfAState", "momentum", "an array, its gradient and a name", "W step 1"),
    ("AdaGradOfANumber", "adagrad", "arrays are flat", "W step 2"),
    ("MomentumOfOneShape", "momentum", "an optimizer for each array", "W step 1"),
    ("AdamOfACounter", "adam", ".t is counted up before each step", "W step 2"),
    ("NesterovOfTwoCalls", "nesterov", "lookahead says where its gradients are taken", "W step 1"),
    ("MomentumFromTheSecond", "momentum", "the first layer has no arrays", "W step 2"),
    ("AdaGradOfLists", "adagrad", "a list for each layer comes to the constructor", "W step 1"),
    ("MomentumOfAPenalty", "momentum", "given at each call: gamma, old, reg_W", "W step 1"),
    ("MomentumOfANameThatIsUnused", "momentum", "an array, its gradient and a name", "V step 1"),
    ("MomentumOfGivenLayers", "momentum", "where its state is not by layer", "W step 1"),
    ("MomentumOfALayersDict", "momentum", "of the gradients of one layer, and its number", "V step 1"),
    ("SGDOfPairsBesideANet", "sgd", "a list of pairs of gradients beside", "b step 1"),
    ("SGDOfABase", "sgd", "a model comes to the constructor", "W step 1"),
    ("RMSPropOfARateFunction", "rmsprop", "a list of its gradients", "W step 1"),
]
OUTCOMES = {"RMSPropOfColumns": "right_but"}


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called", "tensor"), CASES, ids=[c[0] for c in CASES])
def test_a_right_one_is_right_and_a_wrong_one_wrong(name, kind, called, tensor):
    right_to_its_last_step(ask(name, kind), called, OUTCOMES.get(name, "right"))
    wrong_first_at(ask(f"{name}Wrong", kind), tensor)


def test_one_for_several_layers_is_said_where_their_shapes_differ():
    assert "one optimizer for several layers mixes" in str(ask("RMSPropOfColumns", "rmsprop"))


def test_a_count_of_all_layers_is_said():
    assert "one optimizer for several layers mixes" in str(ask("AdamThatCountsEachLayer", "adam"))


def test_one_for_several_shapes_is_not_checked():
    assert "arrays of several shapes in one optimizer" in ask("MomentumOfOneShape", "momentum").not_checked


def test_a_penalty_that_was_turned_off_is_not_checked():
    assert "reg_W other than 0" in ask("MomentumOfAPenalty", "momentum").not_checked


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        *(
            ("dW", "w"),
            ("weights_gradient", "weights"),
            ("dl_w", "w"),
            ("biases_prime", "biases"),
            ("grad", ""),
        ),
        *(("gradWeights", "weights"), ("weights", None), ("momentum", None)),
    ],
)
def test_the_stem_of_a_gradient_s_name(name, stem):
    assert stem_of(name) == stem


class OfTwoKinds:
    def step(self, layer):
        layer.W -= self.lr * layer.dW
        layer.U -= self.lr * layer.dU
        layer.bias -= self.lr * layer.grad_bias


def test_names_of_layers_of_several_kinds_are_none():
    assert pairs_in(OfTwoKinds) == {"W": [], "b": [("bias", "grad_bias")]}


def uses(w, key, state, batch, rate, idle, both):
    w -= rate() * state.get("g") * state[f"{key}"] / batch + both
    if key not in state:
        return both
    return w


def test_uses_of_parameters():
    found = {"key": "key", "state": "dict", "batch": "divisor", "rate": "called", "idle": "unused"}
    assert uses_of(uses) == found


class CountsAround:
    def pre_update(self):
        self.t += 1

    def update(self, w, dw):
        w -= dw / self.t


def test_a_count_that_is_set_around_each_step_is_not_counted_up():
    assert counted_elsewhere(CountsAround) == {}
