"""Which kind a class is meant to be, by its name: Conv2D, MaxPooling, Linear, CrossEntropyLoss."""

from __future__ import annotations

import re
from itertools import pairwise

from parity.kinds import ALL_KINDS, OPTIMIZER_KINDS
from parity.kinds.spelling import respelled, spelled

# The kinds that somebody else's code can be checked as; the others are LeNet-5's own.
NAMES = tuple(kind.name for kind in ALL_KINDS.values() if kind.call)
KNOWN = {name.replace("_", ""): name for name in NAMES} | {
    alias: name for name in NAMES for alias in ALL_KINDS[name].aliases
}


def kind_by_name(name: str) -> str | None:
    """The kind of a class of that name, or None when the name does not say."""
    plain = re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].split(",")[0].rpartition(".")[2].lower())
    return KNOWN.get(plain)


# What people put around the name: MyConv2D, LinearLayer, conv_naive, NumpyRelu.
AROUND = ("my", "our", "np", "numpy", "custom", "simple", "naive", "fast", "vanilla", "basic", "scratch")
STABLE = ("stable", "stabilized", "stabilised", "safe", "numerically")  # of functions that do not overflow
AROUND_TOO = (
    "layer",
    "layers",
    "module",
    "function",
    "activation",
    "block",
    "op",
    "optimizer",
    "optim",
    "2d",
)
# The same around that of an optimizer whose rate decays: SGD_Decay, AdamOpt.
OF_OPTIMIZERS = {*AROUND_TOO, "opt", "optimiser", "with", "lr", "learning", "rate", "decay", "schedule"}
# Words of which one in the name makes it something else, though another word there is a kind's.
OTHER_THINGS = (
    *("transpose", "transposed", "deconv", "deconvolution", "depthwise", "separable", "dilated", "upsample"),
    *("unpool", "unpooling", "1d", "3d", "leaky", "prelu", "elu", "selu", "gelu", "crelu", "relu6", "hard"),
    *("log", "logsoftmax", "group", "instance", "recurrent", "lstm", "gru", "rnn", "attention", "embedding"),
    *("binary", "bce", "mse", "hinge"),
    *("clipped", "capped", "bounded", "saturated", "thresholded", "threshold", "parametric", "parameterized"),
    *("randomized", "noisy", "concatenated", "squared", "square", "quadratic", "shrink", "scaled", "shifted"),
    *("bipolar", "symmetric", "gated", "glu", "penalized", "rectified"),
    *("gaussian", "alpha", "variational"),
    *("sum", "lp", "l2", "median", "stochastic", "fractional", "pyramid", "roi", "unpooled", "un", "kmax"),
    *("adaptive", "mixed", "gumbel", "sparsemax", "hierarchical", "sampled", "temperature", "tempered"),
    *(
        "grouped",
        "focal",
        "margin",
        "smooth",
        "smoothed",
        "smoothing",
        "deformable",
        "octave",
        "renorm",
        "re",
        "ghost",
    ),
    *(
        "regression",
        "regressor",
        "classifier",
        "net",
        "network",
        "model",
        "test",
        "base",
        "abstract",
        "partial",
        "bn",
        "masked",
        "causal",
    ),
)
# Words that make it something else only together: a maximum over the whole image, a mask for whole channels.
OTHER_PAIRS = (
    *(("global", "max"), ("global", "min"), ("global", "sum"), ("dropout", "2d"), ("spatial", "dropout")),
    *(("learnable", "relu"), ("trainable", "relu"), ("concrete", "dropout")),
)
WORDS: tuple[tuple[tuple[str, ...], str], ...] = (  # all of the words -> the kind, the most particular first
    (("sigmoid", "loss"), "binary_cross_entropy"),
    (("softmax", "loss"), "softmax_with_loss"),
    (("softmax", "entropy"), "softmax_with_loss"),
    (("cross", "entropy"), "softmax_with_loss"),
    (("crossentropy",), "softmax_with_loss"),
    (("batch", "norm"), "batch_norm"),
    (("batchnorm",), "batch_norm"),
    (("batch", "normalization"), "batch_norm"),
    (("batch", "normalisation"), "batch_norm"),
    (("batch", "normalize"), "batch_norm"),
    (("batch", "normalizer"), "batch_norm"),
    (("batchnormalization",), "batch_norm"),
    (("batchnormalize",), "batch_norm"),
    (("batchnormalizer",), "batch_norm"),
    (("global", "pool"), "global_average_pooling"),
    (("avg", "pool"), "average_pooling"),
    (("average", "pool"), "average_pooling"),
    (("mean", "pool"), "average_pooling"),
    (("min", "pool"), "min_pooling"),
    (("pool",), "max_pooling"),
    (("conv",), "convolution"),
    (("fully",), "affine"),
    (("full", "connect"), "affine"),
    (("full", "connected"), "affine"),
    (("connected", "layer"), "affine"),
    *(((word,), "affine") for word in ("affine", "dense", "linear", "fc")),
    *(((word,), word) for word in ("relu", "sigmoid", "tanh", "softmax", "dropout", "silu", "flatten")),
)


