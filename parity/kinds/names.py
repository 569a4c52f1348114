"""Which kind a class is meant to be, by its name: Conv2D, MaxPooling, Linear, CrossEntropyLoss."""

from __future__ import annotations

import re

KINDS = (
    "im2col",
    "col2im",
    "convolution",
    "max_pooling",
    "average_pooling",
    "min_pooling",
    "adaptive_average_pooling",
    "global_average_pooling",
    "affine",
    "relu",
    "sigmoid",
    "tanh",
    "softmax",
    "softmax_with_loss",
    "lrn",
    "dropout",
    "batch_norm",
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adam",
    "adamw",
    "numerical_gradient",
)
ALIASES = {
    "convolution": ("conv", "conv2d", "convlayer", "convolution2d", "convolutionlayer"),
    "max_pooling": (
        "pooling",
        "maxpool",
        "maxpool2d",
        "maxpooling2d",
        "pool",
        "poolinglayer",
        "maxpoollayer",
    ),
    "average_pooling": (
        "avgpool",
        "avgpool2d",
        "averagepool",
        "avgpooling",
        "meanpooling",
        "averagepooling2d",
    ),
    "min_pooling": ("minpool", "minpool2d"),
    "adaptive_average_pooling": ("adaptiveavgpool", "adaptiveavgpool2d", "adaptiveaveragepool"),
    "global_average_pooling": ("globalavgpool", "globalavgpool2d", "globalaveragepool", "gap"),
    "affine": ("linear", "dense", "fullyconnected", "fc", "linearlayer", "denselayer", "affinelayer"),
    "relu": ("relulayer", "rectifier"),
    "sigmoid": ("sigmoidlayer", "logistic"),
    "softmax_with_loss": (
        "softmaxloss",
        "crossentropy",
        "crossentropyloss",
        "softmaxcrossentropy",
        "softmaxcrossentropyloss",
        "softmaxwithcrossentropy",
    ),
    "lrn": ("localresponsenormalization", "localresponsenorm"),
    "dropout": ("dropoutlayer",),
    "batch_norm": ("batchnormalization", "batchnorm2d", "batchnorm1d", "bn"),
    "numerical_gradient": ("numericalgradient", "numgrad"),
}
KNOWN = {kind.replace("_", ""): kind for kind in KINDS} | {
    a: kind for kind, names in ALIASES.items() for a in names
}


def guess_kind(name: str) -> str | None:
    """The kind of a class of that name, or None when the name does not say."""
    plain = re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].split(",")[0].rpartition(".")[2].lower())
    return KNOWN.get(plain)
