"""The chapter's demonstrations, computed by scratchcnn's own functions when the page is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from parity.report.figures.figure import panels
from parity.report.figures.grids import equation, grid, window
from parity.report.figures.pictures import grey, image, montage
from scratchcnn.data import load
from scratchcnn.im2col import im2col
from scratchcnn.layers import Convolution, Pooling
from scratchcnn.typing import Array

WINDOW_CLASSES = ("w0", "w1", "w2", "w3")


class Demo(NamedTuple):
    """book: the section that it illustrates; numbers: those in the text, as a table of (name, value)."""

    title: str
    book: str
    text: str
    body: Markup
    numbers: tuple[tuple[str, str], ...] = ()


def demos() -> list[Demo]:
    """All of them, in the chapter's order."""
    return [operation(), on_an_image(), padding(), stride(), three_d(), as_matrix(), pooling(), shift()]


def small() -> tuple[Array, Array]:
    """An image (4, 4) and a filter (3, 3) of small integers."""
    x = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]], float)
    w = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]], float)
    return x, w


def convolved(x: Array, w: Array, b: float = 0.0, stride: int = 1, pad: int = 0) -> Array:
    out = Convolution(w[None, None], np.array([b]), stride, pad).forward(x[None, None])
    image: Array = out[0, 0]
    return image


def operation() -> Demo:
    x, w = small()
    out, b = convolved(x, w), 3.0
    image = grid(x, "x", window(slice(0, 3), slice(0, 3), "w0"))
    result = grid(out, "out", window(slice(0, 1), slice(0, 1), "w0"))
    bias, total = grid(np.array([[b]]), "b"), grid(convolved(x, w, b), "out + b")
    shown = equation(image, "⊛", grid(w, "filter", lambda r, c: "w0"), "=", result, "+", bias, "=", total)
    first = " + ".join(f"{x[r, c]:.0f}·{w[r, c]:.0f}" for r in range(3) for c in range(3) if w[r, c])
    return Demo(
        "A filter is an operation",
        "7.2.2",
        "The filter is laid over every window of the image; numbers on top of each other are multiplied, and "
        f"the products added. The shaded window gives {first} = {out[0, 0]:.0f}. One bias is added to every "
        "result.",
        shown,
    )


def on_an_image() -> Demo:
    data = load()
    x = data.x_test[int(np.flatnonzero(data.t_test == data.class_names.index("Ankle boot"))[0]), 0]
    kernels = {
        "vertical edges": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float) / 4,
        "horizontal edges": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], float) / 4,
        "blur": np.full((5, 5), 1 / 25),
        "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float),
    }
    shown, titles = [image(grey(x, 0, 1), "An ankle boot", 4)], ["image"]
    for name, w in kernels.items():
        out = convolved(x.astype(float), w, pad=w.shape[0] // 2)
        low = 0.0 if out.min() > -0.5 and "edges" not in name else -1.0
        shown.append(image(grey(out, low, 1), f"The boot after the filter: {name}", 4))
        titles.append(name)
    return Demo(
        "What a filter responds to",
        "7.2.2",
        "Filters written by hand, applied to a test image. A network learns its own.",
        panels(*shown, titles=tuple(titles)),
    )


def padding() -> Demo:
    x, w = small()
    padded = np.pad(x, 1)
    out = convolved(x, w, pad=1)

    def frame(r: int, c: int) -> str:
        return "pad" if r in (0, 5) or c in (0, 5) else ""

    shown = equation(grid(padded, "x with pad=1", frame), "⊛", grid(w, "filter"), "=", grid(out, "out"))
    return Demo(
        "Padding keeps the size",
        "7.2.3",
        f"A frame of zeros lets the filter reach the border: {_by(x)} in, {_by(out)} out, instead of "
        f"{_by(convolved(x, w))}.",
        shown,
    )


def stride() -> Demo:
    rng = np.random.default_rng(3)
    x, (_, w) = rng.integers(0, 4, (7, 7)).astype(float), small()
    out = convolved(x, w, stride=2)

    def marks(r: int, c: int) -> str:
        return "w0" if r < 3 and c < 3 else "w1" if r < 3 and 2 <= c < 5 else ""

    found = grid(out, "out, stride=2", lambda r, c: ("w0", "w1", "")[c] if r == 0 else "")
    shown = equation(grid(x, "x", marks), "⊛", grid(w, "filter"), "=", found)
    return Demo(
        "Stride takes larger steps",
        "7.2.4",
        f"With stride 2 the window moves by two pixels: {_by(x)} in, {_by(out)} out.",
        shown,
    )


def three_d() -> Demo:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 4, (3, 4, 4)).astype(float)
    w = rng.integers(-1, 3, (3, 3, 3)).astype(float)
    parts = np.stack([convolved(x[c], w[c]) for c in range(3)])
    out = Convolution(w[None], np.zeros(1)).forward(x[None])[0, 0]
    names = ("red", "green", "blue")
    shown = [
        equation(
            grid(x[c], f"x, {names[c]}", _marked(f"c{c}")), "⊛", grid(w[c], "filter"), "=", grid(parts[c])
        )
        for c in range(3)
    ]
    total = equation("sum of the three =", grid(out, "out", lambda r, c: "w0"))
    return Demo(
        "Channels: a convolution in three dimensions",
        "7.2.5",
        "A filter has as many channels as the image. Each is laid over its own channel, and all products are "
        "added to one number: three channels in, one out. The output has one channel per filter.",
        Markup("").join([*shown, total]),
    )


