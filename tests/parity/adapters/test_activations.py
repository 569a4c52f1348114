"""An activation's constant is given, or read off its forward; the backward is held to it."""

from pathlib import Path

import numpy as np
import pytest

from parity.adapters.convention import Convention, Place
from parity.adapters.trial.attempt import Trial
from parity.adapters.trial.own_constants import own_constant
from parity.kinds.probe import Probe
from parity.verification.listing import listed
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "activations.py"
# name, kind, outcome, how it was called, what the page says
VERDICTS = [
    ("LeakyReLU", "leaky_relu", "right", "LeakyReLU(alpha); __call__(x), gradient(x), times dout", ""),
    ("LeakyReLUOfOneAtZero", "leaky_relu", "right_but", "", "dx takes the slope on the right"),
    (
        "leaky_relu,leaky_relu_derivative_of_one_at_zero",
        "leaky_relu",
        "right_but",
        "",
        "the slope on the right",
    ),
    ("ELUOfOneAtZero", "elu", "right_but", "", "at x = 0, where the function has a kink"),
    ("SELUOfScaleAtZero", "selu", "right_but", "", "[other-slope-at-the-kink]"),
    ("ReLU6", "relu6", "right", "", ""),
    ("ReLU6OfOneAtSix", "relu6", "right_but", "", "at x = 6, where the function has a kink"),
    ("SlopeForgotten", "leaky_relu", "wrong", "SlopeForgotten(alpha)", "leaky-backward-of-relu"),
    ("LReLU", "leaky_relu", "right", "negative_slope 0.1, read off its forward where x < 0", ""),
    ("LReLUOfTwoMinds", "leaky_relu", "wrong", "negative_slope 0.1, read off its forward", "backward, dx"),
    ("LReLUThatIsNone", "leaky_relu", "wrong", "LReLUThatIsNone(); forward(inputs)", "forward, out"),
    (
        "leaky_relu",
        "leaky_relu",
        "right",
        "(x, alpha), leaky_relu_derivative(x, alpha)",
        "",
    ),
    ("lrelu", "leaky_relu", "wrong", "negative_slope 0.01, read off its forward", "backward, dx"),
    (
        "elu",
        "elu",
        "right",
        "as elu(z), elu(z, deriv), times dout; alpha 1.5, read off its forward where x < 0",
        "",
    ),
    ("ELU", "elu", "right", "called as ELU(alpha)", ""),
    ("ELUWithoutAlpha", "elu", "wrong", "called as ELUWithoutAlpha(alpha)", "elu-derivative-plus-one"),
    ("gelu", "gelu", "right", "approximate 'tanh', read off its forward where x < 0", ""),
    ("GELU", "gelu", "wrong", "called as GELU(); approximate 'tanh'", "gelu-derivative-of-the-other-form"),
    ("SoftPlus", "softplus", "right_but", "gradient(x), times dout", "it overflows at inputs of"),
    ("linear", "identity", "right", "as linear(x), linear(x, derivative), times dout", ""),
    ("TanH", "tanh", "right", "gradient(x), times dout", ""),
    ("SoftplusOfBeta", "softplus", "right", "", "not checked: beta other than 1, threshold other than 20"),
    ("relu_of_keras", "relu", "right", "(x)", "alpha other than 0, max_value other than None"),
    ("selu_of_two", "selu", "right", "(x)", "alpha other than 1.6732632423543772, scale other than"),
    ("ReluOfAlpha", "relu", "right", "", "not checked: alpha other than 0"),
    ("elu_act,d_elu_act", "elu", "right", "a there is the output", ""),
    ("TanhOfAnyOptions", "tanh", "right", "TanhOfAnyOptions(...)", ""),
    ("TanhOfAnyOptionsWrong", "tanh", "wrong", "grad(x), times dout", "backward, dx"),
    ("TanhOfAName", "tanh", "right", "TanhOfAName(...)", ""),
    ("straight", "identity", "right", "as straight(x), straight(x, derivative), times dout", ""),
    ("crooked", "identity", "wrong", "as crooked(x), crooked(x, derivative), times dout", "backward, dx"),
    ("ReluActivator", "relu", "right", "backward(output), times dout", ""),
    ("ReluActivatorWrong", "relu", "wrong", "backward(output), times dout", "backward, dx"),
    ("TanhActivator", "tanh", "right", "backward(output), times dout", ""),
    ("TanhActivatorWrong", "tanh", "wrong", "backward(output), times dout", "backward, dx"),
    ("SigmoidWhoseGradientIsCalledOutput", "sigmoid", "right", "", ""),
    ("rectify", "relu", "right", ", rectify_backward(x), times dout", ""),
    ("rectify,rectify_backward_wrong", "relu", "wrong", "times dout", "backward, dx"),
    ("SiLUCutBelow5", "silu", "wrong", "", "'tails of both signs'"),
    ("SoftplusLinearFrom10", "softplus", "wrong", "", "'tails of both signs'"),
    ("SoftplusLinearFrom5", "softplus", "wrong", "", "'tails of both signs'"),
    ("SoftplusLinearFrom20", "softplus", "right", "", ""),
    ("SigmoidCutAt6", "sigmoid", "wrong", "", "'tails of both signs'"),
    ("ELUCutBelow6", "elu", "wrong", "", "'tails of both signs'"),
    ("SELUCutBelow6", "selu", "wrong", "", "'tails of both signs'"),
    ("TanhCutAt5", "tanh", "wrong", "", "'tails of both signs'"),
    ("PlainSigmoid", "sigmoid", "right", "", ""),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "called", "said"), VERDICTS, ids=lambda text: text)
def test_verdicts(name, kind, outcome, called, said):
    verdict = verify(f"{WILD}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome, str(verdict)
    assert called in verdict.called and said in str(verdict)


def test_a_file_lists_what_takes_x_alone_as_the_identity():
    kinds = {one.name: one.kind for one in listed(WILD)}
    assert (kinds["linear"], kinds["gelu"], kinds["LeakyReLU"]) == ("identity", "gelu", "leaky_relu")
    assert "d_gelu" not in kinds and "lrelu_derivative" not in kinds


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ((-0.05, -0.2, -0.8), {"negative_slope": 0.2}),
        ((-0.05, -0.2, -0.8 - 1e-5), {}),
        ((0.05, 0.2, 0.8), {}),
        ((0.0, 0.0, 0.0), {}),
        ((-0.25, -1.0, -4.0), {}),
        ((-0.05, -0.2), {}),
    ],
    ids=["a slope", "no single one", "folded", "a ReLU's", "the identity's", "raises at the third"],
)
def test_what_counts_as_a_slope(values, read):
    """One number below 1 for all negative numbers, and nothing else."""
    left = iter(values)

    def ask(convention, probe):
        value = next(left, None)
        if value is None:
            return {"at": "forward", "error": "ValueError: no"}
        return {"forward": [{"path": [[".", "out"]], "value": value}], "error": ""}

    trial = Trial(ask, {}, "leaky_relu", False)
    given = Convention("leaky_relu", out=Place(((".", "out"),)), constructor=())
    probe = Probe("leaky_relu", "a trial", {}, {"x": np.zeros((6, 4))})
    assert own_constant(trial, given, probe).own == read
