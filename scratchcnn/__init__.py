"""scratchcnn: convolutional networks in NumPy alone, written to be read.

Follows chapter 7 of *Deep Learning from Scratch*. Every public name imports from here, apart from four
packages with names of their own: `scratchcnn.data` (image sets), `scratchcnn.naive` (every operation as
plain loops), `scratchcnn.fast` (the same layers, written for the machine) and `scratchcnn.book` (the book's
modules under the book's names, for its scripts).
"""

from typing import TYPE_CHECKING, Any

from scratchcnn.gradient_check import (
    Direction,
    GradientCheck,
    Kink,
    PrecisionWarning,
    check_gradient,
    check_layer,
    numerical_gradient,
)
from scratchcnn.im2col import col2im, im2col, output_size
from scratchcnn.init import fans, he, normal, xavier
from scratchcnn.layers import (
    ELU,
    GELU,
    RBF,
    SELU,
    AdaptiveAveragePooling,
    Affine,
    BatchNorm,
    BatchNormalization,
    BinaryCrossEntropy,
    Concat,
    Container,
    Convolution,
    CrossEntropy,
    Dropout,
    ElementwiseLoss,
    Flatten,
    GlobalAveragePooling,
    HingeLoss,
    HuberLoss,
    Identity,
    Layer,
    LayerNorm,
    LeakyRelu,
    Linear,
    LocalResponseNormalization,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    MultiClassHingeLoss,
    Pad,
    PartialConvolution,
    PenaltyLoss,
    Pooling,
    Relu,
    Relu6,
    Residual,
    Sequential,
    SideHead,
    Sigmoid,
    SiLU,
    Softmax,
    SoftmaxWithLoss,
    Softplus,
    Softsign,
    Step,
    Subsampling,
    Tanh,
    softmax,
)
from scratchcnn.networks import (
    CHAPTER,
    NETWORKS,
    VGG,
    VGG11,
    VGG11BN,
    VGG13,
    VGG13BN,
    VGG16,
    VGG16BN,
    VGG19,
    VGG19BN,
    AlexNet,
    GoogLeNet,
    GoogLeNetBN,
    LeNet,
    LeNet5,
    Network,
    ResNet,
    ResNet18,
    ResNet34,
    ResNet50,
    ResNet101,
    SimpleConvNet,
    TorchvisionAlexNet,
)
from scratchcnn.optim import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    AdaGrad,
    Adam,
    Adamax,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
)
from scratchcnn.pixel_range import PixelRangeWarning
from scratchcnn.trainer import Progress, Trainer
from scratchcnn.weights import (
    WeightMismatch,
    load_weights,
    read_safetensors,
    save_weights,
    write_safetensors,
)

if TYPE_CHECKING:
    from scratchcnn.imagenet import preprocess
    from scratchcnn.images import light_background, read_image, resize
    from scratchcnn.onnx_export import export_onnx, onnx_model
    from scratchcnn.summary import LayerSummary, summarize
    from scratchcnn.torch_weights import (
        load_checkpoint,
        load_torch_weights,
        read_torch_weights,
        save_checkpoint,
        save_torch_weights,
    )

__version__ = "0.1.0"

__all__ = [
    "CHAPTER",
    "ELU",
    "GELU",
    "NETWORKS",
    "OPTIMIZERS",
    "RBF",
    "SELU",
    "SGD",
    "VGG",
    "VGG11",
    "VGG11BN",
    "VGG13",
    "VGG13BN",
    "VGG16",
    "VGG16BN",
    "VGG19",
    "VGG19BN",
    "AdaGrad",
    "Adadelta",
    "Adam",
    "AdamW",
    "Adamax",
    "AdaptiveAveragePooling",
    "Affine",
    "AlexNet",
    "BatchNorm",
    "BatchNormalization",
    "BinaryCrossEntropy",
    "Concat",
    "Container",
    "Convolution",
    "CrossEntropy",
    "Direction",
    "Dropout",
    "ElementwiseLoss",
    "Flatten",
    "GlobalAveragePooling",
    "GoogLeNet",
    "GoogLeNetBN",
    "GradientCheck",
    "HingeLoss",
    "HuberLoss",
    "Identity",
    "Kink",
    "Layer",
    "LayerNorm",
    "LayerSummary",
    "LeNet",
    "LeNet5",
    "LeakyRelu",
    "Linear",
    "LocalResponseNormalization",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Momentum",
    "MultiClassHingeLoss",
    "Nesterov",
    "Network",
    "Optimizer",
    "Pad",
    "PartialConvolution",
    "PenaltyLoss",
    "PixelRangeWarning",
    "Pooling",
    "PrecisionWarning",
    "Progress",
    "RMSProp",
    "Relu",
    "Relu6",
    "ResNet",
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "ResNet101",
    "Residual",
    "Sequential",
    "SiLU",
    "SideHead",
    "Sigmoid",
    "SimpleConvNet",
    "Softmax",
    "SoftmaxWithLoss",
    "Softplus",
    "Softsign",
    "Step",
    "Subsampling",
    "Tanh",
    "TorchvisionAlexNet",
    "Trainer",
    "WeightMismatch",
    "check_gradient",
    "check_layer",
    "col2im",
    "export_onnx",
    "fans",
    "he",
    "im2col",
    "light_background",
    "load_checkpoint",
    "load_torch_weights",
    "load_weights",
    "normal",
    "numerical_gradient",
    "onnx_model",
    "output_size",
    "preprocess",
    "read_image",
    "read_safetensors",
    "read_torch_weights",
    "resize",
    "save_checkpoint",
    "save_torch_weights",
    "save_weights",
    "softmax",
    "summarize",
    "write_safetensors",
    "xavier",
]

# Modules that not every program needs are imported when one of their names is first used.
_LAZY = {
    "LayerSummary": "summary",
    "export_onnx": "onnx_export",
    "light_background": "images",
    "load_checkpoint": "torch_weights",
    "load_torch_weights": "torch_weights",
    "onnx_model": "onnx_export",
    "preprocess": "imagenet",
    "read_image": "images",
    "read_torch_weights": "torch_weights",
    "resize": "images",
    "save_checkpoint": "torch_weights",
    "save_torch_weights": "torch_weights",
    "summarize": "summary",
}
_PACKAGES = ("data", "fast", "naive")


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _PACKAGES:
        return import_module(f"scratchcnn.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module 'scratchcnn' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"scratchcnn.{_LAZY[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *_PACKAGES, "__version__"])
