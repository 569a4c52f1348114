"""The fifteen exercises: what they are tried on, and three mistakes of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchcnn.learn.exercise import Case, Exercise, Mistake, Results
from scratchcnn.typing import Array


def draw(*shape: int, seed: int = 0) -> Array:
    """Normal numbers, the same each time."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


# -- what an exercise is tried on -------------------------------------------------------------------
def _function(name: str, *args: Any, **options: Any) -> Case:
    """A call of the function; arrays are copied first."""

    def case(target: Any) -> Results:
        given = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        return {name: target(*given, **options)}

    return case


def _layer(x: Array, *args: Any, backward: bool = True, **options: Any) -> Case:
    """forward and backward of a layer, and its gradients."""

    def case(target: Any) -> Results:
        layer = target(*args, **options)
        out = layer.forward(x.copy())
        found: Results = {"out": out}
        if backward:
            found["dx"] = layer.backward(draw(*np.shape(out), seed=1))
            found |= {name: getattr(layer, name) for name in ("dW", "db") if hasattr(layer, name)}
        return found

    return case


def _convolution(backward: bool) -> dict[str, Case]:
    W, b = draw(4, 3, 2, 3), draw(4)
    return {
        "a 5x7 image": _layer(draw(1, 3, 5, 7), W, b, backward=backward),
        "two images, stride 2, pad 1": _layer(draw(2, 3, 6, 7), W, b, 2, 1, backward=backward),
    }


def _windows() -> dict[str, Case]:
    x = draw(2, 3, 6, 5) - 3  # all negative: a padding of 0 would win
    return {
        "2x2, stride 2": _layer(draw(2, 3, 4, 6), 2, 2, 2),
        "overlapping 3x2": _layer(draw(1, 2, 5, 4), 3, 2, 1),
        "negative numbers, pad 1": _layer(x, 2, 2, 2, 1),
    }


def _network(target: Any) -> Results:
    shapes = {"W1": (2, 1, 3, 3), "b1": (2,), "W2": (8, 5), "b2": (5,), "W3": (5, 3), "b3": (3,)}
    network = target({name: draw(*shape) for name, shape in shapes.items()})
    x, t = draw(4, 1, 6, 6), np.array([0, 2, 1, 1])
    return {"loss": network.loss(x, t), **{f"d{k}": g for k, g in network.gradient(x, t).items()}}


def _optimizer(target: Any) -> Results:
    params, optimizer = {"W": draw(2, 3), "b": draw(3)}, target(lr=0.1, momentum=0.8)
    found: Results = {}
    for step in (1, 2, 3):
        optimizer.update(params, {"W": draw(2, 3, seed=step), "b": draw(3, seed=step)})
        found |= {f"{name} step {step}": p.copy() for name, p in params.items()}
    return found


def _dropout(target: Any) -> Results:
    layer, x = target(0.3), np.full((200, 50), 2.0)
    state = np.random.get_state()  # noqa: NPY002  (the exercise draws from it, as the book does)
    np.random.seed(0)  # noqa: NPY002
    try:
        out, dx = layer.forward(x), layer.backward(np.ones_like(x))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    kept = out[out != 0]
    return {
        "the share that is kept": np.round(np.mean(out != 0), 1),
        "what is kept": kept[:5],
        "dx where it is kept": dx[out != 0][:5],
        "dx where it is dropped": dx[out == 0][:5],
        "out in inference": layer.forward(x, train_flg=False)[0, :3],
    }


def _squares(x: Array) -> Any:
    return (x**3).sum() + x.sum() ** 2


def _numerical(x: Array) -> Case:
    def case(target: Any) -> Results:
        mine = x.copy()
        grad = target(_squares, mine)
        return {"grad": np.round(grad, 5), "x afterwards": mine}

    return case


def _matrices(target: Any) -> Results:
    a, b = draw(3, 50).astype(np.float32), draw(50, 4).astype(np.float32)
    right = a @ b
    wrong = right.copy()
    wrong[1, 2] += np.float32(1e-3)
    return {
        "allowed": target.allowed(a, b) * 1e6,
        "is_bug, rounding": target.is_bug(right, a, b),
        "is_bug, 0.001 too much": target.is_bug(wrong, a, b),
        "is_bug, 0.001 too little": target.is_bug(right - (wrong - right), a, b),
    }


