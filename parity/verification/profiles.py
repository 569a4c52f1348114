"""Profiles: the known habits of a style of code, which are differences by design and not news.

`book` is that of *Deep Learning from Scratch* (common/layers.py, util.py, optimizer.py and functions.py). Its
habits are named bugs: what remains when they are taken away is judged as ever, and an implementation that
has one passes only if it is exactly that. A target belongs to the book when its name and its signature are
the book's, and so are those of at least one other definition in the file; a network's are enough alone.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

from parity.adapters.definitions import defined, parsed
from parity.faults.diagnose_dtypes import NAME as WIDENED
from parity.verification.slight_names import WRITES

BOOK, NONE, AUTO = "book", "none", "auto"
PROFILES = (AUTO, BOOK, NONE)
FLOAT64 = "np.zeros without a dtype, or a np.float64, makes float64 out of float32"
DOUT = "Relu writes into dout"
SMALL = "1e-7 is added outside the root"
# Kind -> the names of its habits, as `--allow` takes them, and what the book does.
HABITS: dict[str, dict[str, str]] = {
    "im2col": {WIDENED: FLOAT64},
    "col2im": {WIDENED: FLOAT64},
    "convolution": {WIDENED: FLOAT64},
    "affine": {WIDENED: FLOAT64},
    "sigmoid": {WIDENED: FLOAT64},
    "max_pooling": {
        WIDENED: FLOAT64,
        "max-pool-raises-with-pad": "the output size of Pooling ignores pad, so that it raises with any",
        "max-pool-size-ignores-pad": "the output size of Pooling ignores pad",
        "max-pool-zero-padding": "Pooling pads with zeros",
    },
    "relu": {WRITES["dout"]: DOUT, "relu-dx-is-dout": DOUT},
    "softmax_with_loss": {
        WIDENED: FLOAT64,
        "loss-clamped-logarithm": "the loss is -log(y + 1e-7)",
    },
    "dropout": {
        WIDENED: FLOAT64,
        "dropout-not-inverted": "Dropout scales in inference, not in training",
    },
    "batch_norm": {
        WIDENED: FLOAT64,
        "batch-norm-book": "an eps of 10e-7, and the running variance is the batch's own",
    },
    "adagrad": {"adagrad-book-epsilon": SMALL},
    "rmsprop": {"rmsprop-book-epsilon": SMALL},
    "adam": {"adam-book-epsilon": SMALL},
    "numerical_gradient": {
        "numerical-gradient-integers": "x of whole numbers gets a gradient of whole numbers"
    },
}
NETWORK_HABITS = {
    "loss-clamped-logarithm": "the loss is -log(y + 1e-7)",
    WIDENED: FLOAT64,
}
# The book's networks and what their constructors take.
NETWORKS: dict[str, tuple[str, ...]] = {
    "SimpleConvNet": ("input_dim", "conv_param", "hidden_size", "output_size", "weight_init_std"),
    "TwoLayerNet": ("input_size", "hidden_size", "output_size", "weight_init_std"),
}
# The book's names and what they take (for a class its constructor), without defaults.
SIGNATURES: dict[str, tuple[str, ...]] = {
    "im2col": ("input_data", "filter_h", "filter_w", "stride", "pad"),
    "col2im": ("col", "input_shape", "filter_h", "filter_w", "stride", "pad"),
    "numerical_gradient": ("f", "x"),
    "cross_entropy_error": ("y", "t"),
    "Relu": (),
    "Sigmoid": (),
    "Affine": ("W", "b"),
    "SoftmaxWithLoss": (),
    "Dropout": ("dropout_ratio",),
    "BatchNormalization": ("gamma", "beta", "momentum", "running_mean", "running_var"),
    "Convolution": ("W", "b", "stride", "pad"),
    "Pooling": ("pool_h", "pool_w", "stride", "pad"),
    "SGD": ("lr",),
    "Momentum": ("lr", "momentum"),
    "Nesterov": ("lr", "momentum"),
    "AdaGrad": ("lr",),
    "RMSprop": ("lr", "decay_rate"),
    "Adam": ("lr", "beta1", "beta2"),
}
FEWEST = 2  # of the book's definitions in a file, before one of them is taken for the book's


def profile_of(target: object, profile: str | None) -> str:
    """BOOK or NONE for a target: what was asked for, or what its file looks like.

    Raises ValueError for a profile that there is not.
    """
    wanted = (profile or AUTO).lower()
    if wanted not in PROFILES:
        raise ValueError(f"no profile named {profile!r}; there are {', '.join(PROFILES)}")
    if wanted != AUTO:
        return wanted
    if not isinstance(target, str) or ":" not in target:
        return NONE
    where, _, name = target.rpartition(":")
    path = Path(where.removesuffix(":"))
    if not (name in SIGNATURES or name in NETWORKS) or not path.is_file():
        return NONE
    try:
        found = book_names(path, path.read_bytes())
    except OSError:
        return NONE
    return BOOK if name in found and (name in NETWORKS or len(found) >= FEWEST) else NONE


@lru_cache(maxsize=256)
def book_names(path: Path, content: bytes) -> frozenset[str]:
    """The definitions of a file whose names and signatures are the book's; none where it cannot be read.

    `content` is what the file holds now: it may have been written again since it was asked for.
    """
    try:
        nodes = [node for _, tree in parsed(path) for node in defined(tree.body)]
    except (SyntaxError, ValueError, OSError, RecursionError):
        return frozenset()
    known = SIGNATURES | NETWORKS
    return frozenset(n.name for n in nodes if known.get(n.name) == _takes(n))


def _takes(node: ast.ClassDef | ast.FunctionDef) -> tuple[str, ...]:
    if isinstance(node, ast.FunctionDef):
        return tuple(arg.arg for arg in node.args.args)
    made = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    return tuple(arg.arg for arg in made[0].args.args[1:]) if made else ()


def habits_of(kind: str, profile: str) -> dict[str, str]:
    """The names of a kind's habits and what each is; none without a profile."""
    return HABITS.get(kind, {}) if profile == BOOK else {}
