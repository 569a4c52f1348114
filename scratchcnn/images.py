"""Pictures from files, and images made to fit a network.

`read_image` prepares a photograph the way Fashion-MNIST was made: gray, the longer side scaled to 28
pixels, centred, light on black. It needs Pillow; `resize` is NumPy alone.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's and most gray conversions


def read_image(
    path: str | os.PathLike[str], shape: tuple[int, int, int] = (1, 28, 28), invert: bool | None = None
) -> NDArray[np.float32]:
    """A PNG or JPEG file as (1, C, H, W) float32 in [0, 1], C being 1 (gray) or 3 (RGB).

    Camera orientation is obeyed, transparency shown on white, 16 bits kept. The picture keeps its
    proportions; what is left over is filled with the colour of its border. A picture that has the
    size already is not touched.

    invert   light becomes dark; None: when the border is light (`light_border`), since the data sets
             show light things on black and photographs mostly dark things on white

    Raises FileNotFoundError when there is no file, ValueError when it is not a whole PNG or JPEG.
    """
    C, H, W = shape
    if C not in (1, 3):
        raise ValueError(f"expected a shape of 1 or 3 channels, got {tuple(shape)}")
    pixels = _fit(_pixels(path), H, W)  # (H, W, 1) or (H, W, 3)
    if pixels.shape[2] != C:
        pixels = pixels @ np.array(LUMA)[:, None] if C == 1 else np.repeat(pixels, 3, axis=2)
    x = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], dtype=np.float32).clip(0, 1)
    if light_border(x) if invert is None else invert:
        return 1 - x
    return x


def light_border(x: NDArray) -> bool:
    """Whether the outermost pixels of (1, C, H, W) in [0, 1] are light: their median is above one half."""
    return bool(np.median(_border(x[0].transpose(1, 2, 0))) > 0.5)


def resize(x: NDArray, shape: tuple[int, ...]) -> NDArray:
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


def _pixels(path: str | os.PathLike[str]) -> NDArray[np.float64]:
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


def _fit(pixels: NDArray, H: int, W: int) -> NDArray:
    """Scale (H0, W0, C) to fit into (H, W) and centre it on the colour of its border."""
    from PIL import Image

    H0, W0, C = pixels.shape
    if (H0, W0) == (H, W):
        return pixels
    scale = min(H / H0, W / W0)
    h, w = max(1, round(H0 * scale)), max(1, round(W0 * scale))
    out = np.empty((H, W, C))
    out[:] = np.median(_border(pixels), axis=0)
    top, left = (H - h) // 2, (W - w) // 2
    for c in range(C):
        channel = Image.fromarray(pixels[:, :, c].astype(np.float32))
        scaled = channel.resize((w, h), Image.Resampling.BILINEAR)  # averages when it shrinks
        out[top : top + h, left : left + w, c] = np.asarray(scaled)
    return out


def _border(pixels: NDArray) -> NDArray:
    """The outermost pixels of (H, W, C), one a row."""
    edges = (pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1])
    return np.concatenate(edges)
