"""Picture files as Pillow images of a few plain kinds, whatever is in the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from scratchcnn.typing import PathLike

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")


def open_picture(path: PathLike) -> Image:
    """Read a picture, turned upright, in one of these modes:

        L, LA, RGB, RGBA    8 bits per channel, A being the opacity
        F                   gray from 0 to 1, of pictures with 16 bits or floating-point pixels

    Palettes become colours; CMYK and other colour spaces become RGB. It needs Pillow.

    Raises FileNotFoundError if there is no file, ValueError if it is not a whole picture or its
    floating-point pixels are not between 0 and 1.
    """
    import PIL
    from PIL import Image, ImageOps

    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)}")
    try:
        with Image.open(path, formats=FORMATS) as file:
            image = ImageOps.exif_transpose(file)
            plain = _deep(image) if image.mode[0] in "IF" else _plain(image)
    except PIL.UnidentifiedImageError:
        raise ValueError(
            f"{os.fspath(path)} is not a picture; convert it to one of {', '.join(FORMATS)}"
        ) from None
    except IsADirectoryError:
        raise ValueError(f"{os.fspath(path)} is a folder; name the pictures in it") from None
    except (OSError, SyntaxError, ValueError, TypeError, Image.DecompressionBombError) as error:
        raise ValueError(f"{os.fspath(path)} cannot be read as a picture: {error}") from error
    return plain


def _plain(image: Image) -> Image:
    see_through = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    gray = image.mode in ("1", "L", "LA", "La")
    return image.convert(("L" if gray else "RGB") + "A" * see_through)


def _deep(image: Image) -> Image:
    """Gray of 16 bits (modes I and I;16), or of floating-point numbers (mode F), as 0 to 1."""
    from PIL import Image

    pixels = np.asarray(image, dtype=np.float32) / np.float32(1 if image.mode == "F" else 65535)
    low, high = float(pixels.min()), float(pixels.max())
    if not 0 <= low <= high <= 1:
        if not np.isfinite([low, high]).all():
            raise ValueError("it holds NaN or infinity")
        wanted = "0 to 1" if image.mode == "F" else "at most 16 bits"
        unit = 1 if image.mode == "F" else 65535
        if image.mode == "F" and low >= 0:
            whole = 255 if high <= 255 else 65535
            wanted += f"; divide them by {whole} where it was made" if high <= whole else ""
        raise ValueError(f"its pixels go from {low * unit:g} to {high * unit:g}, expected {wanted}")
    return Image.fromarray(pixels)
