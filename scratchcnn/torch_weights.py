"""Weights under PyTorch's names: files of torchvision into our networks, ours into files for PyTorch.

    load_torch_weights(network, "resnet50-11ad3fa6.pth")
    save_torch_weights(network, "mine.pth")            # module.load_state_dict(torch.load("mine.pth"))

The names follow `network.torch_path` (torchvision's, if it has the network): W is `weight`, b is `bias`,
and an Affine's W (in, out) is transposed to PyTorch's (out, in).
"""

from __future__ import annotations

import json
import os
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scratchcnn.layers import Affine, BatchNormalization, Layer
from scratchcnn.legacy_pth import is_legacy
from scratchcnn.networks import Network
from scratchcnn.state_dict import read_pth_noted, write_pth
from scratchcnn.typing import Array, PathLike
from scratchcnn.weights import WeightMismatch, copy_all, mismatch, read_safetensors, write_safetensors

__all__ = [
    "load_checkpoint",
    "load_torch_weights",
    "read_torch_weights",
    "save_checkpoint",
    "save_torch_weights",
]

TORCH_NAMES = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}  # other arrays keep their names
COUNTER = "num_batches_tracked"  # PyTorch's batch normalization counts batches; ours does not
WRAPPERS = ("module.", "_orig_mod.")  # of DataParallel and torch.compile
INSIDE = (  # of wrapped parts of a network, anywhere in a name
    *(".module.", "._orig_mod.", "._forward_module."),
    *("._fsdp_wrapped_module.", "._checkpoint_wrapped_module."),
)
AVERAGED = "n_averaged"  # the count of torch.optim.swa_utils.AveragedModel
CONTAINERS = ("model.", "net.", "network.")  # of a module that holds the network and nothing else
PART_NAME = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.\w+)")
SUFFIXES = (".safetensors", ".pth", ".pt")


class Entry(NamedTuple):
    """One array of the network in PyTorch's shape: a view, so writing to it changes the network."""

    ours: str
    array: Array


def load_torch_weights(network: Network, path: PathLike) -> str:
    """Copy a `.safetensors` or `.pth` state dict with PyTorch's names *into* the network.

    Floating-point numbers are rounded or widened to the network's dtype. Nothing in the file is run.
    Prefixes that wrappers put before all names ("module.", "_orig_mod.", "model.", ...) are removed and
    returned.

    Raises WeightMismatch, which lists every tensor that is missing, surplus, or of the wrong shape or
    type; the network is then unchanged. Otherwise errors as `read_weights_file`.
    """
    return load_state(network, read_weights_file(path)[0], path)


def load_state(network: Network, stored: Mapping[str, Array], path: PathLike) -> str:
    """Copy tensors with PyTorch's names into the network, all or none; the error names `path`.

    Returns the prefix that was removed from all names.
    """
    targets = torch_state(network)
    stored, prefix, others = own_names(stored, targets, path)
    problems = [
        f"{name} (our {ours}): {problem}"
        for name, (ours, array) in targets.items()
        if (problem := mismatch(stored.get(name), array))
    ]
    counters = {name for name in stored if name.endswith(f".{COUNTER}") or name == AVERAGED}
    problems += [f"{name}: surplus in the file" for name in stored if name not in targets.keys() | counters]
    problems += [f"{name}: surplus in the file" for name in others]
    if problems:
        classes = _other_classes(network, stored)
        hint = f"the file is of {classes} classes: build the network with output_size={classes}"
        raise WeightMismatch(path, type(network).__name__, [*problems, *([hint] if classes else [])])
    copy_all({name: array for name, (_, array) in targets.items()}, stored)
    return prefix


def own_names(
    stored: Mapping[str, Array], names: Collection[str], path: PathLike
) -> tuple[dict[str, Array], str, list[str]]:
    """The tensors under the names of one network, what was removed from theirs, and those of something else.

    Removed are the words that DataParallel, torch.compile and their like put anywhere into a name, and a
    prefix of a module that holds the network, whatever it is called; tensors without that prefix (a loss's,
    a metric's) belong to something else. Raises ValueError if several prefixes would do.
    """
    found, removed = without_prefixes(stored, WRAPPERS + CONTAINERS)
    if not set(names) <= found.keys():
        inside = sorted({word for name in found for word in INSIDE if word in f".{name}"})
        found = {_without(INSIDE, name): array for name, array in found.items()} if inside else found
        removed += "".join(word[1:] for word in inside)
    first = next(iter(names), "")
    ends = (name.removesuffix(first) for name in found if name.endswith(f".{first}"))
    prefixes = [p for p in ends if all(p + name in found for name in names if name != first)]
    if set(names) <= found.keys() or not first or not prefixes:
        return found, removed, []
    if len(prefixes) > 1:
        raise ValueError(
            f"{os.fspath(path)} holds several networks, whose names begin with {' and '.join(prefixes)}; "
            "keep the tensors of one of them"
        )
    (prefix,) = prefixes
    own = {name.removeprefix(prefix): a for name, a in found.items() if name.startswith(prefix)}
    return own, removed + prefix, [name for name in found if not name.startswith(prefix)]


def _without(words: Sequence[str], name: str) -> str:
    """`features.module.0.weight` -> `features.0.weight`."""
    name = f".{name}"
    for word in words:
        name = name.replace(word, ".")
    return name[1:]


def head_of(network: Network) -> str:
    """PyTorch's name of the weights that make the scores; empty if that is no fully connected layer."""
    path, layer = list(network.layers.leaves())[-1]
    return f"{network.torch_path(path)}.weight" if isinstance(layer, Affine) else ""


def _other_classes(network: Network, stored: Mapping[str, Array]) -> int:
    """The number of classes in the file if its head is of another size than the network's, else 0."""
    head = stored.get(head_of(network))
    return len(head) if head is not None and head.ndim == 2 and len(head) != network.output_size else 0


