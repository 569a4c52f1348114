"""The chapter's demonstrations and the side by side: computed, and true."""

import html
import inspect
import re

import numpy as np
import pytest

import scratchcnn as sc
from parity.report import demos, sidebyside
from parity.report.figures.scales import Scale, around, short


def plain(markup):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", str(markup)))


def test_the_filter_as_an_operation_is_the_sum_that_it_says():
    demo = demos.operation()
    terms, total = re.search(r"gives (.*) = (\d+)\.", demo.text).groups()
    assert sum(int(a) * int(b) for a, b in re.findall(r"(\d+)·(\d+)", terms)) == int(total) == 15
    assert "out: 15 16; 6 15" in str(demo.body) and "out + b: 18 19; 9 18" in str(demo.body)


def test_the_convolution_beside_pytorchs_has_its_im2col_drawn():
    entry = sidebyside.entry("convolution")
    given = sidebyside.example("convolution")
    x, w, b = given.inputs["x"], given.args["W"], given.args["b"]
    rows = sc.im2col(x, 3, 3)
    drawn = "; ".join(" ".join(f"{v:.0f}" for v in row) for row in rows)
    assert f"im2col(x, 3, 3): one row per window: {drawn}" in str(entry.picture)
    products = "; ".join(f"{v:.0f}" for v in (sc.Convolution(w, b).forward(x) - b).ravel())
    assert f"out: {products}" in str(entry.picture)
    assert not sidebyside.entry("relu").picture


def test_padding_keeps_the_size():
    demo = demos.padding()
    assert "4×4 in, 4×4 out, instead of 2×2" in demo.text


def test_stride_shrinks():
    assert "7×7 in, 3×3 out" in demos.stride().text


def test_channels_add_up():
    grids = re.findall(r'aria-label="(.*?)"', str(demos.three_d().body))
    *parts, out = [
        np.array([[int(n) for n in row.split()] for row in g.split(": ", 1)[1].split("; ")])
        for g in grids
        if g.startswith((": ", "out"))
    ]
    assert len(parts) == 3 and np.array_equal(sum(parts), out)


def test_im2col_is_drawn_row_by_row():
    x, _ = demos.small()
    rows = [" ".join(f"{v:.0f}" for v in row) for row in sc.im2col(x[None, None], 3, 3)]
    assert "; ".join(rows) in str(demos.as_matrix().body)


def test_max_pooling_absorbs_the_shift():
    demo = demos.shift()
    assert "give the same result after 3×3 pooling." in demo.text
    before, after = map(int, re.findall(r"(\d+)%", demo.text))
    assert after < before / 2


@pytest.mark.parametrize("kind", sidebyside.ENTRIES)
def test_both_sides_agree_on_the_small_example(kind):
    entry = sidebyside.entry(kind)
    for name, _, text in entry.shapes:
        difference = re.match(r"differ by (\S+)", text)
        assert text in ("given to both", "same bits") or float(difference.group(1)) < 1e-12, name
    assert any(name == "dx" for name, *_ in entry.shapes) and entry.numbers
    assert plain(entry.torch).strip() and entry.formula and entry.backward_formula


def test_our_code_is_the_source():
    shown = html.unescape(re.sub(r"<[^>]+>", "", str(sidebyside.entry("relu").ours)))
    for line in inspect.getsource(sc.Relu.backward).splitlines():
        assert re.sub(r'[\s"]+', "", line) in re.sub(r'[\s"]+', "", shown)


# -- axes -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scale", "labels"),
    [
        (Scale(0, 100), ["0", "20", "40", "60", "80", "100"]),
        (Scale(1e-9, 10, True), ["10⁻⁸", "10⁻⁶", "10⁻⁴", "0.01", "1"]),
        (Scale(0.5, 2, True), ["0.5", "1", "2"]),
        (Scale(1, 256, True), ["1", "10", "100"]),
    ],
    ids=["linear", "decades", "within a decade", "images"],
)
def test_ticks(scale, labels):
    assert [label for _, label in scale.ticks()] == labels


def test_places():
    assert [Scale(1, 100, True)(v) for v in (0.1, 1, 10, 1000)] == [0, 0, 0.5, 1]
    assert around([3e-8, 2e-3], log=True) == Scale(1e-8, 1e-2, True)
    assert short(2e-7) == "2·10⁻⁷" and short(1234) == "1,234" and short(0.25) == "0.25"
