"""Known bugs are put into anybody's class, its tests run on each, and the suggested test notices the rest."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from audit_samples import SAMPLES, write
from honest import CORE, DRESSES

from parity.adapters.load import TargetError
from parity.adapters.subject import subject_here
from parity.audit import audit as audits
from parity.audit.audit import EQUIVALENT, KILLED, NOT_APPLIED, SURVIVED, Bug, Mutant, _most, audit, failures
from parity.audit.faulty import faulty, reason_not
from parity.audit.source import source_mutants
from parity.audit.style import in_style
from parity.audit.suggest import Suggestion, joined, suggestions
from parity.comparison.tables import write_tables
from parity.faults import FAULTS, faults_of
from scratchcnn import SoftmaxWithLoss

ROOT = Path(__file__).resolve().parents[3]
METHODS = ("torch_like", "channels_last", "single_image", "self_updating")
PUT_IN = {
    "convolution": ("conv-bias-forgotten", "conv-db-mean"),
    "affine": ("affine-bias-forgotten", "affine-dw-mean"),
}


def dressed(kind, dress):
    """The class, in a module of its own, and how it is called."""
    module = ModuleType("person")
    sys.modules["person"] = module  # where an engine's tensor is looked for
    exec(f"import numpy as np\n{CORE[kind]}{DRESSES[dress](kind, 'Layer')}", module.__dict__)
    return module.Layer, subject_here(module.Layer, kind, "auto").convention


def wrong(cls, kind, convention):
    """The results of single calls that are wrong."""
    return {
        tensor for _, _, phase, tensor in failures(cls, kind, convention) if phase in ("forward", "backward")
    }


@pytest.mark.parametrize("dress", METHODS)
@pytest.mark.parametrize("kind", CORE)
def test_a_bug_in_a_dress_is_wrong_where_the_bug_is(kind, dress):
    cls, convention = dressed(kind, dress)
    assert convention is not None and wrong(cls, kind, convention) == set()
    for name in (n for n in PUT_IN[kind] if not (dress == "single_image" and "dw-mean" in n)):
        fault, problems = FAULTS[name], []
        assert reason_not(fault, convention) == ""
        found = wrong(faulty(cls, fault, convention, problems), kind, convention)
        expected = {"bias-forgotten": {"out"}, "db-mean": {"db"}, "dw-mean": {"dW"}}
        assert (found, problems) == (expected[name.partition("-")[2]], [])


@pytest.mark.parametrize("dress", METHODS)
@pytest.mark.parametrize("kind", CORE)
def test_a_suggested_test_passes_on_what_is_right_and_fails_on_a_bug(kind, dress):
    cls, convention = dressed(kind, dress)
    candidates = list(suggestions("Layer", kind, convention))
    assert candidates
    broken = faulty(cls, FAULTS[PUT_IN[kind][0]], convention, [])
    passed = [fails(one, cls) for one in candidates]
    assert passed.count(False) >= 2
    assert any(fails(one, broken) for one, failed in zip(candidates, passed, strict=True) if not failed)


def fails(suggestion, cls, name="Layer"):
    space = {"np": np, name: cls}
    exec(suggestion.text, space)
    try:
        space[suggestion.name]()
    except Exception:
        return True
    return False


def test_what_shows_in_no_single_call_is_not_put_in():
    _, convention = dressed("affine", "engine")
    assert reason_not(FAULTS["affine-dw-mean"], convention) == ""
    assert "keeps a state" in reason_not(FAULTS["batch-norm-no-eps"], None)
    assert "shows in no number" in reason_not(FAULTS["affine-writes-into-x"], None)


SOURCE = '''
class Other:
    def method(self): return 1 + 1
def helper(a):
    """Adds 1."""
    return a.reshape(2, 3)[1:]
class Mine:
    def forward(self, x):
        x += 5
        return x - 1 if x > 0 else x * 2
'''


def test_changes_of_the_source(tmp_path):
    (tmp_path / "layers.py").write_text(SOURCE)
    found = source_mutants(tmp_path / "layers.py", "Mine")
    names = {one.name for one in found}
    assert {"line 10: + for -", "line 10: >= for >", "line 9: = for +=", "line 10: / for *"} <= names
    assert {"line 6: arguments 1 and 2 of reshape exchanged", "line 10: the last term dropped"} <= names
    assert "line 6: the lower end of a slice off by one" in names
    assert not any(name.startswith(("line 3", "line 5")) for name in names)
    for one in found:
        compile(one.source, "layers.py", "exec")
        assert one.source != SOURCE and len(one.source.splitlines()) == len(SOURCE.splitlines())


@pytest.fixture
def few(monkeypatch):
    """few("relu-leaky", ...): only these bugs are tried."""

    def only(*names):
        monkeypatch.setattr(audits, "faults_of", lambda kind: [f for f in faults_of(kind) if f.name in names])

    return only


def test_what_tests_notice_and_what_they_do_not(tmp_path, few, parity):
    few("affine-db-mean", "affine-bias-forgotten", "affine-writes-into-x")
    tests, target, _ = write(tmp_path, "shapes and ones")
    other = {"tests": "test_b.py of B", "kind": "relu", "before": 0.5, "after": 1.0}
    write_tables(tmp_path / "audit", {"audit": pd.DataFrame([{"tests": f"{tests.name} of Affine"}, other])})
    status, out, _ = parity("audit", tests, "--of", target, "--no-source", "--out", tmp_path / "audit")
    kept = pd.read_parquet(tmp_path / "audit" / "audit.parquet").set_index("tests")
    assert list(kept.index) == ["test_b.py of B", f"{tests.name} of Affine"]
    assert kept["after"].tolist() == [1, 1] and kept.iloc[1]["survived"] == out.count("survived: ") > 0
    assert status == 1 and "survived: affine-db-mean: the mean of dout for its sum in db" in out
    assert "def test_affine_against_known_numbers():" in out
    assert re.search(r"noticed: \d+% of the bugs; 100% with the test above", out)


def test_all_noticed_is_0_and_a_test_that_notices_nothing_is_named(tmp_path, few, parity):
    few("affine-bias-forgotten")
    (tmp_path / "layers.py").write_text(f"import numpy as np\n{SAMPLES['shapes and ones'][0]}")
    (tmp_path / "test_it.py").write_text(
        "import numpy as np\nfrom layers import Affine\n"
        "def test_bias():\n    assert Affine(np.eye(2), np.ones(2)).forward(np.zeros((1, 2))).sum() == 2\n"
        "def test_nothing():\n    Affine(np.eye(2), np.ones(2)).forward(np.zeros((1, 2)))\n"
    )
    options = ("--of", f"{tmp_path}/layers.py:Affine", "--no-source", "--json")
    status, out, _ = parity("audit", tmp_path / "test_it.py", *options)
    found = json.loads(out)
    assert status == 0 and found["rate"] == 1 and len(found["idle"]) == 1
    assert found["idle"][0].endswith("::test_nothing")
    assert found["mutants"][0]["by"].endswith("::test_bias") and found["mutants"][0]["outcome"] == KILLED


@pytest.mark.slow
def test_changes_that_change_nothing_are_left_out(tmp_path, few):
    few("relu-leaky")
    tests, target, kind = write(tmp_path, "unittest, by hand")
    found = audit(tests, target, kind)
    outcomes = {m.name: m.outcome for m in found.mutants}
    assert outcomes["relu-leaky"] == KILLED and outcomes["line 5: >= for >"] == SURVIVED
    assert found.of(NOT_APPLIED, EQUIVALENT) == []
    assert "line 5: >= for >" in found.killed_by_it  # a zero in x


def test_a_script_of_asserts(tmp_path, few):
    few("max-pool-gradient-to-all", "max-pool-ties-to-last", "max-pool-pad-axes-swapped")
    tests, target, kind = write(tmp_path, "a script of asserts")
    found = audit(tests, target, kind, source=False)
    assert found.tests == ["the whole file"] and found.idle == []
    outcomes = {m.name: m.outcome for m in found.mutants}
    assert outcomes == {
        "max-pool-gradient-to-all": KILLED,
        "max-pool-ties-to-last": SURVIVED,
        "max-pool-pad-axes-swapped": EQUIVALENT,  # it takes no pad
    }


def test_tests_that_fail_anyway_are_misuse(tmp_path, parity):
    tests, target, _ = write(tmp_path, "shapes and ones")
    tests.write_text(tests.read_text().replace("== (4, 2)", "== (4, 3)"))
    status, _, err = parity("audit", tests, "--of", target)
    assert status == 2 and "the tests do not pass on the code as it is" in err
    status, _, err = parity("audit", tmp_path / "no.py", "--of", target)
    assert status == 2 and "no file" in err


def test_several_inputs_make_one_test():
    parts = [s for s in suggestions("Affine", "affine", None) if s.numbers < 40][:2]
    text = joined(parts)
    assert text.count("def ") == 1 and text.count("layer = Affine(") == 2
    compile(text, "test_affine.py", "exec")


def test_the_next_input_is_what_notices_most_of_the_rest():
    bugs = [Bug(Mutant(f"m{i}", "", ""), seen=seen) for i, seen in enumerate(SEEN)]
    assert _most([SUGGESTION] * 3, bugs) == [1, 2]
    assert _most([SUGGESTION] * 3, bugs[-1:]) == [] and _most([], bugs) == []


SUGGESTION = Suggestion("test", "", 3, "")
SEEN = ([True, True, False], [True, True, False], [False, True, True], [False, False, True], [False] * 3)


def test_some_of_the_tests_alone(tmp_path, few, parity):
    few("affine-bias-forgotten")
    tests, target, _ = write(tmp_path, "shapes and ones")
    for asked in ((tests, "-k", "shape"), (f"{tests}::test_shape",)):
        _, out, _ = parity("audit", *asked, "--of", target, "--no-source", "--json")
        assert [name.rpartition("::")[2] for name in json.loads(out)["tests"]] == ["test_shape"]


def test_our_own_layers_are_imported_anew(few):
    few("relu-float64-output", "relu-leaky")
    own = ROOT / "tests" / "scratchcnn" / "test_layers.py"
    found = audit(
        own,
        f"{ROOT}/scratchcnn/layers/basic.py:Relu",
        "relu",
        source=False,
        only="test_is_pytorchs_on_every_probe and relu-float and not leaky",
    )
    assert len(found.tests) == 2 and [m.outcome for m in found.mutants] == [KILLED, KILLED]


def test_a_suggested_test_of_a_loss_passes_on_a_right_one():
    found = list(suggestions("SoftmaxWithLoss", "softmax_with_loss", None))
    passed = [not fails(one, SoftmaxWithLoss, "SoftmaxWithLoss") for one in found]
    assert len(found) > 20 and sum(passed) > 20


OWN_FAULT = """import numpy as np
class Affine:
    def __init__(self, W, b): self.W, self.b = W, b
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout / 7, dout.sum(axis=0)
        return dout @ self.W.T
