"""The specification: each operation with parameters or windows as plain loops.

Nothing here is fast, and nothing is shared with the layers. Each function computes one number at a time, in
float64, directly from the definition, and rounds the result to the input's dtype at the end. The layers are
tested against these functions, and these against PyTorch.

Each backward repeats the loop of the forward: where the forward adds `a * b` to an output, the backward adds
`dout * b` to the gradient of a and `dout * a` to the gradient of b.

Letters: N images, C channels, H and W height and width, FN filters, FH and FW filter, OH and OW output.
"""

from scratchcnn.naive.activations import (
    elu_backward,
    elu_forward,
    gelu_backward,
    gelu_forward,
    identity_backward,
    identity_forward,
    leaky_relu_backward,
    leaky_relu_forward,
    relu6_backward,
    relu6_forward,
    selu_backward,
    selu_forward,
    silu_backward,
    silu_forward,
    softplus_backward,
    softplus_forward,
    softsign_backward,
    softsign_forward,
    step_function_backward,
    step_function_forward,
)
from scratchcnn.naive.adaptive import (
    adaptive_average_backward,
    adaptive_average_forward,
    global_average_backward,
    global_average_forward,
)
from scratchcnn.naive.affine import (
    affine_backward,
    affine_forward,
    linear_backward,
    linear_forward,
    rbf_backward,
    rbf_forward,
)
from scratchcnn.naive.convolution import col2im, conv_backward, conv_forward, im2col
from scratchcnn.naive.elementwise_losses import (
    absolute_error,
    absolute_error_backward,
    binary_cross_entropy,
    binary_cross_entropy_backward,
    hinge_error,
    hinge_error_backward,
    huber_error,
    huber_error_backward,
    squared_error,
    squared_error_backward,
)
from scratchcnn.naive.layer_norm import layer_norm_backward, layer_norm_forward
from scratchcnn.naive.loss import (
    cross_entropy,
    cross_entropy_backward,
    multiclass_hinge,
    multiclass_hinge_backward,
    softmax_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    softmax_forward,
)
from scratchcnn.naive.normalization import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_options_forward,
    lrn_backward,
    lrn_forward,
)
from scratchcnn.naive.padding import pad_backward, pad_forward
from scratchcnn.naive.pooling import pool_backward, pool_forward, subsampling_backward, subsampling_forward

__all__ = [
    "absolute_error",
    "absolute_error_backward",
    "adaptive_average_backward",
    "adaptive_average_forward",
    "affine_backward",
    "affine_forward",
    "batch_norm_backward",
    "batch_norm_forward",
    "batch_norm_options_forward",
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "col2im",
    "conv_backward",
    "conv_forward",
    "cross_entropy",
    "cross_entropy_backward",
    "elu_backward",
    "elu_forward",
    "gelu_backward",
    "gelu_forward",
    "global_average_backward",
    "global_average_forward",
    "hinge_error",
    "hinge_error_backward",
    "huber_error",
    "huber_error_backward",
    "identity_backward",
    "identity_forward",
    "im2col",
    "layer_norm_backward",
    "layer_norm_forward",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "linear_backward",
    "linear_forward",
    "lrn_backward",
    "lrn_forward",
    "multiclass_hinge",
    "multiclass_hinge_backward",
    "pad_backward",
    "pad_forward",
    "pool_backward",
    "pool_forward",
    "rbf_backward",
    "rbf_forward",
    "relu6_backward",
    "relu6_forward",
    "selu_backward",
    "selu_forward",
    "silu_backward",
    "silu_forward",
    "softmax_backward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "softmax_forward",
    "softplus_backward",
    "softplus_forward",
    "softsign_backward",
    "softsign_forward",
    "squared_error",
    "squared_error_backward",
    "step_function_backward",
    "step_function_forward",
    "subsampling_backward",
    "subsampling_forward",
]
