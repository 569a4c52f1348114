"""The probes have what makes them see: asymmetry, ties, extremes; and every result is proven by one."""

import numpy as np
import pytest

from parity.checks.layer import judge
from parity.kinds import ALL_KINDS, KINDS, OPTIMIZER_KINDS, kind_of
from parity.kinds.probes import probes, shared_probes


def pair(value):
    return (value, value) if isinstance(value, int) else value


def windows(kind):
    """x shape, window, stride, pad, dilation of each probe."""
    for probe in probes(kind):
        a = probe.args
        window = a["W"].shape[2:] if kind == "convolution" else (a["pool_h"], a["pool_w"])
        options = (pair(a.get(name, d)) for name, d in (("stride", 1), ("pad", 0), ("dilation", 1)))
        yield probe.inputs["x"].shape, window, *options


GEOMETRY = {
    "H != W": lambda x, f, s, p, d: x[2] != x[3],
    "window h != w": lambda x, f, s, p, d: f[0] != f[1],
    "sh != sw": lambda x, f, s, p, d: s[0] != s[1],
    "ph != pw": lambda x, f, s, p, d: p[0] != p[1],
    "overlap": lambda x, f, s, p, d: s[0] < f[0],
    "gaps": lambda x, f, s, p, d: s[0] > f[0],
    "a size that does not divide": lambda x, f, s, p, d: (
        (x[2] + 2 * p[0] - d[0] * (f[0] - 1) - 1) % s[0] != 0
    ),
    "one image": lambda x, f, s, p, d: x[0] == 1,
    "one channel": lambda x, f, s, p, d: x[1] == 1,
    "1x1 window": lambda x, f, s, p, d: tuple(f) == (1, 1),
    "several images": lambda x, f, s, p, d: x[0] > 1,
}


@pytest.mark.parametrize("name", GEOMETRY)
@pytest.mark.parametrize("kind", ["convolution", "max_pooling", "average_pooling"])
def test_the_grid_has_every_odd_geometry(kind, name):
    assert any(GEOMETRY[name](*row) for row in windows(kind))


def test_convolutions_are_dilated_and_grouped():
    args = [probe.args for probe in probes("convolution")]
    assert any(np.ptp(pair(a.get("dilation", 1))) for a in args)
    assert {a.get("groups", 1) for a in args} >= {1, 2, 3}


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_result_of_a_kind_is_proven_by_some_probe(kind):
    proven, seen = set(), set()
    for probe in probes(kind):
        for dtype in kind_of(kind).dtypes:
            for tensor, c in judge(probe, kind_of(kind).reference(probe, dtype), dtype).items():
                assert c.ok, (probe.id, tensor)
                seen.add((dtype, tensor))
                proven |= {(dtype, tensor)} if c.proves else set()
    assert proven == seen


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_the_numbers_are_float32s_drawn_by_the_seed(kind):
    first, again, other = probes(kind, 0), probes(kind, 0), probes(kind, 1)
    assert [p.id for p in first] == [p.id for p in other] and len({p.id for p in first}) == len(first)
    moved = False
    for a, b, c in zip(first, again, other, strict=True):
        for name, array in a.inputs.items():
            if isinstance(array, np.ndarray) and array.dtype.kind == "f":
                np.testing.assert_array_equal(array, array.astype(np.float32))
                np.testing.assert_array_equal(array, b.inputs[name])
                moved |= not np.array_equal(array, c.inputs[name])
    assert moved or kind in OPTIMIZER_KINDS


def test_cotangents_are_random_and_never_ones():
    for kind in ("convolution", "max_pooling", "relu", "lrn", "affine"):
        for probe in probes(kind):
            dout = probe.inputs["dout"]
            assert dout.size == 1 or np.unique(dout).size > dout.size // 2


def test_values_go_where_formulas_bend():
    pools = {probe.id: probe.inputs["x"] for probe in probes("max_pooling")}
    assert (pools["negative inputs under padding"] < 0).all()
    assert np.unique(pools["ties: small integers"]).size <= 3
    logits = {probe.id: probe.inputs["x"] for probe in probes("softmax_with_loss")}
    assert set(np.abs(logits["logits of +-1e3"]).ravel()) == {1000.0}
    assert np.ptp(logits["rows far apart"]) > 1500
    relu = [probe.inputs["x"] for probe in probes("relu")]
    assert any((x == 0).any() for x in relu) and min(np.abs(x).max() for x in relu) < 1e-4
    assert max(np.abs(x).max() for x in relu) > 1e3
    masks = [p.inputs["mask"] for p in probes("dropout") if "mask" in p.inputs]
    assert masks and all(m.any() and not m.all() for m in masks)


def test_what_is_judged_once_is_known_to_every_copy_and_arrays_are_its_own():
    one, other = (shared_probes("affine")[0] for _ in range(2))
    one.judged["a reference"] = 1
    assert other.judged["a reference"] == 1 and other.known == {}
    one.inputs["x"][...] = 7
    assert not np.array_equal(one.inputs["x"], other.inputs["x"])


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.out == "out"])
def test_the_shape_of_out_is_that_of_the_reference(kind):
    probe = probes(kind, 0, lambda i: i == 0)[0]
    assert kind_of(kind).out_shape(probe) == kind_of(kind).reference(probe)["out"].shape
