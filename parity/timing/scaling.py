"""How the time grows with the number of images and with their size, as a fitted exponent.

    median_ms ~ size ** exponent, by least squares on the logarithms; r2 is how well a power law fits

An exponent of 1 against the number of images, or 2 against the side of an image, means that every pixel costs
the same; less means that part of the time does not depend on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from parity.timing.measure import ProgressCallback, Setup, time_layer, time_network

BATCHES = (1, 4, 16, 64, 256)
ALL_BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
SIDES = (14, 28, 56, 112)


def fit(sizes: Sequence[float], times: Sequence[float]) -> tuple[float, float]:
    """(exponent, r2) of times ~ sizes ** exponent."""
    x, y = np.log(np.asarray(sizes, float)), np.log(np.asarray(times, float))
    slope, intercept = np.polyfit(x, y, 1)
    residual, total = ((y - slope * x - intercept) ** 2).sum(), ((y - y.mean()) ** 2).sum()
    return float(slope), float(1 - residual / total) if total else 1.0


def rises(table: pd.DataFrame) -> list[str]:
    """One sentence per network: by how much our time per image rises most from one N to the next."""
    ours = table[(table["variable"] == "images") & (table["implementation"] == "ours")]
    texts = []
    for network, rows in ours.groupby("network", sort=False):
        sizes, times = rows["size"].to_numpy(), rows["median_ms"].to_numpy()
        if len(sizes) < 2:
            continue
        grown = (times[1:] / sizes[1:]) / (times[:-1] / sizes[:-1])
        at = int(grown.argmax())
        how = f"rises by {grown[at] - 1:.0%} at most" if grown[at] > 1 else "never rises"
        texts.append(
            f"{network}: the time of a step per image {how} from one of {len(sizes)} batch sizes to the next "
            f"(N={sizes[at]} to {sizes[at + 1]}); N={sizes[-1]}: {times[-1] / sizes[-1]:.3g} ms per image"
        )
    return texts


def scaling(
    network: str,
    setup: Setup,
    progress: ProgressCallback = lambda *_: None,
    batches: Sequence[int] = BATCHES,
    sides: Sequence[int] = SIDES,
) -> pd.DataFrame:
    """The network's step against N, and one convolution against the side of its images."""
    rounds = max(3, setup.rounds // 3)
    quick = replace(setup, baselines=False, others=None, layers=False, measure_memory=False, rounds=rounds)
    steps = pd.concat([time_network(network, n, quick, progress) for n in batches])
    steps = steps[steps["phase"] == "step"].assign(variable="images", size=lambda t: t["batch_size"])
    tables = [steps]
    for side in sides:
        image = time_layer("convolution", 4, quick, progress, side)
        tables.append(image.assign(variable="side", size=side))
    table = pd.concat(tables, ignore_index=True)
    keys = ["variable", "network", "layer", "phase", "implementation"]
    for _, rows in table.groupby(keys):
        found = fit(rows["size"].tolist(), rows["median_ms"].tolist())
        table.loc[rows.index, ["exponent", "r2"]] = found
    return table[
        [*keys, "size", "batch_size", "input_shape", "median_ms", "q1_ms", "q3_ms", "exponent", "r2"]
    ]
