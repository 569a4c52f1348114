"""`pytest --parity`: an item a target, its report, and nothing imported when it is not asked for."""

import os
from pathlib import Path

import pytest
from helpers import python

from parity.adapters.isolate import Limits, run_isolated
from parity.verification import items  # so that a copy of this process need not import PyTorch

HOMEWORK = Path(__file__).parent / "homework"
ENVIRONMENT = os.environ | {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
for name in ("CI", "BUILD_NUMBER"):  # with these pytest prints every report twice
    ENVIRONMENT.pop(name, None)


PLUGINS = ("-p", "parity.pytest_plugin", "-p", "no:cacheprovider")
PATIENT = Limits(silence=600, memory=8192)


def run(folder, *arguments):
    """pytest in a copy of this process: its exit status and what it prints."""

    def work(send):
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(ENVIRONMENT)
        send(int(pytest.main([*PLUGINS, *map(str, arguments)])))

    ended = run_isolated(work, PATIENT)
    assert not ended.ending, ended
    return ended.messages[0], ended.output


def test_a_right_one_is_one_more_test_that_passes(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_own(): pass")
    status, out = run(tmp_path, "--parity", f"{HOMEWORK}/right.py:Convolution")
    assert status == 0 and "17 passed" in out  # their own, and a test per kind of check
    assert "right on what was checked; not checked: dilation, groups" in out


def test_a_wrong_one_fails_with_the_verdict(tmp_path):
    status, out = run(tmp_path, "--parity", f"{HOMEWORK}/wrong.py:ReluLeaky=relu")
    assert status == 1 and "3 failed" in out  # forward, backward and float32
    assert out.count("as relu: WRONG") == 1 and "relu-leaky" in out and "Traceback" not in out


def test_a_folder_without_tests_and_a_kind_for_all(tmp_path):
    (tmp_path / "mine.py").write_text((HOMEWORK / "right.py").read_text().replace("class Relu", "class Mine"))
    status, out = run(tmp_path, "--parity", "mine.py:Mine", "--parity-as", "relu")
    assert status == 0 and "15 passed" in out, out


def test_in_a_test_of_theirs_the_report_stands_alone(tmp_path):
    (tmp_path / "test_own.py").write_text(
        f"import parity, sys\nsys.path.insert(0, {str(HOMEWORK)!r})\nimport right, wrong\n"
        "def test_right(): assert parity.assert_parity(right.Relu, 'relu').ok\n"
        "def test_wrong(): parity.assert_parity(wrong.ReluLeaky, 'relu')\n"
    )
    status, out = run(tmp_path)
    assert status == 1 and "1 failed, 1 passed" in out
    assert "relu-leaky" in out and "verification.py" not in out


def test_right_numbers_pass_with_a_line_unless_it_is_strict(tmp_path):
    target = f"{HOMEWORK}/wrong.py:ReluInPlace=relu"
    status, out = run(tmp_path, "--parity", target)
    assert status == 0 and "the numbers are right, but it writes into dout" in out
    status, out = run(tmp_path, "--parity", target, "--parity-strict")
    assert status == 1 and "2 failed" in out  # dout is written into, and may be read-only


def test_what_could_not_be_checked_fails(tmp_path):
    (tmp_path / "mine.py").write_text("import no_such_package\n")
    status, out = run(tmp_path, "--parity", "mine.py:Relu")
    assert status == 1 and "could not be checked: raised ModuleNotFoundError" in out
    assert "1 failed, 14 skipped" in out


def test_all_of_a_file(tmp_path):
    (tmp_path / "mine.py").write_text(
        f"import sys; sys.path.insert(0, {str(HOMEWORK)!r})\n"
        "import right, wrong\n"
        "class Relu(right.Relu): pass\n"
        "class Affine(wrong.AffineMean): pass\n"
        "class Unknown: pass\n"
    )
    status, out = run(tmp_path, "--parity", "mine.py")
    assert status == 1 and "2 failed" in out and "29 passed" in out, out


OWN = """
import sys; sys.path.insert(0, {folder!r})
import parity, right, wrong

@parity.parametrize(right.Relu, (wrong.AffineMean, "affine"), {folder!r} + "/right.py:SGD", adapter="book")
def test_layers(layer, check):
    check(layer)
"""


def test_a_parametrized_test_of_their_own(tmp_path):
    (tmp_path / "test_own.py").write_text(OWN.format(folder=str(HOMEWORK)))
    status, out = run(tmp_path, "-rA")
    assert status == 1 and "2 failed" in out, out
    assert "PASSED test_own.py::test_layers[Relu-forward]" in out
    assert "FAILED test_own.py::test_layers[AffineMean-backward]" in out
    assert "PASSED test_own.py::test_layers[AffineMean-forward]" in out
    assert "PASSED test_own.py::test_layers[SGD-updated in place]" in out
    assert "items.py" not in out


def test_every_check_of_a_verdict_is_an_item(monkeypatch):
    """A phase that no item looks at would let a wrong one pass; large inputs have those of small ones."""
    monkeypatch.setattr("parity.verification.observe.real_sizes", lambda kind: [])
    from parity.kinds import ALL_KINDS
    from parity.verification.items import check_of, checks_of
    from parity.verification.verify import verify

    for kind in ("convolution", "dropout", "batch_norm", "softmax_with_loss", "im2col", "adam"):
        rows = verify(ALL_KINDS[kind].ours, kind).records
        found = {check_of(row, kind) for row in rows}
        assert found <= set(checks_of(kind)), kind
        assert len(found) >= 4


def test_what_no_item_looks_at_fails_the_first(monkeypatch):
    monkeypatch.setattr(items, "checks_of", lambda kind: [items.CALLED, items.FORWARD, items.FLOAT32])
    first = items.checks(f"{HOMEWORK}/wrong.py:ConvolutionMeanBias", "convolution")[0]
    with pytest.raises(AssertionError, match="conv-db-mean"):
        first()


def test_a_check_that_was_not_tried_is_no_pass():
    from parity.verification.items import NotChecked, checks

    by_name = {check.name: check for check in checks(f"{HOMEWORK}/wrong.py:ReluLeaky", "relu")}
    with pytest.raises(NotChecked, match="two half batches: not tried on it"):
        by_name["two half batches"]()


def test_the_plugin_is_light_without_the_option(tmp_path):
    (tmp_path / "test_own.py").write_text("import sys\ndef test_own(): assert 'torch' not in sys.modules\n")
    done = python("-m", "pytest", *PLUGINS, cwd=tmp_path, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout


def test_a_declared_difference(tmp_path):
    status, out = run(
        tmp_path, "--parity", f"{HOMEWORK}/wrong.py:ReluLeaky=relu", "--parity-allow", "relu-leaky"
    )
    assert status == 0, out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("layers", "expected FILE.py, FILE.py:NAME"),
        ("none.py", "no file none.py"),
        ("layers.py:Frobnicator", "the name does not say what it is"),
    ],
)
def test_misuse_is_a_usage_error(tmp_path, target, message):
    status, out = run(tmp_path, "--parity", target)
    assert status == pytest.ExitCode.USAGE_ERROR and message in out


def test_it_is_registered_and_imports_nothing_heavy():
    code = (
        "import sys, importlib.metadata as m\n"
        "(e,) = [e for e in m.entry_points(group='pytest11') if e.name == 'parity']\n"
        "e.load()\n"
        "print(sorted({'torch', 'pandas', 'numpy', 'scratchcnn'} & set(sys.modules)))"
    )
    done = python("-c", code)
    assert done.stdout == "[]\n", done.stderr
