"""The times of ours and PyTorch's, on the same data, threads and machine.

`time_network` and `time_layer` return a tidy frame with one row per implementation and phase:

    network, layer           layer is empty for the whole network, network for an individual layer
    phase                    forward, backward, step (forward, loss, backward, SGD with momentum), predict;
                             on a GPU also host_to_device (a batch) and device_to_host (its scores)
    dtype, device            of that implementation (ours always runs on the cpu; baselines in float64)
    threads, batch_size, input_shape
    implementation           ours | torch | torch_compile | book | naive (see parity.timing.baselines) |
                             onnxruntime | jax (predict alone; see parity.referees.predictions)
    median_ms, q1_ms, q3_ms, rounds
    disturbed                turns of that implementation during which other processes used the cores
    ratio_to_torch           the median of the rounds' ratios; ratio_q1 and ratio_q3: their quartiles;
                             ratio_low and ratio_high: its 95 % interval; missing where too few rounds were
                             undisturbed, a median is more than APART times its own best, or a rate is
                             beyond the peak; pairs: the rounds that it is taken from
    gflops, gemm_share       least arithmetic over the median; as a share of the measured peak of float32
                             matrix products; of the CPU, so missing for PyTorch on a GPU
    gbytes_per_s, copy_share least memory traffic over the median; as a share of the measured copy
    peak_rss_mb, rss_rise_mb of a separate process that runs some steps (see parity.timing.memory);
                             missing for PyTorch on a GPU, which has a memory of its own
    ok                       the verdict of `parity check` on the same code, dtype and shapes, or with
                             `as_timed` of the timed calls alone; missing where there is nothing to check or
                             nothing was run
    note                     what a reader must know, such as why a row has no time
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from parity.adapters.book import BookAdapter
from parity.checks.layer import judge
from parity.checks.layer_in_network import each_probe
from parity.checks.network import Case, check_network
from parity.comparison.records import Record
from parity.kinds import Probe, kind_of
from parity.reference.machine import UNKNOWN, Peaks
from parity.reference.model_pair import Images, build_pair, torch_like
from parity.reference.trace import draw_masks, dropout_shapes, trace_torch
from parity.timing import clock, counts, memory
from parity.timing.baselines import in_style
from parity.timing.clock import Contestant, Patience, Samples
from parity.timing.contestants import compiled, our_kind, ours, torch_kind, torchs
from parity.timing.costs import (
    BACKWARD,
    FORWARD,
    PREDICT,
    STEP,
    TO_DEVICE,
    TO_HOST,
    Cost,
    layer_cost,
    network_costs,
)
from parity.timing.layer_sizes import convolution_probes, layer_probe
from parity.timing.verdict import right_as_timed
from scratchcnn.networks import NETWORKS, Network
from scratchcnn.typing import Array

NUMBERS = [
    *("median_ms", "q1_ms", "q3_ms", "rounds", "disturbed", "ratio_to_torch", "ratio_q1", "ratio_q3"),
    *("ratio_low", "ratio_high", "pairs"),
    *("gflops", "gemm_share", "gbytes_per_s", "copy_share", "peak_rss_mb", "rss_rise_mb"),
]
SPEED_COLUMNS = [
    *("network", "layer", "phase", "dtype", "device", "threads", "batch_size", "input_shape"),
    *("implementation", *NUMBERS, "ok", "note"),
]
# The peak is that of one product of large matrices, and itself known to about a tenth; no rate beyond PEAK
# times it is believed. Of the multiplications of 3x3 windows Winograd's F(2x2, 3x3) needs 1 in 2.25, which is
# ours; its F(4x4, 3x3) 1 in 4, which others may use.
PEAK = 1.25
SAVING = {"ours": 2.25}
SAVING_OF_OTHERS = 4.0
# Larger steps of the baselines are not run: the loops do about 1e6 multiplications per second, the book's
# style 2e9.
MAX_STEP_FLOPS = {"naive": 3e7, "book": 2e10}
COUNT_COLUMNS = [
    *("network", "phase", "dtype", "threads", "batch_size"),
    *(*counts.COUNTS, "least_bytes", "least_multiplications"),
]
ProgressCallback = Callable[[str, int, int], None]
# The contestants for a network, images, labels and threads, their verdicts, and why others are not timed.
Others = Callable[
    [Network, Array, Array, int], tuple[list[Contestant], dict[str, bool | None], dict[str, str]]
]


@dataclass(frozen=True)
class Setup:
    """How everything of one run is timed."""

    dtype: str = "float32"
    device: str = "cpu"
    threads: int = 1
    rounds: int = 11
    seed: int = 0
    peaks: Peaks = UNKNOWN
    baselines: bool = True  # also the book's style, plain loops and torch.compile
    layers: bool = False  # also every layer of a network individually
    measure_memory: bool = True
    steps: int = 1  # training steps that the verdict covers, in addition to every layer's output and gradient
    pause: float = clock.PAUSE_S
    transfers: bool = False  # also a batch's way to PyTorch's device and back
    patience: Patience = field(default_factory=Patience)  # with other processes, in all that this times
    others: Others | None = None  # also other frameworks' predictions
    compiling: bool = False  # also torch.compile, where the baselines are left out
    seconds: float | None = None  # of the rounds of one race, which are then fewer where they are slow
    as_timed: bool = False  # the verdict covers the timed calls alone, not every layer and step


def time_network(
    name: str, batch_size: int, setup: Setup, progress: ProgressCallback = lambda *_: None
) -> pd.DataFrame:
    """Every implementation of one network at one batch size."""
    progress(f"checking {name}, N={batch_size}", 0, 0)
    records = [] if setup.as_timed else _checked(name, batch_size, setup)
    network, module = build_pair(name, np.dtype(setup.dtype), setup.device, setup.seed)
    x, t = Images(network, batch_size, setup.seed).batch()
    x = x.astype(setup.dtype)
    costs = network_costs(network, batch_size)
    ok = right_as_timed(name, network, x, t, setup.seed) if setup.as_timed else all(r.ok for r in records)
    verdicts: dict[str, bool | None] = {
        "ours": ok,
        "torch": None,
        "torch_compile": None,
    }
    theirs = torchs("torch", module, x, t, setup.device, setup.transfers)
    contestants, notes = [ours("ours", network, x, t), theirs], dict[str, str]()
    costs |= _transfer_costs(network, x, t)
    if setup.others:
        progress(f"preparing the other frameworks for {name}, N={batch_size}", 0, 0)
        more, right, notes = setup.others(network, x, t, setup.threads)
        contestants += more
        verdicts |= right
    if setup.baselines or setup.compiling:
        other, notes["torch_compile"] = compiled(torch_like(name, network, setup.device), x, t, setup.device)
        contestants += [other] if other else []
    if setup.baselines:
        for style in ("book", "naive"):
            found = _baseline(style, name, network, x, t, costs["", STEP], setup)
            contestant, verdicts[style], notes[style] = found
            contestants += [contestant] if contestant else []
    samples = clock.race(
        contestants,
        setup.rounds,
        lambda i, n: progress(f"{name}, N={batch_size}", i, n),
        setup.pause,
        setup.patience,
        close=("ours", "torch"),
        seconds=setup.seconds,
    )
    place = {"network": name, "layer": "", "batch_size": batch_size, "input_shape": x.shape[1:]}
    rows = rows_of(place, samples, {phase: c for (path, phase), c in costs.items() if not path}, setup)
    names = {contestant.name for contestant in contestants}
    missing = [name for name, why in notes.items() if why and name not in names]
    alone = {"onnxruntime": PREDICT, "jax": PREDICT}
    rows += [{**place, "implementation": name, "phase": alone.get(name, STEP)} for name in missing]
    _add_memory(rows, name, batch_size, setup)
    for row in rows:
        by = row["implementation"]
        row |= {"ok": verdicts.get(by), "note": notes.get(by, "") or row.get("note", "")}
    if setup.layers:
        rows += _network_layers(name, network, x, t, records, setup, progress)
    return frame(rows, setup)


def count_network(
    name: str, batch_size: int, setup: Setup, progress: ProgressCallback = lambda *_: None
) -> pd.DataFrame:
    """COUNT_COLUMNS of our network, a row per phase: the counts, beside the least work."""
    progress(f"counting the calls of {name}, N={batch_size}", 0, 0)
    found = counts.measure(name, batch_size, setup.dtype, setup.threads)
    least = network_costs(NETWORKS[name](rng=setup.seed, dtype=setup.dtype), batch_size)
    place = {"network": name, "dtype": setup.dtype, "threads": setup.threads, "batch_size": batch_size}
    rows = [
        {
            **place,
            "phase": phase,
            **found[phase],
            "least_bytes": least["", phase].nbytes,
            "least_multiplications": least["", phase].flops // 2,
        }
        for phase in (FORWARD, BACKWARD, STEP, PREDICT)
    ]
    return pd.DataFrame(rows, columns=COUNT_COLUMNS)


def time_layer(
    kind: str,
    batch_size: int,
    setup: Setup,
    progress: ProgressCallback = lambda *_: None,
    side: int | None = None,
) -> pd.DataFrame:
    """Our layer and PyTorch's function of one kind, forward and backward."""
    probe = layer_probe(kind, batch_size, setup.seed, **({} if side is None else {"side": side}))
    return frame(_judged_and_raced("", kind, probe.cast(setup.dtype), setup, progress), setup)


