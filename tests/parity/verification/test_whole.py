"""A file, a notebook, a folder or a zip without a name: every layer in it is listed and checked."""

import json
import os
import shutil

import pytest

from parity.verification.as_json import sheet_object
from parity.verification.listed_names import Listed
from parity.verification.listing import listed
from parity.verification.verify import verify
from parity.verification.whole import verify_all

RELU = """
import numpy as np

class Relu:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask
"""
LEAKY = (
    RELU.replace("class Relu", "class MyReluLayer")
    .replace("x * self.mask", "np.where(x > 0, x, 0.01 * x)")
    .replace("dout * self.mask", "np.where(self.mask, dout, 0.01 * dout)")
)
HELPER = "\ndef helper(x): return x\n\nclass Frobnicator: pass\n"
NETWORK = "\nclass Net:\n    def loss(self, x, t): pass\n    def gradient(self, x, t): pass\n"
TRAINS = RELU + "\nEPS = 1e-7\nraise RuntimeError('it trains here')\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def outcomes(sheet):
    return [(verdict.name, verdict.outcome) for verdict in sheet.verdicts]


def test_each_is_found_by_name_and_signature(tmp_path, file):
    text = (
        "class Conv2DLayer:\n    def forward(self, x): pass\n"
        "class NaiveMaxPool(Conv2DLayer): pass\n"
        "class PRelu(Conv2DLayer): pass\n"
        "class Conv1D(Conv2DLayer): pass\n"
        "class Dense: pass\n"
        "class DenseNotes: pass\n"
        "class Adam:\n    def update(self, params, grads): pass\n"
        "class MyAdapter(BookAdapter):\n    def forward(self, layer, probe): pass\n"
        "def im2col(x): pass\n"
        "def affine_forward(x, w, b): pass\n"
        "def affine_backward(dout, cache): pass\n"
        "def relu(x): pass\n"
        "def pool_forward(x, size): pass\n"
        "def cross_entropy(y, t): pass\n"
    )
    assert listed(file(text + NETWORK)) == [
        Listed("Conv2DLayer", "convolution"),
        Listed("NaiveMaxPool", "max_pooling"),
        Listed("PRelu", ""),
        Listed("Conv1D", ""),
        Listed("Dense", "affine"),
        Listed("DenseNotes", ""),
        Listed("Adam", "adam"),
        Listed("im2col", "im2col"),
        Listed("affine_forward,affine_backward", "affine"),
        Listed("relu", "relu"),
        Listed("pool_forward", "max_pooling"),
        Listed("cross_entropy", "softmax_with_loss"),
        Listed("Net", "network"),
    ]


OF_TWO_CLASSES = """
import numpy as np

class Loss:
    def loss(self, y, p): raise NotImplementedError
    def gradient(self, y, p): raise NotImplementedError

class CrossEntropy(Loss):
    def loss(self, y, p):
        return -y * np.log(p) - (1 - y) * np.log(1 - p)

    def gradient(self, y, p):
        return -(y / p) + (1 - y) / (1 - p)

def cross_entropy_cost(a, y):
    return -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))

class CategoricalCrossEntropy:
    def forward(self, y, t):
        return -np.sum(t * np.log(y) + 0 * np.log(1 - y))
"""


def test_a_cross_entropy_with_a_logarithm_of_the_rest_is_of_two_classes(file, parity):
    path = file(OF_TWO_CLASSES)
    assert [(one.name, one.kind) for one in listed(path)] == [
        ("Loss", ""),
        ("CrossEntropy", "binary_cross_entropy"),
        ("cross_entropy_cost", "binary_cross_entropy"),
        ("CategoricalCrossEntropy", "softmax_with_loss"),
    ]
    status, out, _ = parity("verify", f"{path}:CrossEntropy")
    assert status == 0 and "CrossEntropy as binary_cross_entropy: right on what was checked" in out


def test_every_one_is_checked_and_what_is_not_is_named(file, parity):
    path = file(RELU + LEAKY + HELPER + NETWORK)
    status, out, _ = parity("verify", path)
    first, _, *rest = out.splitlines()
    assert status == 1 and first == f"{path}: 1 right, 1 wrong, 1 could not be checked"
    assert rest[0].split() == ["Relu", "relu", "right,", "the", "same", "function", "as", "PyTorch's"]
    assert "MyReluLayer  relu                 WRONG: forward, out (a slope of 0.01 below zero)" in out
    assert "networks without a twin (--as network --twin file.py:Class), of which only" in out
    assert "\nnot one of the kinds: helper, Frobnicator (if one is after all, name it and add --as)\n" in out
    assert f"{path}:MyReluLayer" in out.split("reproduce")[1]


def test_all_right_is_0_and_nothing_found_is_2(file, parity):
    assert parity("verify", file(RELU)).status == 0
    status, out, _ = parity("verify", file(HELPER))
    assert status == 2 and "nothing in it could be recognised" in out