# Losses by words that other names have too: all of them are in the name, and nothing else but LOSS_AROUND.
LOSSES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("log", "softmax", "cross", "entropy"), "softmax_with_loss"),
    (("negative", "log", "likelihood"), "softmax_with_loss"),
    (("sigmoid", "bce"), "binary_cross_entropy"),
    (("sigmoid", "cross", "entropy"), "binary_cross_entropy"),
    (("sigmoid", "crossentropy"), "binary_cross_entropy"),
    (("mean", "squared", "loss"), "mean_squared_error"),
    (("mean", "square", "loss"), "mean_squared_error"),
    (("residual", "sum", "of", "squares"), "mean_squared_error"),
    (("mse",), "mean_squared_error"),
    (("mean", "squared", "error"), "mean_squared_error"),
    (("mean", "square", "error"), "mean_squared_error"),
    (("mean", "square"), "mean_squared_error"),
    (("squared", "error"), "mean_squared_error"),
    (("square", "error"), "mean_squared_error"),
    (("quadratic",), "mean_squared_error"),
    (("mae",), "mean_absolute_error"),
    (("mean", "absolute", "error"), "mean_absolute_error"),
    (("absolute", "error"), "mean_absolute_error"),
    (("huber",), "huber_loss"),
    (("hinge",), "hinge_loss"),
    (("svm",), "multiclass_hinge_loss"),
    (("bce",), "binary_cross_entropy"),
    (("binary", "cross", "entropy"), "binary_cross_entropy"),
    (("binary", "crossentropy"), "binary_cross_entropy"),
    (("log", "loss"), "binary_cross_entropy"),
)
# What people shorten in the names of losses.
SHORT = {
    **dict.fromkeys(("ce", "xent", "crossent"), ("cross", "entropy")),
    "cce": ("categorical", "cross", "entropy"),
    "scce": ("sparse", "categorical", "cross", "entropy"),
    "ent": ("entropy",),
    "nll": ("negative", "log", "likelihood"),
    "neg": ("negative",),
    "sq": ("squared",),
    "err": ("error",),
    "abs": ("absolute",),
}
LOSS_AROUND = {
    "loss",
    "cost",
    "error",
    "fn",
    "criterion",
    "objective",
    "forward",
    "calc",
    "compute",
    "half",
    "with",
    "and",
    "from",
    "logits",
    "logit",
}
LOSS_AROUND |= {*AROUND, *AROUND_TOO}


# What stands around the name of a function that is one: relu_func, compute_softmax, relu_hidden.
OF_FUNCTIONS = {*AROUND, *STABLE, "layer", "fn", "func", "function", "activation", "act", "vec", "vectorized"}
OF_FUNCTIONS |= {
    "batch",
    "batched",
    "calc",
    "calculate",
    "compute",
    "get",
    "apply",
    "f",
    "hidden",
    "output",
    "elementwise",
}
# The same of a layer of several arguments: convolution_multiple_filters, conv_naive.
OF_LAYERS = {*AROUND, *STABLE, "layer", "op", "operation", "fn", "loop", "loops", "vectorized", "apply"}
OF_LAYERS |= {"multiple", "multi", "filters", "channels", "channel", "multichannel", "batch", "batched"}
OF_LAYERS |= {"from", "manual", "pure", "python", "image", "images", "gray", "grey", "grayscale", "nested"}
OF_LAYERS |= {"strided", "strides", "stride", "valid", "same", "slow", "einsum", "im2col", "reference", "ref"}
OF_LAYERS |= {"nchw", "nhwc", "2d", "fwd", "with", "padding"}
OF_COLUMNS = {*OF_LAYERS, "sliding", "indices", "array", "view", "window", "windows"} - {"im2col", "get"}


