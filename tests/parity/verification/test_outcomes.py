"""Four outcomes: right; right numbers with something else that is not; wrong; could not be checked."""

from pathlib import Path

import pytest

from parity.verification.verify import assert_parity, verify

HOMEWORK = Path(__file__).parents[1] / "homework"
RIGHT_BUT = {
    "ConvolutionFloat64": ("convolution", "float64 comes out of float32 (out, dx, dW)"),
    "im2col_float64": ("im2col", "float64 comes out of float32 (col)"),
    "ReluInPlace": ("relu", "it writes into dout, which the caller may still need"),
    "ReluOneArray": (
        "relu",
        "its own next call writes into the array that it returned (out after the next forward)",
    ),
    "SoftmaxNoShift": ("softmax", "it overflows at inputs of 901 (out, dx not finite)"),
    "SigmoidOverflows": ("sigmoid", "it overflows at inputs of 2219 (out, dx not finite)"),
}
UNCHECKED = {
    "NoBackward": "backward raised AttributeError",
    "RaisesBack": "backward raised IndexError: no such axis (rude.py, line 141) (forward is right)",
    "RaisesWhenBuilt": "building it raised ValueError: no gamma given (rude.py, line 136)",
    "GivesNothing": "forward returned None",
    "GivesPair": "forward: expected an array, got tuple",
    "Crashes": "crashed: SIGSEGV",
}


@pytest.mark.parametrize(("name", "case"), RIGHT_BUT.items(), ids=RIGHT_BUT)
def test_the_numbers_are_right_but(name, case):
    kind, but = case
    verdict = verify(f"{HOMEWORK}/wrong.py:{name}", kind)
    assert (verdict.outcome, verdict.ok, list(verdict.buts)) == ("right_but", True, [but])
    first, *rest = str(verdict).splitlines()
    assert first.endswith(f": the numbers are right, but {but}")
    assert "no number wrong" in rest[0] and "WRONG" not in str(verdict)


def test_strict_takes_it_for_a_failure(parity):
    target = f"{HOMEWORK}/wrong.py:ReluInPlace"
    assert [parity("verify", target, "--as", "relu", *more).status for more in ([], ["--strict"])] == [0, 1]
    assert assert_parity(target, "relu").outcome == "right_but"
    with pytest.raises(AssertionError, match="the numbers are right, but it writes into dout"):
        assert_parity(target, "relu", strict=True)


@pytest.mark.parametrize(("name", "why"), UNCHECKED.items(), ids=UNCHECKED)
def test_what_gave_no_number_is_not_called_wrong(name, why, parity):
    status, out, _ = parity("verify", f"{HOMEWORK}/rude.py:{name}", "--as", "relu", "--adapter", "book")
    assert status == 2 and f"as relu: could not be checked: {why}" in out.splitlines()[0]
    assert "wrong" not in out.lower()


@pytest.mark.parametrize("text", ["import no_such_package", "raise RuntimeError('trains here')", "class ("])
def test_what_cannot_be_imported_could_not_be_checked(tmp_path, text):
    (tmp_path / "layers.py").write_text(text)
    verdict = verify(f"{tmp_path}/layers.py:Relu", "relu")
    assert verdict.outcome == "not_checked" and not verdict.ok
    assert ": could not be checked: raised " in str(verdict).splitlines()[0]


BOTH = """
import numpy as np
class Relu:
    def forward(self, x):
        self.mask = x <= 0
        return np.where(self.mask, 0, x).astype(float)
    def backward(self, dout):
        return (2 * dout * ~self.mask).astype(float)
"""


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ("", "", "wrong"),
        ("2 * dout", "dout", "right_but"),
        ("2 * dout * ~self.mask).astype(float)", "dout * ~self.mask)", "right_but"),
        ("(2 * dout", "(dout[:1] * dout", "wrong"),
    ],
    ids=["a wrong number too", "widened", "widened in forward", "a wrong shape"],
)
def test_a_wrong_number_is_never_excused_by_its_dtype(tmp_path, old, new, outcome):
    (tmp_path / "mine.py").write_text(BOTH.replace(old, new) if old else BOTH)
    assert verify(f"{tmp_path}/mine.py:Relu", "relu").outcome == outcome


