"""For every kind: a right implementation passes, wrong ones fail with culprit, diagnosis and reproduction."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from parity.faults.diagnose import PLAIN
from parity.kinds import ALL_KINDS, OPTIMIZER_KINDS, kind_of
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
RIGHT = {
    "im2col": "im2col",
    "col2im": "col2im",
    "convolution": "Convolution",
    "max_pooling": "MaxPooling",
    "average_pooling": "AveragePooling",
    "min_pooling": "MinPooling",
    "affine": "Affine",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softmax": "Softmax",
    "softmax_with_loss": "SoftmaxWithLoss",
    "lrn": "LRN",
    "dropout": "Dropout",
    "batch_norm": "BatchNormalization",
    "sgd": "SGD",
    "momentum": "Momentum",
    "nesterov": "Nesterov",
    "adagrad": "AdaGrad",
    "rmsprop": "RMSProp",
    "adadelta": "Adadelta",
    "adam": "Adam",
    "numerical_gradient": "numerical_gradient",
}

# kind: (class, phase and tensor of the culprit, what it is; "" where it is nothing that the catalogue knows)
WRONG = {
    "im2col": [
        ("im2col_float64", "forward col", "im2col-float64"),
        ("im2col_pads_one_side", "forward col", "im2col-pads-behind-only"),
        ("im2col_flattens_c_last", "forward col", "im2col-channels-last"),
    ],
    "col2im": [
        ("col2im_overwrites", "forward img", "col2im-assigns"),
        ("col2im_keeps_the_border", "forward img", ""),
        ("col2im_float64", "forward img", "col2im-float64"),
    ],
    "convolution": [
        ("ConvolutionWithoutDx", "backward dx", "conv-no-dx"),
        ("ConvolutionTurned", "forward out", "conv-flipped-kernel"),
        ("ConvolutionMeanBias", "backward db", "conv-db-mean"),
        ("ConvolutionAddsUp", "same call, same answer dW", ""),
        ("ConvolutionFloat64", "forward out", "float64-from-float32"),
    ],
    "max_pooling": [
        ("PoolingThatRaises", "forward out", "max-pool-raises-with-pad"),
        ("PoolingThatRaisesAndWidens", "forward out", "max-pool-raises-with-pad"),
        ("PoolingZeroPadded", "forward out", "max-pool-zero-padding"),
        ("PoolingTiesToAll", "backward dx", "max-pool-ties-to-all"),
    ],
    "average_pooling": [
        ("AverageSwapped", "forward out", "average-pool-window-axes-swapped"),
        ("AverageGradientNotDivided", "backward dx", "average-pool-gradient-not-divided"),
        ("AverageSum", "forward out", "average-pool-sum"),
    ],
    "min_pooling": [
        ("MinZeroPadded", "forward out", "min-pool-zero-padding"),
        ("MinForgetsTheSign", "forward out", "min-pool-sign-lost"),
        ("MinIsMax", "forward out", "min-pool-takes-max"),
    ],
    "affine": [
        ("AffineTransposedGradient", "backward dW", "affine-dw-transposed"),
        ("AffineNoBiasGradient", "backward db", "affine-db-forgotten"),
        ("AffineMean", "backward dW", "affine-dw-mean"),
    ],
    "relu": [
        ("ReluInPlace", "arguments unchanged dout unchanged", "relu-dx-is-dout"),
        ("ReluLeaky", "forward out", "relu-leaky"),
        ("ReluAtZero", "backward dx", "other-slope-at-the-kink"),
    ],
    "sigmoid": [
        ("SigmoidOverflows", "forward out", "sigmoid-overflow"),
        ("SigmoidOfInput", "backward dx", "sigmoid-derivative-of-x"),
        ("SigmoidHalfGradient", "backward dx", ""),
    ],
    "tanh": [
        ("TanhWrongDerivative", "backward dx", "tanh-derivative-not-squared"),
        ("TanhOutputForDerivative", "backward dx", ""),
        ("TanhSigmoid", "forward out", ""),
    ],
    "softmax": [
        ("SoftmaxNoShift", "forward out", "softmax-no-shift"),
        ("SoftmaxDiagonal", "backward dx", "softmax-diagonal-backward"),
        ("SoftmaxOverRows", "forward out", "softmax-over-the-batch"),
    ],
    "softmax_with_loss": [
        ("ClampedLoss", "forward loss", "loss-clamped-logarithm"),
        ("LossNotDivided", "backward dx", "loss-gradient-not-divided"),
        ("LossInBits", "forward loss", "loss-base-two"),
    ],
    "lrn": [
        ("LRNPaper", "forward out", "lrn-alpha-not-divided"),
        ("LRNForgetsTheNeighbours", "backward dx", "lrn-cross-term-forgotten"),
        ("LRNForgetsK", "forward out", "lrn-k-forgotten"),
    ],
    "dropout": [
        ("DropoutNotInverted", "forward out", "dropout-not-inverted"),
        ("DropoutKeepsTheRatio", "forward out", "dropout-keep-and-drop-swapped + dropout-share-swapped"),
        ("DropoutForgetsBackward", "backward dx", "dropout-backward-not-masked"),
    ],
    "batch_norm": [
        ("BatchNormReversed", "forward running_mean", "batch-norm-momentum-reversed"),
        ("BatchNormAlwaysTraining", "forward out", ""),
        ("BatchNormBook", "forward out", "batch-norm-book"),
        ("BatchNormForgetsTheMean", "backward dx", "batch-norm-dx-as-in-inference"),
    ],
    "sgd": [
        ("SGDUphill", "forward W step 1", "sgd-ascends"),
        ("SGDReplaces", "updated in place W unchanged as an object", "sgd-new-arrays"),
        ("SGDSpoilsGradients", "arguments unchanged gradient W of step 1 unchanged", "sgd-writes-into-grads"),
    ],
    "momentum": [
        ("MomentumDamped", "forward W step 1", "momentum-averages"),
        ("MomentumForgets", "forward W step 2", "momentum-never-kept"),
        ("MomentumClipped", "forward W step 1", ""),
    ],
    "nesterov": [
        ("NesterovBook", "forward W step 1", "nesterov-momentum-squared"),
        ("NesterovIsMomentum", "forward W step 1", "nesterov-plain-momentum"),
        ("NesterovForgets", "forward W step 2", ""),
    ],
    "adagrad": [
        ("AdaGradBook", "forward W step 1", "adagrad-book-epsilon"),
        ("AdaGradNoRoot", "forward W step 1", "adagrad-no-root"),
        ("AdaGradForgets", "forward W step 2", "adagrad-not-summed"),
    ],
    "rmsprop": [
        ("RMSPropBook", "forward W step 1", "rmsprop-book-epsilon"),
        ("RMSPropReversed", "forward W step 1", "rmsprop-decay-reversed"),
        ("RMSPropForgets", "forward W step 2", ""),
    ],
    "adadelta": [
        ("AdadeltaOfSmallEps", "forward W step 1", "adadelta-eps-of-1e-8"),
        ("AdadeltaForgetsChanges", "forward W step 2", "adadelta-changes-never-averaged"),
        ("AdadeltaRateInside", "forward W step 2", "adadelta-rate-in-the-changes"),
        ("AdadeltaOfFourthPowers", "forward W step 1", ""),
    ],
    "adam": [
        ("AdamBook", "forward W step 1", "adam-book-epsilon"),
        ("AdamUncorrected", "forward W step 1", "adam-no-bias-correction"),
        ("AdamSwappedBetas", "forward W step 2", "adam-betas-exchanged"),
    ],
    "numerical_gradient": [
        ("gradient_of_integers", "forward grad", "numerical-gradient-integers"),
        ("gradient_one_sided", "forward grad", "numerical-gradient-one-sided"),
        ("gradient_that_leaves_x_changed", "arguments unchanged x unchanged", "numerical-gradient-changes-x"),
    ],
}
NUMBERS_RIGHT = (
    "ClampedLoss",
    "im2col_float64",
    "col2im_float64",
    "ConvolutionFloat64",
    "ReluInPlace",
    "ReluAtZero",
    "SigmoidOverflows",
    "SoftmaxNoShift",
    "SGDReplaces",
    "SGDSpoilsGradients",
    "DropoutNotInverted",
    "BatchNormBook",
    "AdaGradBook",
    "RMSPropBook",
    "AdadeltaOfSmallEps",
    "AdamBook",
    "MomentumDamped",
)
OUTCOMES = {**dict.fromkeys(NUMBERS_RIGHT, "right_but"), "LossReturnsTwo": "not_checked"}
CASES = [
    pytest.param(kind, *case, id=f"{kind}: {case[0]}") for kind, cases in WRONG.items() for case in cases
]


def of_homework(module, name):
    return f"{HOMEWORK / module}.py:{name}"


def test_every_kind_has_a_right_one_and_three_wrong_ones():
    assert WRONG.keys() == RIGHT.keys() and min(map(len, WRONG.values())) >= 3


@pytest.mark.parametrize("kind", RIGHT)
def test_a_right_one_passes(kind):
    verdict = verify(of_homework("right", RIGHT[kind]), kind)
    assert verdict.ok, str(verdict)
    assert verdict.findings["ok"].all() and len(verdict.findings) >= 5
    assert (verdict.culprit, verdict.reproduction, verdict.first) == (None, "", None)
    assert str(verdict).splitlines()[0].split(": ", 1)[1].startswith("right")


OF_OTHER_KINDS = {  # our options that kinds of their own check, momentum_options and the like
    *("maximize other than False", "amsgrad other than False", "centered other than False"),
    *("momentum other than 0", "dampening other than 0", "dilation other than 1"),
    *("on_remainder other than 'floor'", "count_include_pad other than True"),
}


@pytest.mark.parametrize("kind", sorted(set(RIGHT) & set(ALL_KINDS)))
def test_ours_pass_in_full(kind):
    verdict = verify(kind_of(kind).ours, kind)
    left = set(verdict.not_checked)
    assert verdict.ok and left <= OF_OTHER_KINDS, str(verdict)
    assert left or "right, the same function as PyTorch's" in str(verdict)


@pytest.mark.parametrize(("kind", "name", "culprit", "fault"), CASES)
def test_a_wrong_one_fails_and_is_explained(kind, name, culprit, fault):
    module = "wrong_rules" if kind in OPTIMIZER_KINDS else "wrong"
    verdict = verify(of_homework(module, name), kind, strict=True)
    assert not verdict.ok and verdict.outcome == OUTCOMES.get(name, "wrong")
    assert f"{verdict.culprit.phase} {verdict.culprit.tensor}" == culprit, str(verdict)
    assert verdict.diagnosis.fault == fault, str(verdict)
    assert len(verdict.reproduction.splitlines()) in (3, 4, 5)
    assert shown_again(verdict), verdict.reproduction


def shown_again(verdict):
    """Whether pasting the reproduction gives what the report says: the same wrong value, or exception."""
    space, printed, row = {}, io.StringIO(), verdict.first.record
    try:
        with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
            exec(verdict.reproduction, space)
    except Exception as error:
        return row.why.startswith(f"raised {type(error).__name__}")
    if row.phase not in PLAIN or verdict.first.ours is None or "replay" in space:
        return bool(printed.getvalue())
    return "PyTorch" in printed.getvalue() and same(value_of(row, verdict, space), verdict.first.ours)


def value_of(row, verdict, space):
    if verdict.kind in OPTIMIZER_KINDS:
        return space["params"][row.tensor.split()[0]]
    names = {"dx": "dx"} | dict.fromkeys(("out", "loss", "col", "img", "grad"), "out")
    return space[names[row.tensor]] if row.tensor in names else getattr(space["layer"], row.tensor)


def same(a, b):
    return np.asarray(a).dtype == b.dtype and np.allclose(a, b, rtol=1e-6, equal_nan=True)
