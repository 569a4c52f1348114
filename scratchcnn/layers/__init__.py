"""The layers: forward and backward by hand, in NumPy alone."""

from scratchcnn.layers.activations import Relu, Sigmoid, Softmax, Tanh, softmax
from scratchcnn.layers.adaptive import AdaptiveAveragePooling, GlobalAveragePooling
from scratchcnn.layers.affine import RBF, Affine, Flatten
from scratchcnn.layers.base import Layer
from scratchcnn.layers.container import Concat, Container, Residual, Sequential
from scratchcnn.layers.convolution import Convolution, PartialConvolution
from scratchcnn.layers.dropout import Dropout
from scratchcnn.layers.loss import Loss, PenaltyLoss, SoftmaxWithLoss
from scratchcnn.layers.normalization import BatchNormalization, LocalResponseNormalization
from scratchcnn.layers.pooling import Pooling, Subsampling
from scratchcnn.layers.side_head import SideHead

__all__ = [
    "RBF",
    "AdaptiveAveragePooling",
    "Affine",
    "BatchNormalization",
    "Concat",
    "Container",
    "Convolution",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling",
    "Layer",
    "LocalResponseNormalization",
    "Loss",
    "PartialConvolution",
    "PenaltyLoss",
    "Pooling",
    "Relu",
    "Residual",
    "Sequential",
    "SideHead",
    "Sigmoid",
    "Softmax",
    "SoftmaxWithLoss",
    "Subsampling",
    "Tanh",
    "softmax",
]
