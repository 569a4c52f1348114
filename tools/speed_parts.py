"""The time of each part of a training step and of a prediction, ours beside PyTorch's, and what bounds ours.

    python tools/speed_parts.py resnet18:1 resnet50:1 googlenet:1 [--rounds 7] [--threads 2] [--out FILE.md]

Both sides take turns, step by step. Ours is read by the clock around each layer's forward and backward; of
what runs on several threads at once, each thread's time counts as its share. PyTorch's is the time of its
operators on the calling thread (torch.profiler). The rest is what is in no layer: joining branches, adding
shortcuts, Python. In a prediction a convolution does what follows it, so those parts are one.

A round during which other processes used the cores does not count; where too few do, there is no table.
Least arithmetic and memory traffic of a part (parity.timing.costs) over its time are compared with the
machine's measured peaks of a matrix product and of a copy; the larger share says what bounds it.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from parity.cores import cores
from parity.reference import machine
from parity.reference.model_pair import Images, build_pair
from parity.timing import clock, contestants
from parity.timing.costs import BACKWARD, FORWARD, PREDICT, STEP, Cost, network_costs
from scratchcnn import layers as sc
from scratchcnn.fast import inference, threads
from scratchcnn.files import atomic_write
from scratchcnn.networks import Network
from scratchcnn.optim import Momentum

CONV, NORM, ACT, POOL, DENSE, LRN, UPDATE, REST = (
    *("convolution", "batch normalization", "activations", "pooling"),
    *("fully connected and loss", "local response normalization", "optimizer", "the rest"),
)
FINISHED = "convolution with what follows it"
CLASSES: dict[str, tuple[type, ...]] = {
    CONV: (sc.Convolution,),
    NORM: (sc.BatchNormalization,),
    ACT: (sc.Relu, sc.Sigmoid),
    POOL: (sc.Pooling, sc.AdaptiveAveragePooling),
    DENSE: (sc.Affine, sc.Flatten, sc.Dropout, sc.SoftmaxWithLoss),
    LRN: (sc.LocalResponseNormalization,),
}
OPERATORS = {  # of PyTorch's, by a part of the name
    CONV: ("convolution", "conv2d", "mkldnn"),
    NORM: ("batch_norm",),
    LRN: ("avg_pool3d", "local_response", "pow"),
    POOL: ("pool",),
    ACT: ("relu", "threshold", "clamp_min", "sigmoid"),
    DENSE: ("addmm", "aten::mm", "linear", "log_softmax", "nll_loss", "dropout", "cross_entropy"),
    UPDATE: ("Optimizer.",),  # with all that runs inside it
}
Times = dict[str, float]  # part: milliseconds


def timed_ours(call: Callable[[], object], predicting: bool, optimizer: Momentum) -> Times:
    """One call, with the time of each part."""
    found: Times = defaultdict(float)
    with ExitStack() as stack:
        for part, classes in CLASSES.items():
            for cls in classes:
                if predicting and cls in inference.OWN:
                    continue
                for method in (FORWARD, BACKWARD):
                    own = getattr(cls, method)
                    stack.enter_context(patch.object(cls, method, clocked(own, part, found)))
        if predicting:
            own = clocked(inference.convolved, FINISHED, found)
            stack.enter_context(patch.object(inference, "convolved", own))
        own = clocked(type(optimizer).update, UPDATE, found)
        stack.enter_context(patch.object(type(optimizer), "update", own))
        start = time.perf_counter()
        call()
        total = 1e3 * (time.perf_counter() - start)
    return {**found, REST: max(0.0, total - sum(found.values()))}


def clocked(own: Callable[..., Any], part: str, found: Times) -> Callable[..., Any]:
    @functools.wraps(own)
    def method(*args: Any, **options: Any) -> Any:
        share = threads.is_worker()
        start = time.perf_counter()
        try:
            return own(*args, **options)
        finally:
            found[part] += 1e3 * (time.perf_counter() - start) / (torch.get_num_threads() if share else 1)

    return method


def timed_torch(call: Callable[[], object], predicting: bool) -> Times:
    with profile(activities=[ProfilerActivity.CPU]) as measured:
        call()
    found: Times = defaultdict(float)
    inside = 0.0  # of the optimizer's time, what is its operators', whose names do not tell it
    for event in measured.key_averages():
        part = part_of(event.key)
        if predicting and part in (CONV, NORM, ACT) and "sigmoid" not in event.key:
            part = FINISHED
        if part == UPDATE:
            found[part] += event.cpu_time_total / 1e3
            inside += (event.cpu_time_total - event.self_cpu_time_total) / 1e3
        else:
            found[part] += event.self_cpu_time_total / 1e3
    return {**found, REST: max(0.0, found[REST] - inside)}


def part_of(operator: str) -> str:
    return next((part for part, names in OPERATORS.items() if any(n in operator for n in names)), REST)


def costs_by_part(network: Network, batch_size: int, phase: str) -> dict[str, Cost]:
    costs = network_costs(network, batch_size)
    found: dict[str, Cost] = defaultdict(lambda: Cost(0, 0))
    for path, layer in network.layers.leaves():
        part = next((part for part, classes in CLASSES.items() if type(layer) in classes), REST)
        if phase == PREDICT:
            finished = part == CONV or type(layer) in inference.OWN
            found[FINISHED if finished else part] += costs[path, FORWARD]
        else:
            found[part] += costs[path, FORWARD] + costs[path, BACKWARD]
    found[UPDATE] = Cost(0, 5 * network.dtype.itemsize * sum(p.size for p in network.params.values()))
    return dict(found)


def bound(ms: float, cost: Cost, peaks: machine.Peaks) -> tuple[str, str, str]:
    """Share of the product's peak, of the copy's peak, and what bounds it."""
    products = cost.flops / ms / 1e6 / peaks.gemm_gflops if ms else 0.0
    copies = cost.nbytes / ms / 1e6 / peaks.copy_gbytes_per_s if ms else 0.0
    if max(products, copies) < 0.3:
        why = "calls and passes beyond the least"
    else:
        why = "products" if products > copies else "memory traffic"
    return f"{products:.0%}" if cost.flops else "", f"{copies:.0%}" if cost.nbytes else "", why


def parts(name: str, batch_size: int, rounds: int, peaks: machine.Peaks) -> Iterator[str]:
    """A Markdown table of one network per phase."""
    network, module = build_pair(name, np.float32, "cpu", 0)
    x, t = Images(network, batch_size, 0).batch()
    x = x.astype(np.float32)
    optimizer = Momentum(lr=contestants.LR, momentum=contestants.MOMENTUM)
    theirs = {
        phase: call for lap in contestants.torchs("torch", module, x, t, "cpu").laps for phase, call in lap
    }
    mine = {
        STEP: lambda: optimizer.update(network.params, network.gradient(x, t)),
        PREDICT: lambda: network.predict(x),
    }
    for phase in (STEP, PREDICT):
        runs: list[tuple[Times, Times]] = []
        mine[phase](), theirs[phase]()
        worst = 0.0
        for _ in range(rounds):
            watch = clock.Watch()
            ours = timed_ours(mine[phase], phase == PREDICT, optimizer)
            pair = ours, timed_torch(theirs[phase], phase == PREDICT)
            worst = max(worst, watch.share())
            if watch.share() <= clock.FOREIGN:
                runs.append(pair)
        if len(runs) < min(rounds, clock.LEAST_PAIRS):
            used = f"other processes used up to {worst:.0%} of the cores"
            yield f"\n{name} N={batch_size} {phase}: disturbed, {used}."
            continue
        costs = costs_by_part(network, batch_size, phase)
        yield f"\n{name} N={batch_size} {phase}, milliseconds (medians of {len(runs)} undisturbed rounds):\n"
        yield "| part | ours | torch | of the product's peak | of the copy's peak | bounded by |"
        yield "|---|---|---|---|---|---|"
        names = dict.fromkeys(part for pair in runs for times in pair for part in times)
        for part in sorted(names, key=lambda part: -median(runs, 0, part)):
            a, b = median(runs, 0, part), median(runs, 1, part)
            shares = (
                bound(a, costs.get(part, Cost(0, 0)), peaks) if part != REST else ("", "", "Python, joins")
            )
            yield f"| {part} | {a:.1f} | {b:.1f} | {' | '.join(shares)} |"
        totals = [statistics.median(sum(pair[side].values()) for pair in runs) for side in (0, 1)]
        yield f"| all | {totals[0]:.1f} | {totals[1]:.1f} | | | |"


def median(runs: list[tuple[Times, Times]], side: int, part: str) -> float:
    return statistics.median(pair[side].get(part, 0.0) for pair in runs)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+", metavar="NAME:N", help="network and images in a batch")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    options = parser.parse_args(arguments)
    try:
        wanted = [(name, int(n)) for name, n in (text.split(":") for text in options.networks)]
        with machine.equal_threads(options.threads):
            peaks = machine.measured_peaks(options.threads)
            lines = [
                f"{options.threads} threads; {peaks.gemm_gflops:.0f} GFLOP/s in matrix products, "
                f"{peaks.copy_gbytes_per_s:.0f} GB/s copied."
            ]
            for name, n in wanted:
                lines += parts(name, n, options.rounds, peaks)
    except (KeyError, ValueError) as error:
        print(f"error: {error}; networks are named as resnet18:1", file=sys.stderr)
        return 2
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.out:
        with atomic_write(options.out) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