def time_convolutions(
    name: str, batch_size: int, setup: Setup, progress: ProgressCallback = lambda *_: None
) -> pd.DataFrame:
    """Every convolution of a network on random numbers, forward and backward, each shape once."""
    rows: list[dict[str, Any]] = []
    for path, probe in convolution_probes(NETWORKS[name](rng=setup.seed), batch_size, setup.seed):
        rows += _judged_and_raced(name, path, probe.cast(setup.dtype), setup, progress)
    return frame(rows, setup)


def _judged_and_raced(
    network: str, label: str, probe: Probe, setup: Setup, progress: ProgressCallback
) -> list[dict[str, Any]]:
    found = BookAdapter().results(BookAdapter().build(kind_of(probe.kind).ours, probe), probe)
    ok = all(c.ok for c in judge(probe, found, setup.dtype, setup.device).values())
    return _race_probe(network, label, probe, ok, None, setup, progress)


def frame(rows: Sequence[dict[str, Any]], setup: Setup) -> pd.DataFrame:
    """The tidy frame of the module docstring."""
    table = pd.DataFrame(list(rows), columns=SPEED_COLUMNS)
    theirs = table["implementation"].isin(["torch", "torch_compile"])
    table["dtype"] = np.where(table["implementation"].isin(["book", "naive"]), "float64", setup.dtype)
    table["device"] = np.where(theirs, setup.device, "cpu")
    table["threads"] = setup.threads
    table["input_shape"] = table["input_shape"].map(lambda shape: "x".join(map(str, shape)))
    return table.astype(dict.fromkeys(NUMBERS, float) | {"ok": "boolean", "note": str})