NORM = {"norm", "normalization", "normalisation", "normalize", "normalise", "normalizer"}


def _as_one_word(words: list[str]) -> list[str]:
    """The words, with `layer` and `norm` after it as one: there the layer is no word around the name."""
    found: list[str] = []
    for word in words:
        if word in NORM and found[-1:] == ["layer"]:
            found[-1] = "layernorm"
        else:
            found.append("layernorm" if word in {f"layer{norm}" for norm in NORM} else word)
    return found


def kind_without_praise(name: str) -> str | None:
    """The kind of `stable_softmax` or `sigmod_func`, which is that of the name without those words."""
    return _kind_without(name, OF_FUNCTIONS)


def kind_of_layer_function(name: str) -> str | None:
    """The kind of `my_conv2d` or `convolution_multiple_filters`, as functions of several arguments."""
    return _kind_without(name, OF_LAYERS)


def kind_of_columns(name: str) -> str | None:
    """The kind of `im2col_strided` or `fast_col2im`."""
    return _kind_without(name, OF_COLUMNS)


def _kind_without(name: str, around: set[str]) -> str | None:
    name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", re.sub(r"Re(LU|Lu)", "relu", name))
    words = _as_one_word([spelled(word) for word in name.lower().split("_")])
    return kind_by_name("_".join(word for word in words if word not in around))


def _loss_by_words(words: list[str]) -> str | None:
    return next(
        (
            kind
            for needed, kind in LOSSES
            if set(needed) <= set(words) and set(words) <= {*needed, *LOSS_AROUND} and len(words) > 1
        ),
        None,
    )


def kind_by_words(name: str) -> str | None:
    """The kind by the words of a name, for what is known to be a layer; None where they do not say."""
    if known := kind_by_name(name):
        return known
    name = re.sub(r"Re(LU|Lu)", "Relu", respelled(name))  # one word, not two
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", name)
    words = [part for word in spaced.lower().split() for part in SHORT.get(word, (word,))]
    words = [re.sub(r"^(conv|pool)[a-z]*$", r"\1", word) for word in words if word not in AROUND]
    words = _as_one_word(words)
    if "layernorm" in words and {"2d", "3d"} & set(words):
        return None  # over the channels of images
    if any(set(both) <= set(words) for both in OTHER_PAIRS):
        return None
    rest = "".join(word for word in words if word not in AROUND_TOO)
    if known := KNOWN.get(rest):
        return known
    if (own := KNOWN.get("".join(w for w in words if w not in OF_OPTIMIZERS))) in OPTIMIZER_KINDS:
        return own
    joined = " ".join(words).replace("2 d", "2d").replace("1 d", "1d").replace("3 d", "3d").split()
    if loss := _loss_by_words(joined):
        return loss
    if _is_of_rows_too(joined):  # batch normalization over rows is no other thing than over images
        joined = [word for word in joined if word != "1d"]
    elif name.lower().endswith(("1d", "3d")):
        return None
    if set(joined) & set(OTHER_THINGS):
        return None
    if {"sigmoid", "entropy"} <= set(joined):
        return None
    if any(len(first) == 1 and second == "relu" for first, second in pairwise(joined)):
        return None  # PReLU, CReLU, RReLU
    return next((kind for needed, kind in WORDS if set(needed) <= set(joined)), None)


def _is_of_rows_too(words: list[str]) -> bool:
    """Whether the words are those of a batch normalization of rows or images."""
    return "3d" not in words and any(
        kind == "batch_norm" and set(needed) <= set(words) for needed, kind in WORDS
    )
