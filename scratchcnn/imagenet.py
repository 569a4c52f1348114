"""Photographs as networks trained on ImageNet expect them: torchvision's transform for evaluation.

    resize so that the shorter side has 256 pixels (bilinear, antialiased), crop 224x224 from the middle,
    divide by 255, subtract the mean and divide by the standard deviation of each colour

It needs Pillow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scratchcnn.pictures import open_picture
from scratchcnn.typing import PathLike

__all__ = ["preprocess"]

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's training images: red, green, blue
STD = (0.229, 0.224, 0.225)
# torchvision's GoogLeNet was trained on inputs from -1 to 1; its transform_input undoes MEAN and STD.
HALVES = (0.5, 0.5, 0.5)
# torchvision's files of weights that have two versions: IMAGENET1K_V1, and V2, which was trained otherwise.
OLDER_FILES = ("resnet50-0676ba61", "resnet50-19c8e357", "resnet101-63fe2227", "resnet101-5d3b4d8f")
NEWER_FILES = ("resnet50-11ad3fa6", "resnet101-cd907fc2")
NEWER_RESIZE = 232


def preprocess(
    path: PathLike,
    size: int = 224,
    resize: int | None = None,
    mean: tuple[float, ...] = MEAN,
    std: tuple[float, ...] = STD,
) -> NDArray[np.float32]:
    """A picture file as (1, 3, size, size) float32, prepared as by torchvision's evaluation transform.

    resize   the shorter side before the crop; None: 256 for 224, in proportion for other sizes
             (torchvision's newer weights of ResNet-50 and ResNet-101 need 232)

    The picture is first turned upright (torchvision leaves that to its caller). Transparency is ignored,
    as torchvision does, and gray becomes RGB. Errors as `open_picture`, and ValueError for such sizes.
    """
    from PIL import Image

    resize = round(size * 256 / 224) if resize is None else resize
    if not 0 < size <= resize:
        raise ValueError(f"preprocess: expected 0 < size <= resize, got size {size} and resize {resize}")
    image = open_picture(path)
    if image.mode == "F":
        image = Image.fromarray(np.rint(np.asarray(image) * 255).astype(np.uint8))
    image = image.convert("RGB")

    width, height = resized(image.width, image.height, resize)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - size) / 2), round((height - size) / 2)  # halves to even, as torchvision
    image = image.crop((left, top, left + size, top + size))
    pixels = np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / np.float32(255)  # (3, size, size)
    column = (3, 1, 1)
    x = (pixels - np.array(mean, np.float32).reshape(column)) / np.array(std, np.float32).reshape(column)
    return np.ascontiguousarray(x[None])


def resized(width: int, height: int, shorter: int) -> tuple[int, int]:
    """(width, height) scaled so that the shorter side is `shorter`; the other is rounded down."""
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter
