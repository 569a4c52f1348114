"""`make cuda` up to the device: what it plans, skips, writes and refuses, on the CPU and with faked steps."""

import importlib.util
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from parity.checks.layer import check_kind
from parity.reference import devices
from parity.report import cuda
from parity.timing import clock

ROOT = Path(__file__).parents[3]
LINES = []


@pytest.fixture
def script():
    """tools/cuda_report.py as a module."""
    spec = importlib.util.spec_from_file_location("cuda_report", ROOT / "tools" / "cuda_report.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def plan(tmp_path):
    """A tiny plan without tests, whose root is empty."""
    return cuda.Plan(tmp_path / "cuda", tmp_path, "cpu", pack=tmp_path / "packed.tar.gz", **cuda.TINY)


class Clock:
    """Seconds that pass when a step says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def faked(monkeypatch, plan, check, seconds=1.0):
    """A run whose checks are `check(name, dtype, place) -> failures` and whose times are left out."""
    monkeypatch.setattr(cuda, "PAGE_EVERY", 1e9)  # at the end alone: it takes a while
    time, said = Clock(), []
    run = cuda.Run(plan, said.append, time)

    def checked(name, dtype, place, kinds):
        time.now += seconds
        run.records += check_kind("relu", dtype, "cpu", contracts=False) if not run.records else []
        return check(name, dtype, place)

    def timed(_):
        time.now += seconds
        return []

    monkeypatch.setattr(run, "_check", checked)
    monkeypatch.setattr(run, "_time", timed)
    return run, said


# -- the plan -------------------------------------------------------------------------------------
def names(plan):
    run = cuda.Run(plan)
    run.tests = cuda.CudaTests(plan)
    return [step.name for step in run.steps()]


def test_every_network_layer_and_mode_is_in_the_plan(tmp_path):
    steps = names(cuda.Plan(tmp_path, tmp_path))
    for place, dtypes in devices.modes("cuda", ["float64", "float32"]):
        for name in ("layers", "simple_conv_net", "lenet", "lenet5", "alexnet", "resnet18"):
            assert [f"{name} {d} {place}" in steps for d in ("float64", "float32")] == [
                d in dtypes for d in ("float64", "float32")
            ]
    assert sum(step.startswith("timing ") for step in steps) == 8 and "the CUDA tests" in steps


def test_what_a_shorter_run_leaves_out_stands_last(tmp_path):
    steps = names(cuda.Plan(tmp_path, tmp_path))
    order = [
        "lenet float32 cuda",
        "alexnet float64 cuda",
        "the CUDA tests",
        "timing lenet N=100",
        "layers float32 cuda tf32",
        "timing alexnet N=8",
        "alexnet float32 cuda tf32",
    ]
    assert [steps.index(name) for name in order] == sorted(steps.index(name) for name in order)
    assert len(set(steps)) == len(steps)


# -- a whole rehearsal ----------------------------------------------------------------------------
def test_a_rehearsal_writes_the_whole_report(plan, monkeypatch):
    monkeypatch.setattr(clock, "TRIES", 1)  # the times are not looked at
    monkeypatch.setattr(cuda, "STEPS", {"lenet": 1})
    plan = replace(plan, networks=("lenet",), kinds=("affine", "momentum"))
    found = cuda.Run(plan, LINES.append).go()
    assert cuda.status(found) == 2  # no tests: that is not a pass
    assert cuda.closing(found)[-1].startswith("OPEN") and found.failures == {"accuracy": [], "speed": []}
    table = pd.read_parquet(plan.out / "accuracy.parquet")
    assert set(table["device"]) == {"cpu", "cpu tf32", "cpu channels_last", "cpu cudnn_benchmark"}
    assert {"reference", "alone", "step 1", "same call, same answer"} <= set(table["phase"])
    assert set(table.loc[table["device"] == "cpu tf32", "dtype"]) == {"float32"}
    speed = pd.read_csv(plan.out / "speed.csv")
    assert {"step", "host_to_device", "device_to_host"} < set(speed["phase"])
    readme = (plan.out / "README.md").read_text()
    for text in (
        "all match",
        "## Not run",
        "| to the GPU, ms |",
        "| lenet | float32 | cpu tf32 |",
        "| ok | ",
    ):
        assert text in readme
    assert "cpu cudnn_benchmark" in (plan.out / "index.html").read_text()
    with tarfile.open(plan.pack) as archive:
        assert {"cuda/README.md", "cuda/accuracy.parquet", "cuda/index.html"} <= set(archive.getnames())


# -- the budget, failures -------------------------------------------------------------------------
def test_a_step_that_the_time_would_not_do_for_is_skipped_and_said_so(plan, monkeypatch):
    run, said = faked(monkeypatch, plan, lambda *_: [], seconds=40.0)
    found = run.go()
    steps = pd.read_parquet(plan.out / "cuda_steps.parquet").set_index("step")
    # 330 s hold eight of them; the first of its kind is taken to need 15 s, the next as long as the last
    assert steps["outcome"].value_counts().to_dict() == {"ok": 8, "skipped": len(steps) - 8}
    assert steps.loc["lenet float64 cpu channels_last", "why"] == "10 s were left, about 40 are needed"
    assert cuda.status(found) == 2 and any("10 s were left" in text for text in said)
    assert "- lenet float64 cpu channels_last: 10 s were left" in (plan.out / "README.md").read_text()


def test_without_time_nothing_is_run_and_nothing_passes(plan, monkeypatch):
    run, _ = faked(monkeypatch, replace(plan, budget=14.0), lambda *_: [])
    found = run.go()
    assert {row["outcome"] for row in run.ended} == {"skipped"} and cuda.status(found) == 2
    assert found.skipped[0] == "layers float64 cpu: 14 s were left, about 15 are needed"


def test_what_fails_or_breaks_down_fails_the_run_and_the_rest_is_run(plan, monkeypatch):
    def check(name, dtype, place):
        if (name, place) == ("lenet", "cpu tf32"):
            raise RuntimeError("GET was unable to find an engine\nto execute this computation")
        return ["relu out is off"] if name == "layers" and place == "cpu" and dtype == "float64" else []

    run, _ = faked(monkeypatch, plan, check)
    found = run.go()
    steps = pd.read_parquet(plan.out / "cuda_steps.parquet").set_index("step")
    broke = "lenet float32 cpu tf32 broke down: RuntimeError: GET was unable to find an engine"
    assert found.failures["accuracy"] == ["relu out is off", broke] and cuda.status(found) == 1
    assert (
        steps.loc["layers float64 cpu", "outcome"] == "FAIL" == steps.loc["lenet float32 cpu tf32", "outcome"]
    )
    assert steps.loc["lenet float32 cpu cudnn_benchmark", "outcome"] == "ok"
    assert cuda.closing(found)[-1] == "MISMATCH: 2 failures, the first: relu out is off"


def test_a_wrong_layer_is_named_with_its_place_and_the_next_is_checked(plan, monkeypatch, as_ours):
    import scratchcnn as sc

    class Wrong(sc.Relu):
        def backward(self, dout):
            return dout

    def broken(*_):
        raise RuntimeError("no kernel")

    as_ours("relu", Wrong)
    monkeypatch.setattr(cuda, "check_reference", lambda kind, *a, **o: broken() if kind == "tanh" else [])
    run = cuda.Run(plan, LINES.append)
    failed = run._check("layers", "float64", "cpu channels_last", ("tanh", "relu", "sigmoid"))
    assert failed[0] == "tanh float64 cpu channels_last broke down: RuntimeError: no kernel"
    assert failed[1].startswith("relu ") and "dx float64 cpu channels_last: off by" in failed[1]
    assert {(row.layer, row.device) for row in run.records} == {
        (kind, "cpu channels_last") for kind in ("relu", "sigmoid")
    }


def test_every_step_is_on_disk_before_the_next_begins(plan, monkeypatch):
    seen = []

    def check(*_):
        steps = plan.out / "cuda_steps.csv"
        seen.append(len(pd.read_csv(steps)) if steps.exists() else 0)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return []

    run, _ = faked(monkeypatch, plan, check)
    found = run.go()
    assert seen == [0, 1, 2, 3] and found.interrupted == "accuracy" and cuda.status(found) == 130
    assert plan.pack.exists() and (plan.out / "index.html").exists()


def test_without_the_packages_of_the_page_the_rest_is_written(plan, monkeypatch):
    monkeypatch.setattr(cuda, "PAGE_NEEDS", ("nonesuch",))
    run, _ = faked(monkeypatch, plan, lambda *_: [])
    run.go()
    assert not (plan.out / "index.html").exists()
    assert "index.html" not in (plan.out / "README.md").read_text()


def test_the_card_is_in_the_title_and_its_driver_in_the_table(plan, monkeypatch):
    monkeypatch.setattr(
        cuda,
        "environment",
        lambda *_, **more: {
            "cpu": "a CPU",
            "cores": 16,
            "numpy": "2",
            "blas": "?",
            "torch": "2",
            "gpu": "NVIDIA H100",
            "driver": "580.1",
            **more,
        },
    )
    run, _ = faked(monkeypatch, plan, lambda *_: [])
    run.go()
    readme = (plan.out / "README.md").read_text()
    assert readme.startswith("# Report on NVIDIA H100\n") and "| driver | 580.1 |" in readme
    assert json.loads((plan.out / "environment.json").read_text())["gpu"] == "NVIDIA H100"


# -- the tests that are marked --------------------------------------------------------------------
MARK = "import pytest\n@pytest.mark.cuda\n"
RUNS = {
    "def test_a(): pass\ndef test_b(): assert 0\n": ([], {"passed": 1}),
    "def test_a(): assert 1 == 2\n": (["test_marked::test_a: assert 1 == 2"], {"failed": 1}),
    "def test_a(): import warnings; warnings.warn('old')\n": ([], {"passed": 1}),
}


@pytest.fixture
def begun():
    """Begin the tests of a plan; they end with the test."""
    all_begun = []

    def begin(plan):
        all_begun.append(cuda.CudaTests(plan))
        return all_begun[-1]

    yield begin
    for tests in all_begun:
        tests.stop()


def test_tests_that_do_not_end_are_stopped(plan, tmp_path, begun):
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = cuda\n")
    (tmp_path / "tests" / "test_marked.py").write_text(MARK + "def test_a(): import time; time.sleep(600)\n")
    tests = begun(replace(plan, budget=0.0))
    assert tests.result() == ["the tests did not end in time and were stopped"]
    assert tests.process.returncode == -9


@pytest.mark.parametrize("body", RUNS)
def test_the_marked_tests_run_in_a_process_of_their_own(body, plan, tmp_path, begun):
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = cuda\nfilterwarnings = error\n")
    (tmp_path / "tests" / "test_marked.py").write_text(MARK + body)
    (tmp_path / "tests" / "test_other.py").write_text("import nonesuch\n")
    tests = begun(plan)
    failed, outcomes = RUNS[body]
    assert [text.removeprefix("tests.") for text in tests.result()] == failed
    assert pd.DataFrame(tests.rows)["outcome"].value_counts().to_dict() == outcomes


@pytest.mark.parametrize(
    ("body", "why"),
    [("def test_a(): pytest.skip('no GPU')\n", "of 1 tests none could run here"), ("", "is marked cuda")],
)
def test_tests_that_cannot_run_are_no_pass(body, why, plan, tmp_path, begun):
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = cuda\n")
    (tmp_path / "tests" / "test_marked.py").write_text(MARK + body if body else "")
    with pytest.raises(cuda.Skip, match=why):
        begun(plan).result()


def test_tests_that_break_down_fail(plan, tmp_path, begun):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_marked.py").write_text("# mark.cuda\nimport nonesuch\n")
    tests = begun(plan)
    assert len(tests.result()) == 1 and "nonesuch" in tests.tail()


def test_the_projects_marked_tests_are_found():
    assert ROOT / "tests" / "parity" / "reference" / "test_cuda.py" in cuda.marked(ROOT)


# -- the command ----------------------------------------------------------------------------------
def test_without_a_gpu_it_is_one_sentence_and_status_2(script, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    assert script.main(["--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr() == (
        "",
        "error: no CUDA device was found (this PyTorch is a CPU build); "
        "--device cpu --tiny rehearses without one\n",
    )
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_one_sentence_and_status_2(script, monkeypatch, capsys):
    monkeypatch.setattr(script, "NEEDED", ("numpy", "nonesuch", "neither"))
    assert script.main([]) == 2
    assert capsys.readouterr().err.startswith("error: nonesuch, neither cannot be imported by ")


def test_it_runs_the_plan_and_returns_its_status(script, monkeypatch, capsys, tmp_path):
    plans = []

    def go(run):
        plans.append(run.plan)
        run.say("a step")
        return cuda.Findings(failures={"accuracy": []})

    monkeypatch.setattr(cuda.Run, "go", go)
    asked = ["--device", "cpu", "--tiny", "--threads", "1", "--budget", "9", "--pack", "p.tar.gz"]
    assert script.main([*asked, "--out", str(tmp_path)]) == 0
    (plan,) = plans
    assert (plan.device, plan.budget, plan.threads, plan.pack) == ("cpu", 9.0, 1, Path("p.tar.gz"))
    assert plan.kinds == cuda.TINY["kinds"] and plan.root == ROOT
    assert plan.command == "python tools/cuda_report.py --device cpu --tiny"  # no path of this machine
    out = capsys.readouterr().out
    assert "s  a step" in out and "MATCH: everything was run and matches" in out
