"""Which number met which: the sentence, the grid of characters and the picture."""

from xml.etree import ElementTree

import pytest

import scratchcnn as sc
from parity.adapters.subject import subject_here
from parity.explain.wiring import KINDS, wiring
from parity.kinds import ALL_KINDS
from parity.kinds.probes import probes

TURNED = """
import numpy as np
from scratchcnn import Convolution

class Turned(Convolution):
    def forward(self, x):
        W, self.W = self.W, self.W[..., ::-1].copy()
        out = super().forward(x)
        self.W = W
        return out
"""


class Turned(sc.Convolution):
    def forward(self, x):
        W, self.W = self.W, self.W[..., ::-1].copy()
        out = super().forward(x)
        self.W = W
        return out


@pytest.fixture(scope="module")
def turned():
    probe = next(p for p in probes("convolution") if p.id == "one image, one channel")
    return wiring("out", probe, subject_here(Turned, "convolution").results)


def test_the_sentence_names_the_weight_that_met_the_input(turned):
    met = "out[0, 0, 0, 0] meets x[0, 0, 0, 0] with "
    assert turned.sentence == f"{met}W[0, 0, 0, 1], PyTorch's with W[0, 0, 0, 0]"
    assert turned.right == {(0, 0, 0, 0): 1.0, (0, 0, 0, 1): 2.0, (0, 0, 1, 0): 3.0, (0, 0, 1, 1): 4.0}


def test_the_grid_of_characters_marks_what_differs(turned):
    lines = turned.text().splitlines()
    assert lines[2:5] == ["x[0, 0, :, :]", "  + + . . .", "  + + . . ."] and "  o . . ." in lines


def test_the_picture_is_one_svg_for_both_themes(turned):
    root = ElementTree.fromstring(turned.svg())
    assert root.tag.endswith("svg") and root[0].text == turned.sentence
    assert "prefers-color-scheme:dark" in turned.svg()
    marks = [rect.get("class") for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert marks.count("theirs") == 4 + 1 and marks.count("entry") == 1  # one is the legend's


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_layer_has_none(kind):
    probe = probes(kind)[0]
    names = ALL_KINDS[kind].reference(probe)
    subject = subject_here(ALL_KINDS[kind].ours, kind)
    assert not [name for name in names if wiring(name, probe, subject.results) is not None]


def test_an_input_that_is_taken_twice():
    def twice(col, *args, **options):
        return 2 * sc.col2im(col, *args, **options)

    found = wiring("img", probes("col2im")[0], subject_here(twice, "col2im").results)
    assert found.sentence == "img[0, 0, 0, 0] takes 2 times col[0, 0], PyTorch's 1 times"


def test_verify_draws_it(parity, tmp_path):
    (tmp_path / "layers.py").write_text(TURNED)
    target, path = f"{tmp_path}/layers.py:Turned", tmp_path / "out.svg"
    ended = parity("verify", target, "--as", "convolution", "--picture", path)
    assert ended.status == 1 and "why          out and dx are PyTorch's for W reversed along FW" in ended.out
    assert "# met by both, - by PyTorch's alone" in ended.out
    assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_where_nothing_is_wrong_nothing_is_drawn(parity, tmp_path):
    (tmp_path / "layers.py").write_text("from scratchcnn import Affine\n")
    path = tmp_path / "out.svg"
    ended = parity("verify", f"{tmp_path}/layers.py:Affine", "--picture", path)
    assert ended.status == 0 and "no picture" in ended.out and not path.exists()
