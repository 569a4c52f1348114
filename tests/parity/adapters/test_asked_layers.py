"""Layers say to be what an optimizer asks for; what it is handed and does not read gets nothing."""

from pathlib import Path

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.adapters.layers_given import Layer
from parity.kinds.names import kind_by_words
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "asked_layers.py"
CASES = [
    ("SGDOfLinears", "sgd", "step with a model whose .layers have an attribute for each array", "b step 1"),
    ("MomentumOfLinears", "momentum", "the same again: a model comes to the constructor", "b step 2"),
    ("AdamOfSublayers", "adam", "step with a model whose .layers have .params and .grads", "W step 1"),
    ("RMSPropOfModelAndData", "rmsprop", "given at each call: lr, X, y, epoch", "W step 1"),
    ("AdaGradOfTrainable", "adagrad", "gradient_step with nothing: layers come", "W step 1"),
    ("SGDOfParametersThatAreLayers", "sgd", "nothing: layers come to the constructor", "b step 1"),
    ("SGDDecay", "sgd", "update_params with a layer", "b step 1"),
    ("SGDOfAModelAgain", "sgd", "the same again: a model comes to the constructor", "b step 1"),
    ("AdamOfSizes", "adam", "layers come to initialize_parameters", "W step 1"),
    ("AdamOfMachineEps", "adam", "one array and its gradient", "W step 1"),
]
OUTCOMES = {"AdamOfMachineEps": "right_but"}


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called", "tensor"), CASES, ids=[c[0] for c in CASES])
def test_a_right_one_is_right_and_a_wrong_one_wrong(name, kind, called, tensor):
    right_to_its_last_step(ask(name, kind), called, OUTCOMES.get(name, "right"))
    wrong_first_at(ask(f"{name}Wrong", kind), tensor)


def test_the_precision_of_a_float_is_an_eps_and_is_said():
    assert "its eps is 2.22045e-16, PyTorch's 1e-08" in str(ask("AdamOfMachineEps", "adam"))


def test_a_layer_says_to_be_what_is_asked_for_and_nothing_else():
    class Dense:
        pass

    assert isinstance(Layer(["W"], "lists", 0, posing=Dense), Dense)
    assert not isinstance(Layer(["W"], "lists", 0), Dense)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Optimizer_SGD_Decay", "sgd"), ("AdamOpt", "adam"), ("MomentumDecay", "momentum"), ("LrDecay", None)],
)
def test_a_decay_of_the_rate_is_no_part_of_the_name(name, kind):
    assert kind_by_words(name) == kind