SAME = np.array([[1.0, -2.0], [3.0, 4.0]])

EXERCISES = (
    Exercise(
        1,
        "filter",
        "apply_filter",
        {
            "a 4x4 image, a 3x3 filter": _function("out", draw(4, 4), draw(3, 3)),
            "a 4x6 image, a 2x3 filter": _function("out", draw(4, 6), draw(2, 3)),
        },
        (
            Mistake("turned", "] * w)", "] * w[::-1, ::-1])"),
            Mistake("square", "j:j + FW]", "j:j + FH]"),
            Mistake("mean", "np.sum(", "np.mean("),
        ),
    ),
    Exercise(
        2,
        "output_size",
        "output_size",
        {
            f"input {n}, filter {f}, stride {s}, pad {p}": _function("size", n, f, stride=s, pad=p)
            for n, f, s, p in ((7, 3, 1, 0), (28, 5, 1, 2), (7, 3, 2, 0), (8, 3, 2, 0), (227, 11, 4, 0))
        },
        (
            Mistake("one_pad", "2 * pad", "pad"),
            Mistake("no_plus_one", " // stride + 1", " // stride"),
            Mistake("fraction", "// stride", "/ stride"),
        ),
    ),
    Exercise(
        3,
        "channels",
        "convolve",
        {
            "one image": _function("out", draw(1, 3, 4, 5), draw(2, 3, 2, 2), draw(2)),
            "two images": _function("out", draw(2, 2, 4, 4), draw(3, 2, 3, 2), draw(3)),
        },
        (
            Mistake("all_images", ", axis=(1, 2, 3)) + b[f]", ") + b[f]"),
            Mistake("no_bias", " + b[f]", ""),
            Mistake("first_channel", "window * W[f], axis=(1, 2, 3)", "window[:, 0] * W[f, 0], axis=(1, 2)"),
        ),
    ),
    Exercise(
        4,
        "im2col",
        "im2col",
        {
            "3x3 on 4x5": _function("col", draw(1, 2, 4, 5), 3, 3),
            "2x3, stride 2, pad 1": _function("col", draw(2, 3, 5, 6), 2, 3, 2, 1),
        },
        (
            Mistake("no_transpose", "col.transpose(0, 4, 5, 1, 2, 3).reshape", "col.reshape"),
            Mistake("no_stride", "y:y + stride * OH:stride, x:x + stride * OW:stride", "y:y + OH, x:x + OW"),
            Mistake("channels_last", "(0, 4, 5, 1, 2, 3)", "(0, 4, 5, 2, 3, 1)"),
        ),
        kind="im2col",
    ),
    Exercise(
        5,
        "convolution",
        "Convolution",
        _convolution(backward=False),
        (
            Mistake(
                "no_transpose",
                ".reshape(N, OH, OW, FN).transpose(0, 3, 1, 2)",
                ".reshape(N, FN, OH, OW)",
            ),
            Mistake("no_bias", ".T + self.b", ".T"),
            Mistake("filter_reshaped", "self.W.reshape(FN, -1).T", "self.W.reshape(-1, FN)"),
        ),
        kind="convolution",
        adapter="forward_only",
    ),
    Exercise(
        6,
        "backward",
        "Convolution",
        _convolution(backward=True),
        (
            Mistake("db_mean", "np.sum(dout, axis=0)", "np.mean(dout, axis=0)"),
            Mistake("dW_reshaped", "(self.col.T @ dout).T.reshape", "(self.col.T @ dout).reshape"),
            Mistake(
                "dx_reshaped",
                "dout @ self.W.reshape(FN, -1)",
                "dout @ self.W.reshape(-1, FN).T",
            ),
        ),
        kind="convolution",
    ),
    Exercise(
        7,
        "pooling",
        "Pooling",
        _windows(),
        (
            Mistake("mean", "col.max(axis=1)", "col.mean(axis=1)"),
            Mistake("axis", "[np.arange(dout.size), self.arg_max]", "[:, 0]"),
            Mistake(
                "all_cells",
                "dcol[np.arange(dout.size), self.arg_max] = dout.flatten()",
                "dcol += dout.reshape(-1, 1)",
            ),
        ),
        kind="max_pooling",
    ),
    Exercise(
        8,
        "simple_convnet",
        "SimpleConvNet",
        {"four images": _network},
        (
            Mistake("not_reversed", "reversed(self.layers.values())", "self.layers.values()"),
            Mistake(
                "dout_not_passed",
                "            dout = layer.backward(dout)",
                "            layer.backward(dout) if layer is self.layers['Affine2'] else None",
            ),
            Mistake(
                "probabilities",
                "self.last_layer.forward(self.predict(x), t)",
                "self.last_layer.forward(np.exp(self.predict(x)) / np.exp(self.predict(x)).sum(axis=1, "
                "keepdims=True), t)",
            ),
        ),
    ),
    Exercise(
        9,
        "momentum",
        "Momentum",
        {"three steps": _optimizer},
        (
            Mistake("uphill", "params[key] -= self.lr", "params[key] += self.lr"),
            Mistake(
                "not_kept",
                "self.v[key] = self.momentum * self.v[key] + grads[key]",
                "self.v[key] = grads[key]",
            ),
            Mistake("damped", "+ grads[key]", "+ (1 - self.momentum) * grads[key]"),
        ),
        kind="momentum",
    ),
    Exercise(
        10,
        "average_pooling",
        "AveragePooling",
        _windows(),
        (
            Mistake("sum", "col.mean(axis=1)", "col.sum(axis=1)"),
            Mistake("not_divided", "dout / size, size", "dout, size"),
            Mistake("one_cell", "np.repeat(dout / size, size, axis=1)", "np.eye(size)[[0]] * dout"),
        ),
        kind="average_pooling",
    ),
    Exercise(
        11,
        "dropout",
        "Dropout",
        {"ten thousand numbers": _dropout},
        (
            Mistake("not_scaled", " / (1 - self.dropout_ratio)", ""),
            Mistake("inverted_mask", "> self.dropout_ratio)", "< self.dropout_ratio)"),
            Mistake("scaled_twice", "return x * 1", "return x * (1 - self.dropout_ratio)"),
        ),
        kind="dropout",
    ),
    Exercise(
        12,
        "residual",
        "GlobalAveragePooling",
        {"two images": _layer(draw(2, 3, 4, 5)), "one pixel": _layer(draw(1, 2, 1, 1))},
        (
            Mistake("one_axis", "axis=(2, 3))", "axis=(2, 3), keepdims=True)"),
            Mistake("not_divided", "[:, :, None, None] / (H * W)", "[:, :, None, None]"),
            Mistake("divided_by_channels", "/ (H * W)", "/ (C * H * W)"),
        ),
        kind="global_average_pooling",
    ),
    Exercise(
        13,
        "gradient_check",
        "numerical_gradient",
        {"three numbers": _numerical(draw(3)), "a matrix": _numerical(draw(2, 3))},
        (
            Mistake("not_restored", "        x[index] = value\n    return", "    return"),
            Mistake("h", "(2 * h)", "h"),
            Mistake("one_sided", "x[index] = value - h\n        below", "x[index] = value\n        below"),
        ),
        kind="numerical_gradient",
    ),
    Exercise(
        14,
        "compare",
        "same",
        {
            "equal": _function("same", SAME, SAME),
            "rounding": _function("same", SAME * (1 + 1e-12), SAME),
            "off by 1e-6": _function("same", SAME + 1e-6, SAME),
            "too small by 1": _function("same", SAME - 1, SAME),
            "a number against four": _function("same", 2.0, np.full((2, 2), 2.0)),
            "NaN": _function("same", SAME * np.array([np.nan, 1]), SAME),
            "large numbers": _function("same", 1e9 * SAME + 0.1, 1e9 * SAME),
        },
        (
            Mistake(
                "broadcast",
                "    if ours.shape != theirs.shape:\n        return False\n",
                "",
            ),
            Mistake("sign", "np.abs(ours - theirs).max()", "(ours - theirs).max()"),
            Mistake("absolute", "rtol * np.abs(theirs).max()", "rtol"),
        ),
    ),
    Exercise(
        15,
        "rounding",
        "*",
        {"a product of 3x50 and 50x4": _matrices},
        (
            Mistake("no_abs", "(np.abs(a) @ np.abs(b))", "np.abs(a @ b)"),
            Mistake("no_length", "np.sqrt(K) * u", "u"),
            Mistake("sign", "(np.abs(found - exact) >", "((found - exact) >"),
        ),
    ),
)
