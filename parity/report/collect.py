"""Run the parts of a report, and keep what each found: `collect(request)` gives one `Findings`.

    accuracy   every layer, loss and optimizer by itself, and every network, against PyTorch
    faults     every known bug put in: is it caught, and is correct code left alone?
    training   both frameworks trained from the same weights on the same batches
    speed      both timed, interleaved, on equal threads

A part that was interrupted is left out; those that were done before it are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from parity import kill, run
from parity.check import Case, check_network
from parity.check_kind import check_kind
from parity.environment import environment
from parity.records import Record, frame
from parity.registry import ALL_KINDS
from parity.report.schema import conform
from parity.training import Outcome, Plan, Training

PARTS = ("accuracy", "faults", "training", "speed")
# The networks of every report, smallest first; others are checked by `parity check`.
CHECKED = ("simple_conv_net", "lenet", "lenet5", "alexnet")
TRAINED = ("simple_conv_net", "lenet")
TIMED = {"simple_conv_net": (100, 1), "lenet": (100, 1), "alexnet": (32, 1)}
TIMED_QUICK = {"simple_conv_net": (100, 1), "lenet": (100, 1)}
DTYPES = ("float64", "float32")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Request:
    """What to run, and how much of it."""

    quick: bool = False
    parts: tuple[str, ...] = PARTS
    networks: tuple[str, ...] = CHECKED
    kinds: tuple[str, ...] = tuple(ALL_KINDS)
    seeds: int = 300  # on which correct code must be left alone
    trained: tuple[str, ...] = TRAINED
    epochs: int = 10
    timed: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: TIMED)
    rounds: int = 11
    batches: tuple[int, ...] = (1, 4, 16, 64, 256)
    sides: tuple[int, ...] = (14, 28, 56, 112)
    seed: int = 0
    device: str = "cpu"
    threads: int = 1


# What `--quick` takes less of.
QUICK: dict[str, Any] = {
    "quick": True,
    "seeds": 10,
    "epochs": 3,
    "timed": TIMED_QUICK,
    "rounds": 3,
    "batches": (1, 10, 100),
    "sides": (14, 28, 56),
}


@dataclass
class Pictures:
    """What of a trained network is looked at: LeNet, and PyTorch's twin, on the test images."""

    network: str
    filters_before: NDArray  # (FN, FH, FW), the first channel of the first layer
    filters_after: NDArray
    torch_filters_after: NDArray
    image: NDArray  # (H, W), the test image whose way through the network is shown
    maps: dict[str, NDArray]  # layer -> (C, H, W)
    images: NDArray  # (n, H, W) bytes, the test images that `mistakes` speaks of
    class_names: tuple[str, ...]


@dataclass
class Findings:
    """Frames by name (their columns: parity.report.schema), the machine, pictures, and what failed."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    pictures: Pictures | None = None
    failures: dict[str, list[str]] = field(default_factory=dict)  # by part that was done
    interrupted: str = ""  # the part that Ctrl-C ended

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.failures)

    @property
    def ok(self) -> bool:
        return bool(self.failures) and not any(self.failures.values())


def collect(request: Request, progress: Progress = lambda *_: None) -> Findings:
    """Run the parts that were asked for, in order; Ctrl-C ends the run and keeps the parts before it."""
    found = Findings()
    runners: dict[str, Callable[[Request, Findings, Progress], list[str]]] = {
        "accuracy": accuracy,
        "faults": faults,
        "training": training,
        "speed": speed,
    }
    for part in request.parts:
        try:
            found.failures[part] = runners[part](request, found, progress)
        except KeyboardInterrupt:
            found.interrupted = part
            break
    found.environment |= environment(
        request.device, seed=request.seed, quick=request.quick, parts=list(found.parts)
    )
    found.tables = {name: conform(name, table) for name, table in found.tables.items() if not table.empty}
    return found


def accuracy(request: Request, found: Findings, progress: Progress) -> list[str]:
    """Every kind on its probes, every network layer by layer and over training steps."""
    records: list[Record] = []
    cases = [(name, dtype) for name in request.networks for dtype in DTYPES]
    total = len(request.kinds) * len(DTYPES) + len(cases)
    done = 0
    for dtype in DTYPES:
        for kind in request.kinds:
            progress(f"checking {kind} {dtype}", done, total)
            records += check_kind(kind, dtype, request.device, request.seed)
            done += 1
    for name, dtype in cases:
        progress(f"checking {name} {dtype}", done, total)
        records += check_network(_case(request, name, dtype))
        done += 1
    found.tables["accuracy"] = frame(records)
    wrong = [r for r in records if not r.ok]
    said = [f"{r.network} {r.layer} {r.case} {r.phase} {r.tensor} {r.dtype}".strip() for r in wrong]
    return said + [f"proves nothing: {name}" for name in run.unproven(records)]


def _case(request: Request, name: str, dtype: str) -> Case:
    """AlexNet's steps move 62 million weights each; a quick report makes none of them."""
    steps = 10 if name != "alexnet" else 0 if request.quick else 2
    batch = 1 if name == "alexnet" and request.quick else None
    return Case(name, dtype, request.device, request.seed, steps, batch)


