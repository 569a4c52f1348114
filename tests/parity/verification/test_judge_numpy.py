"""The judge without PyTorch: the same numbers, the same verdicts, and PyTorch is never imported."""

import numpy as np
import pytest
from helpers import failed, one_in, python

import parity
from parity.checks.layer import check_kind
from parity.faults import FAULTS
from parity.faults.kill_matrix import diagnose, lasting_probes, observe
from parity.kinds import ALL_KINDS, torch_when_used
from parity.kinds.numpy_reference import judge, judged_by, results
from parity.kinds.probes import probes
from parity.verification.as_json import as_text, verdict_object
from parity.verification.whole import verify_all

AFFINE = """
class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.{}(axis=0)
        return dout @ self.W.T
"""
WITHOUT_TORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "pandas", "pyarrow", "threadpoolctl", "scipy", "sympy"}:
            raise ModuleNotFoundError(f"no {name} here", name=name)

sys.meta_path.insert(0, Refuse())
from parity.cli import main
try:
    main(sys.argv[1:])
finally:
    assert "torch" not in sys.modules
"""


def equal(kind, cases):
    for probe in cases:
        for dtype in kind.dtypes:
            theirs, ours = kind.reference(probe, dtype), results(kind, probe, dtype)
            assert list(theirs) == list(ours), probe.id
            for name, a in theirs.items():
                assert (a.shape, a.dtype) == (ours[name].shape, ours[name].dtype), (probe.id, name)
                if dtype == "float64":
                    scale = np.abs(a[np.isfinite(a)]).max(initial=0)
                    rtol = min(kind.rtol, 1e-9)
                    np.testing.assert_allclose(ours[name], a, rtol, atol=rtol * scale, err_msg=probe.id)


@pytest.mark.parametrize("kind", ALL_KINDS.values(), ids=list(ALL_KINDS))
def test_it_computes_pytorchs_numbers(kind):
    equal(kind, probes(kind.name)[:3])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALL_KINDS.values(), ids=list(ALL_KINDS))
def test_it_computes_pytorchs_numbers_on_every_input(kind):
    equal(kind, probes(kind.name))


def verdict_of(fault, name):
    """(what is wrong, the diagnosis) of a known bug, before this judge."""
    with judged_by(name):
        cases = lasting_probes(fault.kind, 0)
        seen = observe(fault.kind, fault.make, cases=cases)
        found = diagnose(seen, cases)
    return {(r.case, r.dtype, r.phase, r.tensor) for r in seen.records if not r.ok}, found.fault


@pytest.mark.parametrize("fault", one_in(64, FAULTS.values()), ids=lambda fault: fault.name)
def test_the_same_verdict_on_known_bugs(fault):
    assert verdict_of(fault, "numpy") == verdict_of(fault, "torch")


def test_verify_says_who_judged(tmp_path):
    (tmp_path / "mine.py").write_text(AFFINE.format("mean"))
    verdict = parity.verify(f"{tmp_path}/mine.py:Affine", "affine", judge="numpy")
    assert verdict.outcome == "wrong" and verdict.judge == "numpy" and judge() == "torch"
    text = str(verdict)
    assert verdict.diagnosis.fault == "affine-db-mean" and "PyTorch's" not in text
    assert "\njudge        NumPy (" in text and "\nNumPy's      [" in text


SWAPPED = AFFINE.format("sum").replace("x @ self.W", "x[:, ::-1] @ self.W")


@pytest.mark.parametrize(
    "judge, named, other", [("numpy", "NumPy's", "PyTorch's"), ("torch", "PyTorch's", "NumPy's")]
)
def test_every_sentence_names_the_judge_that_was_used(judge, named, other, tmp_path, capsys):
    from parity.cli.verify import draw

    (tmp_path / "mine.py").write_text(SWAPPED)
    verdict = parity.verify(f"{tmp_path}/mine.py:Affine", "affine", judge=judge)
    draw(verdict, tmp_path / "met.svg")
    found = as_text(verdict_object(verdict))
    for text in (found, str(verdict), capsys.readouterr().out, (tmp_path / "met.svg").read_text()):
        assert named in text and other not in text
    assert any(named in text for text in verdict_object(verdict)["explanation"]["sentences"])


def test_the_page_has_the_verdict_and_its_picture(tmp_path):
    import base64

    from parity.cli.verify import write_page

    for name, code, drawn in (("wrong", SWAPPED, 1), ("right", AFFINE.format("sum"), 0)):
        (tmp_path / f"{name}.py").write_text(code)
        verdict = parity.verify(f"{tmp_path}/{name}.py:Affine", "affine", judge="numpy")
        write_page(verdict, "a process of its own <&>", tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text()
        assert page.count("<img ") == drawn and "a process of its own &lt;&amp;&gt;" in page
        if drawn:
            svg = base64.b64decode(page.split("base64,")[1].split('"')[0]).decode()
            assert verdict.explanation.example.replace("PyTorch's", "NumPy&#x27;s") in svg


def test_the_page_of_a_file_has_a_section_per_definition(tmp_path, capsys):
    from parity.cli import main

    right = AFFINE.format("sum").replace("class Affine", "class AffineRight")
    (tmp_path / "mine.py").write_text(f"{SWAPPED}\n{right}")
    arguments = ["verify", f"{tmp_path}/mine.py", "--judge", "numpy", "--html", f"{tmp_path}/page.html"]
    with pytest.raises(SystemExit) as end:
        main(arguments)
    page = (tmp_path / "page.html").read_text()
    assert end.value.code == 1 and "page.html" in capsys.readouterr().out
    assert page.count("<section>") == 2 and page.count("<img ") == 1
    for name in ("Affine", "AffineRight"):
        assert f"<h2>{name} as affine</h2>" in page
    assert "1 right, 1 wrong" in page.partition("<section>")[0]
    with pytest.raises(SystemExit) as end:
        main([*arguments[:2], "--picture", f"{tmp_path}/met.svg"])
    assert end.value.code == 2 and "--picture draws one layer" in capsys.readouterr().err


def test_the_line_of_a_file_names_the_judge(tmp_path):
    relu = "    def forward(self, x): self.on = x > 0; return np.where(self.on, x, 0)\n"
    relu += "    def backward(self, dout): return np.where(self.on, dout, 0)\n"
    (tmp_path / "mine.py").write_text(f"import numpy as np\nclass Relu:\n{relu}")
    for who, named in (("numpy", "NumPy's"), ("torch", "PyTorch's")):
        assert f"right, the same function as {named}" in str(verify_all(tmp_path / "mine.py", judge=who))


def test_an_unknown_judge_is_refused():
    with pytest.raises(ValueError, match="no judge named 'jax'; there are torch, numpy"):
        parity.verify("mine.py:Affine", "affine", judge="jax")
    with pytest.raises(ValueError, match="a network is compared with a module of PyTorch"):
        parity.verify("mine.py:Net", "network", judge="numpy")


@pytest.mark.parametrize("word, status", [("sum", 0), ("mean", 1)])
def test_where_pytorch_cannot_be_imported(word, status, tmp_path):
    (tmp_path / "mine.py").write_text(AFFINE.format(word))
    done = python("-c", WITHOUT_TORCH, "verify", "mine.py:Affine", "--judge", "numpy", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (status, "")
    assert ("WRONG" in done.stdout) == bool(status) and "judge        NumPy" in done.stdout


def test_without_pytorch_the_error_names_the_other_judge(tmp_path):
    (tmp_path / "mine.py").write_text(AFFINE.format("sum"))
    done = python("-c", WITHOUT_TORCH, "verify", "mine.py:Affine", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.endswith("verified without it: --judge numpy\n")


def test_every_layer_of_ours_is_right_without_pytorch(monkeypatch):
    """Not only a reference: also what rounding may cost, which the checks ask a kind for."""
    for module in (torch_when_used.torch, torch_when_used.F):
        monkeypatch.setattr(module, "__dict__", {"_name": "no_torch_here"})
    with judged_by("numpy"):
        for name in ALL_KINDS:
            assert not failed(check_kind(name, ALL_KINDS[name].dtypes[-1])), name
