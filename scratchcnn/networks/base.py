"""The interface every network shares: the book's `predict`, `loss`, `gradient`, `accuracy`, `params`."""

from __future__ import annotations

import copy
import operator
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import numpy as np

from scratchcnn import params_file
from scratchcnn.arrays import at_least, unmasked
from scratchcnn.fast.batch_split import split_over_threads
from scratchcnn.finite import check_scores
from scratchcnn.gradient_check import numerical_gradient
from scratchcnn.im2col import DoesNotFit
from scratchcnn.labels import class_numbers
from scratchcnn.layers import Dropout, Layer, Loss, Sequential, SoftmaxWithLoss
from scratchcnn.layers.base import Arrays
from scratchcnn.pixel_range import BRIGHT, DARK, warn_of_pixel_range
from scratchcnn.typing import Array


@split_over_threads
class Network:
    """A sequence of layers followed by a loss.

    layers      Sequential, read like the book's OrderedDict
    last_layer  the loss
    params      flat dict of the arrays that are trained; the layers hold the same arrays, so
                writing `params[key] = value` or `params[key] -= ...` changes the layer
    buffers     flat dict of what is kept but not trained (running statistics, fixed codes)
    input_dim   (C, H, W) of one image; `predict`, `loss` and `gradient` take x (N, C, H, W)

    x is converted to the network's dtype at the door. `train()` and `eval()` switch what `loss` and
    `gradient` do (dropout, batch statistics); `predict` and `accuracy` always infer.
    """

    # How params are named, where not by layer and key: {"W1": "Conv1.W", ...}
    param_names: dict[str, str] | None = None

    def __init__(
        self, input_dim: tuple[int, int, int], output_size: int, layers: Sequential, loss: Loss | None = None
    ):
        self.input_dim, self.output_size = tuple(input_dim), output_size
        self.layers = layers
        self.last_layer = SoftmaxWithLoss() if loss is None else loss
        self.last_layer.name = "loss"
        self.last_loss: Any = None
        self._dx: Array | None = None
        self._collect()

    def _collect(self) -> None:
        flat = self.layers.params
        names = self.param_names or {key: key for key in flat}
        if sorted(names.values()) != sorted(flat):
            raise ValueError(f"param_names must name each of {sorted(flat)} once, got {names}")
        self._paths = names
        leaves = dict(self.layers.leaves())
        self._owners = {
            name: (leaves[path.rpartition(".")[0]], path.rpartition(".")[2]) for name, path in names.items()
        }
        self.params: dict[str, Array] = Arrays({name: flat[path] for name, path in names.items()})
        self.buffers: dict[str, Array] = Arrays(self.layers.buffers)

    # -- what the book's networks do -------------------------------------------------------------
    def predict(self, x: Array, train_flg: bool = False) -> Array:
        """Scores (N, output_size), the largest the likeliest. Infers and keeps nothing for a backward.

        `train_flg=True` (the book's argument) runs the layers as in training instead.
        """
        x = self.check_images(x)
        if train_flg:
            return self.scores(self.layers.forward(x))
        with self.inference():
            return self.scores(self.layers.forward(x))

    def scores(self, out: Array) -> Array:
        """The last layer's output as scores; a network whose outputs are penalties turns the sign."""
        return out

    def loss(self, x: Array, t: Array) -> Any:
        """The mean loss of the batch; t (N,) integer labels or (N, output_size) one-hot."""
        return self.last_layer.forward(self.layers.forward(self.check_images(x)), t)

    def gradient(self, x: Array, t: Array) -> dict[str, Array]:
        """d loss / d params by backpropagation, keyed as `params`.

        `last_loss` keeps the loss, `dx` its gradient for x. What the layers remembered is not kept: a
        backward by hand needs a `loss` before it.
        """
        self._dx = None
        self.last_loss = self.loss(x, t)
        dout = self.last_layer.backward(1)
        self._dx = self.layers.backward(dout)

        grads = {}
        for name, (layer, key) in self._owners.items():
            grads[name] = layer.grads[key]
        return grads

    @property
    def dx(self) -> Array:
        """d loss / d x of the last `gradient` call, at the parameters that it saw."""
        if self._dx is None:
            raise RuntimeError(f"{type(self).__name__}: dx needs a gradient before it")
        return self._dx

    def accuracy(self, x: Array, t: Array, batch_size: int = 100) -> float:
        """The share of images whose largest score is the label's; the last, smaller batch counts too.

        Raises FloatingPointError if images hold NaN or infinity, or scores are NaN.
        """
        x, t = unmasked(x, "accuracy: x"), unmasked(t, "accuracy: t")
        labels = class_numbers(t, self.output_size, "accuracy") if t.size else np.zeros(0, int)
        if not x.ndim or len(x) != len(labels) or not len(labels):
            raise ValueError(
                "accuracy: expected as many labels as images and at least one, "
                f"got {len(labels)} and {len(x) if x.ndim else repr(x)}"
            )
        correct = 0
        batch_size = at_least(1, batch_size, "accuracy: batch_size")
        for i in range(0, len(x), batch_size):
            batch = x[i : i + batch_size]
            scores = self.predict(batch)
            check_scores(scores, batch, self.params, "accuracy")
            correct += int((scores.argmax(axis=1) == labels[i : i + batch_size]).sum())
        return correct / len(x)

    def save_params(self, file_name: str | os.PathLike[str] = "params.pkl") -> None:
        """Write parameters and buffers to a `.pkl` (the book's form), `.npz` or `.safetensors` file."""
        params_file.save_params(self, file_name)

    def load_params(self, file_name: str | os.PathLike[str] = "params.pkl") -> None:
        """Copy such a file into the network, all or nothing; nothing in a `.pkl` is run (params_file.py)."""
        params_file.load_params(self, file_name)

    def numerical_gradient(self, x: Array, t: Array) -> dict[str, Array]:
        """d loss / d params by central differences, to check `gradient`: slow, two losses per number.

        Computed on a float64 copy, since differences in float32 are mostly rounding; dropout repeats
        the masks that the next `gradient` call would draw.
        """
        network = self.astype(np.float64)
        states = {name: rng.bit_generator.state for name, rng in network.rngs().items()}

        def loss(_: Array) -> float:
            for name, rng in network.rngs().items():
                rng.bit_generator.state = states[name]
            return float(network.loss(x, t))

        return {name: numerical_gradient(loss, array) for name, array in network.params.items()}

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: all but dx, which belongs to the last call."""
        return {**vars(self), "_dx": None}

    # -- modes, copies, state --------------------------------------------------------------------
    def train(self, mode: bool = True) -> Self:
        """`loss` and `gradient` as in training from now on (the default)."""
        self.layers.train(mode)
        return self

    def eval(self) -> Self:
        """`loss` and `gradient` as in inference from now on."""
        return self.train(False)

    @contextmanager
    def inference(self) -> Iterator[None]:
        """Inference that keeps nothing for a backward inside the `with`; afterwards the mode as before."""
        mode = self.layers.training
        self.layers.eval().record(False)
        try:
            yield
        finally:
            self.layers.train(mode).record(True)

    @property
    def dtype(self) -> np.dtype:
        return next(iter(self.params.values())).dtype

    @property
    def num_params(self) -> int:
        """How many numbers are trained."""
        return self.layers.num_params

    def astype(self, dtype: Any) -> Self:
        """A copy whose parameters and buffers have another dtype; nothing is shared with this one."""
        other = copy.deepcopy(self)
        other.layers.cast(dtype)
        other._collect()
        return other

    def torch_path(self, path: str) -> str:
        """Where PyTorch's usual definition of this network (torchvision's, if there is one) keeps a layer.

        "layer2.0.add.body.conv1" -> "layer2.0.conv1"; the path itself for a network that has no other.
        """
        return path

    def rngs(self) -> dict[str, np.random.Generator]:
        """The generators that dropout draws from, by layer: a checkpoint has to keep them."""
        return {name: layer.rng for name, layer in self.layers.leaves() if isinstance(layer, Dropout)}

    def check_images(self, x: Array) -> Array:
        """Return x in the network's dtype; raise ValueError unless its shape is (N, *input_dim).

        Warns with PixelRangeWarning where x looks like bytes of 0..255, or divided by 255 twice.
        """
        if isinstance(x, np.ma.MaskedArray):
            unmasked(x, f"{type(self).__name__}: x")  # raises
        x = np.asarray(x)
        if x.ndim != 4 or x.shape[1:] != self.input_dim:
            C, H, W = self.input_dim
            hint = " Is it (N, H, W, C)?" if x.ndim == 4 and x.shape[1:] == (H, W, C) else ""
            if x.ndim in (2, 3) and x[0].size == C * H * W:
                hint = f" x.reshape(-1, {C}, {H}, {W}) makes it so."
            raise ValueError(
                f"{type(self).__name__}: expected x of shape (N, {C}, {H}, {W}), got {x.shape}.{hint}"
            )
        if x.dtype.kind not in "fiubO":
            raise TypeError(f"{type(self).__name__}: expected images of numbers, got {x.dtype}")
        if not DARK < x[:1].max(initial=0) <= BRIGHT:  # of the first image
            warn_of_pixel_range(x, type(self).__name__)
        return x.astype(next(iter(self.params.values())).dtype, copy=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.num_params:,} parameters, {self.layers!r}"


def image_shape(input_dim: Any) -> tuple[int, int, int]:
    """input_dim as (C, H, W); raises TypeError or ValueError for anything else."""
    try:
        shape = tuple(map(operator.index, input_dim))
    except TypeError:
        shape = ()
    if len(shape) != 3 or min(shape) < 1:
        hint = f"; for gray images it is (1, {shape[0]}, {shape[1]})" if len(shape) == 2 else ""
        raise ValueError(f"input_dim must be (C, H, W), each at least 1, got {input_dim!r}{hint}")
    return shape


LARGEST_TRIED = 1000  # pixels along a side, for the size of image that a message asks for


class Builder:
    """Writes a network one line per layer, and keeps the shape that the next line's weights depend on.

    build = Builder((1, 28, 28))
    build.add("conv1", Convolution(...))      # build.shape == (6, 28, 28)
    build.layers                              # raises ValueError if the images are too small

    Where a layer's window does not fit, the rest is built for the smallest square images that pass, so
    that the error can name a size that the whole network takes.
    """

    def __init__(self, input_dim: tuple[int, int, int], dtype: Any):
        self.input_dim = image_shape(input_dim)
        self.shape: tuple[int, ...] = self.input_dim
        self.dtype = dtype
        self._layers = Sequential()
        self._misfit = ""

    @property
    def layers(self) -> Sequential:
        if self._misfit:
            _, H, W = self.input_dim
            raise DoesNotFit(f"{self._misfit}; images must be at least {H}x{W}")
        return self._layers

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        """How many numbers the next layer gets per image."""
        return int(np.prod(self.shape))

    def add(self, name: str, layer: Layer) -> None:
        """Append the layer; its output shape is found by running it on an empty batch's worth of zeros."""
        self._layers.add(name, layer)
        self._follow(layer)

    def add_to(self, stage: str, name: str, layer: Layer) -> None:
        """Append the layer to a stage, which is a Sequential: `add_to("layer1", "0", block)` is layer1.0."""
        if stage not in self._layers:
            self._layers.add(stage, Sequential({}))
        row = self._layers[stage]
        assert isinstance(row, Sequential)
        row.add(name, layer)
        self._follow(layer)

    def _follow(self, layer: Layer) -> None:
        try:
            self.shape = self._output_shape(layer, self.shape)
        except DoesNotFit as error:
            self._misfit = self._misfit or str(error)
            self._enlarge()

    def _output_shape(self, layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
        layer.eval().record(False)
        try:
            return layer.forward(np.zeros((1, *shape), dtype=self.dtype)).shape[1:]
        finally:
            layer.train().record(True)

    def _enlarge(self) -> None:
        """Go on as if the images were the smallest square ones that pass the layers so far."""
        C, H, W = self.input_dim
        for size in range(min(H, W) + 1, LARGEST_TRIED):
            with suppress(DoesNotFit):
                self.shape = self._output_shape(self._layers, (C, size, size))
                self.input_dim = C, size, size
                return
        raise DoesNotFit(self._misfit)