def im2col_picture(x: Array, w: Array) -> Markup:
    """im2col as in the book: which pixels of the image (4, 4) become which row, and the product with the
    filter (3, 3)."""
    col = im2col(x[None, None], 3, 3)
    images = [
        grid(
            x,
            f"window {k + 1}",
            window(slice(k // 2, k // 2 + 3), slice(k % 2, k % 2 + 3), WINDOW_CLASSES[k]),
        )
        for k in range(4)
    ]

    def marks(r: int, c: int) -> str:
        return WINDOW_CLASSES[r]

    rows, out = grid(col, "im2col(x, 3, 3): one row per window", marks), col @ w.reshape(-1, 1)
    filters = grid(w.reshape(-1, 1), "W.reshape(FN, -1).T")
    product = equation(rows, "@", filters, "=", grid(out, "out", marks))
    return Markup('<div class="equation">{}</div>{}').format(Markup("").join(images), product)


def as_matrix() -> Demo:
    """im2col: every window becomes a row."""
    x, w = small()
    col = im2col(x[None, None], 3, 3)
    return Demo(
        "im2col: a convolution is one matrix product",
        "7.4.2",
        f"The {len(col)} windows of the image, each written out as a row of {col.shape[1]} numbers. One "
        "product with the filters as columns gives all results at once. Windows overlap, so most pixels are "
        "copied several times.",
        im2col_picture(x, w),
    )


def pooling() -> Demo:
    x = np.array([[1, 2, 1, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 4, 0, 1]], float)
    out = Pooling(2, 2, stride=2).forward(x[None, None])[0, 0]
    largest = {(r, c) for r in range(4) for c in range(4) if x[r, c] == out[r // 2, c // 2]}

    def marks(r: int, c: int) -> str:
        return WINDOW_CLASSES[r // 2 * 2 + c // 2] + (" best" if (r, c) in largest else "")

    result = grid(out, "largest of each", lambda r, c: WINDOW_CLASSES[2 * r + c])
    shown = equation(grid(x, "x", marks), "→", result)
    return Demo(
        "Max pooling keeps the largest",
        "7.3",
        "Nothing is learnt: each 2×2 window gives its largest number. Channels stay separate; height and "
        "width are halved.",
        shown,
    )


def shift() -> Demo:
    data = load()
    x = data.x_test[:, :, :, :]
    moved = np.pad(x, ((0, 0), (0, 0), (0, 0), (1, 0)))[..., :-1]
    row = np.array([[1, 2, 0, 7, 1, 0], [0, 9, 2, 3, 2, 3], [3, 0, 1, 2, 1, 2]], float)
    slid = np.pad(row, ((0, 0), (1, 0)))[:, :-1]
    pool = Pooling(3, 3, stride=3)
    out, out_slid = (pool.forward(a[None, None])[0, 0] for a in (row, slid))
    coarse = Pooling(4, 4, stride=4)
    change, pooled = _change(x, moved), _change(coarse.forward(x), coarse.forward(moved))
    same = "the same" if np.array_equal(out, out_slid) else "nearly the same"
    first = int(np.flatnonzero(data.t_test == data.class_names.index("Ankle boot"))[0])
    boots = montage([grey(a[first, 0], 0, 1) for a in (x, moved)], 2, 2)
    small_boots = montage(
        [grey(Pooling(4, 4, stride=4).forward(a[first : first + 1])[0, 0], 0, 1) for a in (x, moved)], 2
    )
    return Demo(
        "Max pooling absorbs a shift of one pixel",
        "7.3.1",
        f"The same numbers, shifted one column to the right, give {same} result after 3×3 pooling. Measured "
        f"on {len(x):,} test images: a shift of one pixel changes the average pixel by {change:.0%} of the "
        f"mean brightness, and the 4×4 pooled image by {pooled:.0%}.",
        Markup("{}{}{}").format(
            equation(grid(row, "x"), "→", grid(out, "pooled")),
            equation(grid(slid, "x, shifted"), "→", grid(out_slid, "pooled")),
            panels(
                image(boots, "A boot, and the boot one pixel to the right", 3),
                image(small_boots, "Both after 4×4 max pooling: almost the same", 12),
                titles=("the boot, and the boot shifted", "both after 4×4 max pooling"),
            ),
        ),
        (
            ("test images", f"{len(x):,}"),
            ("mean change of a pixel, relative to the mean brightness", f"{change:.0%}"),
            ("the same after 4×4 max pooling", f"{pooled:.0%}"),
        ),
    )


def _change(a: Array, b: Array) -> float:
    """Mean absolute difference as a share of the mean."""
    return float(np.abs(a - b).mean() / a.mean())


def _by(a: Array) -> str:
    return "×".join(map(str, a.shape))


def _marked(css: str) -> Callable[[int, int], str]:
    """The same class for every square."""
    return lambda r, c: css
