"""Functions in classes and dicts are listed under names of their own, and each gets a verdict by its name."""

from pathlib import Path

import pytest

from parity.adapters.definitions import load_definitions
from parity.adapters.load import TargetError, load
from parity.verification.listing import kind_of_target, listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild"
STATICS, DICTS, SCALARS = WILD / "statics.py", WILD / "in_dicts.py", WILD / "scalars.py"
# target, outcome, a part of the verdict
CASES = [
    (STATICS, "Activations.relu", "right", "relu_derivative(x), times dout"),
    (STATICS, "Activations.leaky_relu", "wrong", "wrong: dx; right: out"),
    (STATICS, "Activations.sigmoid", "right", "sigmoid(z, derivative), times dout"),
    (STATICS, "Activations.tanh", "wrong", "wrong: dx; right: out"),
    (STATICS, "Losses.mse", "right", "mse_prime(y_true, y_pred)"),
    (STATICS, "Losses.mae", "wrong", "mae-gradient-sign"),
    (STATICS, "Regressor.relu", "right", "relu_prime(z), times dout"),
    (STATICS, "Regressor.tanh", "not_checked", "no attribute 'rate'"),
    (STATICS, "ReLU", "right", "forward(x), backward(dout, x)"),
    (STATICS, "Tanh", "wrong", "derivative(x), times dout"),
    (STATICS, "Softmax", "right", "not checked: "),
    (STATICS, "Steps.sgd", "right", "dicts of arrays and the learning rate"),
    (
        STATICS,
        "ChosenActivation.__tanh",
        "right",
        "_ChosenActivation__tanh_deriv(a), times dout; a there is the output",
    ),
    (STATICS, "ChosenActivation.__logistic", "wrong", "wrong: dx; right: out"),
    (DICTS, 'ACTIVATIONS["relu"]', "right", "relu_prime(x), times dout"),
    (DICTS, 'ACTIVATIONS["leaky_relu"]', "wrong", "wrong: dx; right: out"),
    (DICTS, 'ACTIVATIONS["tanh"]', "right", "times dout"),
    (DICTS, 'BY_KEY["relu"],BY_KEY["relu_prime"]', "wrong", "wrong: dx; right: out"),
    (DICTS, 'LOSSES["mse"],LOSS_GRADIENTS["mse"]', "right", "mse_prime(y, p)"),
    (DICTS, 'LOSSES["mae"],LOSS_GRADIENTS["mae"]', "wrong", "mae-gradient-sign"),
    (DICTS, 'Layer.kinds["tanh"]', "right", "not checked: "),
    (SCALARS, "Value.__add__", "right", "A + B, with A = x @ W and B = b by NumPy"),
    (SCALARS, "Value.relu", "right", "the same function as PyTorch's"),
    (SCALARS, "Value.tanh", "right", "the same function as PyTorch's"),
    (SCALARS, "Value.sigmoid", "wrong", "wrong: dx; right: out"),
]


@pytest.mark.parametrize(("path", "name", "outcome", "part"), CASES, ids=[c[1] for c in CASES])
def test_it_is_called_and_judged(path, name, outcome, part):
    target = f"{path}:{name}"
    verdict = verify(target, kind_of_target(target), isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


LEFT = {
    STATICS: {"Activations.swirl", "Regressor", "ChosenActivation"},
    DICTS: {'ACTIVATIONS["swirl"]'},
    SCALARS: {"Value"},
}


@pytest.mark.parametrize("path", LEFT, ids=lambda path: path.stem)
def test_a_file_lists_them(path):
    found = {one.name: one.kind for one in listed(path) if one.name != "sigmoid"}
    assert {name for name, kind in found.items() if not kind} == LEFT[path]
    assert {name for name, kind in found.items() if kind} == {
        name for file, name, *_ in CASES if file == path
    }


def test_an_item_is_found_however_its_key_is_quoted():
    for key in ("'relu'", "relu"):
        function, derivative = load(f"{DICTS}:ACTIVATIONS[{key}]")
        assert function.__name__ == "relu" and derivative.__name__ == "relu_prime"
    assert kind_of_target(f"{DICTS}:ACTIVATIONS['relu']") == "relu"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ('ACTIVATIONS["rely"]', "did you mean relu?"),
        ("Layer.relu", "it has hinge, sigmoid"),
        ("hinge['x']", "has no"),
    ],
)
def test_what_is_not_there_is_one_sentence(name, said):
    with pytest.raises(TargetError, match="has no") as raised:
        load(f"{DICTS}:{name}")
    assert said in str(raised.value)


def test_a_dict_of_lambdas_is_a_definition(tmp_path):
    (tmp_path / "mine.py").write_text("F = {'relu': lambda x: helper(x)}\nN = {'n': print(1)}\n")
    module = load_definitions(tmp_path / "mine.py")
    assert set(module.F) == {"relu"} and not hasattr(module, "N")
