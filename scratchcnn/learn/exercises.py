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
        if not backward:
            return found
        gradients = [name for name in ("dW", "db") if hasattr(layer, name)]
        try:
            found["dx"] = layer.backward(draw(*np.shape(out), seed=1))
        except Exception as error:
            return found | dict.fromkeys(("dx", *gradients), error)
        return found | {name: getattr(layer, name) for name in gradients}

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
    found: Results = {"loss": network.loss(x, t)}
    try:
        grads = network.gradient(x, t)
    except Exception as error:
        grads = error
    if not isinstance(grads, dict | Exception):
        grads = TypeError(f"gradient returned {type(grads).__name__}, not the dict of all gradients")
    if isinstance(grads, Exception):
        grads = dict.fromkeys(shapes, grads)
    return found | {f"d{name}": grads.get(name) for name in shapes}


def _optimizer(target: Any) -> Results:
    """What each step adds to the arrays, which are to change in place."""
    params, optimizer = {"W": draw(2, 3), "b": draw(3)}, target(lr=0.1, momentum=0.8)
    arrays, found = dict(params), Results()
    for step in (1, 2, 3):
        before = {name: p.copy() for name, p in arrays.items()}
        optimizer.update(params, {"W": draw(2, 3, seed=step), "b": draw(3, seed=step)})
        found |= {f"Δ{name} in step {step}": p - before[name] for name, p in arrays.items()}
    return found | {"params has the same arrays": all(params[name] is arrays[name] for name in arrays)}


def _dropout(target: Any) -> Results:
    layer, x = target(0.3), np.full((200, 50), 2.0)
    state = np.random.get_state()  # noqa: NPY002  (the exercise draws from it, as the book does)
    np.random.seed(0)  # noqa: NPY002
    try:
        out, dx = layer.forward(x), layer.backward(np.ones_like(x))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    if out is None or dx is None:
        return {}
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
        return {"grad": _five_digits(grad), "x afterwards": mine}

    return case


def _five_digits(grad: Any) -> Any:
    """Numbers that are as exact as differences are; whatever else it may be as it is."""
    if not isinstance(grad, np.ndarray):
        return grad
    return np.array([float(f"{value:.5g}") for value in grad.ravel()]).reshape(grad.shape)


def _matrices(target: Any) -> Results:
    a, b = draw(3, 50).astype(np.float32), draw(50, 4).astype(np.float32)
    right = a @ b
    wrong = right.copy()
    wrong[1, 2] += np.float32(1e-3)
    bound = target.allowed(a, b)
    if not isinstance(bound, np.ndarray):
        return {"allowed": bound}
    near, nan = (right + 4 * bound).astype(np.float32), wrong * np.float32(np.nan)
    return {
        "allowed": bound * 1e6,
        "is_bug, rounding": target.is_bug(right, a, b),
        "is_bug, four times what is allowed": target.is_bug(near, a, b),
        "is_bug, 0.001 too much": target.is_bug(wrong, a, b),
        "is_bug, 0.001 too little": target.is_bug(right - (wrong - right), a, b),
        "is_bug, NaN": target.is_bug(nan, a, b),
    }


SIZES = ((7, 3, 1, 0), (28, 5, 1, 2), (7, 3, 2, 0), (8, 3, 2, 0), (10, 3, 4, 0), (227, 11, 4, 0))
SAME = np.array([[1.0, -2.0], [3.0, 4.0]])
ONE_OFF = np.array([[0.0, 0.0], [0.0, 8e-9]])
WITH_0, WITH_INF = SAME * [[0, 1], [1, 1]], np.array([[1.0, np.inf], [3.0, 4.0]])

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
            Mistake("matmul", "] * w)", "] @ w.T)"),
        ),
    ),
    Exercise(
        2,
        "output_size",
        "output_size",
        {
            f"input {n}, filter {f}, stride {s}, pad {p}": _function("size", n, f, stride=s, pad=p)
            for n, f, s, p in SIZES
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
            Mistake("matmul", "window * W[f]", "window @ W[f]"),
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
            Mistake("turned", "col @ self.W.reshape", "col @ self.W[:, :, ::-1, ::-1].reshape"),
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
                "            layer.backward(dout)",
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
            Mistake("replaced", "params[key] -= self.lr", "params[key] = params[key] - self.lr"),
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
            Mistake("max", "col.mean(axis=1)", "col.max(axis=1)"),
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
            Mistake("normal", "np.random.rand(", "np.random.randn("),
            Mistake("one_row", "*x.shape", "x.shape[1]"),
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
            Mistake("one_number", "below = f(x)", "below = f(value)"),
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
            "the same numbers in another shape": _function("same", SAME.reshape(4), SAME),
            "one number off by 8e-9": _function("same", SAME + ONE_OFF, SAME),
            "rounding, and a 0 in it": _function("same", WITH_0 * (1 + 1e-12), WITH_0),
            "rounding of negative numbers": _function("same", -abs(SAME) * (1 + 1e-12), -abs(SAME)),
            "an infinity in theirs": _function("same", SAME, WITH_INF),
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
            Mistake("sign", "(np.abs(found - exact) <=", "((found - exact) <="),
            Mistake(
                "nan",
                "not (np.abs(found - exact) <= factor * allowed(a, b)).all()",
                "(np.abs(found - exact) > factor * allowed(a, b)).any()",
            ),
            Mistake("linear", "np.sqrt(K) * u", "K * u"),
        ),
    ),
)
