"""Convolution and the two functions under it, im2col and col2im (book, chapter 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchcnn as sc
from parity.kinds.kind import LAYER, Operation, Options, without_defaults
from parity.kinds.probe import Probe, Rng, needs, normal, quarters
from parity.kinds.same_padding import SAME, same_pads
from parity.kinds.torch_when_used import F

if TYPE_CHECKING:
    from torch import Tensor

# What holds for an argument of a window that is not given.
DEFAULTS: dict[str, Any] = {
    "stride": 1,
    "pad": 0,
    "dilation": 1,
    "groups": 1,
    "ceil_mode": False,
    "count_include_pad": True,
}
WINDOW = ("filter_h", "filter_w", "stride", "pad")


def pair(value: Any) -> tuple[int, int]:
    """2 -> (2, 2)."""
    return (value, value) if isinstance(value, int) else tuple(value)


def given(**options: Any) -> dict[str, Any]:
    """The options that differ from their defaults."""
    return without_defaults(options, DEFAULTS)


def defaults(*names: str) -> dict[str, Any]:
    """The optional arguments of these names with what holds where they are not given."""
    return {name: DEFAULTS[name] for name in names}


def window_needs(
    stride: Any = 1, pad: Any = 0, dilation: Any = 1, groups: int = 1, **others: bool
) -> frozenset[str]:
    """The features that a window of this geometry asks for, and `others` that are true."""
    same, strided = pad == SAME, stride not in (1, (1, 1))
    return needs(
        pairs=isinstance(stride, tuple) or isinstance(pad, tuple),
        pad=not same and pad not in (0, (0, 0)),
        same=same,
        same_strided=same and strided,
        stride=strided,
        dilation=dilation not in (1, (1, 1)),
        groups=groups > 1,
        **others,
    )


# -- PyTorch's functions ---------------------------------------------------------------------------
def padded(x: Tensor, window: Sequence[int], o: Options, fill: float = 0.0) -> Tensor:
    """x with the padding of padding='same' around it."""
    pads = same_pads(x.shape[2:], window, o.get("stride", 1), o.get("dilation", 1))
    return F.pad(x, (*pads[1], *pads[0]), value=fill)


def convolution(a: dict[str, Tensor], o: Options) -> Tensor:
    if o.get("pad") == SAME:
        x = padded(a["x"], a["W"].shape[2:], o)
        return convolution(a | {"x": x}, {name: value for name, value in o.items() if name != "pad"})
    return F.conv2d(
        a["x"],
        a["W"],
        a.get("b"),
        o.get("stride", 1),
        pair(o.get("pad", 0)),
        o.get("dilation", 1),
        o.get("groups", 1),
    )


def partial_convolution(a: dict[str, Tensor], o: Options) -> Tensor:
    return convolution(a | {"W": a["W"] * a["connections"][:, :, None, None]}, o)


def im2col(a: dict[str, Tensor], o: Options) -> Tensor:
    window = (o["filter_h"], o["filter_w"])
    col = F.unfold(a["input_data"], window, 1, pair(o.get("pad", 0)), o.get("stride", 1))
    return col.transpose(1, 2).flatten(0, 1)  # (N, C*FH*FW, L) -> (N*L, C*FH*FW)


def col2im(a: dict[str, Tensor], o: Options) -> Tensor:
    N, _, H, W = o["input_shape"]
    col = a["col"].reshape(N, -1, a["col"].shape[1])  # (N*L, C*FH*FW) -> (N, L, C*FH*FW)
    window = (o["filter_h"], o["filter_w"])
    return F.fold(col.transpose(1, 2), (H, W), window, 1, pair(o.get("pad", 0)), o.get("stride", 1))


# -- inputs to try ---------------------------------------------------------------------------------
# id, x shape, (FN, FH, FW), stride, pad, dilation, groups
CONVOLUTIONS: list[tuple[str, tuple[int, ...], tuple[int, int, int], Any, Any, Any, int]] = [
    ("one pixel, one filter", (1, 1, 1, 1), (1, 1, 1), 1, 0, 1, 1),
    ("1x1 filter", (2, 3, 2, 3), (4, 1, 1), 1, 0, 1, 1),
    ("a filter the size of the image", (2, 2, 3, 4), (3, 3, 4), 1, 0, 1, 1),
    ("2x3 filter", (2, 3, 4, 5), (4, 2, 3), 1, 0, 1, 1),
    ("one image, one channel", (1, 1, 4, 5), (2, 2, 2), 1, 0, 1, 1),
    ("pad 1", (2, 2, 4, 3), (3, 3, 2), 1, 1, 1, 1),
    ("stride 2 over an even size", (2, 2, 4, 6), (3, 2, 2), 2, 0, 1, 1),
    ("stride 2 that leaves a pixel over", (2, 2, 6, 7), (3, 3, 2), 2, 0, 1, 1),
    ("stride larger than the filter", (2, 2, 7, 8), (3, 2, 2), 3, 0, 1, 1),
    ("the book's 5x5 with pad 2", (2, 3, 7, 6), (4, 5, 5), 1, 2, 1, 1),
    ("pad 2, stride 2", (2, 3, 7, 6), (4, 3, 3), 2, 2, 1, 1),
    ("stride (2, 1)", (2, 3, 7, 6), (4, 3, 2), (2, 1), 0, 1, 1),
    ("stride (1, 3), pad (2, 1)", (2, 3, 6, 8), (4, 3, 2), (1, 3), (2, 1), 1, 1),
    ("pad (0, 2)", (2, 2, 5, 4), (3, 2, 3), 1, (0, 2), 1, 1),
    ("dilation 2", (2, 2, 7, 8), (3, 3, 2), 1, 0, 2, 1),
    ("dilation (1, 2), stride 2, pad 1", (2, 2, 6, 9), (3, 2, 3), 2, 1, (1, 2), 1),
    ("2 groups", (2, 4, 5, 4), (6, 2, 3), 1, 1, 1, 2),
    ("a group a channel", (2, 3, 4, 5), (6, 3, 2), (1, 2), (1, 0), 1, 3),
]


def _convolutions(rng: Rng) -> Iterator[Probe]:
    for name, shape, (FN, FH, FW), stride, pad, dilation, groups in CONVOLUTIONS:
        args = {"W": normal(rng, FN, shape[1] // groups, FH, FW), "b": normal(rng, FN)}
        args |= given(stride=stride, pad=pad, dilation=dilation, groups=groups)
        asked = window_needs(stride, pad, dilation, groups)
        yield Probe("convolution", name, args, {"x": normal(rng, *shape)}, asked)
    W = normal(rng, 3, 2, 2, 3)
    yield Probe(
        "convolution", "no bias", {"W": W, "b": None}, {"x": normal(rng, 2, 2, 4, 5)}, needs(no_bias=True)
    )
    for name, scale in (("tiny values", 2.0**-20), ("huge values", 2.0**20)):
        args = {"W": normal(rng, 3, 2, 2, 3), "b": normal(rng, 3, scale=scale)}
        yield Probe("convolution", name, args, {"x": normal(rng, 2, 2, 4, 5, scale=scale)})


def _partial_convolutions(rng: Rng) -> Iterator[Probe]:
    for name, shape, (FN, FH, FW), pad in (
        ("2 of 3 channels", (2, 3, 4, 5), (3, 2, 3), 0),
        ("with padding", (2, 4, 5, 4), (5, 3, 3), 1),
    ):
        connections = rng.random((FN, shape[1])) < 0.6
        connections[0], connections[-1] = True, np.arange(shape[1]) == 0
        args = {"W": normal(rng, FN, shape[1], FH, FW), "b": normal(rng, FN), "connections": connections}
        yield Probe("partial_convolution", name, args | given(pad=pad), {"x": normal(rng, *shape)})


def _im2cols(rng: Rng) -> Iterator[Probe]:
    for name, shape, (_, FH, FW), stride, pad, dilation, groups in CONVOLUTIONS:
        if dilation == 1 and groups == 1:
            args = {"filter_h": FH, "filter_w": FW, **given(stride=stride, pad=pad)}
            yield Probe("im2col", name, args, {"input_data": normal(rng, *shape)}, window_needs(stride, pad))


def _col2ims(rng: Rng) -> Iterator[Probe]:
    for image in _im2cols(rng):
        shape = image.inputs["input_data"].shape
        col = IM2COL.reference(image)["col"]
        args = {"input_shape": shape, **image.args}
        yield Probe("col2im", image.id, args, {"col": normal(rng, *col.shape)}, image.needs)


# id, x shape, (FN, FH, FW), stride, pad, dilation, groups
REAL_CONVOLUTIONS: tuple[tuple[str, tuple[int, ...], tuple[int, int, int], Any, Any, Any, int], ...] = (
    ("AlexNet's 11x11, stride 4", (1, 3, 51, 55), (4, 11, 11), 4, 0, 1, 1),
    ("LeNet's first, N=1", (1, 1, 28, 28), (6, 5, 5), 1, 0, 1, 1),
    ("LeNet's second, N=7", (7, 6, 14, 14), (16, 5, 5), 1, 0, 1, 1),
    ("ResNet's stem: 7x7, stride 2, pad 3", (2, 3, 30, 33), (64, 7, 7), 2, 3, 1, 1),
    ("32 groups", (2, 64, 7, 7), (64, 3, 3), 1, 1, 1, 32),
    ("4 groups", (2, 16, 8, 8), (8, 3, 3), 1, 1, 1, 4),
    ("depthwise, 96 channels", (2, 96, 8, 9), (96, 3, 3), 1, 1, 1, 96),
    ("dilation 4", (1, 8, 20, 21), (8, 3, 3), 1, 4, 4, 1),
    ("1x1, stride 2, 512 to 2,048 channels", (1, 512, 7, 7), (2048, 1, 1), 2, 0, 1, 1),
    ("1x1, 2,048 to 512 channels", (2, 2048, 4, 3), (512, 1, 1), 1, 0, 1, 1),
    ("AlexNet's third: 3x3 on 256 channels", (7, 256, 6, 6), (384, 3, 3), 1, 1, 1, 1),
    ("AlexNet's second: 5x5, pad 2", (1, 96, 13, 13), (256, 5, 5), 1, 2, 1, 1),
    ("a 224x224 image", (1, 1, 224, 227), (3, 3, 3), 1, 1, 1, 1),
    ("LeNet's first, N=32", (32, 1, 28, 28), (6, 5, 5), 1, 0, 1, 1),
    ("SimpleConvNet's, N=100", (100, 1, 28, 28), (30, 5, 5), 1, 0, 1, 1),
)


def _real_convolutions(rng: Rng) -> Iterator[Probe]:
    for name, shape, (FN, FH, FW), stride, pad, dilation, groups in REAL_CONVOLUTIONS:
        args = {"W": quarters(rng, FN, shape[1] // groups, FH, FW), "b": quarters(rng, FN)}
        args |= given(stride=stride, pad=pad, dilation=dilation, groups=groups)
        asked = window_needs(stride, pad, dilation, groups)
        yield Probe("convolution", name, args, {"x": quarters(rng, *shape)}, asked)


def _real_partial_convolutions(rng: Rng) -> Iterator[Probe]:
    for N in (1, 100):
        connections = rng.random((16, 6)) < 0.6
        args = {"W": quarters(rng, 16, 6, 5, 5), "b": quarters(rng, 16), "connections": connections}
        yield Probe("partial_convolution", f"LeNet-5's C3, N={N}", args, {"x": quarters(rng, N, 6, 14, 14)})


def _real_im2cols(rng: Rng) -> Iterator[Probe]:
    for name, shape, (_, FH, FW), stride, pad, dilation, groups in REAL_CONVOLUTIONS:
        if dilation == groups == 1 and shape[1] <= 512:
            args = {"filter_h": FH, "filter_w": FW, **given(stride=stride, pad=pad)}
            image = {"input_data": quarters(rng, *shape)}
            yield Probe("im2col", name, args, image, window_needs(stride, pad))


def _real_col2ims(rng: Rng) -> Iterator[Probe]:
    for probe in _real_im2cols(rng):
        N, C, H, W = shape = probe.inputs["input_data"].shape
        (FH, FW), s = (probe.args["filter_h"], probe.args["filter_w"]), probe.args.get("stride", 1)
        p = probe.args.get("pad", 0)
        OH, OW = (H + 2 * p - FH) // s + 1, (W + 2 * p - FW) // s + 1
        col = quarters(rng, N * OH * OW, C * FH * FW)
        yield Probe("col2im", probe.id, {"input_shape": shape, **probe.args}, {"col": col}, probe.needs)


def images(rng: Rng, N: int, side: int) -> dict[str, Any]:
    """x of 64 channels, as in the middle of a small network."""
    return {"x": normal(rng, N, 64, side, side)}


def _timed_convolution(rng: Rng, N: int, side: int) -> tuple[dict[str, Any], dict[str, Any]]:
    args = {"W": normal(rng, 64, 64, 3, 3, scale=0.04), "b": normal(rng, 64), "pad": 1}
    return args, images(rng, N, side)


# -- kinds -----------------------------------------------------------------------------------------
IM2COL = Operation(
    name="im2col",
    formula=im2col,
    probes=_im2cols,
    ours=sc.im2col,
    role="function",
    out="col",
    aliases=(
        "im2colindices",
        "im2colnaive",
        "imtocol",
        "image2col",
        "img2col",
        "imagetocolumns",
        "imagetocolumn",
        "im2column",
    ),
    call="im2col(input_data, filter_h, filter_w, stride=1, pad=0) -> col (N*OH*OW, C*FH*FW)",
    order=("input_data", *WINDOW),
    optional=defaults("stride", "pad"),
    real=_real_im2cols,
)
COL2IM = Operation(
    name="col2im",
    formula=col2im,
    probes=_col2ims,
    ours=sc.col2im,
    role="function",
    out="img",
    linear=True,
    aliases=("col2imindices", "col2imnaive", "coltoim", "col2image", "col2img", "columnstoimage"),
    call="col2im(col, input_shape, filter_h, filter_w, stride=1, pad=0) -> img (N, C, H, W)",
    order=("col", "input_shape", *WINDOW),
    optional=defaults("stride", "pad"),
    real=_real_col2ims,
)
CONVOLUTION = Operation(
    name="convolution",
    formula=convolution,
    probes=_convolutions,
    ours=sc.Convolution,
    linear=True,
    call=f"cls(W, b, stride=1, pad=0){LAYER}; then .dW, .db; W is (FN, C, FH, FW)",
    aliases=(
        *("conv", "conv2d", "convlayer", "convolution2d", "convolutionlayer", "convolve", "convolve2d"),
        *("corr2d", "correlate2d", "crosscorrelation", "crosscorrelation2d", "crosscorrelate2d"),
        *("corr2dmultiin", "corr2dmultiinout"),
    ),
    order=("W", "b", "stride", "pad"),
    optional={"b": None, **defaults("stride", "pad", "dilation", "groups")},
    params=("W", "b"),
    real=_real_convolutions,
    timed=_timed_convolution,
)
PARTIAL_CONVOLUTION = Operation(
    name="partial_convolution",
    formula=partial_convolution,
    probes=_partial_convolutions,
    ours=sc.PartialConvolution,
    linear=True,
    order=("W", "b", "connections", "stride", "pad"),
    optional=defaults("stride", "pad"),
    params=("W", "b"),
    real=_real_partial_convolutions,
)

KINDS = (IM2COL, COL2IM, CONVOLUTION, PARTIAL_CONVOLUTION)
