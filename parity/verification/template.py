"""Files to be filled in: an adapter for a layer, a twin and a map of names for a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from parity.adapters.conventions import suggestion
from parity.adapters.isolate import Limits
from parity.adapters.network_subject import network_apart
from parity.adapters.wire import Odd, clean
from parity.kinds import kind_of
from parity.verification.verify import NETWORK
from scratchcnn.files import atomic_write

ADAPTER = '''"""How {target} is built and called.

    python -m parity verify {target} --as {kind} --adapter {file}:Mine

A probe has `kind`; `args`, which the constructor gets: {args};
and `inputs`, which the calls get: {inputs}. The book builds and calls it so:

    {call}
"""

{suggestion}

    # Only what the class takes is asked of it; without this, what its signature shows.
    # def parameters(self, factory): return [{names}]
'''
TWIN = '''"""The PyTorch module that {target} is meant to be.

One tensor per parameter, in the order of `params`.
Strides, padding and what comes between the layers are not known from the parameters: fill them in.
"""

from torch import nn
from torch.nn import functional as F


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
{made}

    def forward(self, x):
{called}
        return x
'''


def write_template(target: str, kind: str, folder: str | Path) -> list[Path]:
    """Write the files for that target, and return their paths.

    Raises FileExistsError rather than overwrite one, and ValueError for a network that has no parameters.
    """
    texts = _of_network(target) if kind == NETWORK else _of_layer(target, kind, Path(folder))
    paths = [Path(folder) / name for name in texts]
    if there := [str(path) for path in paths if path.exists()]:
        raise FileExistsError(f"{', '.join(there)} exists already; give another folder")
    for path, text in zip(paths, texts.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return paths


def _of_layer(target: str, kind: str, folder: Path) -> dict[str, str]:
    known = kind_of(kind)
    text = ADAPTER.format(
        target=clean(target),
        kind=kind.replace("_", "-"),
        file=(folder / "adapter.py").as_posix(),
        args=", ".join(dict.fromkeys([*known.order, *known.optional])) or "nothing",
        inputs="params and grads"
        if known.role == "optimizer"
        else "x, t"
        if known.role == "loss"
        else "x, dout",
        call=known.call,
        suggestion=suggestion(kind),
        names=", ".join(repr(name) for name in known.order),
    )
    return {"adapter.py": text}


def _of_network(target: str) -> dict[str, str]:
    network = network_apart(target, Limits())
    try:
        network.open()
        shapes = {name: found for name, found in network.shapes.items() if not isinstance(found, Odd)}
    finally:
        network.close()
    if not shapes:
        raise ValueError(f"{target} has no params from which a twin could be sketched")
    made, called, names = [], [], []
    modules = _modules({clean(name, 80): tuple(shape) for name, (_, shape) in shapes.items()})
    for module, (text, tensors) in modules.items():
        made.append(f"        self.{module} = {text}")
        called.append(
            f"        x = self.{module}(x{'.flatten(1)' if 'Linear' in text else ''})  # then F.relu(x)?"
        )
        for ours, theirs in tensors.items():
            line = f'"{module}.{theirs}"'
            if theirs == "weight" and "Linear" in text:
                line = f"{{ theirs = {line}, transposed = true }}"
            names.append(f"{ours} = {line}")
    if not made:
        made, called = ["        pass"], ["        pass"]
    twin = TWIN.format(target=clean(target), made="\n".join(made), called="\n".join(called))
    return {"twin.py": twin, "names.toml": "\n".join(names) + "\n"}


def _modules(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[str, dict[str, Any]]]:
    """A module per weight, with the bias after it: name -> (how it is made, our parameter -> its tensor)."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    last = ""
    for name, shape in shapes.items():
        if len(shape) == 4:
            last = f"conv{len(found) + 1}"
            found[last] = f"nn.Conv2d({shape[1]}, {shape[0]}, {shape[2:]})", {name: "weight"}
        elif len(shape) == 2:
            last = f"linear{len(found) + 1}"
            found[last] = f"nn.Linear({shape[0]}, {shape[1]})", {name: "weight"}
        elif len(shape) == 1 and last and "bias" not in found[last][1].values():
            found[last][1][name] = "bias"
    return found