# -- the parts ------------------------------------------------------------------------------------
def _checked(name: str, batch_size: int, setup: Setup, build: Any = None, dtype: str = "") -> list[Record]:
    case = Case(
        name, dtype or setup.dtype, setup.device, setup.seed, steps=setup.steps, batch_size=batch_size
    )
    return list(check_network(case, build=build))


def _baseline(
    style: str, name: str, network: Network, x: np.ndarray, t: np.ndarray, step: Cost, setup: Setup
) -> tuple[Contestant | None, bool | None, str]:
    """A baseline with its verdict, or why it is not run."""
    if step.flops > MAX_STEP_FLOPS[style]:
        how = "in Python loops" if style == "naive" else "by columns in float64"
        return None, None, f"not run: {step.flops / 2:.1e} multiplications {how}"

    def build(*args: Any) -> Any:
        network, module = build_pair(*args)
        return in_style(network, style), module

    try:
        slow = in_style(network, style)
    except ValueError as error:
        return None, None, f"not run: {error}"
    if style == "naive":  # seconds per call: tests compare its operations with PyTorch, and here one step is
        ok = _same_gradients(slow, network, x, t)
    else:
        ok = all(r.ok for r in _checked(name, len(x), setup, build, dtype="float64"))
    return ours(style, slow, x, t), ok, ""


def _transfer_costs(network: Network, x: np.ndarray, t: np.ndarray) -> dict[tuple[str, str], Cost]:
    """Bytes of a batch and of its scores."""
    back = len(x) * network.output_size * x.itemsize
    return {("", TO_DEVICE): Cost(0, x.nbytes + t.nbytes), ("", TO_HOST): Cost(0, back)}


def _same_gradients(slow: Network, network: Network, x: np.ndarray, t: np.ndarray) -> bool:
    """Whether a baseline's gradients equal ours in float64, by the logic gate."""
    from parity.comparison.gates import logic_gate

    wanted, found = network.astype(np.float64).gradient(x, t), slow.gradient(x, t)
    return all(logic_gate(found[name], grad).ok for name, grad in wanted.items())


def _network_layers(
    name: str,
    network: Network,
    x: np.ndarray,
    t: np.ndarray,
    records: list[Record],
    setup: Setup,
    progress: ProgressCallback,
) -> list[dict[str, Any]]:
    """Every layer of the network individually, on the input that it gets inside the network."""
    module = torch_like(name, network, setup.device)
    masks = draw_masks(dropout_shapes(network), len(x), np.random.default_rng(setup.seed))
    trace = trace_torch(module, network, x, t, masks)
    rows = []
    for path, probe in each_probe(network, trace, t, masks):
        mine = [r for r in records if r.layer == path or r.layer.startswith(f"{path}.")]
        ok = all(r.ok for r in mine) if mine else None
        rows += _race_probe(name, path, probe, ok, network, setup, progress)
    return rows