def faults(request: Request, found: Findings, progress: Progress) -> list[str]:
    """The kill matrix; in a full report injections into networks too, and more seeds."""
    from parity.injection import all_injections
    from parity.pool import processes

    def tell(text: str) -> None:
        progress(text, 0, 0)

    only = () if request.kinds == tuple(ALL_KINDS) else request.kinds
    with processes(request.threads) as spread:
        matrix = kill.kill_matrix(tell, request.seed, only, spread)
        injections = kill.injection_frame(
            [] if request.quick else all_injections(tell, request.seed, only, spread)
        )
        alarms, compared = kill.false_alarms(request.seeds, tell, only, spread)
    found.tables |= {
        "faults": matrix,
        "injections": injections,
        "faults_summary": _totals(matrix, injections, alarms, compared, request.seeds),
    }
    failed = kill.failures(matrix, injections, alarms)
    return [text for text in failed if not (request.quick and "injections were placed" in text)]


def _totals(
    matrix: pd.DataFrame, injections: pd.DataFrame, alarms: pd.DataFrame, compared: int, seeds: int
) -> pd.DataFrame:
    table = kill.totals(matrix, injections, alarms, compared, seeds)
    return table if len(injections) else table[~table["figure"].str.startswith("injections")]


def training(request: Request, found: Findings, progress: Progress) -> list[str]:
    """Networks in float32, trained in both frameworks; the last, LeNet, is looked at afterwards."""
    outcomes: list[Outcome] = []
    steps, predictions = [], []
    for name in request.trained:
        pair = Training(Plan(name, "float32", request.device, request.seed, request.epochs))
        first = next(key for key in pair.network.params)  # the first layer's filters
        before = pair.network.params[first][:, 0].copy()
        pair.run(lambda done, total, name=name: progress(f"training {name}", done, total))  # type: ignore[misc]
        outcomes.append(pair.outcome())
        steps.append(pair.step_frame())
        predictions.append(_predictions(pair))
        if name == request.trained[-1]:
            found.pictures = _pictures(pair, before, predictions[-1])
    found.tables["training"] = run.training_frame(outcomes)
    found.tables["training_steps"] = pd.concat(steps, ignore_index=True)
    found.tables["predictions"] = pd.concat(predictions, ignore_index=True)
    return [o.sentence() for o in outcomes if not o.ok]


def _predictions(pair: Training) -> pd.DataFrame:
    ours, theirs = pair.predictions()
    names, t = np.array(pair.data.class_names), pair.data.t_test
    return pd.DataFrame(
        {
            "network": pair.plan.network,
            "image": np.arange(len(t)),
            "label": names[t],
            "ours": names[ours],
            "torch": names[theirs],
        }
    )


def _pictures(pair: Training, before: NDArray, predictions: pd.DataFrame) -> Pictures:
    from parity.trace import Trace, recording

    first = next(key for key in pair.network.params)
    boot = predictions["label"] == "Ankle boot"
    right = boot & (predictions["label"] == predictions["ours"])
    chosen = int((right if right.any() else boot).argmax())  # the first that it knows
    trace = Trace()
    with recording(pair.network, trace):
        pair.network.predict(pair.data.x_test[chosen : chosen + 1])
    shown = [path for path in trace.outputs if path.lower().startswith(("conv", "sigmoid", "relu", "pool"))]
    torch_first = next(iter(pair.module.parameters())).detach().cpu().numpy()[:, 0]
    return Pictures(
        pair.plan.network,
        before,
        pair.network.params[first][:, 0].copy(),
        torch_first.copy(),
        pair.data.x_test[chosen, 0],
        {path: trace.outputs[path][0] for path in shown if trace.outputs[path].ndim == 4},
        (pair.data.x_test[:, 0] * 255).astype(np.uint8),
        pair.data.class_names,
    )


def speed(request: Request, found: Findings, progress: Progress) -> list[str]:
    """Networks interleaved with PyTorch's; in a full report the lower rungs and how the cost grows too."""
    from parity import machine
    from parity.scaling import scaling
    from parity.timing import Setup, time_network

    with machine.equal_threads(request.threads):
        progress("measuring the machine", 0, 1)
        peaks = machine.measured_peaks(request.threads)
        setup = Setup("float32", request.device, request.threads, request.rounds, request.seed, peaks,
                      rungs=not request.quick, layers=not request.quick,
                      measure_memory=not request.quick)  # fmt: skip
        tables = [
            time_network(name, n, setup, progress) for name, sizes in request.timed.items() for n in sizes
        ]
        found.tables["scaling"] = scaling("simple_conv_net", setup, progress, request.batches, request.sides)
    found.environment |= peaks._asdict()
    table = found.tables["speed"] = pd.concat(tables, ignore_index=True)
    wrong = table[(table["ok"] == False).fillna(False)]  # noqa: E712
    return [f"{r.network} N={r.batch_size} {r.implementation} is timed but wrong" for r in
            wrong.drop_duplicates(["network", "batch_size", "implementation"]).itertuples()]  # fmt: skip