"""


def test_what_is_wrong_already_is_left_out_of_a_suggestion(tmp_path):
    """dW of the class is wrong as it is: a test that passes compares the rest."""
    (tmp_path / "layers.py").write_text(OWN_FAULT)
    run = audits._Run(tmp_path / "t.py", tmp_path / "layers.py", "Affine", "affine", None, 60.0)
    candidates = [one for one in suggestions("Affine", "affine", None) if one.numbers < 40][:3]
    assert all("layer.dW" in one.text for one in candidates)
    good = run._passing(candidates, Bug(Mutant("", "", "")))
    assert len(good) == len(candidates) >= 2
    for one in good:
        assert "layer.dW" not in one.text and "dx, " in one.text and "layer.db" in one.text


STYLES = {
    "pytest": ("import numpy as np\nfrom layers import Relu\ndef test_x(): pass\n", "def test_relu():"),
    "unittest": ("import unittest, lib.layers\nclass T(unittest.TestCase):\n    pass\n", "class TestRelu("),
    "a script": ("from layers import Relu\nassert Relu\n", "\n\ntest_relu()\n"),
}


@pytest.mark.parametrize("style", STYLES)
def test_a_suggestion_is_in_the_style_of_the_tests_and_imports_what_they_do_not(tmp_path, style):
    source, has = STYLES[style]
    (tmp_path / "checks.py").write_bytes(b"# caf\xe9, coding: latin-1\n" + source.encode())
    text = "def test_relu():\n    assert Relu() is not np\n"
    found = in_style(text, tmp_path / "checks.py", tmp_path / "layers.py", "Relu")
    assert has in found and ("import numpy as np" in found) == (style != "pytest")
    assert ("from lib.layers import Relu" in found) == (style == "unittest")
    compile(found, "checks.py", "exec")
    if style == "pytest":
        assert found == text


CHECKED_BELOW = (
    """import numpy as np
