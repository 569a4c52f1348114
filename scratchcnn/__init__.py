"""scratchcnn: convolutional networks in NumPy alone, written to be read.

Follows chapter 7 of *Deep Learning from Scratch*; every public name imports from here.
"""

from scratchcnn.gradient_check import (
    GradientCheck,
    PrecisionWarning,
    check_gradient,
    check_layer,
    numerical_gradient,
)
from scratchcnn.im2col import col2im, im2col, output_size
from scratchcnn.init import he, normal, xavier
from scratchcnn.layers import (
    RBF,
    Affine,
    BatchNormalization,
    Concat,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNormalization,
    PartialConvolution,
    PenaltyLoss,
    Pooling,
    Relu,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxWithLoss,
    Subsampling,
    Tanh,
    softmax,
)
from scratchcnn.networks import NETWORKS, AlexNet, LeNet, LeNet5, Network, SimpleConvNet
from scratchcnn.optim import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp
from scratchcnn.trainer import Trainer
from scratchcnn.weights import WeightMismatch, load_weights, save_weights

__version__ = "0.1.0"

__all__ = [
    "NETWORKS",
    "RBF",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Affine",
    "AlexNet",
    "BatchNormalization",
    "Concat",
    "Convolution",
    "Dropout",
    "Flatten",
    "GradientCheck",
    "Layer",
    "LeNet",
    "LeNet5",
    "LocalResponseNormalization",
    "Momentum",
    "Nesterov",
    "Network",
    "PartialConvolution",
    "PenaltyLoss",
    "Pooling",
    "PrecisionWarning",
    "RMSProp",
    "Relu",
    "Residual",
    "Sequential",
    "Sigmoid",
    "SimpleConvNet",
    "Softmax",
    "SoftmaxWithLoss",
    "Subsampling",
    "Tanh",
    "Trainer",
    "WeightMismatch",
    "check_gradient",
    "check_layer",
    "col2im",
    "he",
    "im2col",
    "load_weights",
    "normal",
    "numerical_gradient",
    "output_size",
    "save_weights",
    "softmax",
    "xavier",
]
