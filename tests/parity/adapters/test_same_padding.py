"""padding='same' and 'valid': layers that take padding as a word are held to PyTorch's and TensorFlow's."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from parity.checks import random_search
from parity.kinds import kind_of
from parity.kinds.numpy_reference import judged_by
from parity.kinds.random_geometry import probe_named, probe_of, random_geometry
from parity.kinds.same_padding import is_same, same_pads
from parity.verification import observe
from parity.verification.verify import verify

WINDOWS = ("convolution", "max_pooling", "average_pooling", "min_pooling")


def drawn(kind, seed, **fixed):
    rng = np.random.default_rng(seed)
    g = random_geometry(lambda low, high: int(rng.integers(low, high + 1)), kind)
    sizes = {"H": int(rng.integers(1, 8)), "W": int(rng.integers(1, 8)), "pad": "same"}
    return probe_of(kind, g | sizes | {"ceil_mode": False, "count_include_pad": True} | fixed)


# -- the reference ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("size", "window", "stride", "dilation", "pads"),
    [
        (6, 3, 1, 1, (1, 1)),
        (6, 2, 1, 1, (0, 1)),
        (6, 3, 2, 1, (0, 1)),
        (7, 3, 2, 1, (1, 1)),
        (7, 5, 2, 1, (2, 2)),
        (8, 5, 2, 1, (1, 2)),
        (7, 1, 3, 1, (0, 0)),
        (6, 3, 1, 2, (2, 2)),
    ],
)
def test_pads_are_tensorflows(size, window, stride, dilation, pads):
    assert same_pads((size, 9), (window, 1), stride, dilation)[0] == pads


@pytest.mark.parametrize("kind", WINDOWS)
def test_both_judges_agree_on_same(kind):
    for seed in range(12):
        probe = drawn(kind, seed)
        theirs = kind_of(kind).reference(probe)
        H, W = probe.inputs["x"].shape[2:]
        stride = probe.args.get("stride", 1)
        sh, sw = stride if isinstance(stride, tuple) else (stride, stride)
        assert theirs["out"].shape[2:] == (-(-H // sh), -(-W // sw))
        with judged_by("numpy"):
            ours = kind_of(kind).reference(probe)
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("seed", range(6))
def test_at_stride_1_it_is_pytorchs_own_same(seed):
    probe = drawn("convolution", seed, stride=(1, 1))
    x, W, b = (torch.tensor(a) for a in (probe.inputs["x"], probe.args["W"], probe.args["b"]))
    dilation, groups = probe.args.get("dilation", 1), probe.args.get("groups", 1)
    own = F.conv2d(x, W, b, padding="same", dilation=dilation, groups=groups).numpy()
    np.testing.assert_allclose(kind_of("convolution").reference(probe)["out"], own, rtol=1e-12, atol=1e-12)


def test_padding_is_never_counted_in_a_mean():
    probe = drawn("average_pooling", 0, H=5, W=4, FH=3, FW=2, stride=(2, 2))
    ones = {"x": np.ones_like(probe.inputs["x"]), "dout": probe.inputs["dout"]}
    out = kind_of("average_pooling").reference(type(probe)(probe.kind, "", probe.args, ones))["out"]
    np.testing.assert_allclose(out, 1.0)


def test_a_probe_is_made_again_from_its_name():
    probe = drawn("max_pooling", 3)
    again = probe_named("max_pooling", probe.id)
    assert again.args == probe.args and again.needs == probe.needs
    np.testing.assert_array_equal(again.inputs["x"], probe.inputs["x"])


def test_pytorchs_pad_is_same_at_stride_1_only():
    g = random_geometry(lambda low, high: low, "convolution")
    g |= {"H": 7, "W": 7, "FH": 3, "FW": 3, "pad": (1, 1)}
    assert is_same(probe_of("convolution", g))
    assert not is_same(probe_of("convolution", g | {"stride": (2, 2)}))
    assert not is_same(probe_of("convolution", g | {"pad": (0, 1)}))
    pool = random_geometry(lambda low, high: low, "average_pooling") | {"H": 7, "W": 7, "FH": 3, "FW": 3}
    assert not is_same(probe_of("average_pooling", pool | {"pad": (1, 1)}))  # whose zeros count


# -- layers ----------------------------------------------------------------------------------------
class Window:
    """Windows over images, (N, H, W, C) or with `last` False (N, C, H, W)."""

    last = True

    def pads(self, size, k, s):
        """As TensorFlow has them."""
        if self.padding.lower() == "valid":
            return (0, 0)
        total = max((-(-size // s) - 1) * s + k - size, 0)
        return self.split(total)

    def split(self, total):
        return total // 2, total - total // 2

    def open(self, x, k, s, fill=0.0):
        """The padded images, (N, H, W, C), and how many windows there are."""
        x = x if self.last else x.transpose(0, 2, 3, 1)
        self.k, self.s, self.shape = k, s, x.shape
        self.p = [self.pads(n, *sizes) for n, *sizes in zip(x.shape[1:3], k, s, strict=True)]
        self.x = np.pad(x, ((0, 0), *self.p, (0, 0)), constant_values=fill)
        return [(n - k) // s + 1 for n, k, s in zip(self.x.shape[1:3], k, s, strict=True)]

    def windows(self, a):
        """(N, H, W, C) -> (N, OH, OW, C, FH, FW)."""
        found = np.lib.stride_tricks.sliding_window_view(a, self.k, (1, 2))
        return found[:, :: self.s[0], :: self.s[1]]

    def at(self, y, z, OH, OW):
        """What meets the cell (y, z) of the windows."""
        sh, sw = self.s
        return np.s_[:, y : y + (OH - 1) * sh + 1 : sh, z : z + (OW - 1) * sw + 1 : sw]

    def close(self, dx):
        (top, _), (left, _) = self.p
        dx = dx[:, top : top + self.shape[1], left : left + self.shape[2]]
        return dx if self.last else dx.transpose(0, 3, 1, 2)


def both(value):
    return (value, value) if isinstance(value, int) else value


class Conv2D(Window):
    def __init__(self, filters, kernel_size, strides=1, padding="valid", input_shape=None):
        self.window, self.strides, self.padding = both(kernel_size), both(strides), padding
        if padding not in ("valid", "same"):
            raise ValueError(f"padding {padding!r}")
        self.W = np.ones((*self.window, input_shape[-1], filters))
        self.b = np.zeros(filters)

    def forward(self, x):
        self.open(x, self.window, self.strides)
        return np.tensordot(self.windows(self.x), self.W, ((4, 5, 3), (0, 1, 2))) + self.b

    def backward(self, dout):
        self.dW = np.tensordot(self.windows(self.x), dout, ((0, 1, 2), (0, 1, 2))).transpose(1, 2, 0, 3)
        self.db, dx = dout.sum((0, 1, 2)), np.zeros_like(self.x)
        for y, z in np.ndindex(*self.k):
            dx[self.at(y, z, *dout.shape[1:3])] += dout @ self.W[y, z].T
        return self.close(dx)


class TopLeft(Conv2D):
    """The odd row is put at the top."""

    def split(self, total):
        return total - total // 2, total // 2


class Floor(Conv2D):
    """As much at the bottom as at the top."""

    def split(self, total):
        return total // 2, total // 2


class Symmetric(Conv2D):
    """The pad (k - 1) // 2 on both sides, at every stride: PyTorch's pad, and no 'same' of even windows."""

    def pads(self, size, k, s):
        return (0, 0) if self.padding == "valid" else ((k - 1) // 2,) * 2


class EveryStride(Conv2D):
    """k - 1 rows and columns of padding at every stride: PyTorch's padding=(k - 1) // 2."""

    def pads(self, size, k, s):
        return (0, 0) if self.padding == "valid" else self.split(k - 1)


class OneStride(Conv2D):
    """PyTorch's: at a stride of 1 alone."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", input_shape=None):
        super().__init__(filters, kernel_size, strides, padding, input_shape)
        if padding == "same" and self.strides != (1, 1):
            raise ValueError("padding='same' is not supported for strided convolutions")


class NoSame(Conv2D):
    def __init__(self, filters, kernel_size, strides=1, padding="valid", input_shape=None):
        super().__init__(filters, kernel_size, strides, padding, input_shape)
        if padding != "valid":
            raise ValueError(f"no padding {padding!r}")


class SameAlone(Conv2D):
    def __init__(self, filters, kernel_size, padding, input_shape):
        super().__init__(filters, kernel_size, 1, padding, input_shape)
        if padding != "same":
            raise ValueError(f"no padding {padding!r}")


class MaxPool(Window):
    last, fill = False, -np.inf

    def __init__(self, pool_size, strides, padding="SAME"):
        self.window, self.strides, self.padding = both(pool_size), both(strides), padding

    def forward(self, x):
        self.open(x, self.window, self.strides, self.fill)
        return self.one(self.windows(self.x)).transpose(0, 3, 1, 2)

    def backward(self, dout):
        dout, dx = dout.transpose(0, 2, 3, 1), np.zeros_like(self.x)
        share = self.share(self.windows(self.x))
        for y, z in np.ndindex(*self.k):
            dx[self.at(y, z, *dout.shape[1:3])] += share[..., y, z] * dout
        return self.close(dx)

    def one(self, windows):
        return windows.max((4, 5))

    def share(self, windows):
        best = windows.reshape(*windows.shape[:4], -1).argmax(-1)[..., None]
        return (np.arange(np.prod(self.k)) == best).reshape(windows.shape)


class ZeroMax(MaxPool):
    """Padded with zeros, which win over what is negative."""

    fill = 0.0


class TopLeftMax(MaxPool):
    split = TopLeft.split


class Mean(MaxPool):
    fill = 0.0

    def one(self, windows):
        return windows.sum((4, 5)) / self.count()

    def share(self, windows):
        return np.ones_like(windows) / self.count()[..., None, None]

    def count(self):
        inside = np.pad(np.ones((1, *self.shape[1:3], 1)), ((0, 0), *self.p, (0, 0)))
        return self.windows(inside).sum((4, 5)).astype(self.x.dtype)


class MeanOfAll(Mean):
    """The padding's zeros count in the mean, as in PyTorch's."""

    def count(self):
        return np.full((1, 1, 1, 1), np.prod(self.k), self.x.dtype)


class FloorMean(Mean):
    split = Floor.split


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    """Sizes of networks, which have no padding='same', are left out, and most of the random ones."""
    monkeypatch.setattr(observe, "real_sizes", lambda kind: [])
    monkeypatch.setattr(random_search, "search", partial(random_search.search, examples=15))


def ask(factory, kind):
    return verify(factory, kind, isolated=False)


RIGHT = [(Conv2D, "convolution"), (MaxPool, "max_pooling"), (Mean, "average_pooling")]


@pytest.mark.parametrize(("factory", "kind"), RIGHT)
def test_right_layers_are_right_and_the_reference_is_named(factory, kind):
    verdict = ask(factory, kind)
    assert verdict.outcome == "right", verdict
    assert "padding='same' as TensorFlow has it" in verdict.called
    assert "padding other than 'valid' and 'same'" in verdict.not_checked
    tried = [row.case for row in verdict.records if "pad='same'" in row.case]
    assert any("stride=2" in case for case in tried) and any("FH=2, FW=2" in case for case in tried)


@pytest.mark.parametrize("dressed", [False, True])
def test_in_both_layouts(dressed):
    class ChannelsFirst(Conv2D):
        last = False

        def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding="valid"):
            super().__init__(out_channels, kernel_size, stride, padding, (in_channels,))

        def forward(self, x):
            return super().forward(x).transpose(0, 3, 1, 2)

        def backward(self, dout):
            return super().backward(dout.transpose(0, 2, 3, 1))

    class Wrong(ChannelsFirst):
        split = TopLeft.split

    verdict = ask(Wrong if dressed else ChannelsFirst, "convolution")
    assert verdict.outcome == ("wrong" if dressed else "right"), verdict


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        (TopLeft, "convolution"),
        (Floor, "convolution"),
        (ZeroMax, "max_pooling"),
        (TopLeftMax, "max_pooling"),
        (MeanOfAll, "average_pooling"),
        (FloorMean, "average_pooling"),
    ],
)
def test_wrong_layers_are_wrong_under_same_alone(factory, kind):
    verdict = ask(factory, kind)
    assert verdict.outcome == "wrong", verdict
    wrong = [row.case for row in verdict.records if not row.ok and row.phase in ("forward", "backward")]
    assert wrong and all("pad='same'" in case for case in wrong)


@pytest.mark.parametrize(
    ("factory", "kind", "says"),
    [
        (TopLeft, "convolution", "the odd row or column of padding at the top and left"),
        (TopLeftMax, "max_pooling", "the odd row or column of padding at the top and left"),
    ],
)
def test_the_wrong_padding_is_named(factory, kind, says):
    assert f"PyTorch's with {says}" in " ".join(ask(factory, kind).says_why["sentences"])


def test_same_as_at_a_stride_of_1_is_a_meaning_of_its_own():
    verdict = ask(EveryStride, "convolution")
    assert verdict.outcome == "right", verdict
    assert "'same' is (k - 1) / 2 at every stride" in verdict.called
    assert "padding='same' with an even window at a stride above 1" in verdict.not_checked
    tried = [row.case for row in verdict.records]
    assert any("stride=2, pad=1" in case for case in tried) and not any(
        "stride=2, pad='same'" in c for c in tried
    )


def test_an_even_window_with_as_much_on_both_sides_is_not_checked():
    verdict = ask(Symmetric, "convolution")
    assert verdict.outcome == "right" and any("(k - 1) // 2 on every side" in u for u in verdict.not_checked)


def test_of_that_meaning_a_wrong_number_is_wrong():
    class Late(EveryStride):
        def pads(self, size, k, s):
            before, after = super().pads(size, k, s)
            return (before, after) if s == 1 or k != 5 else (before + 1, max(after - 1, 0))

    verdict = ask(Late, "convolution")
    assert verdict.outcome == "wrong" and "at every stride" in verdict.called


def test_a_stride_that_is_refused_as_in_pytorch_is_not_checked():
    verdict = ask(OneStride, "convolution")
    assert verdict.outcome == "right", verdict
    assert "padding='same' with a stride above 1" in verdict.not_checked


def test_a_layer_that_refuses_same_is_not_held_to_it():
    verdict = ask(NoSame, "convolution")
    assert verdict.outcome == "right", verdict
    assert "padding='same'" in verdict.not_checked


def test_a_layer_with_same_alone_is_held_to_that():
    verdict = ask(SameAlone, "convolution")
    assert verdict.outcome == "right", verdict
    assert "padding other than 'same'" in verdict.not_checked


class Fixed:
    """Keeps the size of an image, unasked."""

    def __init__(self, in_channels, out_channels, kernel_size):
        self.weight = np.ones((out_channels, in_channels, kernel_size, kernel_size))
        self.bias = np.zeros(out_channels)

    def forward(self, x):
        k = self.weight.shape[2]
        x = np.pad(x, ((0, 0), (0, 0), *[self.pads(k)] * 2))
        windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (2, 3))
        return np.einsum("nchwyx,fcyx->nfhw", windows, self.weight) + self.bias[:, None, None]

    def pads(self, k):
        return (k - 1) // 2, k - 1 - (k - 1) // 2


def test_a_fixed_pad_is_held_to_odd_windows():
    verdict = ask(Fixed, "convolution")
    assert verdict.outcome == "right", verdict
    assert "padding other than (k - 1) / 2, even windows, and strides above 1" in verdict.not_checked

    class Shifted(Fixed):
        def pads(self, k):
            return k - 1, 0

    assert ask(Shifted, "convolution").outcome == "wrong"


class Needed(Fixed):
    """Padding is a word without a default; a number passes for 'valid'."""

    def __init__(self, in_channels, out_channels, kernel_size, padding):
        super().__init__(in_channels, out_channels, kernel_size)
        self.padding = padding

    def pads(self, k):
        return super().pads(k) if self.padding == "same" else (0, 0)


def test_a_required_word_shows_in_the_shapes():
    verdict = ask(Needed, "convolution")
    assert verdict.outcome == "right", verdict
    assert "padding other than 'valid' and 'same'" in verdict.not_checked


def conv_forward(A_prev, W, b, padding="same", stride=(1, 1)):
    """As much padding as keeps the image's size at any stride: TensorFlow's only at a stride of 1."""
    _, h, w, _ = A_prev.shape
    (kh, kw), (sh, sw) = W.shape[:2], stride
    pads = [0, 0]
    if padding == "same":
        pads = [-(-((n - 1) * s + k - n) // 2) for n, k, s in ((h, kh, sh), (w, kw, sw))]
    x = np.pad(A_prev, ((0, 0), *[(p, p) for p in pads], (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), (1, 2))[:, ::sh, ::sw]
    return np.einsum("nhwcyx,yxcf->nhwf", windows, W) + b.reshape(-1)


def test_a_function_that_takes_a_pair_and_a_word():
    verdict = ask(conv_forward, "convolution")
    assert verdict.outcome == "wrong"
    cases = {row.case: row.ok for row in verdict.records}
    wrong = [case for case, ok in cases.items() if not ok]
    assert wrong and all("pad='same'" in case for case in wrong)
    odd = "FH=3, FW=3, groups=1, ceil_mode=False, count_include_pad=True, stride=1, pad='same', dilation=1"
    assert any(odd in case and ok for case, ok in cases.items())