class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)
    def backward(self, dout):
        return np.where(self.mask, dout, 0)
""",
    """relu = Relu()
assert relu.forward(np.array([-1.0, 2.0])).tolist() == [0, 2]
""",
)


@pytest.fixture
def notebook(tmp_path):
    """A layer with asserting cells after it, and a plot that is not wanted."""
    cells = ["%matplotlib inline", *CHECKED_BELOW, "!ls"]
    cells = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in cells]
    (tmp_path / "hw.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    return tmp_path / "hw.ipynb"


@pytest.mark.parametrize("suffix", [".ipynb", ".py"])
def test_code_with_its_asserts_below_it_is_audited_where_it_is(notebook, few, suffix):
    few("relu-leaky", "relu-gradient-one-at-zero", "relu-dx-is-dout")
    path = notebook.with_suffix(suffix)
    if suffix == ".py":
        path.write_text("from __future__ import annotations\n" + "".join(CHECKED_BELOW))
    found = audit(path, f"{path}:Relu", "relu")
    outcomes = {m.name: m.outcome for m in found.mutants}
    assert outcomes["relu-leaky"] == KILLED
    changes = [m.outcome for m in found.mutants if m.of == audits.SOURCE]
    assert KILLED in changes and SURVIVED in changes  # of forward, and of backward
    assert found.suggestion.startswith("def test_relu_") and len(found.killed_by_it) == len(
        found.of(SURVIVED)
    )


def test_tests_that_cannot_import_a_notebook_are_refused_in_a_sentence(notebook, tmp_path):
    (tmp_path / "test_it.py").write_text("def test_x(): pass\n")
    with pytest.raises(TargetError, match=r"hw.ipynb is a notebook, which test_it.py does not import; audit"):
        audit(tmp_path / "test_it.py", f"{notebook}:Relu", "relu")