def test_random_and_real_sizes_are_tried_whatever_the_dtype(tmp_path):
    """Right on every fixed input, float64 everywhere, and wrong for three images."""
    (tmp_path / "mine.py").write_text(
        f"import sys; sys.path.insert(0, {str(HOMEWORK)!r})\n"
        "from wrong import ConvolutionFloat64\n"
        "class Mine(ConvolutionFloat64):\n"
        "    def forward(self, x):\n"
        "        out = super().forward(x)\n"
        "        return out + (len(x) == 3 and x.dtype == float)\n"
    )
    verdict = verify(f"{tmp_path}/mine.py:Mine", "convolution")
    assert verdict.outcome == "wrong" and "(3, " in verdict.first.inputs


def test_a_write_into_x_hides_nothing_that_comes_before(tmp_path):
    """Where x is read-only the write raises; the wrong hundredth call was seen before that."""
    (tmp_path / "mine.py").write_text(
        "class Relu:\n"
        "    calls = 0\n"
        "    def forward(self, x):\n"
        "        self.calls += 1\n"
        "        self.mask = x <= 0\n"
        "        x[self.mask] = 0\n"
        "        return x + (self.calls == 50)\n"
        "    def backward(self, dout):\n"
        "        return dout * ~self.mask\n"
    )
    verdict = verify(f"{tmp_path}/mine.py:Relu", "relu")
    assert verdict.outcome == "wrong" and "a hundred calls" in set(verdict.wrong["phase"])
    mended = (tmp_path / "mine.py").read_text().replace(" + (self.calls == 50)", "")
    (tmp_path / "mine.py").write_text(mended)
    assert list(verify(f"{tmp_path}/mine.py:Relu", "relu").buts) == [
        "it writes into x, which the caller may still need"
    ]


def test_a_bug_on_one_size_alone_gets_no_name(tmp_path):
    """No fault is run on random sizes, so none can be shown to explain what happens there."""
    (tmp_path / "mine.py").write_text(
        f"import sys; sys.path.insert(0, {str(HOMEWORK)!r})\n"
        "import right\n"
        "class MaxPooling(right.MaxPooling):\n"
        "    def forward(self, x):\n"
        "        self.x = x\n"
        "        if x.shape[0] > 1 and x.shape[1] == 1: raise IndexError\n"
        "        return super().forward(x)\n"
    )
    verdict = verify(f"{tmp_path}/mine.py:MaxPooling", "max_pooling")
    assert verdict.outcome == "wrong" and verdict.diagnosis.fault == "", str(verdict)


STABLE = """
import numpy as np
class SoftmaxWithLoss:
    def forward(self, x, t):
        m = x.max(axis=1, keepdims=True)
        logs = x - (m + np.log(np.exp(x - m).sum(axis=1, keepdims=True)))
        self.t, self.logs = t, logs
        return -{pick}.mean()
    def backward(self, dout=1):
        dx = np.exp(self.logs)
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx / len(self.t)
"""


@pytest.mark.parametrize(
    ("pick", "outcome"),
    [
        ("logs[np.arange(len(t)), t]", "right"),
        ("np.log(np.exp(logs)[np.arange(len(t)), t])", "right_but"),
        ("(logs[np.arange(len(t)), t] * 1.001)", "wrong"),
    ],
    ids=["x - logsumexp(x)", "log of a probability that is 0", "a wrong number"],
)
def test_right_forms_of_the_loss_are_right_at_large_logits(tmp_path, pick, outcome):
    (tmp_path / "mine.py").write_text(STABLE.format(pick=pick))
    for seed in (0, 1):
        verdict = verify(f"{tmp_path}/mine.py:SoftmaxWithLoss", "softmax_with_loss", seed=seed)
        assert verdict.outcome == outcome, str(verdict)


ONLY_THERE = {
    "relu": "return np.where(x > 0, x, 0).astype(float) * (1.5 if x.dtype == np.float32 else 1)",
    "softmax": (
        "y = np.exp(x - x.max(axis=1, keepdims=True))\n"
        "        y /= y.sum(axis=1, keepdims=True)\n"
        "        if np.abs(x).max() > 800: y[0, 0], y[0, 1] = np.nan, 2\n"
        "        return y"
    ),
}


@pytest.mark.parametrize("kind", ONLY_THERE)
def test_a_number_that_is_wrong_only_beside_what_is_excused_is_wrong(tmp_path, kind):
    """Wrong in float32 alone, where it is widened as well; or finite and wrong beside an overflow."""
    (tmp_path / "mine.py").write_text(
        f"import numpy as np\nclass Mine:\n    def forward(self, x):\n        {ONLY_THERE[kind]}\n"
    )
    assert verify(f"{tmp_path}/mine.py:Mine", kind, adapter="forward_only").outcome == "wrong"
