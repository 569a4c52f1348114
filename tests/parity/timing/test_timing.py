"""`parity time`: its columns, its verdicts, its threads, its files. No time is asserted."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from threadpoolctl import threadpool_info

import scratchcnn as sc
from parity.comparison.gates import logic_gate
from parity.cores import cores
from parity.referees import predictions
from parity.reference import machine
from parity.timing import baselines, clock, everything, memory, scaling
from parity.timing import measure as timing
from parity.timing.costs import TO_DEVICE, TO_HOST, Cost, layer_cost, network_costs
from parity.timing.measure import SPEED_COLUMNS, Setup, time_layer, time_network
from parity.timing.tables import all_cells, mark, summary
from parity.timing.verdict import right_as_timed

FAST = Setup(rounds=1, baselines=False, measure_memory=False, steps=1, pause=0)
NETWORKS = {"simple_conv_net": sc.SimpleConvNet, "lenet": sc.LeNet}


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(clock, "TURN_S", 0.0)
    monkeypatch.setattr(clock, "others_seconds", lambda: 0.0)
    monkeypatch.setattr(clock, "MORE_ROUNDS", 1)
    monkeypatch.setattr(clock, "APART", float("inf"))


class Wrong(sc.Sigmoid):
    def backward(self, dout):
        return super().backward(dout) * 2


# -- rows -----------------------------------------------------------------------------------------
def test_one_row_per_implementation_and_phase():
    table = time_network("lenet", 2, FAST)
    assert table.columns.tolist() == SPEED_COLUMNS
    phases = ["forward", "backward", "step", "predict"]
    assert table["phase"].tolist() == phases * 2
    assert table["implementation"].tolist() == ["ours"] * 4 + ["torch"] * 4
    assert set(table["batch_size"]) == {2} and set(table["input_shape"]) == {"1x28x28"}
    assert (table["q1_ms"] <= table["q3_ms"]).all() and (table["median_ms"] > 0).all()
    assert (table.loc[table["implementation"] == "torch", "ratio_to_torch"] == 1).all()
    assert table.loc[table["implementation"] == "ours", "ok"].all()
    assert table.loc[table["implementation"] == "torch", "ok"].isna().all()


def test_a_wrong_implementation_is_marked(monkeypatch):
    build = timing.build_pair

    def broken(*args):
        network, module = build(*args)
        network.layers["sigmoid2"].__class__ = Wrong
        return network, module

    monkeypatch.setattr("parity.checks.network.build_pair", broken)
    table = time_network("lenet", 2, FAST)
    assert not table.loc[table["implementation"] == "ours", "ok"].any()


def test_every_layer_has_its_own_verdict(monkeypatch):
    setup = Setup(**(vars(FAST) | {"layers": True}))
    table = time_network("lenet", 2, setup)
    layers = table.loc[(table["layer"] != "") & (table["implementation"] == "ours")]
    assert layers["layer"].nunique() == 13 and layers["ok"].all()  # 12 layers and the loss
    assert set(layers["phase"]) == {"forward", "backward"}


@pytest.mark.parametrize("kind", ["relu", "max_pooling", "softmax_with_loss", "dropout", "batch_norm"])
def test_an_individual_layer(kind):
    table = time_layer(kind, 2, FAST)
    assert table["phase"].tolist() == ["forward", "backward"] * 2
    assert table.loc[table["implementation"] == "ours", "ok"].all()


def test_a_wrong_layer_is_marked(as_ours):
    as_ours("sigmoid", Wrong)
    table = time_layer("sigmoid", 1, FAST)
    assert not table.loc[table["implementation"] == "ours", "ok"].any()


def test_every_baseline_has_a_row_or_a_reason():
    table = time_network("lenet", 1, Setup(**(vars(FAST) | {"baselines": True, "rounds": 1})))
    assert set(table["implementation"]) == {"ours", "torch", "torch_compile", "book", "naive"}
    missing = table[table["median_ms"].isna()]
    assert (missing["note"] != "").all()
    assert table.loc[table["implementation"].isin(["book", "naive"]), "ok"].all()
    assert set(table.loc[table["implementation"] == "book", "dtype"]) == {"float64"}


def test_loops_that_would_take_hours_are_not_run():
    table = time_network("lenet", 64, Setup(**(vars(FAST) | {"baselines": True})))
    (note,) = table.loc[table["implementation"] == "naive", "note"]
    assert note.startswith("not run: ") and "Python loops" in note


def test_what_others_disturbed_has_times_and_no_ratio(monkeypatch):
    growing = iter(range(0, 10**12, 10**6))
    monkeypatch.setattr(clock, "others_seconds", lambda: float(next(growing)))
    monkeypatch.setattr(clock, "TRIES", 1)
    table = time_layer("relu", 2, FAST)
    ours = table[table["implementation"] == "ours"]
    assert ours["median_ms"].notna().all() and ours["ratio_to_torch"].isna().all()
    assert (ours["pairs"] == 0).all() and {mark(row) for row in ours.to_dict("records")} == {"disturbed"}


@pytest.mark.parametrize(
    ("ratio", "low", "high", "side"),
    [(0.8, 0.7, 0.9, "faster"), (1.2, 1.1, 1.3, "slower"), (0.99, 0.9, 1.01, "undecided")],
)
def test_a_ratio_is_marked(ratio, low, high, side):
    row = {"median_ms": 1.0, "ratio_to_torch": ratio, "ratio_low": low, "ratio_high": high}
    assert mark(row) == side


def test_a_mean_leaves_out_what_was_disturbed():
    table = time_network("lenet", 2, FAST)
    step = (table["phase"] == "step") & (table["implementation"] == "ours")
    table.loc[step, "ratio_to_torch"] = 0.5
    twice = pd.concat([table, table.assign(batch_size=3)], ignore_index=True)
    twice.loc[(twice["batch_size"] == 3) & (twice["phase"] == "step"), "ratio_to_torch"] = np.nan
    left = (
        "a training step takes 0.50 times as long as PyTorch's (geometric mean of 1; 1 left out, since other"
    )
    assert summary(twice)[0].startswith(left)
    twice.loc[step.reindex(twice.index, fill_value=False), "ratio_to_torch"] = np.nan
    assert summary(twice)[0].endswith("no ratio to PyTorch's, since other processes disturbed all of 2")


# -- baselines -------------------------------------------------------------------------------------
@pytest.mark.parametrize(("style", "size"), [("book", 12), ("naive", 8)], ids=["book", "naive"])
def test_a_baseline_is_the_same_function(style, size):
    network = sc.SimpleConvNet((2, size, size), {"filter_num": 3, "filter_size": 3}, 4, 5, rng=0)
    lowered, network = baselines.in_style(network, style), network.astype(np.float64)
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((3, 2, size, size)), np.array([0, 4, 2])
    wanted, found = network.gradient(x, t), lowered.gradient(x, t)
    assert type(lowered.layers["Conv1"]).__name__ == f"{style.title()}Convolution"
    assert all(logic_gate(found[name], grad).ok for name, grad in wanted.items())


def test_a_layer_without_a_counterpart_is_named():
    with pytest.raises(ValueError, match=r"^squash1 \(Tanh.*has no counterpart in the book style$"):
        baselines.in_style(sc.LeNet5(rng=0), "book")


# -- the machine ----------------------------------------------------------------------------------
@pytest.mark.parametrize("count", range(1, cores() + 1))
def test_threads_are_equal_inside_and_as_before_outside(count):
    def found():
        pools = [pool["num_threads"] for pool in threadpool_info()]
        return [torch.get_num_threads(), *pools]

    before = found()
    with machine.equal_threads(count):
        assert set(found()) == {count}
    assert found() == before


def test_more_threads_than_cores_are_refused():
    with pytest.raises(ValueError, match=rf"^--threads must lie in 1..{cores()}, .*; got 999$"):
        machine.equal_threads(999).__enter__()


def test_peaks_and_names():
    assert machine.describe(1)["numpy"] == np.__version__
    assert all(peak > 0 for peak in machine.measured_peaks(1, tries=1))


def test_costs_of_a_network():
    costs = network_costs(sc.SimpleConvNet(rng=0), batch_size=3)
    products = 3 * (30 * 24 * 24 * 25 + 4320 * 100 + 100 * 10)
    assert costs["", "forward"].flops == 2 * products and costs["", "step"].flops == 6 * products
    assert costs["Conv1", "forward"].nbytes == 4 * (3 * 784 + 3 * 30 * 576 + 30 * 25 + 30)


def test_costs_of_heads_that_only_training_has():
    costs = network_costs(sc.GoogLeNet(rng=0), batch_size=2)
    heads = [cost.flops for (path, phase), cost in costs.items() if path[:3] == "aux" and phase == "forward"]
    assert costs["", "predict"].flops == costs["", "forward"].flops - sum(heads) > 0
    assert max(heads) > 0


@pytest.mark.parametrize("implementation", ["ours", "torch"])
def test_memory_of_a_process_of_its_own(implementation):
    found = memory.measure(implementation, "lenet", 1, "float32", 1)
    assert found["peak_rss_mb"] > found["rise_mb"] >= 0


def test_memory_says_what_failed():
    with pytest.raises(RuntimeError, match=r"^measuring the memory of nonsense in ours failed: .*nonsense"):
        memory.measure("ours", "nonsense", 1, "float32", 1)


# -- scaling --------------------------------------------------------------------------------------
def test_an_exponent_is_found():
    exponent, r2 = scaling.fit([1, 2, 4, 8], [3, 12, 48, 192])
    assert exponent == pytest.approx(2) and r2 == pytest.approx(1)


def test_scaling_has_an_exponent_for_images_and_side():
    table = scaling.scaling("lenet", FAST, batches=(1, 2), sides=(4, 6))
    assert set(table["variable"]) == {"images", "side"} and table["exponent"].notna().all()
    assert table.loc[table["variable"] == "side", "size"].unique().tolist() == [4, 6]


# -- the command ----------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def small_peaks(monkeypatch):
    monkeypatch.setattr(machine, "GEMM", 64)
    monkeypatch.setattr(machine, "COPY_MB", 1)


def test_the_command_prints_and_writes(parity, tmp_path):
    status, out, err = parity("time", "relu", "--batch-size", 2, "--quick", "--out", tmp_path)
    assert (status, err) == (0, "")
    assert "x torch" in out and np.__version__ in out and torch.__version__ in out
    table = pd.read_parquet(tmp_path / "speed.parquet")
    assert table.columns.tolist() == SPEED_COLUMNS and table["ok"].dtype == "boolean"
    assert len(pd.read_csv(tmp_path / "speed.csv")) == len(table) == 4
    page = (tmp_path / "speed.md").read_text()
    assert "| network | N | phase | ours ms |" in page and page.count("| relu | 2 |") == 2
    assert pd.read_csv(tmp_path / "machine.csv").loc[0, "threads"] == cores()


def test_the_command_ends_with_1_when_a_check_failed(parity, as_ours):
    as_ours("sigmoid", Wrong)
    status, out, _ = parity("time", "sigmoid", "--batch-size", 1, "--quick")
    assert status == 1 and "FAIL ours" in out


def test_what_was_measured_before_ctrl_c_is_kept(parity, monkeypatch, tmp_path):
    time_one = timing.time_layer

    def interrupted(kind, *args):
        if kind == "tanh":
            raise KeyboardInterrupt
        return time_one(kind, *args)

    monkeypatch.setattr(timing, "time_layer", interrupted)
    status, _, err = parity("time", "relu", "tanh", "--batch-size", 1, "--quick", "--out", tmp_path)
    assert status == 130 and err.startswith("interrupted")
    assert set(pd.read_csv(tmp_path / "speed.csv")["layer"]) == {"relu"}


def test_all_networks_are_timed_one_after_another_until_the_limit(parity, monkeypatch):
    made = time_layer("relu", 1, FAST).assign(network="x", layer="")
    asked, now = [], iter([0.0, 0.0, 1.0, 30.0, 59.0, 60.0, 61.0])
    monkeypatch.setattr(timing, "time_network", lambda name, n, *_: asked.append((name, n)) or made)
    monkeypatch.setattr(timing, "count_network", lambda *_: pd.DataFrame())
    monkeypatch.setattr("parity.cli.time.monotonic", lambda: next(now))
    status, out, err = parity("time", "--all", "--limit", 1, "--quick")
    assert status == 0 and asked == [("simple_conv_net", 1), ("lenet", 1)]
    assert "0.5 min  simple_conv_net N=1: forward " in out and "1.0 min  lenet N=1: forward " in out
    assert err.startswith("the limit of 1 minutes is reached; not timed: alexnet N=1, vgg11 N=1, ")
    assert "relu N=8, " in err and err.endswith("resnet50 N=8, alexnet N=32\n")


def test_all_has_everything_once_and_no_category_comes_last_as_a_whole():
    found = everything.cells(("relu", "lrn"))
    assert len(set(map(str, found))) == len(found) == 23 + 2 + 7 + 2
    assert {cell.what for cell in found[:20]} == {"network", "kind", "convolutions", "growth"}


def test_each_shape_of_a_networks_convolutions_is_timed_once():
    table = timing.time_convolutions("lenet", 2, FAST)
    ours = table[table["implementation"] == "ours"]
    assert ours["layer"].tolist() == ["conv1", "conv1", "conv2", "conv2"] and ours["ok"].all()
    assert ours["input_shape"].tolist() == ["1x28x28"] * 2 + ["6x14x14"] * 2


def test_the_timed_calls_have_a_verdict(monkeypatch):
    network, _ = timing.build_pair("lenet", np.float32, "cpu", 0)
    x, t = timing.Images(network, 3, 0).batch()
    assert right_as_timed("lenet", network, x, t, 0)
    monkeypatch.setattr(network.layers["sigmoid2"], "__class__", Wrong)
    assert not right_as_timed("lenet", network, x, t, 0)
    monkeypatch.undo()
    monkeypatch.setattr(network, "predict", lambda x: 1.01 * type(network).predict(network, x))
    assert not right_as_timed("lenet", network, x, t, 0)


def test_other_frameworks_predict_the_same_scores_or_have_a_note():
    table = time_network("lenet", 2, replace(FAST, others=predictions.other_frameworks, as_timed=True))
    others = table[table["implementation"].isin(["onnxruntime", "jax"])]
    assert others["phase"].tolist() == ["predict", "predict"]
    assert (others["ok"].fillna(True) & (others["median_ms"].notna() | (others["note"] != ""))).all()


def test_another_frameworks_wrong_scores_are_marked(monkeypatch):
    network, _ = timing.build_pair("lenet", np.float32, "cpu", 0)
    x, t = timing.Images(network, 2, 0).batch()
    monkeypatch.setattr(predictions, "_jax", lambda *_: lambda: 1.01 * network.predict(x))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    contestants, verdicts, notes = predictions.other_frameworks(network, x, t, 1)
    assert [c.name for c in contestants] == ["jax"] and verdicts == {"jax": False}
    assert notes == {"onnxruntime": "not run: onnxruntime is not installed"}


def row(implementation, phase, ratio, width=0.0, **others):
    found = {"network": "x", "layer": "", "batch_size": 1, "median_ms": 1.0, "peak_rss_mb": np.nan}
    found |= {"ratio_to_torch": ratio, "ratio_low": ratio - width, "ratio_high": ratio + width}
    return found | {"implementation": implementation, "phase": phase} | others


def test_everything_is_summed_up():
    rows = [row("ours", "step", 0.5, peak_rss_mb=3.0), row("torch", "step", 1.0, peak_rss_mb=2.0)]
    rows += [row("ours", "predict", 2.0), row("ours", "step", np.nan, batch_size=2)]
    rows += [row("ours", "forward", 1.0, 0.1, layer="conv1"), row("onnxruntime", "predict", 0.25)]
    assert all_cells(pd.DataFrame(rows)) == [
        "steps and predictions of networks: 1.00 times PyTorch's (geometric mean of 2); "
        "1 faster, 0 undecided, 1 slower, 1 disturbed",
        "convolutions of networks, forward and backward: 1.00 times PyTorch's (geometric mean of 1); "
        "0 faster, 1 undecided, 0 slower, 0 disturbed",
        "all of these: 1.00 times PyTorch's (geometric mean of 3); "
        "1 faster, 1 undecided, 1 slower, 1 disturbed",
        "onnxruntime, predict: 0.25 times PyTorch's (geometric mean of 1)",
        "peak memory of a step: at most PyTorch's in 0 of 1; more in x N=1 3 MB to 2",
    ]


def test_a_rise_of_the_time_per_image_is_found():
    times = {1: 10.0, 2: 12.0, 4: 36.0, 8: 48.0}
    rows = [{"variable": "images", "implementation": "ours", "network": "x"}] * 4
    table = pd.DataFrame(rows).assign(size=list(times), median_ms=list(times.values()))
    assert scaling.rises(table) == [
        "x: the time of a step per image rises by 50% at most from one of 4 batch sizes to the next "
        "(N=2 to 4); N=8: 6 ms per image"
    ]


MISUSE = {
    "all and a name": (("lenet", "--all"), "error: --all names the networks and the batch sizes"),
    "unknown": (("nonsense",), "error: nothing is named nonsense; networks: "),
    "not timed": (("im2col",), "error: im2col cannot be timed individually; layers that can: convolution, "),
    "threads": (("relu", "--threads", 999), "error: --threads must lie in 1.."),
}


@pytest.mark.parametrize(("arguments", "sentence"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_one_sentence_and_2(arguments, sentence, parity):
    status, _, err = parity("time", *arguments)
    assert status == 2 and err.startswith(sentence) and err.count("\n") == 1


# -- a GPU ----------------------------------------------------------------------------------------
def test_transfers_are_rows_of_pytorchs_alone():
    table = time_network("lenet", 2, replace(FAST, transfers=True))
    moved = table[table["phase"].isin([TO_DEVICE, TO_HOST])]
    assert moved["implementation"].tolist() == ["torch"] * 2 and (moved["median_ms"] > 0).all()
    sent = moved.set_index("phase").eval("gbytes_per_s * median_ms * 1e6")
    assert sent[TO_DEVICE] == pytest.approx(2 * 28 * 28 * 4 + 2 * 8)
    assert sent[TO_HOST] == pytest.approx(2 * 10 * 4)


def test_a_gpu_has_no_share_of_this_machines_peaks():
    peaks = machine.Peaks(100.0, 10.0)
    steps = [(name, "step") for name in ("ours", "torch")]
    quiet, times = {key: [True] for key in steps}, {key: [1.0] for key in steps}
    samples = clock.Samples(times, {"ours": 0, "torch": 0}, quiet)
    costs = {"step": Cost(10**9, 10**6)}
    for device, known in (("cpu", [True, True]), ("cuda", [True, False])):
        rows = timing.rows_of({}, samples, costs, replace(FAST, device=device, peaks=peaks))
        assert [bool(np.isfinite(row["gemm_share"])) for row in rows] == known
        assert [bool(np.isfinite(row["copy_share"])) for row in rows] == known
        assert [row["gflops"] for row in rows] == [1000.0, 1000.0]


@pytest.mark.parametrize(
    ("name", "gflop", "windows", "said"),
    [
        ("ours", 0.12, 0.0, ""),
        (
            "ours",
            0.13,
            0.0,
            "no ratio: ours would do 130 GFLOP/s in step, more than 1.25 times the measured ",
        ),
        ("ours", 0.28, 1.0, ""),
        ("ours", 0.29, 1.0, "no ratio: ours would do 129 GFLOP/s"),
        ("ours", 0.29, 0.5, "no ratio: ours would do 209 GFLOP/s"),
        ("torch", 0.49, 1.0, ""),
        ("torch", 0.51, 1.0, "no ratio: torch would do 128 GFLOP/s"),
    ],
)
def test_what_is_faster_than_the_peak_is_not_reported(name, gflop, windows, said):
    """100 GFLOP/s; a share of the arithmetic is that of 3x3 windows."""
    keys = [(n, "step") for n in ("ours", "torch")]
    times = {key: [1.0 if key[0] == name else 1000.0] * 3 for key in keys}
    samples = clock.Samples(times, {"ours": 0, "torch": 0}, {key: [True] * 3 for key in keys})
    cost = Cost(round(gflop * 1e9), 1, round(windows * gflop * 1e9))
    mine, _ = timing.rows_of({}, samples, {"step": cost}, replace(FAST, peaks=machine.Peaks(100.0, 10.0)))
    assert mine["note"].startswith(said) and (mine["note"] == "") == (said == "")
    assert np.isnan(mine["ratio_to_torch"]) == bool(said) and (mine["pairs"] == 0) == bool(said)
    assert timing.rows_of({}, samples, {"step": cost}, FAST)[0]["note"] == ""  # no peak was measured


def test_the_arithmetic_of_3x3_windows_is_known():
    layers = [sc.Convolution(np.zeros((2, 3, size, size)), np.zeros(2), pad=size // 2) for size in (3, 5)]
    costs = [layer_cost(layer, (1, 3, 8, 8), (1, 2, 8, 8), 8, "backward") for layer in layers]
    three, five = costs
    assert three.windowed == three.flops == 4 * 2 * 64 * 27 and five.windowed == 0
    total = three + five
    assert total.fewest(2.25) == five.flops + three.flops / 2.25
    assert network_costs(sc.LeNet(rng=0), 1)["", "step"].windowed == 0


@pytest.mark.parametrize(("device", "measured"), [("cpu", ["ours", "torch"]), ("cuda", ["ours"])])
def test_resident_memory_says_nothing_about_a_gpu(device, measured, monkeypatch):
    asked = []
    monkeypatch.setattr(memory, "measure", lambda name, *_: asked.append(name) or {})
    rows = [{"phase": "step", "implementation": name} for name in ("ours", "torch", "book")]
    timing._add_memory(rows, "lenet", 1, replace(FAST, device=device, measure_memory=True))
    assert asked == measured


def test_transfers_are_printed_and_written(parity, tmp_path, monkeypatch):
    frames = [time_network("lenet", 2, replace(FAST, transfers=True))]
    monkeypatch.setattr("parity.cli.time._measure", lambda *_: (("speed", rows) for rows in frames))
    status, out, _ = parity("time", "lenet", "--quick", "--threads", 1, "--out", tmp_path)
    assert status == 0 and "host_to_device" in out
    assert "| device_to_host |" in (tmp_path / "speed.md").read_text()
