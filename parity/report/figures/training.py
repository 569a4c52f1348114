"""Curves of both frameworks over each other, what LeNet's first layer learnt, and what both get wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from parity.report.figures.figure import OURS_AND_TORCH, Figure, panels
from parity.report.figures.lines import Series, line_chart
from parity.report.figures.pictures import grey, image, montage
from parity.report.figures.scales import Scale, around
from parity.report.findings import Pictures
from parity.report.headline import power

SHOWN = 18  # mistakes of a sort


def figures(
    training: pd.DataFrame, steps: pd.DataFrame, predictions: pd.DataFrame, pictures: Pictures | None
) -> list[Figure]:
    found = [losses(steps), accuracies(training)]
    if pictures is not None:
        mine = predictions[predictions["network"] == pictures.network]
        found += [filters(pictures), maps(pictures), confusion(mine, pictures), mistakes(mine, pictures)]
    return found


def losses(steps: pd.DataFrame) -> Figure:
    charts, titles = [], []
    for (network, dtype), t in steps.groupby(["network", "dtype"], observed=True, sort=False):
        x, ours, theirs = t["step"].tolist(), t["train_loss"], t["torch_train_loss"]
        over = [
            Series("PyTorch", x, theirs.tolist(), "torch wide"),
            Series("NumPy", x, ours.tolist(), "ours"),
        ]
        both = line_chart(f"Training loss of {network} in both frameworks", over, "step", "loss",
                          Scale(0.0, float(max(ours.max(), theirs.max()))))  # fmt: skip
        gap = (ours - theirs).abs()
        gap = gap.where(gap > 0)
        apart = [Series("difference", x, gap.tolist(), "difference")]
        scale = around(gap.dropna().tolist(), log=True)
        title = f"Difference of the two losses of {network}"
        below = line_chart(title, apart, "step", "|difference|", scale, height=130)
        charts.append(Markup(both + below))
        titles.append(f"{network} {dtype}")
    return Figure(
        "Training loss",
        "The same initial weights, the same batches, the same masks, step by step: PyTorch's curve "
        "lies under NumPy's. Below, "
        "their difference on a logarithmic axis: it starts at rounding and grows as any two float32 "
        "runs part.",
        panels(*charts, titles=tuple(titles)),
        "training_steps",
        legend=(*OURS_AND_TORCH, ("difference", "difference")),
    )


def accuracies(training: pd.DataFrame) -> Figure:
    charts, titles = [], []
    for (network, dtype), t in training.groupby(["network", "dtype"], observed=True, sort=False):
        x = t["epoch"].tolist()
        series = [Series("PyTorch", x, (100 * t["torch_test_accuracy"]).tolist(), "torch wide", True),
                  Series("NumPy", x, (100 * t["test_accuracy"]).tolist(), "ours", True)]  # fmt: skip
        title = f"Test accuracy of {network} after each epoch, in both frameworks"
        scale = Scale(min(x) - 0.2, max(x) + 0.2)
        charts.append(line_chart(title, series, "epoch", "% right", Scale(0, 100), scale, 180))
        last = t.iloc[-1]
        titles.append(f"{network} {dtype}: {last['test_accuracy']:.1%} and {last['torch_test_accuracy']:.1%}")
    return Figure(
        "Test accuracy",
        "On images that neither network has seen, NumPy's and PyTorch's, after each epoch.",
        panels(*charts, titles=tuple(titles)),
        "training",
        open=True,
        legend=OURS_AND_TORCH,
    )


def filters(pictures: Pictures) -> Figure:
    sets = (pictures.filters_before, pictures.filters_after, pictures.torch_filters_after)
    names = ("before", "after, NumPy", "after, PyTorch")
    largest = max(float(np.abs(f).max()) for f in sets)
    shown = []
    for name, each in zip(names, sets, strict=True):
        sheet = montage([grey(f, -largest, largest) for f in each], min(6, len(each)))
        shown.append(image(sheet, f"The filters of {pictures.network}'s first layer {name} training", 9))
    difference = float(np.abs(pictures.filters_after - pictures.torch_filters_after).max())
    return Figure(
        "First-layer filters",
        f"The {len(sets[0])} filters of {pictures.network}'s first layer: before training, and after "
        "it in both frameworks. "
        f"White weighs positively, black negatively (±{largest:.2f}). NumPy's and PyTorch's differ by "
        f"{power(difference)} at most.",
        panels(*shown, titles=names),
        "filters",
    )


def maps(pictures: Pictures) -> Figure:
    shown = [image(grey(pictures.image, 0, 1), "The test image that goes in", 4)]
    titles = ["image"]
    for layer, channels in pictures.maps.items():
        scale = 56 / channels.shape[1] if channels.shape[1] > 14 else 40 / channels.shape[1]
        sheet = montage([grey(c) for c in channels], 6 if len(channels) <= 6 else 8)
        shown.append(image(sheet, f"Feature maps of {layer}", scale))
        titles.append(f"{layer} {'×'.join(map(str, channels.shape))}")
    return Figure(
        f"One image through {pictures.network}",
        "What each layer makes of it, channel by channel (each scaled to its own range): edges first, "
        "then coarser and "
        "coarser summaries, as pooling halves the size.",
        panels(*shown, titles=tuple(titles)),
    )


def confusion(predictions: pd.DataFrame, pictures: Pictures) -> Figure:
    names = list(pictures.class_names)
    ours, theirs = (_counts(predictions, column, names) for column in ("ours", "torch"))
    differ = int((ours != theirs).sum())
    head = "".join(f'<th scope="col"><span>{escape(n)}</span></th>' for n in names)
    most = max(1, int(ours.max()))
    body = []
    for r, name in enumerate(names):
        cells = []
        for c in range(len(names)):
            level = round(100 * ours[r, c] / most)
            other = f"<small>({theirs[r, c]})</small>" if ours[r, c] != theirs[r, c] else ""
            text = str(ours[r, c]) if ours[r, c] or other else ""
            cells.append(
                f'<td class="{"deep" if level > 55 else ""}" style="--level:{level}%">{text}{other}</td>'
            )
        body.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    return Figure(
        "Confusion matrix",
        f"What each test image shows (rows) and what NumPy's {pictures.network} calls it (columns). In "
        f"{differ} of "
        f"{ours.size} fields PyTorch's count differs; it stands in brackets there.",
        Markup(
            f'<div class="scroll"><table class="heat confusion"><thead><tr><td></td>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table></div>"
        ),
        "predictions",
        where=f"network={pictures.network}",
    )


def _counts(predictions: pd.DataFrame, column: str, names: list[str]) -> np.ndarray:
    table = np.zeros((len(names), len(names)), int)
    pairs = zip(predictions["label"].astype(str), predictions[column].astype(str), strict=True)
    for label, said in pairs:
        table[names.index(label), names.index(said)] += 1
    return table


def mistakes(predictions: pd.DataFrame, pictures: Pictures) -> Figure:
    label, ours, theirs = (predictions[c].astype(str) for c in ("label", "ours", "torch"))
    sorts = {
        "both wrong": (ours != label) & (theirs != label),
        "only NumPy wrong": (ours != label) & (theirs == label),
        "only PyTorch wrong": (ours == label) & (theirs != label),
    }
    blocks = []
    for name, chosen in sorts.items():
        rows = predictions[chosen].head(SHOWN)
        shown = [
            Markup("<figure>{}<figcaption>{}<b>{}</b></figcaption></figure>").format(
                image(pictures.images[r["image"]], f"{r['label']}, called {_called(r)}", 2),
                r["label"],
                _called(r),
            )
            for r in rows.to_dict("records")
        ]
        count = int(chosen.sum())
        rest = f", the first {SHOWN} of them" if count > SHOWN else ""
        body = Markup("").join(shown) if shown else Markup("<p>None.</p>")
        blocks.append(
            Markup('<h4>{}: {}{}</h4><div class="mistakes">{}</div>').format(name, count, rest, body)
        )
    return Figure(
        "Mistakes",
        f"Test images of {len(predictions):,} that the networks get wrong: what they show, and in bold "
        "what they were called "
        "(NumPy / PyTorch where the two disagree).",
        Markup("").join(blocks),
        "predictions",
        where=f"network={pictures.network}",
    )


def _called(row: Mapping[Any, Any]) -> str:
    return str(row["ours"]) if row["ours"] == row["torch"] else f"{row['ours']} / {row['torch']}"
