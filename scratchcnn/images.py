"""Pictures from files, and images resized for a network.

`read_image` prepares a photograph the way Fashion-MNIST was made (Xiao et al. 2017, figure 1): trimmed to
the object, its longer side scaled to 28 pixels, centred, gray, light on black. It needs Pillow; `resize`
needs only NumPy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scratchcnn.pictures import open_picture
from scratchcnn.typing import Array, PathLike

__all__ = ["light_background", "read_image", "resize"]

BLANK = 0.05  # what the numbers of a picture with nothing in it span at most
LEAST_CONTRAST = 0.8  # the images of MNIST and of Fashion-MNIST span at least 0.99
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow and most others convert to gray


def read_image(
    path: PathLike,
    shape: tuple[int, int, int] = (1, 28, 28),
    invert: bool | None = None,
    margin: int = 0,
) -> NDArray[np.float32]:
    """A picture file as (1, C, H, W) float32 in [0, 1], C being 1 (gray) or 3 (RGB).

    The picture is turned upright and shown on white where it is transparent; 16 bits are kept. Pictures
    of H x W pixels are taken unchanged. Others are trimmed of edges within 5 % of the background's colour
    and scaled to fit, keeping their proportions; the rest is filled with the background's colour.

    invert   turn light into dark; None: if the background is light (`light_background`), since the data
             sets show light objects on black, and photographs mostly dark objects on white
    margin   pixels to leave empty on each side when the picture is scaled: 4 for MNIST

    Raises FileNotFoundError if there is no file, ValueError if it is not a whole picture (`open_picture`).
    """
    C, H, W = shape
    if C not in (1, 3):
        raise ValueError(f"expected a shape of 1 or 3 channels, got {tuple(shape)}")
    if not 0 <= 2 * margin < min(H, W):
        raise ValueError(f"margin must be at least 0 and leave some of {H} x {W} pixels, got {margin}")
    picture = as_pixels(path)
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
    """Whether a picture's background, the median colour of its outermost pixels, is above mid-gray."""
    return bool(_gray(_background(as_pixels(path))) > 0.5)


def resize(x: Array, shape: tuple[int, ...]) -> Array:
    """Resize images by nearest neighbour: (N, C0, H0, W0) -> (N, C, H, W), same dtype.

    Output pixel i is the input pixel under its middle, floor((i + 1/2) * H0 / H): PyTorch's
    "nearest-exact". One channel is repeated C times. x itself is returned if it already has the shape.

    Raises ValueError if x is not 4-D, or has neither one channel nor C.
    """
    if np.ndim(x) != 4 or 0 in x.shape[1:]:
        raise ValueError(f"resize: expected images of shape (N, C, H, W), got {np.shape(x)}")
    C, H, W = shape
    C0, H0, W0 = x.shape[1:]
    if C0 not in (1, C):
        raise ValueError(f"resize: cannot turn {C0} channels into {C}; only one channel can be repeated")
    if x.shape[1:] == (C, H, W):
        return x
    rows, columns = ((2 * np.arange(n) + 1) * n0 // (2 * n) for n, n0 in ((H, H0), (W, W0)))
    out = x[:, :, rows][:, :, :, columns]  # (N, C0, H, W)
    return np.repeat(out, C, axis=1) if C0 != C else out


def as_pixels(path: PathLike) -> Array:
    """The picture as float32 in [0, 1] on white, (H, W, 1) or (H, W, 3)."""
    image = open_picture(path)
    pixels = np.asarray(image, dtype=np.float32)
    if image.mode == "F":
        return pixels[:, :, None]
    pixels /= np.float32(255)
    if image.mode == "L":
        return pixels[:, :, None]
    if image.mode == "RGB":
        return pixels
    colour, opacity = pixels[:, :, :-1], pixels[:, :, -1:]
    return colour * opacity + (1 - opacity)


def is_blank(x: Array) -> bool:
    """Whether the pixels of each channel of images (N, C, H, W) in [0, 1] differ by less than 5 %."""
    return bool((x.max(axis=(2, 3)) - x.min(axis=(2, 3))).max() < BLANK)


def stretched(x: Array) -> Array:
    """Images (N, C, H, W) in [0, 1] with the darkest number of each at 0 and the brightest at 1.

    Only pictures without contrast are changed: those whose numbers span less than LEAST_CONTRAST, and are
    not blank.
    """
    low, high = x.min(axis=(1, 2, 3), keepdims=True), x.max(axis=(1, 2, 3), keepdims=True)
    weak = (high - low < LEAST_CONTRAST) & (high - low >= BLANK)
    span: Array = np.where(weak, high - low, 1).astype(x.dtype)
    moved: Array = (x - np.where(weak, low, 0).astype(x.dtype)) / span
    return moved.clip(0, 1)


def _gray(colour: Array) -> Array:
    """(..., 1) or (..., 3) -> (...)"""
    if colour.shape[-1] == 1:
        return colour[..., 0]
    gray: Array = colour @ np.array(LUMA, dtype=colour.dtype)
    return gray


def _background(pixels: Array) -> Array:
    """The median colour of the outermost pixels: (H, W, C) -> (C,)."""
    border = np.concatenate((pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]))
    return np.asarray(np.median(border, axis=0))


def _trim(pixels: Array, background: Array) -> Array:
    """The pixels without the rows and columns at the edges that show only background."""
    shown = (np.abs(pixels - background) > 0.05).any(axis=2)
    if not shown.any():
        return pixels
    (rows,), (columns,) = shown.any(axis=1).nonzero(), shown.any(axis=0).nonzero()
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _fit(pixels: Array, background: Array, H: int, W: int, margin: int) -> Array:
    """(H0, W0, C) scaled to fit (H - 2 * margin, W - 2 * margin), in the middle of (H, W, C)."""
    from PIL import Image

    H0, W0, C = pixels.shape
    scale = min((H - 2 * margin) / H0, (W - 2 * margin) / W0)
    h, w = max(1, round(H0 * scale)), max(1, round(W0 * scale))
    top, left = (H - h) // 2, (W - w) // 2
    out = np.broadcast_to(background, (H, W, C)).copy()
    for c in range(C):
        channel = Image.fromarray(pixels[:, :, c].astype(np.float32))
        scaled = channel.resize((w, h), Image.Resampling.BILINEAR)  # an average where it shrinks
        out[top : top + h, left : left + w, c] = np.asarray(scaled)
    return out