def test_a_folder_and_a_zip_of_it(tmp_path, file):
    file(RELU, "hw/one/layers.py")
    file(LEAKY, "hw/two.py")
    file("class (", "hw/broken.py")
    shutil.make_archive(tmp_path / "hw", "zip", tmp_path / "hw")
    for where in (tmp_path / "hw", tmp_path / "hw.zip"):
        sheet = verify_all(where)
        assert outcomes(sheet) == [("one/layers.py:Relu", "right"), ("two.py:MyReluLayer", "wrong")]
        assert list(sheet.unread) == ["broken.py"] and "SyntaxError" in str(sheet)
        assert sheet.status == 1
    assert sheet.verdicts[1].reproduction == ""


def test_a_zip_that_leaves_its_folder_is_refused(tmp_path, parity):
    import zipfile

    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../outside.py", RELU)
    status, _, err = parity("verify", tmp_path / "bad.zip")
    assert status == 2 and "the zip has a file outside its folder" in err
    assert not (tmp_path.parent / "outside.py").exists()


def test_a_notebook_s_definitions(tmp_path, file):
    cells = [
        ("markdown", "# Layers"),
        ("code", "%matplotlib inline\nimport numpy as np\nimport no_such_package as plt"),
        ("code", [line + "\n" for line in RELU.splitlines()]),
        ("code", "plt.plot([1])\nraise RuntimeError('trains')"),
        ("code", "!pip install numpy"),
        ("code", LEAKY),
    ]
    content = {"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}
    path = file(json.dumps(content), "notes.ipynb")
    assert outcomes(verify_all(path)) == [("Relu", "right"), ("MyReluLayer", "wrong")]
    assert verify(f"{path}:Relu", "relu").outcome == "right"


def test_of_what_fails_at_import_the_definitions_are_checked(file, parity):
    path = file(TRAINS + LEAKY)
    status, out, _ = parity("verify", path)
    assert status == 1
    assert out.splitlines()[:2] == [
        f"{path}: 1 right, 1 wrong",
        "only its classes, functions and constants were loaded: running it raised RuntimeError: "
        "it trains here (mine.py, line 13)",
    ]
    assert f"load('{path}::MyReluLayer')" in out
    sheet = verify_all(path)
    assert list(sheet.partly) == [str(path)] == list(sheet_object(sheet)["only_definitions"])


def test_what_fails_without_the_rest_too_is_one_outcome(file, parity):
    path = file(RELU.replace("class Relu", "class Relu(missing.Layer)"))
    status, out, _ = parity("verify", path)
    assert status == 2 and out.splitlines()[0] == f"{path}: 1 could not be checked"
    assert out.count("NameError: name 'missing' is not defined") == 1 and "wrong" not in out.lower()


def test_only_definitions_runs_nothing_else(file, parity):
    path = file(TRAINS + LEAKY)
    status, out, _ = parity("verify", path, "--only-definitions")
    assert status == 1 and out.startswith(f"{path}: 1 right, 1 wrong")
    assert parity("verify", f"{path}:Relu", "--only-definitions").status == 0
    assert f"load('{path}::MyReluLayer')" in out


def test_a_missing_package_matters_only_where_it_is_used(file):
    text = RELU.replace("import numpy as np", "import numpy as np\nimport no_such_package as nn")
    uses_it = "\nclass Tanh(nn.Module):\n    def forward(self, x): return x\n"
    path = file(text + uses_it)
    for only in (False, True):
        sheet = verify_all(path, definitions_only=only)
        assert [outcome for _, outcome in outcomes(sheet)] == ["right", "not_checked"]
        assert "No module named 'no_such_package'" in str(sheet) and bool(sheet.partly) != only


def test_a_number_that_was_not_loaded_is_no_bug(file):
    """Running the file would have set it, had it not ended before."""
    text = RELU.replace("class Relu", "one = float(open('one.txt').read())\n\nclass Relu")
    sheet = verify_all(file(text.replace("return x * self.mask", "return x * self.mask * one")))
    assert sheet.partly and [outcome for _, outcome in outcomes(sheet)] == ["not_checked"], str(sheet)


def test_a_name_in_a_module_of_a_folder(file, tmp_path):
    file(RELU, "pack/layers/act.py")
    file("", "pack/__init__.py")
    assert verify(f"{tmp_path}/pack:layers.act.Relu", "relu").outcome == "right"


def test_imports_are_looked_for_above_the_file_and_where_we_are(file, tmp_path, monkeypatch):
    """ch05/net.py imports common.helper as it would after sys.path.append(os.pardir)."""
    file("from common.helper import one\nfrom beside import two\n" + RELU, "book/ch05/net.py")
    file("one = 1", "book/common/helper.py")
    file("two = 2", "elsewhere/beside.py")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert outcomes(verify_all(tmp_path / "book/ch05/net.py")) == [("Relu", "right")]


def test_a_declared_difference_holds_for_those_that_have_it(file, parity):
    path = file(RELU + LEAKY)
    sheet = verify_all(path, allow=["relu-leaky"])
    assert outcomes(sheet) == [("Relu", "right"), ("MyReluLayer", "right")] and sheet.ok
    assert outcomes(verify_all(path, allow=["adam-book-epsilon"]))[1] == ("MyReluLayer", "wrong")
    ended = parity("verify", path, "--allow", "relu-laeky")
    assert ended.status == 2 and "no known difference named relu-laeky" in ended.err


def test_a_network_without_a_twin_counts_as_not_checked(file, parity):
    ended = parity("verify", file(RELU + NETWORK))
    assert (
        ended.status == 2
        and "Net   network              could not be checked: it holds no arrays" in ended.out
    )
    assert parity("verify", file(RELU)).status == 0


def test_what_is_no_file_is_named_and_not_opened(file, tmp_path):
    file(RELU)
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nothing.py")
    sheet = verify_all(tmp_path)
    assert sheet.ok and sheet.passed == {"gone.py": "a symbolic link to nothing", "pipe.py": "a pipe"}
    assert str(sheet).split("\n")[1] == "passed over: gone.py (a symbolic link to nothing), pipe.py (a pipe)"


LAMBDAS = """
import numpy as np
sigmoid = lambda x: 1 / (1 + np.exp(-x))
sigmoid_prime = lambda x: sigmoid(x) * (1 {sign} sigmoid(x))
pick = lambda x: x[0]
"""


@pytest.mark.parametrize(("sign", "outcome"), [("-", "right"), ("+", "wrong")])
def test_a_lambda_with_a_known_name_is_checked_as_a_function(file, sign, outcome):
    path = file(LAMBDAS.format(sign=sign))
    for options in ({}, {"definitions_only": True}):
        found = outcomes(verify_all(path, isolated=False, **options))
        assert found == [("sigmoid", "right"), ("sigmoid_prime", outcome)]


def test_what_parity_cannot_do_costs_no_other_verdict(file, monkeypatch):
    def fails(target, kind, **options):
        if kind == "tanh":
            raise KeyError("t")
        return verify(target, kind, **options)

    monkeypatch.setattr("parity.verification.whole.verify", fails)
    sheet = verify_all(file("def tanh(x): return x\n" + RELU), isolated=False)
    assert outcomes(sheet) == [("tanh", "not_checked"), ("Relu", "right")] and sheet.status == 2
    assert "parity itself raised KeyError: 't' (" in sheet.verdicts[0].headline
    assert "this is a defect of parity, not of this code" in sheet.verdicts[0].headline


def test_options_that_there_are_not_are_refused(file):
    with pytest.raises(ValueError, match="relu has no feature nonsense"):
        verify_all(file(RELU), supports=["nonsense"])
    with pytest.raises(TypeError, match="takes no nonsense"):
        verify_all(file(RELU), nonsense=1)


def test_how_a_right_one_was_called_follows_in_a_line(file):
    text = RELU.replace("return x * self.mask", "self.output = x * self.mask")
    lines = str(verify_all(file(text), isolated=False)).splitlines()
    assert lines[2].split()[:3] == ["Relu", "relu", "right,"]
    assert lines[3] == "    called as Relu(...); forward(x) -> .output, backward(dout)"


def test_a_file_that_is_no_python_is_named_with_its_line_first(file, parity):
    path = file("import numpy as np\nclass Layer(\n")
    for target in (path, f"{path}:Frobnicator"):
        status, out, err = parity("verify", target)
        first = (err.removeprefix("error: ") + out).splitlines()[0]
        assert (
            status == 2 and "could not be read: SyntaxError: '(' was never closed (mine.py, line 2)" in first
        )


def test_a_file_that_trains_is_not_run_for_each_definition(file, monkeypatch):
    monkeypatch.setattr("parity.verification.whole.PATIENCE", 1.0)
    sheet = verify_all(file(RELU + "\nwhile True: pass\n"))
    assert outcomes(sheet) == [("Relu", "right")]
    assert ": running it was not done after 1 s" in str(sheet)


def test_a_file_that_is_soon_done_is_run(file):
    source = (
        RELU.replace("x * self.mask", "x * self.mask * one") + "\nfor _ in range(2):\n    one = float('1')\n"
    )
    sheet = verify_all(file(source))
    assert outcomes(sheet) == [("Relu", "right")] and not sheet.partly


def test_functions_that_raise_keep_their_own_error(tmp_path):
    (tmp_path / "f.py").write_text(
        "def conv_forward(x, W, b, hparameters):\n"
        "    return x[0].nothing, (x, W, b, hparameters)\n\n"
        "def conv_backward(dout, cache):\n"
        "    return dout, dout, dout\n"
    )
    found = str(verify_all(f"{tmp_path}/f.py", isolated=False))
    assert "has no attribute 'nothing'" in found and "unexpected keyword" not in found
