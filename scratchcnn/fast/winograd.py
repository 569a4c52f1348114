"""Convolution with 3x3 windows by fewer multiplications (Winograd 1980; Lavin and Gray 2015, F(2x2, 3x3)).

Four outputs that lie in a square see 4x4 pixels. Their 36 multiplications become 16, of sums of those pixels
with sums of the filter's weights:

    Y = A^T [ (G w G^T) * (B^T d B) ] A        B^T = 1  0 -1  0     G =  1   0   0      A^T = 1  1  1  0
                                                     0  1  1  0         1/2 1/2 1/2           0  1 -1 -1
                                                     0 -1  1  0         1/2-1/2 1/2
                                                     0  1  0 -1          0   0   1

The sum over the channels is inside the brackets, so they are 16 matrix products (FN, C) @ (C, tiles). The
sums cost time that does not grow with the number of filters: it pays with many channels and filters, and
with enough pixels for the filters' own sums, which are made at each call.

dW is the derivative of the same: per tile the 16 numbers of A dY A^T, their 16 products with those of
B^T d B, summed over all tiles, and G^T [ ... ] G of the sums.

A sum of pixels spreads an infinity or NaN to the whole tile. Where the result holds one, it is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchcnn.fast import memory, threads
from scratchcnn.fast.layout import copy_pixels, workspace
from scratchcnn.typing import Array

if TYPE_CHECKING:
    from scratchcnn.fast.convolution import Finish

MIN_CHANNELS = 96  # and filters
MIN_PIXELS, MIN_BOTH = 700, 256  # of all outputs, where channels and filters together are so many;
MIN_PIXELS_OF_FEW = 2000  # where they are fewer
MIN_OF_GRADIENT = 400_000  # outputs times channels and filters, for dW
MAX_WASTE = 1.2  # times the outputs, where tiles reach beyond the border
TILES = 512  # of a product
BLOCK_NUMBERS = 1 << 17  # of the sums that are made at a time


def suits(W: Array, size: tuple[int, int], N: int) -> bool:
    """Whether it is the faster way for such filters (FN, C, 3, 3) and outputs (OH, OW) of N images."""
    FN, C = W.shape[:2]
    if min(FN, C) < MIN_CHANNELS:
        return False
    pixels, covered = size[0] * size[1] * N, 4 * -(-size[0] // 2) * -(-size[1] // 2) * N
    return (
        pixels >= (MIN_PIXELS if FN + C >= MIN_BOTH else MIN_PIXELS_OF_FEW) and covered <= MAX_WASTE * pixels
    )


def suits_gradient(shape: tuple[int, ...], size: tuple[int, int], N: int) -> bool:
    """Whether it is the faster way to dW of that shape (FN, C, 3, 3), as `suits`."""
    FN, C = shape[:2]
    pixels, covered = size[0] * size[1] * N, 4 * -(-size[0] // 2) * -(-size[1] // 2) * N
    if min(FN, C) < MIN_CHANNELS or pixels * (FN + C) < MIN_OF_GRADIENT:
        return False
    return covered <= MAX_WASTE * pixels


def correlate(padded: Array, W: Array, size: tuple[int, int], finish: Finish | None) -> Array | None:
    """The padded input (C, OH + 2, OW + 2, N) -> (FN, OH, OW, N); None where that is not finite."""
    (OH, OW), FN, N = size, len(W), padded.shape[3]
    out = memory.empty((FN, OH, OW, N), padded.dtype)
    U = filters(W)
    height = -(-OH // 2)

    def work(part: slice) -> bool:
        step = -(-TILES // (-(-OW // 2) * N))
        blocks = threads.parts(part.stop - part.start, -(-(part.stop - part.start) // step))
        finite = True
        for block in blocks:
            top, bottom = 2 * (part.start + block.start), min(OH, 2 * (part.start + block.stop))
            with np.errstate(invalid="ignore", over="ignore"):
                finite = rows_of(padded[:, top : bottom + 2], U, out[:, top:bottom]) and finite
            if finish is not None:
                finish.apply(out.reshape(FN, -1), slice(0, FN), slice(top * OW * N, bottom * OW * N))
        return finite

    return out if all(threads.each_part(work, height, W.size * OH * OW * N)) else None


def filters(W: Array) -> Array:
    """(FN, C, 3, 3) -> (16, FN, C): the sums of each filter's weights, G w G^T."""
    FN, C = W.shape[:2]
    U = memory.empty((4, 4, FN, C), W.dtype)

    def few(part: slice) -> None:
        w = np.ascontiguousarray(W[part].transpose(2, 3, 0, 1))  # (3, 3, some filters, C)
        half = np.empty((4, *w.shape[1:]), w.dtype)
        _sums_of_three(w, half)
        _sums_of_three(half.swapaxes(0, 1), U[:, :, part])

    blocks = threads.parts(FN, -(-U.size // BLOCK_NUMBERS))

    def work(part: slice) -> None:
        for block in blocks[part]:
            few(block)

    threads.each_part(work, len(blocks), 4 * U.size)
    return U.reshape(16, FN, C)


def _sums_of_three(w: Array, out: Array) -> None:
    """G along the first axis: 3 -> 4."""
    out[0], out[3] = w[0], w[2]
    outer = w[0] + w[2]
    outer *= outer.dtype.type(0.5)
    inner = w[1] * outer.dtype.type(0.5)
    np.add(outer, inner, out=out[1])
    np.subtract(outer, inner, out=out[2])


def rows_of(pixels: Array, U: Array, out: Array) -> bool:
    """Some rows of the output (FN, rows, OW, N), from the pixels that they see; whether all is finite."""
    (C, _, _, N), (FN, rows, OW, _) = pixels.shape, out.shape
    h, w = -(-rows // 2), -(-OW // 2)
    M = workspace("products", (4, 4, FN, h, w, N), pixels.dtype)
    step = max(1, BLOCK_NUMBERS // (8 * (h + 1) * (w + 1) * N))
    V = _all_tiles(pixels, h, w, step)
    np.matmul(U, V.reshape(16, C, -1), out=M.reshape(16, FN, -1))
    finite = True
    for first in range(0, FN, step):
        part = out[first : first + step]
        _outputs(M[:, :, first : first + step], part)
        finite = finite and bool(np.isfinite(part.max()) and np.isfinite(part.min()))
    return finite


def weight_gradient(d: Array, padded: Array) -> Array | None:
    """dout (FN, OH, OW, N) and the padded input -> dW (FN, C, 3, 3); None where that is not finite."""
    (FN, OH, OW, N), C = d.shape, len(padded)
    height, w = -(-OH // 2), -(-OW // 2)

    def add(top: int, h: int, sums: Array, first: bool) -> None:
        """The sums (16, FN, C) over h rows of tiles."""
        step = max(1, BLOCK_NUMBERS // (8 * (h + 1) * (w + 1) * N))
        V = _all_tiles(padded[:, 2 * top : 2 * (top + h) + 2], h, w, step)
        M = workspace("products", (4, 4, FN, h, w, N), d.dtype)
        for f in range(0, FN, step):
            _spread(d[f : f + step, 2 * top : 2 * (top + h)], M[:, :, f : f + step])
        factors = M.reshape(16, FN, -1), V.reshape(16, C, -1).transpose(0, 2, 1)
        if first:
            np.matmul(*factors, out=sums)
        else:
            sums += np.matmul(*factors)

    def work(part: slice) -> Array:
        sums, rows = memory.empty((16, FN, C), d.dtype), -(-TILES // (w * N))
        with np.errstate(invalid="ignore", over="ignore"):  # a thread's own
            for top in range(part.start, part.stop, rows):
                add(top, min(rows, part.stop - top), sums, first=top == part.start)
        return sums

    with np.errstate(invalid="ignore", over="ignore"):
        sums, *others = threads.each_part(work, height, FN * C * 9 * OH * OW * N)
        for other in others:
            sums += other
        dW = _gradient_of_filters(sums.reshape(4, 4, FN, C))
    return dW if np.isfinite(dW.max()) and np.isfinite(dW.min()) else None


def _gradient_of_filters(sums: Array) -> Array:
    """G^T S G: (4, 4, FN, C), the column of the tile first -> (FN, C, 3, 3)."""
    FN, C = sums.shape[2:]
    dW = memory.empty((FN, C, 3, 3), sums.dtype)
    blocks = threads.parts(FN, -(-sums.size // BLOCK_NUMBERS))

    def work(part: slice) -> None:
        for block in blocks[part]:
            for x, columns in enumerate(_three(sums[:, :, block])):
                for y, weights in enumerate(_three(columns)):
                    dW[block, :, y, x] = weights

    threads.each_part(work, len(blocks), 4 * sums.size)
    return dW


def _three(s: Array) -> tuple[Array, Array, Array]:
    """G^T along the first axis: 4 -> 3."""
    half = s.dtype.type(0.5)
    outer, inner = s[1] + s[2], s[1] - s[2]
    outer *= half
    inner *= half
    return s[0] + outer, inner, outer + s[3]


def _spread(d: Array, M: Array) -> None:
    """A dY A^T: dout (f, rows, OW, N) -> (4, 4, f, h, w, N), the column of the tile first."""
    _, _, f, h, w, N = M.shape
    squares = workspace("pixels", (2, 2, f, h, w, N), d.dtype)  # even and odd columns, even and odd rows
    for x, y in np.ndindex(2, 2):
        found = d[:, y::2, x::2]
        H, W = found.shape[1:3]
        if (h, w) != (H, W):
            squares[x, y] = 0  # beyond the border
        copy_pixels(squares[x, y, :, :H, :W], found)
    half = workspace("rows of tiles", (4, 2, f, h, w, N), d.dtype)
    _four(squares[:, 0], squares[:, 1], half)
    _four(half[:, 0], half[:, 1], M)


def _four(even: Array, odd: Array, out: Array) -> None:
    """A along the first axis: 2 -> 4."""
    np.copyto(out[0], even)
    np.add(even, odd, out=out[1])
    np.subtract(even, odd, out=out[2])
    np.negative(odd, out=out[3])


def _all_tiles(pixels: Array, h: int, w: int, step: int) -> Array:
    """The pixels that some rows of tiles see -> (4, 4, C, h, w, N) in the workspace, `step` channels at a
    time."""
    C, N = len(pixels), pixels.shape[3]
    V = workspace("tiles", (4, 4, C, h, w, N), pixels.dtype)
    for first in range(0, C, step):
        _tiles(pixels[first : first + step], V[:, :, first : first + step])
    return V


def _tiles(pixels: Array, V: Array) -> None:
    """B^T d B of overlapping 4x4 tiles: the pixels (c, 2h + 2, 2w + 2, N) -> V (4, 4, c, h, w, N), the
    column of the tile first."""
    _, _, c, h, w, N = V.shape
    P = workspace("pixels", (2, 2, c, h + 1, w + 1, N), V.dtype)  # even and odd rows, even and odd columns
    for i in range(2):
        for j in range(2):
            found = pixels[:, i::2, j::2]
            _, H, W, _ = found.shape
            copy_pixels(P[i, j, :, :H, :W], found)
            P[i, j, :, H:] = 0  # beyond the border of an odd number of rows or columns
            P[i, j, :, :, W:] = 0
    T = workspace("rows of tiles", (4, 2, c, h, w + 1, N), V.dtype)
    _differences(P[0, :, :, :h], P[1, :, :, :h], P[0, :, :, 1:], P[1, :, :, 1:], T)
    even, odd = T[:, 0], T[:, 1]
    _differences(even[..., :w, :], odd[..., :w, :], even[..., 1:, :], odd[..., 1:, :], V)


def _differences(d0: Array, d1: Array, d2: Array, d3: Array, out: Array) -> None:
    """B^T along the first axis."""
    np.subtract(d0, d2, out=out[0])
    np.add(d1, d2, out=out[1])
    np.subtract(d2, d1, out=out[2])
    np.subtract(d1, d3, out=out[3])


def _outputs(M: Array, out: Array) -> None:
    """A^T M A: (4, 4, f, h, w, N) -> the 2x2 squares of out (f, rows, OW, N)."""
    half = workspace("rows of tiles", (2, *M.shape[1:]), M.dtype)
    extra = workspace("pixels", M.shape[1:], M.dtype)
    np.add(M[1], M[2], out=extra)
    np.add(extra, M[0], out=half[0])
    np.subtract(M[1], M[2], out=extra)
    np.subtract(extra, M[3], out=half[1])
    for column in range(2):
        m = half[column]
        for row, sign in ((0, np.add), (1, np.subtract)):
            square = out[:, row::2, column::2]
            h, w = square.shape[1:3]
            sign(m[1], m[2], out=extra[0])
            last = m[0] if row == 0 else m[3]
            sign(extra[0], last, out=extra[0])
            copy_pixels(square, extra[0, :, :h, :w])
