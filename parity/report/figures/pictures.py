"""Arrays as small PNG images embedded in the page; the browser enlarges their pixels."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape
from PIL import Image

from scratchcnn.typing import Array


def png(pixels: Array) -> str:
    """A data URL of (H, W) bytes, or of (H, W, 2) bytes: grey and opacity."""
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8), "LA" if pixels.ndim == 3 else "L").save(
        buffer, "PNG", optimize=True
    )
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def grey(values: Array, low: float | None = None, high: float | None = None) -> Array:
    """Numbers as bytes, the smallest black and the largest white."""
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    scaled: Array = np.clip((values - low) / max(high - low, 1e-12) * 255, 0, 255)
    return scaled.astype(np.uint8)


def montage(images: Sequence[Array], columns: int, gap: int = 1) -> Array:
    """(H, W) images side by side with transparent gaps -> (rows, columns, 2)."""
    H, W = images[0].shape
    rows = -(-len(images) // columns)
    sheet = np.zeros((rows * (H + gap) - gap, columns * (W + gap) - gap, 2), np.uint8)
    for k, image in enumerate(images):
        y, x = k // columns * (H + gap), k % columns * (W + gap)
        sheet[y : y + H, x : x + W, 0], sheet[y : y + H, x : x + W, 1] = image, 255
    return sheet


def image(pixels: Array, alt: str, scale: float, css: str = "") -> Markup:
    """An <img>, enlarged."""
    H, W = pixels.shape[:2]
    return Markup(
        f'<img class="pixels {css}" src="{png(pixels)}" alt="{escape(alt)}" width="{round(W * scale)}" '
        f'height="{round(H * scale)}">'
    )
