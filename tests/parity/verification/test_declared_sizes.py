"""A declared difference is taken away on random geometries and at real sizes too."""

from pathlib import Path

import pytest

from parity.faults import FAULTS
from parity.verification.declared_sizes import faults_in
from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
MINE = """
import sys; sys.path.insert(0, {folder!r})
import right

class Mean(right.Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = self.db / len(dout)
        return dx

class Large(Mean):
    def forward(self, x):
        return super().forward(x) * (1.5 if len(x) > 31 else 1)

class Wide(right.Convolution):
    def forward(self, x):
        return super().forward(x) * (1.5 if self.W.shape[2] == 4 else 1)

    def backward(self, dout):
        dx = super().backward(dout)
        self.db = self.db / (dout.size // dout.shape[1])
        return dx
"""


@pytest.fixture
def mine(tmp_path):
    def check(name, kind, **options):
        (tmp_path / "mine.py").write_text(MINE.format(folder=str(HOMEWORK)))
        return verify(f"{tmp_path}/mine.py:{name}", kind, isolated=False, **options)

    return check


def test_real_sizes_are_tried_with_the_difference(mine):
    verdict = mine("Mean", "affine", allow=["affine-db-mean"])
    assert verdict.outcome == "right" and verdict.largest.startswith("x (100, "), str(verdict)


def test_what_is_wrong_at_a_real_size_alone_is_seen(mine):
    verdict = mine("Large", "affine", allow=["affine-db-mean"])
    assert verdict.outcome == "wrong" and not verdict.declared
    assert "affine-db-mean: exactly that on the kind's own inputs, and not on x (" in verdict.complaint


def test_what_is_wrong_on_a_random_geometry_alone_is_seen(mine):
    verdict = mine("Wide", "convolution", allow=["conv-db-mean"])
    assert verdict.outcome == "wrong" and not verdict.declared
    assert "exactly that on the kind's own inputs, and not on x (" in verdict.complaint


def test_bugs_that_change_no_number_need_no_reference_of_their_own():
    assert faults_in(["affine-db-mean + float64-from-float32", "relu-dx-is-dout"]) == [
        FAULTS["affine-db-mean"]
    ]


@pytest.mark.parametrize(
    ("infers", "right"), [("return gamma *", True), ("return 2 ** (len(x) > 31) * gamma *", False)]
)
def test_gradients_after_an_inference_that_cannot_be_had_are_not_compared(tmp_path, infers, right):
    source = (Path(__file__).parents[1] / "adapters" / "wild" / "assignment.py").read_text()
    (tmp_path / "mine.py").write_text(source.replace("return gamma *", infers))
    target = f"{tmp_path}/mine.py:batchnorm_forward,batchnorm_backward"
    allow = ["batch-norm-running-biased-variance"]
    verdict = verify(target, "batch_norm", isolated=False, allow=allow)
    assert verdict.ok == right and bool(verdict.declared) == right, str(verdict)
    assert "gradients after an inference call" in verdict.not_checked
