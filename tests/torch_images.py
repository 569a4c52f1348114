"""torchvision's transform for evaluation, step by step as it is documented, on Pillow and torch."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor


def evaluation_transform(
    image: Image.Image,
    crop: int = 224,
    resize: int = 256,
    mean: tuple[float, ...] = (0.485, 0.456, 0.406),
    std: tuple[float, ...] = (0.229, 0.224, 0.225),
) -> Tensor:
    """`torchvision.transforms._presets.ImageClassification` of an RGB image -> (1, 3, crop, crop) float32.

    The smaller edge is matched to `resize`: for height > width the size is (resize * height / width,
    resize). The crop is at the centre. Values are scaled to [0, 1] and then normalised.
    """
    w, h = image.size
    short, long = (w, h) if w <= h else (h, w)
    new_short, new_long = resize, int(resize * long / short)
    new_w, new_h = (new_short, new_long) if w <= h else (new_long, new_short)
    image = image.resize((new_w, new_h), Image.Resampling.BILINEAR)
    top, left = round((new_h - crop) / 2.0), round((new_w - crop) / 2.0)
    raw = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
    pixels = raw.view(new_h, new_w, 3).permute(2, 0, 1)[:, top : top + crop, left : left + crop]
    scaled = pixels.to(torch.float32).div(255)
    shift, scale = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
    return scaled.sub(shift).div(scale)[None]


def antialiased(image: Image.Image, crop: int = 224, resize: int = 256) -> Tensor:
    """The same crop in grey levels 0..255, resized by torch's own antialiased bilinear filter."""
    w, h = image.size
    size = (resize, int(resize * w / h)) if h <= w else (int(resize * h / w), resize)
    raw = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
    x = raw.view(h, w, 3).permute(2, 0, 1)[None].to(torch.float64)
    x = torch.nn.functional.interpolate(x, size, mode="bilinear", antialias=True)
    top, left = round((size[0] - crop) / 2.0), round((size[1] - crop) / 2.0)
    return x[:, :, top : top + crop, left : left + crop]
