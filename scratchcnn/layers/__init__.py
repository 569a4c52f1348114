"""The layers: forward and backward by hand, in NumPy alone."""

from scratchcnn.layers.activations import (
    ELU,
    GELU,
    SELU,
    Identity,
    LeakyRelu,
    Relu6,
    Softplus,
    Softsign,
    Step,
)
from scratchcnn.layers.adaptive import AdaptiveAveragePooling, GlobalAveragePooling
from scratchcnn.layers.base import Container, Layer, Sequential
from scratchcnn.layers.basic import (
    Affine,
    Flatten,
    Loss,
    Relu,
    Sigmoid,
    Softmax,
    SoftmaxWithLoss,
    Tanh,
    softmax,
)
from scratchcnn.layers.batch_norm import BatchNorm
from scratchcnn.layers.branches import Concat, Residual
from scratchcnn.layers.convolution import Convolution
from scratchcnn.layers.cross_entropy import CrossEntropy
from scratchcnn.layers.dropout import Dropout
from scratchcnn.layers.elementwise_losses import (
    BinaryCrossEntropy,
    ElementwiseLoss,
    HingeLoss,
    HuberLoss,
    MeanAbsoluteError,
    MeanSquaredError,
)
from scratchcnn.layers.layer_norm import LayerNorm
from scratchcnn.layers.lenet5 import RBF, PartialConvolution, PenaltyLoss, Subsampling
from scratchcnn.layers.linear import Linear
from scratchcnn.layers.multiclass_hinge import MultiClassHingeLoss
from scratchcnn.layers.normalization import BatchNormalization, LocalResponseNormalization
from scratchcnn.layers.padding import Pad
from scratchcnn.layers.pooling import Pooling
from scratchcnn.layers.side_head import SideHead
from scratchcnn.layers.silu import SiLU

__all__ = [
    "ELU",
    "GELU",
    "RBF",
    "SELU",
    "AdaptiveAveragePooling",
    "Affine",
    "BatchNorm",
    "BatchNormalization",
    "BinaryCrossEntropy",
    "Concat",
    "Container",
    "Convolution",
    "CrossEntropy",
    "Dropout",
    "ElementwiseLoss",
    "Flatten",
    "GlobalAveragePooling",
    "HingeLoss",
    "HuberLoss",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyRelu",
    "Linear",
    "LocalResponseNormalization",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MultiClassHingeLoss",
    "Pad",
    "PartialConvolution",
    "PenaltyLoss",
    "Pooling",
    "Relu",
    "Relu6",
    "Residual",
    "Sequential",
    "SiLU",
    "SideHead",
    "Sigmoid",
    "Softmax",
    "SoftmaxWithLoss",
    "Softplus",
    "Softsign",
    "Step",
    "Subsampling",
    "Tanh",
    "softmax",
]