def without_prefixes(tensors: Mapping[str, Array], prefixes: Sequence[str]) -> tuple[dict[str, Array], str]:
    """The tensors without any of these prefixes that all names share, and what was removed."""
    found, removed = dict(tensors), ""
    while shared := [p for p in prefixes if found and all(name.startswith(p) for name in found)]:
        found = {name.removeprefix(shared[0]): array for name, array in found.items()}
        removed += shared[0]
    return found, removed


def save_torch_weights(network: Network, path: PathLike) -> None:
    """Write the network's weights so that the PyTorch module with these names loads them with strict=True.

    The format is `.safetensors`, or `.pth` for `torch.load`. Batch normalizations get PyTorch's count of
    batches, 0. Raises ValueError for another suffix; otherwise errors as `write_safetensors`.
    """
    tensors = {name: array for name, (_, array) in torch_state(network).items()}
    for layer_path, layer in network.layers.leaves():
        if isinstance(layer, BatchNormalization):
            tensors[f"{network.torch_path(layer_path)}.{COUNTER}"] = np.zeros((), dtype=np.int64)
    if _suffix(path) == ".safetensors":
        write_safetensors(path, tensors, {"network": type(network).__name__, "format": "pt"})
    else:
        write_pth(path, tensors)


def read_torch_weights(path: PathLike) -> dict[str, Array]:
    """The tensors of a PyTorch or safetensors file by name; errors as `read_weights_file`.

    The prefixes "module." and "_orig_mod." are removed if all names have them.
    """
    return without_prefixes(read_weights_file(path)[0], WRAPPERS)[0]


def read_weights_file(path: PathLike) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors by name and the metadata of a safetensors or PyTorch file, recognized by its content.

    Of a file in several parts (`model-00001-of-00002.safetensors`), any part or the index (`.json`)
    stands for all of them.

    Raises FileNotFoundError if there is no file or a part is missing, ValueError if it is neither format
    or is not whole.
    """
    tensors: dict[str, Array] = {}
    metadata: dict[str, str] = {}
    for part in _parts(Path(path)):
        found, about = _read_part(part)
        tensors |= found
        metadata |= about
    return tensors, metadata


def _read_part(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    if path.is_file() and zipfile.is_zipfile(path):
        return _from_pth(path)
    if path.suffix.lower() == ".safetensors" or _begins_like_safetensors(path):
        return read_safetensors(path)
    return _from_pth(path)  # raises with what is wrong with it


def written_by_torch(path: PathLike) -> bool:
    """Whether torch.save wrote the file, whatever its name ends in."""
    if is_legacy(path):
        return True
    if not os.path.isfile(path) or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/data.pkl") for name in archive.namelist())


def _from_pth(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    tensors, note = read_pth_noted(path)
    return tensors, {"note": note} if note else {}


def _parts(path: Path) -> list[Path]:
    """The files that belong together: all parts of one in several parts, else the file itself."""
    if path.name.endswith(".index.json") and path.is_file():
        names = _names_in_index(path)
    elif match := PART_NAME.fullmatch(path.name):
        names = [f"{match[1]}-{i:05}-of-{match[3]}{match[4]}" for i in range(1, int(match[3]) + 1)]
    else:
        return [path]
    if missing := [name for name in names if not (path.parent / name).is_file()]:
        raise FileNotFoundError(
            f"{path} is one of {len(names)} parts; {', '.join(missing[:5])} is missing beside it"
        )
    return [path.parent / name for name in names]


def _names_in_index(path: Path) -> list[str]:
    try:
        names = sorted(set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()))
        if not names or any(Path(name).name != name for name in names):
            raise ValueError("it names no file beside it")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not an index of weights in parts ({error})") from error
    return names


def _begins_like_safetensors(path: PathLike) -> bool:
    """Whether the file begins like safetensors: 8 bytes n, then n bytes of JSON."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(9)[8:] == b"{"


def torch_state(network: Network) -> dict[str, Entry]:
    """PyTorch's name -> our name and the array in PyTorch's shape, for each parameter and buffer.

    Raises ValueError if two arrays have the same name there.
    """
    by_path = {path: key for key, path in network._paths.items()}
    found: dict[str, Entry] = {}
    for path, layer in network.layers.leaves():
        for key, array in _arrays(layer).items():
            name = f"{network.torch_path(path)}.{TORCH_NAMES.get(key, key)}"
            if name in found:
                raise ValueError(f"{type(network).__name__}: two arrays are called {name} in PyTorch")
            full = f"{path}.{key}"
            transposed = isinstance(layer, Affine) and key == "W"
            found[name] = Entry(by_path.get(full, full), array.T if transposed else array)
    return found


def _arrays(layer: Layer) -> Mapping[str, Any]:
    return {**layer.params, **layer.buffers}


def _suffix(path: PathLike) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"expected a file name ending in {', '.join(SUFFIXES)}, got {os.fspath(path)}")
    return suffix


# -- until release 0.3 ---------------------------------------------------------------------------
def load_checkpoint(network: Network, path: PathLike) -> None:
    """The old name of `load_torch_weights`: a checkpoint is now a run that can be resumed."""
    _warn_renamed("load_checkpoint", "load_torch_weights")
    load_torch_weights(network, path)


def save_checkpoint(network: Network, path: PathLike) -> None:
    """The old name of `save_torch_weights`."""
    _warn_renamed("save_checkpoint", "save_torch_weights")
    save_torch_weights(network, path)


def _warn_renamed(old: str, new: str) -> None:
    warnings.warn(
        f"scratchcnn.{old} is now called {new}; the old name goes in release 0.3",
        DeprecationWarning,
        stacklevel=3,
    )