def _race_probe(
    network_name: str,
    label: str,
    probe: Probe,
    ok: bool | None,
    network: Network | None,
    setup: Setup,
    progress: ProgressCallback,
) -> list[dict[str, Any]]:
    """The times of ours and PyTorch's on one probe."""
    contestants = [our_kind(probe), torch_kind(probe, setup.device)]
    samples = clock.race(
        contestants,
        setup.rounds,
        lambda i, n: progress(f"{network_name} {label}".strip(), i, n),
        setup.pause,
        setup.patience,
        close=None if setup.seconds is None else ("ours", "torch"),
        seconds=setup.seconds,
    )
    x, dout = probe.inputs["x"], probe.inputs.get("dout")
    layer = BookAdapter().build(kind_of(probe.kind).ours, probe)
    out_shape = x.shape if dout is None else dout.shape
    costs = {p: layer_cost(layer, x.shape, out_shape, x.dtype.itemsize, p) for p in ("forward", "backward")}
    place = place_of(network_name, label, probe)
    rows = rows_of(place, samples, costs, setup)
    for row in rows:
        row["ok"] = ok if row["implementation"] == "ours" else None
    return rows


def place_of(network: str, label: str, probe: Probe) -> dict[str, Any]:
    """The columns of a row that say what was timed."""
    x = probe.inputs["x"]
    return {"network": network, "layer": label, "batch_size": len(x), "input_shape": x.shape[1:]}


def rows_of(
    place: dict[str, Any], samples: Samples, costs: dict[str, Cost], setup: Setup
) -> list[dict[str, Any]]:
    """One row per contestant and phase."""
    rows = []
    for (name, phase), times in samples.times.items():
        median, q1, q3 = clock.quartiles(times)
        ratio = samples.ratio(name, "torch", phase)
        why = too_fast(name, phase, samples, costs[phase], setup)
        if why or (why := too_fast("torch", phase, samples, costs[phase], setup)):
            ratio = clock.NO_RATIO
        gflops, gbytes = costs[phase].flops / median / 1e6, costs[phase].nbytes / median / 1e6
        on_cpu = setup.device == "cpu" or not name.startswith("torch")
        peaks = setup.peaks if on_cpu else UNKNOWN
        rows.append(
            {
                **place,
                "implementation": name,
                "phase": phase,
                "median_ms": median,
                "q1_ms": q1,
                "q3_ms": q3,
                "rounds": len(times),
                "disturbed": samples.disturbed[name],
                "ratio_to_torch": ratio.median,
                "ratio_q1": ratio.q1,
                "ratio_q3": ratio.q3,
                "ratio_low": ratio.low,
                "ratio_high": ratio.high,
                "pairs": ratio.pairs,
                "gflops": gflops,
                "gemm_share": gflops / peaks.gemm_gflops,
                "gbytes_per_s": gbytes,
                "copy_share": gbytes / peaks.copy_gbytes_per_s,
                "note": why,
            }
        )
    return rows


def too_fast(name: str, phase: str, samples: Samples, cost: Cost, setup: Setup) -> str:
    """Why a time is not believed: it would take more than the measured peak; otherwise nothing."""
    if (name, phase) not in samples.times or (setup.device != "cpu" and name.startswith("torch")):
        return ""
    fewest = cost.fewest(SAVING.get(name, SAVING_OF_OTHERS))
    gflops = fewest / clock.quartiles(samples.times[name, phase]).median / 1e6
    if not gflops > PEAK * setup.peaks.gemm_gflops:  # or no peak was measured
        return ""
    return (
        f"no ratio: {name} would do {gflops:,.0f} GFLOP/s in {phase}, more than {PEAK:g} times the measured "
        f"peak of {setup.peaks.gemm_gflops:,.0f}"
    )


def _add_memory(rows: list[dict[str, Any]], name: str, batch_size: int, setup: Setup) -> None:
    """Add the peak memory of ours and, on the CPU, eager PyTorch, each in a process of its own."""
    if not setup.measure_memory:
        return
    measured = ("ours", "torch") if setup.device == "cpu" else ("ours",)
    for row in rows:
        if row["phase"] == STEP and row["implementation"] in measured:
            found = memory.measure(row["implementation"], name, batch_size, setup.dtype, setup.threads)
            row["peak_rss_mb"], row["rss_rise_mb"] = found.get("peak_rss_mb"), found.get("rise_mb")
