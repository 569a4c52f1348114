"""Names that have a kind's word in them and mean something else are of no kind."""

import pytest

from parity.kinds.names import kind_by_words

OTHERS = (
    *("ThresholdedReLU", "ParametricReLU", "SquaredReLU", "ClippedReLU", "clipped_relu", "NoisyReLU"),
    *("TanhShrink", "ScaledTanh", "HardTanh", "BipolarSigmoid", "GumbelSoftmax", "RectifiedLinearUnit"),
    *("GlobalMaxPool2D", "GlobalMaxPooling", "global_max_pool", "SumPooling2D", "LPPool2d", "MaxUnpool2d"),
    *("MaxUnPooling", "StochasticPooling", "MedianPool", "AdaptiveMaxPool2d", "FractionalMaxPool2d"),
    *(
        "BatchNorm3d",
        "BatchNorm3dManual",
        "LayerNorm2d",
        "PreLayerNorm",
        "NormLayer",
        "InstanceNorm1d",
        "BatchReNorm1d",
    ),
    *("GaussianDropout", "AlphaDropout", "SpatialDropout2D", "Dropout2d", "FocalCrossEntropy"),
)


@pytest.mark.parametrize("name", OTHERS)
def test_it_is_something_else(name):
    assert kind_by_words(name) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("GlobalAvgPool2D", "global_average_pooling"),
        ("GlobalPooling", "global_average_pooling"),
        ("AdaptiveAvgPooling2D", "adaptive_average_pooling"),
        ("SpatialBatchNormalization", "batch_norm"),
        ("BatchNorm1dManual", "batch_norm"),
        ("MyBatchNormalization1DLayer", "batch_norm"),
        ("BN_1D", "batch_norm"),
        ("bn2d", "batch_norm"),
        ("BatchNormalizer", "batch_norm"),
        ("batchnormalize", "batch_norm"),
        ("LayerNorm", "layer_norm"),
        ("MyLayerNormalization1D", "layer_norm"),
        ("layer_norm_numpy", "layer_norm"),
        ("layernorm", "layer_norm"),
        ("BatchNormLayer", "batch_norm"),
        ("TrainableLinear", "affine"),
        ("SmoothReLU", "softplus"),
        ("ScaledELU", "selu"),
        ("MomentumSGD", "momentum"),
        ("SigmoidWithLoss", "binary_cross_entropy"),
        ("MeanSquareError", "mean_squared_error"),
        ("DropoutLayer", "dropout"),
    ],
)
def test_these_words_leave_it_what_it_is(name, kind):
    assert kind_by_words(name) == kind
