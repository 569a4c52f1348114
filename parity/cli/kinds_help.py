"""What can be checked, how each kind is built and called, and what it may lack: told in a line each."""

from __future__ import annotations

import inspect

from parity.adapters.book import OURS
from parity.adapters.conventions import ADAPTERS
from parity.adapters.features import features, in_words
from parity.faults import faults_of
from parity.kinds.probes import probes
from parity.kinds.registry import ALL_KINDS
from parity.verification.numerical_gradient import KIND as GRADIENT

NETWORK = "network"
LAYER = "; forward(x) -> out, backward(dout) -> dx"
UPDATE = "; update(params, grads) changes the arrays of params"
POOLING = f"cls(pool_h, pool_w, stride=1, pad=0){LAYER}"
PROTOCOLS = {
    "im2col": "im2col(input_data, filter_h, filter_w, stride=1, pad=0) -> col (N*OH*OW, C*FH*FW)",
    "col2im": "col2im(col, input_shape, filter_h, filter_w, stride=1, pad=0) -> img (N, C, H, W)",
    "convolution": f"cls(W, b, stride=1, pad=0){LAYER}; then .dW, .db; W is (FN, C, FH, FW)",
    "max_pooling": POOLING,
    "average_pooling": POOLING,
    "min_pooling": POOLING,
    "adaptive_average_pooling": f"cls(out_h, out_w){LAYER}",
    "global_average_pooling": f"cls(){LAYER}; out is (N, C)",
    "affine": f"cls(W, b){LAYER}; then .dW, .db; W is (in, out)",
    "relu": f"cls(){LAYER}",
    "sigmoid": f"cls(){LAYER}",
    "tanh": f"cls(){LAYER}",
    "softmax": f"cls(){LAYER}",
    "softmax_with_loss": "cls(); forward(x, t) -> loss, backward(dout=1) -> dx; the loss is the mean",
    "lrn": f"cls(size, alpha, beta, k){LAYER}; alpha is divided by size, as in PyTorch",
    "dropout": "cls(dropout_ratio); forward(x, train_flg=True) -> out, backward(dout) -> dx; "
    ".mask is read or set",
    "batch_norm": "cls(gamma, beta, momentum, running_mean, running_var); forward(x, train_flg=True) -> out, "
    "backward(dout) -> dx; then .dgamma, .dbeta, .running_mean, .running_var",
    "sgd": f"cls(lr){UPDATE}",
    "momentum": f"cls(lr, momentum){UPDATE}",
    "nesterov": f"cls(lr, momentum){UPDATE}",
    "adagrad": f"cls(lr){UPDATE}",
    "rmsprop": f"cls(lr, decay_rate){UPDATE}",
    "adam": f"cls(lr, beta1, beta2){UPDATE}",
    "adamw": f"cls(lr, beta1, beta2){UPDATE}",
    GRADIENT: "numerical_gradient(f, x) -> df/dx, of x's shape",
    NETWORK: "object with params, loss(x, t), gradient(x, t) -> grads, and layers if there are any; "
    "needs --twin, a torch module",
}


def protocol_of(kind: str) -> str:
    """The line on a kind; for one that the book does not have, as ours is called."""
    if kind in PROTOCOLS:
        return PROTOCOLS[kind]
    names = ", ".join(inspect.signature(OURS[kind]).parameters)
    return f"cls({names}){LAYER}"


def kinds() -> list[str]:
    return [*ALL_KINDS, GRADIENT, NETWORK]


def optional(kind: str) -> list[str]:
    """The features that an implementation may lack, as `supports` names them."""
    return in_words(features(probes(kind))) if kind in ALL_KINDS else []


def differences(kind: str) -> dict[str, str]:
    """What may be declared by `allow`: name -> what is different."""
    return {fault.name: fault.says for fault in faults_of(kind) if not fault.equivalent}


def adapters() -> dict[str, str]:
    """Name -> the first line of its documentation."""
    return {name: (inspect.getdoc(type(a)) or "").splitlines()[0] for name, a in ADAPTERS.items()}
