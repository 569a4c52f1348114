"""`predict NETWORK IMAGE... --weights FILE`: the likeliest classes of pictures."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from scratchcnn.finite import not_finite
from scratchcnn.imagenet import HALVES, MEAN, NEWER_FILES, NEWER_RESIZE, OLDER_FILES, STD, preprocess
from scratchcnn.images import is_blank, light_background, read_image, resize, stretched
from scratchcnn.layers import softmax
from scratchcnn.load_network import Loaded, load_network
from scratchcnn.lookup import key_of, lookup
from scratchcnn.networks import NETWORKS
from scratchcnn.seen import as_characters, write_seen
from scratchcnn.terminal import WEIGHTS, NetworkName, console
from scratchcnn.typing import Array
from scratchcnn.weights import read_safetensors

TOP = 5
UNSURE = 0.5  # below this probability of the likeliest class
BUNDLED_NETWORK = "lenet"
TRAINED = Path(__file__).parent / "data" / "trained"
BUNDLED = {  # by what LeNet was trained on, with what `train` measured
    "fashion-mnist-sample": "the Fashion-MNIST sample: 83.9% of its 1,000 test images are right",
    "mnist": "MNIST: 98.75% of its 10,000 test images are right",
}
BLANK = " BLANK: all pixels are nearly equal"


def predict(
    network: NetworkName,
    image: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.", show_default=False)
    ],
    weights: Annotated[Path | None, WEIGHTS] = None,
    trained_on: Annotated[
        str | None,
        typer.Option(
            help="Which of LeNet's bundled weights are taken: those trained on " + " or ".join(BUNDLED) + ".",
            metavar="DATA",
            show_default=next(iter(BUNDLED)),
        ),
    ] = None,
    invert: Annotated[
        bool | None,
        typer.Option(
            "--invert/--no-invert",
            help="Whether to invert pictures for a network trained on MNIST or Fashion-MNIST, where "
            "things are light on black.",
            show_default="inverted if the background is light",
        ),
    ] = None,
    resize: Annotated[
        int | None,
        typer.Option(
            help="Shorter side of a photograph before 224x224 pixels are cut out of its middle.",
            min=1,
            show_default="256, or 232 for files called " + " and ".join(NEWER_FILES),
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Text file with one class name per line, for PyTorch's weights.",
            metavar="FILE",
            show_default="the class numbers are printed",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print each picture as the network sees it, in characters.")
    ] = False,
    show_in: Annotated[
        Path | None,
        typer.Option(
            help="Write each picture as the network sees it to this folder, as NAME.seen.png.",
            metavar="FOLDER",
            show_default="not written",
        ),
    ] = None,
) -> None:
    """Show the five likeliest classes of each picture, with their probabilities.

    Without --weights LeNet has bundled ones: for clothes, trained on the bundled Fashion-MNIST sample, or
    with --trained-on mnist for digits.
    """
    bundled = ""
    if weights is None and key_of(network) == BUNDLED_NETWORK:
        data = lookup(
            "data set of bundled weights",
            trained_on or next(iter(BUNDLED)),
            {key_of(name): name for name in BUNDLED},
        )
        bundled, weights = f"bundled weights, trained on {BUNDLED[data]}", bundled_weights(data)
    elif trained_on is not None:
        raise ValueError("--trained-on is for lenet without --weights: only LeNet has bundled weights")
    if weights is None:
        raise ValueError(_weights_are_needed(network, image))
    loaded = load_network(network, weights)
    _refuse_not_finite(loaded, weights)
    names = _class_names(loaded, labels, weights)
    note, side = _resize(network, loaded, weights, resize)
    pictures = _pictures(network, loaded, image, invert, side)  # all are read before the first answer
    out = console()
    for line in filter(None, (bundled, loaded.note, note)):
        out.print(line)
    for path, (heading, x) in zip(image, pictures, strict=True):
        scores = loaded.network.predict(x).astype(np.float64)
        if not np.isfinite(scores).all():
            raise ValueError(f"{heading} the scores are not finite; are these the weights of {network}?")
        probabilities = softmax(scores)[0]
        out.print(heading)
        if show:
            out.print(as_characters(x[0]))
        if show_in is not None:
            out.print(f"  as the network sees it: {write_seen(x[0], show_in, path)}")
        for i in probabilities.argsort(kind="stable")[::-1][:TOP]:
            out.print(f"  {probabilities[i]:7.2%}  {names[i]}")
        if (show or bundled) and probabilities.max() < UNSURE:
            out.print(f"  unsure: no class has {UNSURE:.0%} or more")


def bundled_weights(trained_on: str) -> Path:
    """The file of LeNet's bundled weights, by what they were trained on."""
    return TRAINED / f"{BUNDLED_NETWORK}-{trained_on}.safetensors"


