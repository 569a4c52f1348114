"""The parts of a report: each runs, puts its tables into the findings, and returns what failed.

A part notes in `found.left` what it still has to do, and hands in its results after every network, so that
Ctrl-C loses no more than the network being worked on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from parity.checks.layer import check_kind
from parity.checks.network import Case, check_network
from parity.checks.training import Outcome, Plan, Training, training_frame
from parity.comparison.records import Record, frame, unproven
from parity.comparison.wording import inconclusive
from parity.faults import kill_matrix as kill
from parity.kinds import ALL_KINDS
from parity.reference import devices
from parity.report.findings import Findings, Pictures, Progress
from parity.report.request import DTYPES, ReportRequest, Timed
from scratchcnn.networks import CHAPTER

SCALING = "the cost against batch and image size"


def accuracy(request: ReportRequest, found: Findings, progress: Progress) -> list[str]:
    """Check every kind on its probes, and every network layer by layer and over training steps; on CUDA,
    in every mode."""
    records: list[Record] = []
    tasks = [
        (mode, name, dtype)
        for mode, dtypes in devices.modes(request.device, DTYPES)
        for names in (request.kinds, request.networks)
        for name, dtype in _in_order(names, dtypes)
    ]
    try:
        for done, (mode, name, dtype) in enumerate(tasks):
            where = "" if mode == "cpu" else f" {mode}"
            progress.update(f"checking {name} {dtype}{where}", done, len(tasks))
            devices.prepare(mode)
            if name in ALL_KINDS:
                rows = list(check_kind(name, dtype, request.device, request.seed))
            else:
                rows = list(check_network(_case(request, name, dtype)))
            records += [replace(row, device=mode) for row in rows]
    finally:
        devices.prepare(request.device)
    found.tables["accuracy"] = frame(records)
    wrong = [r for r in records if not r.ok]
    failed = [f"{r.network} {r.layer} {r.case} {r.phase} {r.tensor} {r.dtype}".strip() for r in wrong]
    return failed + [inconclusive(name) for name in unproven(records)]


def _in_order(names: tuple[str, ...], dtypes: list[str]) -> list[tuple[str, str]]:
    """Kinds dtype by dtype, networks one after another."""
    if set(names) <= set(ALL_KINDS):
        return [(name, dtype) for dtype in dtypes for name in names]
    return [(name, dtype) for name in names for dtype in dtypes]


def _case(request: ReportRequest, name: str, dtype: str) -> Case:
    """AlexNet's steps move 62 million weights each; a quick report makes none of them."""
    steps = 10 if name != "alexnet" else 0 if request.quick else 2
    batch = 1 if name == "alexnet" and request.quick else None
    return Case(name, dtype, request.device, request.seed, steps, batch)


def faults(request: ReportRequest, found: Findings, progress: Progress) -> list[str]:
    """The kill matrix; a full report also injects faults into networks and tries more seeds."""
    from parity.adapters.process_pool import processes
    from parity.explain import leave_one_out as unaided
    from parity.faults import condition_sweep as sweep
    from parity.faults.inject import all_injections

    stages = (
        "kill matrix",
        *([] if request.quick else ["injections", "conditions", "explanations"]),
        "false alarms",
    )

    def update(text: str) -> None:
        done = next((k for k, stage in enumerate(stages) if text.startswith(stage)), 0)
        progress.update(text, done, len(stages))

    only = () if request.kinds == tuple(ALL_KINDS) else request.kinds
    with processes(request.threads) as pool:
        update(f"{stages[0]}: starting {request.threads} processes")
        matrix = kill.kill_matrix(update, request.seed, only, pool)
        injected = [] if request.quick else all_injections(update, request.seed, only, pool)
        injections = kill.injection_frame(injected)
        if not request.quick:
            found.tables["conditions"] = sweep.condition_frame(update, request.seed, only, pool)
            found.tables["explanations"] = unaided.leave_one_out(update, request.seed, only, pool)
        alarms, compared = kill.false_alarms(request.seeds, update, only, pool)
    found.tables |= {
        "faults": matrix,
        "injections": injections,
        "faults_summary": _totals(matrix, injections, alarms, compared, request.seeds),
    }
    failed = kill.failures(matrix, injections, alarms)
    if "conditions" in found.tables:
        failed += sweep.surviving_conditions(found.tables["conditions"])
        failed += unaided.failures(found.tables["explanations"], complete=not only)
    return [text for text in failed if not (request.quick and "injections were placed" in text)]


def _totals(
    matrix: pd.DataFrame, injections: pd.DataFrame, alarms: pd.DataFrame, compared: int, seeds: int
) -> pd.DataFrame:
    table = kill.totals(matrix, injections, alarms, compared, seeds)
    return table if len(injections) else table[~table["figure"].str.startswith("injections")]


