"""Both frameworks' curves on top of each other, what LeNet's first layer learnt, and the mistakes."""

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
from scratchcnn.typing import Array

MOST_MISTAKES = 18  # that are shown of each sort


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
        scale = Scale(0.0, float(max(ours.max(), theirs.max())))
        both = line_chart(f"Training loss of {network} in both frameworks", over, "step", "loss", scale)
        gap = (ours - theirs).abs()
        gap = gap.where(gap > 0)
        apart = [Series("difference", x, gap.tolist(), "difference")]
        scale = around(gap.dropna().tolist(), log=True)
        title = f"Difference of the two losses of {network}"
        below = line_chart(title, apart, "step", "|difference|", scale, height=130)
        charts.append(Markup(both + below))
        titles.append(f"{network} {dtype}")
    most = (steps["train_loss"] - steps["torch_train_loss"]).abs().max()
    return Figure(
        "Training loss",
        "The same initial weights, batches and masks in every step: PyTorch's curve lies under NumPy's. "
        "Below is their difference on a logarithmic axis: it starts at rounding, and grows as any two "
        "float32 runs drift apart.",
        panels(*charts, titles=tuple(titles)),
        "training_steps",
        legend=(*OURS_AND_TORCH, ("difference", "difference")),
        says=f"the two differ by at most {power(float(most))}",
    )


def accuracies(training: pd.DataFrame) -> Figure:
    charts, titles = [], []
    for (network, dtype), t in training.groupby(["network", "dtype"], observed=True, sort=False):
        x = t["epoch"].tolist()
        series = [
            Series("PyTorch", x, (100 * t["torch_test_accuracy"]).tolist(), "torch wide", True),
            Series("NumPy", x, (100 * t["test_accuracy"]).tolist(), "ours", True),
        ]
        title = f"Test accuracy of {network} after each epoch, in both frameworks"
        scale = Scale(min(x) - 0.2, max(x) + 0.2)
        charts.append(line_chart(title, series, "epoch", "% correct", Scale(0, 100), scale, 180))
        last = t.iloc[-1]
        titles.append(f"{network} {dtype}: {last['test_accuracy']:.1%} and {last['torch_test_accuracy']:.1%}")
    ends = training.groupby(["network", "dtype"], observed=True).tail(1)
    most = 100 * float((ends["test_accuracy"] - ends["torch_test_accuracy"]).abs().max())
    return Figure(
        "Test accuracy",
        "The accuracy of the NumPy and the PyTorch network after each epoch, on images that neither saw.",
        panels(*charts, titles=tuple(titles)),
        "training",
        open=True,
        legend=OURS_AND_TORCH,
        says=f"the two end {f'at most {most:.2g} percentage points apart' if most else 'the same'}",
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
        f"The {len(sets[0])} filters of {pictures.network}'s first layer, before training and after it in "
        f"both frameworks. White weights are positive, black ones negative (±{largest:.2f}). NumPy's and "
        f"PyTorch's differ by at most {power(difference)}.",
        panels(*shown, titles=names),
        "filters",
    )


def maps(pictures: Pictures) -> Figure:
    shown = [image(grey(pictures.image, 0, 1), "The test image", 4)]
    titles = ["image"]
    for layer, channels in pictures.maps.items():
        scale = 56 / channels.shape[1] if channels.shape[1] > 14 else 40 / channels.shape[1]
        sheet = montage([grey(c) for c in channels], 6 if len(channels) <= 6 else 8)
        shown.append(image(sheet, f"Feature maps of {layer}", scale))
        titles.append(f"{layer} {'×'.join(map(str, channels.shape))}")
    return Figure(
        f"One image through {pictures.network}",
        "The output of each layer, channel by channel (each scaled to its own range): first edges, then "
        "coarser and coarser summaries as pooling halves the size.",
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
        f"The true class of each test image (rows) and the class that NumPy's {pictures.network} predicts "
        f"(columns). PyTorch's count differs in {differ} of {ours.size} cells, where it is in brackets.",
        Markup(
            f'<div class="scroll"><table class="heat confusion"><thead><tr><td></td>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table></div>"
        ),
        "predictions",
        where=f"network={pictures.network}",
    )


def _counts(predictions: pd.DataFrame, column: str, names: list[str]) -> Array:
    table: Array = np.zeros((len(names), len(names)), int)
    pairs = zip(predictions["label"].astype(str), predictions[column].astype(str), strict=True)
    for label, predicted in pairs:
        table[names.index(label), names.index(predicted)] += 1
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
        rows = predictions[chosen].head(MOST_MISTAKES)
        shown = [
            Markup("<figure>{}<figcaption>{}<b>{}</b></figcaption></figure>").format(
                image(pictures.images[r["image"]], f"{r['label']}, classified as {_predicted(r)}", 2),
                r["label"],
                _predicted(r),
            )
            for r in rows.to_dict("records")
        ]
        count = int(chosen.sum())
        rest = f", of which the first {MOST_MISTAKES}" if count > MOST_MISTAKES else ""
        body = Markup("").join(shown) if shown else Markup("<p>None.</p>")
        blocks.append(
            Markup('<h4>{}: {}{}</h4><div class="mistakes">{}</div>').format(name, count, rest, body)
        )
    return Figure(
        "Mistakes",
        f"Those of the {len(predictions):,} test images that the networks get wrong, with their true class "
        "and, in bold, the predicted one (NumPy / PyTorch where the two disagree).",
        Markup("").join(blocks),
        "predictions",
        where=f"network={pictures.network}",
    )


def _predicted(row: Mapping[Any, Any]) -> str:
    return str(row["ours"]) if row["ours"] == row["torch"] else f"{row['ours']} / {row['torch']}"
