"""The weights of a trained LeNet as a script beside the course's page, loaded when a digit is drawn."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

import scratchcnn.data
from scratchcnn.weights import read_safetensors

LENET = "lenet.js"
WEIGHTS = Path(scratchcnn.data.__file__).parent / "trained" / "lenet-mnist.safetensors"


def lenet_script() -> str:
    """The script: `LENET = {"shapes": {name: shape}, "values": "..."}`, float32 in base64, little-endian."""
    arrays, _ = read_safetensors(WEIGHTS)
    values = np.concatenate([np.ravel(array) for array in arrays.values()]).astype("<f4")
    shapes = json.dumps({name: list(array.shape) for name, array in arrays.items()})
    text = base64.b64encode(values.tobytes()).decode()
    return f'LENET = {{"shapes": {shapes}, "values": "{text}"}};\n'