def _refuse_not_finite(loaded: Loaded, weights: Path) -> None:
    arrays = {**loaded.network.params, **loaded.network.buffers}
    if damaged := not_finite(arrays):
        raise ValueError(
            f"{weights} holds NaN or infinity in {', '.join(damaged[:5])}; train or fetch it again"
        )


def _weights_are_needed(network: str, images: Sequence[Path]) -> str:
    """The sentence for a missing --weights, also where the file of weights stands in NETWORK's place."""
    if Path(network).is_file() and key_of(network) not in NETWORKS:
        words, what = [_network_in(Path(network)), *map(str, images)], f"{network} is a file, not a network"
        return f"{what}; write: scratchcnn predict {shlex.join(words)} --weights {shlex.quote(network)}"
    lookup("network", network, NETWORKS)
    return f"predict needs --weights FILE, the file with the weights of {network}"


def _network_in(path: Path) -> str:
    """The name of the network whose weights the file holds; NETWORK if that is unknown."""
    try:
        stored = read_safetensors(path)[1].get("network")
    except (OSError, ValueError):
        return "NETWORK"
    names = [name for name, kind in NETWORKS.items() if getattr(kind, "__name__", None) == stored]
    return names[0] if names else "NETWORK"


def _takes_photographs(loaded: Loaded) -> bool:
    C, H, W = loaded.network.input_dim
    return loaded.trained_on is None and C == 3 and H == W


def _resize(network: str, loaded: Loaded, weights: Path, asked: int | None) -> tuple[str, int | None]:
    """The shorter side that photographs are resized to, after a line about it where it is in doubt."""
    if asked is not None and not _takes_photographs(loaded):
        raise ValueError("--resize is for photographs; other pictures get the size of the training images")
    in_doubt = key_of(network) in ("resnet50", "resnet101") and not weights.name.startswith(OLDER_FILES)
    if asked is not None or not in_doubt or not _takes_photographs(loaded):
        return "", asked
    if weights.name.startswith(NEWER_FILES):
        return f"photographs are resized to {NEWER_RESIZE} pixels, as torchvision does", NEWER_RESIZE
    return f"photographs are resized to 256 pixels; IMAGENET1K_V2 needs --resize {NEWER_RESIZE}", None


def _class_names(loaded: Loaded, labels: Path | None, weights: Path) -> list[str]:
    """One text per class: the name in the file of weights, or the number and the name in `labels`."""
    if loaded.trained_on is not None:
        if labels is not None:
            raise ValueError(f"{weights} has its class names in it; --labels is for PyTorch's weights")
        return loaded.trained_on.class_names
    count = loaded.network.output_size
    names = [""] * count if labels is None else read_labels(labels, count)
    return [f"{i:4}  {name}".rstrip() for i, name in enumerate(names)]


def _pictures(
    network: str, loaded: Loaded, paths: Sequence[Path], invert: bool | None, resize_to: int | None
) -> list[tuple[str, Array]]:
    """A line about each picture, and the picture (1, C, H, W) as the network takes it."""
    net, trained_on = loaded.network, loaded.trained_on
    C, H, W = net.input_dim
    if _takes_photographs(loaded):
        if invert is not None:
            raise ValueError(f"{network} takes photographs as they are; leave --invert and --no-invert out")
        mean, std = (HALVES, HALVES) if key_of(network) == "googlenet_bn" else (MEAN, STD)
        pictures = [preprocess(path, H, resize_to, mean, std) for path in paths]
        column = np.reshape(std, (3, 1, 1))
        notes = [BLANK if is_blank(x * column) else "" for x in pictures]
        return [(f"{path}:{note}", x) for path, note, x in zip(paths, notes, pictures, strict=True)]
    shape, margin = ((C, H, W), 0) if trained_on is None else trained_on[1:]
    found = []
    for path in paths:
        flip = light_background(path) if invert is None else invert
        why = "" if invert is not None else " (light background)" if flip else " (dark background)"
        x = resize(read_image(path, shape, flip, margin), net.input_dim)
        note, seen = BLANK if is_blank(x) else "", stretched(x)
        if not np.array_equal(seen, x):
            note, x = f" contrast stretched from {x.min():.2f} to {x.max():.2f}", seen
        found.append((f"{path}: {'inverted' if flip else 'not inverted'}{why}{note}", x))
    return found


def read_labels(path: Path, count: int) -> list[str]:
    """The class names, one per line in the order of the scores.

    Raises FileNotFoundError if there is no file, ValueError if it is not text or has not `count` lines.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        names = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file: {error}") from None
    if len(names) != count:
        raise ValueError(f"{path} has {len(names)} lines, expected {count}, one for each class")
    return names
