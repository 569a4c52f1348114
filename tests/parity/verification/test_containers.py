"""Classes that are handed their layers: right ones are right, of others it is said what they do wrong."""

import ast
from pathlib import Path

import pytest

from parity.adapters.handed_layers import is_container
from parity.verification.listing import listed
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
CHAINS, OF_ROWS = HOMEWORK / "containers.py", HOMEWORK / "containers_of_rows.py"
OUTPUTS = "its outputs are those of its layers one after another, and its gradients"


def container(name, file=CHAINS):
    return verify(f"{file}:{name}", "network")


def line_of(text, file, after):
    """The first line with that text after a class's own."""
    lines = file.read_text().splitlines()
    start = lines.index(f"class {after}:")
    return start + next(i for i, line in enumerate(lines[start:], 1) if text in line)


@pytest.mark.parametrize(
    ("name", "file", "gradients"),
    [
        ("Chain", CHAINS, "the chain rule's"),
        ("ChainByNumber", CHAINS, "the chain rule's"),
        ("InReverse", CHAINS, "the chain rule's"),
        ("Trained", CHAINS, "those of its loss"),
        ("Network", OF_ROWS, "those of its loss"),
    ],
)
def test_a_right_container_is_right(name, file, gradients):
    verdict = container(name, file)
    assert verdict.outcome == "right", str(verdict)
    assert verdict.claim == f"{OUTPUTS} {gradients}"
    assert list(verdict.not_checked) == ["what its layers compute"]


@pytest.mark.parametrize(
    ("name", "file", "says", "line"),
    [
        ("NotReversed", CHAINS, "from the first to the last", "layer.backward(dout)"),
        ("NotHandedOn", CHAINS, "Sigmoid, layer 4, is given what layer 5 was given", "layer.backward(dout)"),
        ("WithoutTheFirst", CHAINS, "going back it never calls Dense", "layer.backward(dout)"),
        ("ReturningAnother", CHAINS, "does not return the gradient of its input", "def backward"),
        ("NeverStepping", CHAINS, "leaves the weights as they are and never calls", "def train_step"),
        (
            "Climbing",
            CHAINS,
            "the gradient that it hands to its last layer has the wrong sign",
            ".backward(dout)",
        ),
        (
            "NetworkOfExchangedArguments",
            OF_ROWS,
            "it gives the derivative of its loss the target for the output",
            ".backward_propagation(",
        ),
        ("NetworkOfATurnedRate", OF_ROWS, "the rate with the wrong sign", ".backward_propagation("),
        (
            "NetworkThatPredictsOtherwise",
            OF_ROWS,
            "predict: going forward ActivationLayer, layer 2, is given what layer 1 was given",
            ".forward_propagation(row)",
        ),
    ],
)
def test_of_a_wrong_container_it_is_said_what_it_does_and_where(name, file, says, line):
    verdict = container(name, file)
    assert verdict.outcome == "wrong", str(verdict)
    assert says in verdict.culprit.sentence
    assert f"({file.name}, line {line_of(line, file, name)})" in verdict.culprit.sentence


def test_without_a_method_for_its_outputs_the_layers_give_those_of_the_loss():
    verdict = container("NetworkOfAttributes", OF_ROWS)
    assert verdict.outcome == "right", str(verdict)
    assert list(verdict.not_checked) == ["what its layers compute", "its outputs"]


def test_a_container_that_leaves_out_its_last_layer_is_not_judged():
    verdict = container("WithoutTheLast")
    assert verdict.outcome == "not_checked" and "the last of its layers" in verdict.unchecked, str(verdict)


@pytest.mark.parametrize(
    ("right", "wrong", "layer"),
    [
        ("return dout * (1 - self.out**2)", "return dout * (1 + self.out**2)", "Tanh"),
        ("return dout @ self.W.T", "return 2 * dout @ self.W.T", "Dense"),
    ],
)
def test_an_error_of_a_layer_is_the_layers_and_the_container_is_judged_without_it(
    tmp_path, right, wrong, layer
):
    text = CHAINS.read_text()
    assert right in text
    (tmp_path / "layers.py").write_text(text.replace(right, wrong))
    verdict = container("Chain", tmp_path / "layers.py")
    assert verdict.outcome == "right", str(verdict)
    without = f"it with {layer}, whose own backward is not that of its forward"
    assert list(verdict.not_checked) == ["what its layers compute", without]
    turned = text.replace(right, wrong).replace(
        "for layer in reversed(self.layers)", "for layer in self.layers"
    )
    (tmp_path / "layers.py").write_text(turned)
    verdict = container("Chain", tmp_path / "layers.py")
    assert verdict.outcome == "wrong" and "from the first to the last" in verdict.culprit.sentence, str(
        verdict
    )


def test_containers_are_listed_where_their_file_has_layers():
    kinds = {one.name: one.kind for one in listed(CHAINS)}
    assert kinds["Chain"] == kinds["ChainByNumber"] == kinds["Trained"] == "network"
    assert kinds["SGD"] == "sgd" and kinds["Dense"] == "affine"


def test_of_a_container_that_raises_nothing_is_said_of_the_layers_that_it_did_not_reach():
    verdict = container("Interrupted")
    assert verdict.outcome == "not_checked" and "AttributeError" in verdict.unchecked, str(verdict)


def test_a_network_that_builds_its_own_layers_is_no_container():
    text = """
class Net:
    def __init__(self, sizes):
        self.layers = [Dense(i, o) for i, o in zip(sizes, sizes[1:])]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
"""
    handed = text.replace("[Dense(i, o) for i, o in zip(sizes, sizes[1:])]", "list(sizes)")
    assert not is_container(ast.parse(text).body[0])
    assert is_container(ast.parse(handed).body[0])