def training(request: ReportRequest, found: Findings, progress: Progress) -> list[str]:
    """Train networks in float32 in both frameworks; the last, LeNet, is pictured afterwards."""
    from parity.reference import machine

    outcomes: list[Outcome] = []
    steps, predictions = [], []
    all_epochs = sum(epochs for _, epochs in request.trained)
    with machine.equal_threads(request.threads):
        for number, (name, epochs) in enumerate(request.trained):
            found.left = [name for name, _ in request.trained[number:]]
            pair = Training(Plan(name, "float32", request.device, request.seed, epochs))
            length = pair.steps_per_epoch
            done = length * sum(each for _, each in request.trained[:number])
            first = next(iter(pair.network.params))  # the first layer's filters
            before = pair.network.params[first][:, 0].copy()
            pair.run(_counting(progress, f"training {name}", done, length * all_epochs))
            outcomes.append(pair.outcome())
            steps.append(pair.step_frame())
            predictions.append(_predictions(pair))
            found.tables |= {
                "training": training_frame(outcomes),
                "training_steps": pd.concat(steps, ignore_index=True),
                "predictions": pd.concat(predictions, ignore_index=True),
            }
            found.pictures = _pictures(pair, before, predictions[-1])
            found.tables["filters"] = _filters(found.pictures)
    return [o.sentence() for o in outcomes if not o.ok]


def _counting(progress: Progress, text: str, done: int, total: int) -> Callable[[int, int], None]:
    """The listener of one network's steps, which count on from those of the networks before it."""
    return lambda step, steps: progress.update(text, done + step, total)


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


def _filters(pictures: Pictures) -> pd.DataFrame:
    """One row per weight of the filters that are shown."""
    before = pictures.filters_before
    number, row, column = (axis.ravel() for axis in np.indices(before.shape))
    return pd.DataFrame(
        {
            "network": pictures.network,
            "filter": number,
            "row": row,
            "column": column,
            "before": before.ravel(),
            "after": pictures.filters_after.ravel(),
            "torch_after": pictures.torch_filters_after.ravel(),
        }
    )


def _pictures(pair: Training, before: NDArray[Any], predictions: pd.DataFrame) -> Pictures:
    from parity.reference.trace import Trace, recording

    first = next(iter(pair.network.params))
    boot = predictions["label"] == "Ankle boot"
    right = boot & (predictions["label"] == predictions["ours"])
    chosen = int((right if right.any() else boot).argmax())  # the first one classified correctly
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


def speed(request: ReportRequest, found: Findings, progress: Progress) -> list[str]:
    """Networks interleaved with PyTorch's; a full report also times the baselines and how cost grows."""
    from parity.reference import machine
    from parity.timing.clock import Patience
    from parity.timing.measure import Setup, count_network, time_network
    from parity.timing.scaling import scaling

    tasks = [*map(str, request.timed), SCALING]
    patience = Patience(more=10.0) if request.quick else Patience()
    tables: list[pd.DataFrame] = []
    counted: list[pd.DataFrame] = []
    with machine.equal_threads(request.threads):
        progress.update("measuring the machine", 0, len(tasks))
        peaks = machine.measured_peaks(request.threads)
        found.environment |= peaks._asdict()

        def setup(timed: Timed) -> Setup:
            return Setup(
                "float32",
                request.device,
                request.threads,
                timed.rounds,
                request.seed,
                peaks,
                baselines=timed.baselines,
                layers=timed.layers,
                measure_memory=timed.memory,
                patience=patience,
                as_timed=timed.network not in CHAPTER,  # their layers and steps are `parity check`'s
            )

        def update(text: str, done: int, total: int) -> None:
            turn = f", round {done} of {total}" if total else ""
            progress.update(f"{text}{turn}", len(tables), len(tasks))

        for number, timed in enumerate(request.timed):
            found.left = tasks[number:]
            tables.append(time_network(timed.network, timed.batch_size, setup(timed), update))
            found.tables["speed"] = pd.concat(tables, ignore_index=True)
            counted.append(count_network(timed.network, timed.batch_size, setup(timed), update))
            found.tables["counts"] = pd.concat(counted, ignore_index=True)
        found.left = tasks[-1:]
        most = setup(max(request.timed, key=lambda timed: timed.rounds))
        found.tables["scaling"] = scaling("simple_conv_net", most, update, request.batches, request.sides)
    table = found.tables["speed"]
    wrong = table[~table["ok"].fillna(True)].drop_duplicates(["network", "batch_size", "implementation"])
    return [
        f"{row['network']} N={row['batch_size']} {row['implementation']} is timed but wrong"
        for row in wrong.to_dict("records")
    ]
