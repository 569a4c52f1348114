"""Pictures from files, and images made to fit a network.

`read_image` prepares a photograph the way Fashion-MNIST was made (Xiao et al. 2017, figure 1): trimmed
to the thing, its longer side scaled to 28 pixels, centred, gray, light on black. It needs Pillow;
`resize` is NumPy alone.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchcnn.typing import Array, PathLike

__all__ = ["light_background", "read_image", "resize"]

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's and most gray conversions


def read_image(
    path: PathLike,
    shape: tuple[int, int, int] = (1, 28, 28),
    invert: bool | None = None,
    margin: int = 0,
) -> NDArray[np.float32]:
    """A PNG or JPEG file as (1, C, H, W) float32 in [0, 1], C being 1 (gray) or 3 (RGB).

    Camera orientation is obeyed, transparency shown on white, 16 bits kept. A picture of H x W pixels
    is taken as it is. Another one loses the edges that are within 5 % of its background's colour, and
    is scaled to fit, proportions kept; what is left over has the background's colour.

    invert   light becomes dark; None: when the background is light (`light_background`), since the
             data sets show light things on black and photographs mostly dark things on white
    margin   pixels to leave free on all sides when the picture is scaled: 4 for MNIST

    Raises FileNotFoundError when there is no file, ValueError when it is not a whole PNG or JPEG.
    """
    C, H, W = shape
    if C not in (1, 3):
        raise ValueError(f"expected a shape of 1 or 3 channels, got {tuple(shape)}")
    if not 0 <= 2 * margin < min(H, W):
        raise ValueError(f"margin must be at least 0 and leave something of {H} x {W} pixels, got {margin}")
    picture = _pixels(path)
    background = _background(picture)
    pixels = (
        picture if picture.shape[:2] == (H, W) else _fit(_trim(picture, background), background, H, W, margin)
    )
    if pixels.shape[2] != C:  # (H, W, 1) or (H, W, 3) -> (H, W, C)
        pixels = _gray(pixels)[:, :, None] if C == 1 else np.repeat(pixels, 3, axis=2)
    x = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], dtype=np.float32).clip(0, 1)
    if _gray(background) > 0.5 if invert is None else invert:
        return 1 - x
    return x


def light_background(path: PathLike) -> bool:
    """Whether a picture's background, the median colour of its outermost pixels, is nearer to white."""
    return bool(_gray(_background(_pixels(path))) > 0.5)


def resize(x: Array, shape: tuple[int, ...]) -> Array:
    """Images of another size by nearest neighbour: (N, C0, H0, W0) -> (N, C, H, W), dtype kept.

    Output pixel i shows the input pixel under its middle, floor((i + 1/2) * H0 / H), which is PyTorch's
    "nearest-exact". One channel is repeated C times. x itself is returned when it has the shape already.

    Raises ValueError when x is not 4-D or has channels that are neither one nor C.
    """
    if np.ndim(x) != 4 or 0 in x.shape[1:]:
        raise ValueError(f"resize: expected images of shape (N, C, H, W), got {np.shape(x)}")
    C, H, W = shape
    C0, H0, W0 = x.shape[1:]
    if C0 not in (1, C):
        raise ValueError(f"resize: cannot make {C} channels of {C0}; only one channel can be repeated")
    if x.shape[1:] == (C, H, W):
        return x
    rows, columns = ((2 * np.arange(n) + 1) * n0 // (2 * n) for n, n0 in ((H, H0), (W, W0)))
    out = x[:, :, rows][:, :, :, columns]  # (N, C0, H, W)
    return np.repeat(out, C, axis=1) if C0 != C else out


def _pixels(path: PathLike) -> NDArray[np.float64]:
    """The picture as numbers in [0, 1], (H, W, 1) or (H, W, 3)."""
    from PIL import Image, ImageOps

    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)}")
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as file:
            return _numbers(ImageOps.exif_transpose(file))
    except Image.UnidentifiedImageError:
        raise ValueError(f"{os.fspath(path)} is not a PNG or JPEG picture; convert it to one") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{os.fspath(path)} cannot be read as a picture: {error}") from error


def _numbers(image: Any) -> NDArray[np.float64]:
    if image.mode.startswith("I"):  # 16 bits of gray
        return np.asarray(image, dtype=np.float64)[:, :, None] / 65535
    gray = image.mode in ("1", "L", "LA") and "transparency" not in image.info
    array = np.asarray(image.convert("LA" if gray else "RGBA"), dtype=np.float64) / 255
    colour, alpha = array[:, :, :-1], array[:, :, -1:]
    return colour * alpha + (1 - alpha)  # on white


def _gray(colour: Array) -> Array:
    """(..., 1) or (..., 3) -> (...)"""
    return colour[..., 0] if colour.shape[-1] == 1 else colour @ np.array(LUMA)


def _background(pixels: Array) -> Array:
    """The median colour of the outermost pixels: (H, W, C) -> (C,)."""
    return np.median(np.concatenate((pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1])), axis=0)


def _trim(pixels: Array, background: Array) -> Array:
    """Without the rows and columns at the edges that hold nothing but background."""
    thing = (np.abs(pixels - background) > 0.05).any(axis=2)
    if not thing.any():
        return pixels
    (rows,), (columns,) = thing.any(axis=1).nonzero(), thing.any(axis=0).nonzero()
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _fit(pixels: Array, background: Array, H: int, W: int, margin: int) -> Array:
    """(H0, W0, C) scaled to fit into (H - 2 * margin, W - 2 * margin), in the middle of (H, W, C)."""
    from PIL import Image

    H0, W0, C = pixels.shape
    scale = min((H - 2 * margin) / H0, (W - 2 * margin) / W0)
    h, w = max(1, round(H0 * scale)), max(1, round(W0 * scale))
    top, left = (H - h) // 2, (W - w) // 2
    out = np.broadcast_to(background, (H, W, C)).copy()
    for c in range(C):
        channel = Image.fromarray(pixels[:, :, c].astype(np.float32))
        scaled = channel.resize((w, h), Image.Resampling.BILINEAR)  # averages when it shrinks
        out[top : top + h, left : left + w, c] = np.asarray(scaled)
    return out
