"""What a network sees of a picture: the array that it gets, as characters and as a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scratchcnn.files import atomic_write
from scratchcnn.typing import Array

SHADES = " .:-=+*#%@"
MOST_COLUMNS = 64  # a larger picture is thinned out


def as_characters(x: Array) -> str:
    """x (C, H, W) as lines of two characters per pixel, the darkest as a blank, the brightest as @."""
    gray = _unit(x.mean(axis=0))
    step = -(-gray.shape[1] // MOST_COLUMNS)
    levels = np.minimum((gray[::step, ::step] * len(SHADES)).astype(int), len(SHADES) - 1)
    return "\n".join("".join(2 * SHADES[level] for level in row).rstrip() for row in levels)


def write_seen(x: Array, folder: Path, picture: Path) -> Path:
    """Write x (C, H, W) as an image, NAME.seen.png, into the folder; returns the file.

    Raises FileNotFoundError if the folder is missing.
    """
    from PIL import Image

    path = folder / f"{picture.stem}.seen.png"
    pixels = np.rint(_unit(x) * 255).astype(np.uint8)
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    with atomic_write(path) as unfinished:
        image.save(unfinished, format="PNG")
    return path


def _unit(x: Array) -> Array:
    """Numbers from 0 to 1 as they are; others from their smallest, 0, to their largest, 1."""
    if x.min() >= 0 and x.max() <= 1:
        return x
    span = float(x.max() - x.min())
    scaled: Array = (x - x.min()) / (span or 1.0)
    return scaled
