"""A network from nothing but the file that `train --out` wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scratchcnn.networks import NETWORKS, Network
from scratchcnn.weights import load_weights, read_safetensors


def load_trained(path: Path) -> tuple[Network, list[str], Any, int]:
    """The network that a weights file describes, its class names, its images' shape and margin."""
    tensors, metadata = read_safetensors(path)
    kinds: dict[str, Any] = {kind.__name__: kind for kind in NETWORKS.values()}
    try:
        kind = kinds[metadata["network"]]
        class_names = [str(name) for name in json.loads(metadata["class_names"])]
        input_dim, shape = (
            tuple(map(int, json.loads(metadata[key]))) for key in ("input_dim", "image_shape")
        )
        margin = int(metadata["margin"])
        dtype = next(iter(tensors.values())).dtype
        net = kind(input_dim=input_dim, output_size=len(class_names), dtype=dtype)
    except (KeyError, ValueError, TypeError, StopIteration) as error:
        raise ValueError(
            f"{path} does not say which network it belongs to ({type(error).__name__}: {error}); "
            "predict needs a file that train --out wrote"
        ) from error
    load_weights(net, path)
    return net, class_names, shape, margin
