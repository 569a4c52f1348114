"""The book's own style: habits are listed as by design, what remains is judged, no bug hides behind them."""

import os
import shutil
from pathlib import Path

import pytest

from parity.verification.profiles import HABITS, NONE, profile_of
from parity.verification.verify import verify
from parity.verification.whole import verify_all

BOOK = Path(__file__).parents[1] / "homework" / "book"
HABIT = {  # of the code in homework/book/common
    "layers.py:Relu": ("relu", "Relu writes into dout"),
    "layers.py:SoftmaxWithLoss": ("softmax_with_loss", "the loss is -log(y + 1e-7)"),
    "layers.py:Dropout": ("dropout", "Dropout scales in inference, not in training"),
    "layers.py:Pooling": (
        "max_pooling",
        "the output size of Pooling ignores pad, so that it raises with any",
    ),
    "layers.py:Convolution": ("convolution", "np.zeros without a dtype, or a np.float64, makes float64"),
    "util.py:im2col": ("im2col", "np.zeros without a dtype, or a np.float64, makes float64"),
    "optimizer.py:Adam": ("adam", "1e-7 is added outside the root"),
    "optimizer.py:AdaGrad": ("adagrad", "1e-7 is added outside the root"),
}
# file, what is written there, what somebody wrote instead, class, what is printed
BUGS = {
    "Relu lets the gradient through below zero": (
        "layers.py",
        "        dout[self.mask] = 0\n        return dout\n",
        "        return dout\n",
        "Relu",
        "relu-straight-through",
    ),
    "the bias's gradient is a mean": (
        "layers.py",
        "self.db = np.sum(dout, axis=0)\n        self.dW = np.dot(self.col",
        "self.db = np.mean(dout, axis=0)\n        self.dW = np.dot(self.col",
        "Convolution",
        "conv-db-mean",
    ),
    "the loss's gradient is not divided": (
        "layers.py",
        "return dx / batch_size",
        "return dx",
        "SoftmaxWithLoss",
        "",
    ),
    "another small number in the loss": ("functions.py", "+ 1e-7", "+ 1e-4", "SoftmaxWithLoss", ""),
    "Adam without its correction": (
        "optimizer.py",
        "rate = self.lr * np.sqrt(1.0 - self.beta2**self.iter) / (1.0 - self.beta1**self.iter)",
        "rate = self.lr",
        "Adam",
        "",
    ),
}


@pytest.mark.parametrize(("target", "case"), HABIT.items(), ids=HABIT)
def test_its_habits_are_by_design(target, case):
    kind, habit = case
    verdict = verify(f"{BOOK}/common/{target}", kind)
    assert verdict.ok and verdict.outcome == "right_but", str(verdict)
    assert verdict.habits[0].startswith(habit)
    first = str(verdict).splitlines()[0]
    assert f": right, but for the book's habits: {habit}" in first and "WRONG" not in str(verdict)


@pytest.mark.usefixtures("few_real_sizes")
def test_a_page_for_the_whole_file(parity):
    status, out, _ = parity("verify", BOOK / "common" / "layers.py")
    assert status == 0 and out.splitlines()[0].endswith("layers.py: 2 right, 5 right in the numbers only")
    assert (
        out.count("np.zeros without a dtype") == 1
        and "makes float64 out of float32 (Convolution, Pooling)" in out
    )
    assert parity("verify", BOOK / "common" / "layers.py", "--strict").status == 1


@pytest.mark.usefixtures("few_real_sizes")
def test_without_the_profile_they_are_what_they_are():
    outcomes = {v.name: v.outcome for v in verify_all(BOOK / "common" / "layers.py", profile=NONE).verdicts}
    assert {name for name, outcome in outcomes.items() if outcome == "wrong"} == {"Pooling"}
    assert {outcomes[name] for name in ("Relu", "Convolution", "SoftmaxWithLoss")} == {"right_but"}


@pytest.mark.usefixtures("few_real_sizes")
@pytest.mark.parametrize(("file", "old", "new", "name", "printed"), BUGS.values(), ids=BUGS)
def test_a_bug_is_found_behind_the_habits(tmp_path, file, old, new, name, printed):
    shutil.copytree(BOOK, tmp_path / "book")
    path = tmp_path / "book" / "common" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    module = "optimizer.py" if name == "Adam" else "layers.py"
    sheet = verify_all(tmp_path / "book" / "common" / module)
    verdict = next(v for v in sheet.verdicts if v.name == name)
    assert verdict.outcome == "wrong" and printed in str(verdict), str(verdict)
    assert all(v.outcome != "wrong" for v in sheet.verdicts if v.name != name)


@pytest.mark.usefixtures("few_real_sizes")
def test_another_slope_at_zero_is_said_besides_the_habits(tmp_path):
    shutil.copytree(BOOK, tmp_path / "book")
    path = tmp_path / "book" / "common" / "layers.py"
    path.write_text(path.read_text().replace("self.mask = x <= 0\n", "self.mask = x < 0\n"))
    verdict = verify(f"{path}:Relu", "relu")
    assert verdict.outcome == "right_but" and verdict.habits, str(verdict)
    assert "besides, at x = 0" in verdict.headline


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class Relu", "class ReLU"),
        ("def __init__(self):\n        self.mask", "def __init__(self, slope):\n        self.mask"),
    ],
    ids=["another name", "another signature"],
)
def test_what_is_not_the_book_s_is_judged_in_full(tmp_path, old, new):
    text = (BOOK / "common" / "layers.py").read_text()
    (tmp_path / "layers.py").write_text(text.replace(old, new, 1))
    name = "ReLU" if "ReLU" in new else "Relu"
    assert profile_of(f"{tmp_path}/layers.py:{name}", None) == "none"
    assert profile_of(f"{tmp_path}/layers.py:Affine", None) == "book"
    assert profile_of(f"{tmp_path}/layers.py:{name}", "book") == "book"


def test_one_name_of_the_book_alone_is_no_book(tmp_path):
    (tmp_path / "mine.py").write_text("class Relu:\n    def __init__(self): pass\n")
    assert profile_of(f"{tmp_path}/mine.py:Relu", None) == "none"


def test_every_habit_is_a_name_that_allow_takes():
    from parity.verification.declared import declared_faults

    for kind, habits in HABITS.items():
        assert declared_faults(kind, habits), kind


def test_an_unknown_profile_is_misuse(parity):
    ended = parity("verify", f"{BOOK}/common/layers.py:Relu", "--profile", "bok")
    assert ended.status == 2 and "no profile named 'bok'; there are auto, book, none" in ended.err


def test_a_file_written_anew_in_the_same_moment_is_read_again(tmp_path):
    mine, text = tmp_path / "layers.py", (BOOK / "common" / "layers.py").read_text()
    found = []
    for source in (text, text.replace("class Relu", "class Rely")):
        mine.write_text(source)
        os.utime(mine, (1e9, 1e9))
        found.append(profile_of(f"{mine}:Relu", None))
    assert found == ["book", NONE]
