"""The course as a page: a convolution to try, its backward pass in steps, the lessons, their exercises.

One file per language. Python comes into the page (Pyodide) when the reader runs code for the first time.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

from scratchcnn.files import atomic_write
from scratchcnn.learn.backward_steps import PARTS, backward_steps
from scratchcnn.learn.bundle import BUNDLE, bundle
from scratchcnn.learn.exercise import Exercise
from scratchcnn.learn.exercises import EXERCISES
from scratchcnn.learn.lenet_script import LENET, lenet_script
from scratchcnn.learn.texts import languages, lesson_texts, messages

FILES = Path(__file__).parent / "page_files"
PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"  # Python 3.12 with NumPy 2.0
SECONDS = {"run": 8, "check": 60}  # a call of the reader's code, and the judge's many calls of it
IN_PYTORCH = (  # by lesson, with the exercise's names
    "out = F.conv2d(x[None, None], w[None, None])[0, 0]",
    "size = F.conv2d(torch.empty(1, 1, input_size, input_size), torch.empty(1, 1, filter_size, filter_size), "
    "stride=stride, padding=pad).shape[-1]",
    "out = F.conv2d(x, W, b)",
    "col = F.unfold(input_data, (filter_h, filter_w), stride=stride, padding=pad)"
    ".transpose(1, 2).flatten(0, 1)",
    "out = F.conv2d(x, W, b, stride, pad)",
    "dx, dW, db = torch.autograd.grad(F.conv2d(x, W, b, stride, pad), (x, W, b), dout)",
    "out = F.max_pool2d(x, (pool_h, pool_w), stride, pad)",
    "loss = F.cross_entropy(predict(x), t)",
    "optimizer = torch.optim.SGD(params, lr=lr, momentum=momentum)",
    "out = F.avg_pool2d(x, (pool_h, pool_w), stride, pad)",
    "out = F.dropout(x, dropout_ratio, training=train_flg)",
    "out = x.mean(dim=(2, 3))",
    "torch.autograd.gradcheck(f, x)",
    "torch.testing.assert_close(ours, theirs, rtol=rtol, atol=0)",
    "u = torch.finfo(torch.float32).eps / 2",
)
GRIDS = ("image", "filter", "out", "col")
STEP_GRIDS = {  # by the name in a step, what stands below it
    "dout": "dout[0]: (FN·OH, OW)",
    "rows": "dout: (N·OH·OW, FN)",
    "col": "col: (N·OH·OW, C·FH·FW)",
    "W": "W: (FN, C·FH·FW)",
    "dW": "dW: (FN, C·FH·FW)",
    "db": "db: (FN,)",
    "dcol": "dcol: (N·OH·OW, C·FH·FW)",
    "dx": "dx[0, 0]: (H, W)",
}
LENET_LAYERS = {  # what is shown, and its size
    "x": "28 × 28",
    "sigmoid1": "6 × 28 × 28",
    "pool1": "6 × 14 × 14",
    "sigmoid2": "16 × 10 × 10",
    "pool2": "16 × 5 × 5",
}
CONTROLS = (("pad", 0, 2, 1), ("stride", 1, 3, 1), ("dilation", 1, 3, 1))


def file_name(language: str) -> str:
    """index.html, index.ko.html."""
    return "index.html" if language == "en" else f"index.{language}.html"


def page(language: str) -> str:
    """The page in that language: one HTML file that needs no other and no network until code is run in it."""
    word = messages(language)
    others = [
        f'<a href="{file_name(other)}" lang="{other}">{escape(word["page_other"])}</a>'
        for other in languages()
        if other != language
    ]
    style, worker = (_file(name) for name in ("style.css", "worker.js"))
    script = "".join(_file(name) for name in ("page.js", "steps.js", "lenet.js", "play.js"))
    figures = "".join(_figure(name, escape(word[f"page_{name}"])) for name in GRIDS)
    controls = "".join(
        f'<label>{name} <input id="{name}" type="number" min="{low}" max="{high}" value="{value}"></label>'
        for name, low, high, value in CONTROLS
    )
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(word["page_title"])} - scratchcnn</title>
<style>
{style}</style>
</head>
<body>
<p class="soft">scratchcnn · {" · ".join(others)}</p>
<h1>{escape(word["page_title"])}</h1>
<p>{escape(word["page_intro"])}</p>
<div class="controls">{controls}</div>
<p>{escape(word["page_size"])}: <code id="formula"></code></p>
<output id="sum" aria-live="polite"></output>
<div class="try">{figures}</div>
{_steps(word)}{_lenet(word)}<h1>{escape(word["page_lessons"])}</h1>
<p>{escape(word["play_intro"])}</p>
{"".join(_lesson(exercise, language) for exercise in EXERCISES)}{_play(word)}
<script type="text/plain" id="worker-source">
{worker}</script>
<script>
{script}</script>
</body>
</html>
"""


def _figure(name: str, caption: str) -> str:
    svg = f'<svg id="{name}" role="group" aria-label="{caption}"></svg>'
    return f'<figure class="wide">{svg}<figcaption>{caption}</figcaption></figure>'


def _steps(word: dict[str, str]) -> str:
    """Convolution's backward, one step at a time."""
    data = {
        "steps": [asdict(step) for step in backward_steps()],
        "parts": {part: word[f"steps_{part}"] for part in PARTS},
        "count": word["steps_count"],
    }
    jumps = "".join(f'<button type="button" data-part="{part}">{part}</button>' for part in PARTS)
    figures = "".join(_figure(f"step-{name}", caption) for name, caption in STEP_GRIDS.items())
    return f"""<section id="steps" tabindex="0" aria-labelledby="steps-title">
<h1 id="steps-title">{escape(word["steps_title"])}</h1>
<p>{escape(word["steps_intro"])}</p>
<div class="controls"><button type="button" id="step-back">{escape(word["steps_back"])}</button>
<button type="button" id="step-next">{escape(word["steps_next"])}</button>
<span id="step-count" class="soft"></span></div>
<div class="controls" role="group" aria-label="{escape(word["steps_jump"])}">{jumps}</div>
<p id="step-part"></p>
<output id="step-says" aria-live="polite"></output>
<div class="try">{figures}</div>
<script type="application/json" id="steps-data">{json.dumps(data, ensure_ascii=False)}</script>
</section>
"""


def _lenet(word: dict[str, str]) -> str:
    """A digit to draw, and what each layer of a trained LeNet makes of it."""
    data = {"script": LENET} | {name: word[f"lenet_{name}"] for name in ("says", "down", "up")}
    layers = "".join(
        f'<figure><canvas id="lenet-{name}" width="0" height="0" role="img" aria-label="{name}: {size}">'
        f"</canvas><figcaption>{name}: {size}</figcaption></figure>"
        for name, size in LENET_LAYERS.items()
    )
    scores = "".join(f'<label>{k} <meter id="score{k}" max="1" value="0"></meter></label>' for k in range(10))
    return f"""<section id="lenet">
<h1>{escape(word["lenet_title"])}</h1>
<p>{escape(word["lenet_intro"])}</p>
<div class="try"><div><canvas id="digit" width="280" height="280" tabindex="0" role="application"
 aria-label="{escape(word["lenet_board"])}"></canvas>
<div class="controls"><button type="button" id="lenet-clear">{escape(word["lenet_clear"])}</button>
<span id="lenet-pen" class="soft" aria-live="polite"></span></div></div>
<div><output id="lenet-says" aria-live="polite"></output><div class="scores">{scores}</div></div></div>
<div class="try">{layers}</div>
<script type="application/json" id="lenet-data">{json.dumps(data, ensure_ascii=False)}</script>
</section>
"""


def _lesson(exercise: Exercise, language: str) -> str:
    number, word = exercise.number, messages(language)
    text = lesson_texts(number, language)
    return (
        f'<section id="lesson{number}"><h2>{number}. {escape(text["title"])}</h2>\n'
        f"<p>{_marked(' '.join(text['idea'].split()))}</p>\n<p><code>{escape(text['formula'])}</code></p>\n"
        f"{_editor(exercise, text, word)}"
        f"<p><strong>{escape(word['experiment_title'])}.</strong> {_marked(text['experiment'])}</p>\n"
        f'<p class="soft">{escape(word["page_at_home"])}: '
        f"<code>python -m scratchcnn learn {number} --lang {language}</code></p></section>\n"
    )


def _marked(text: str) -> str:
    """Text in HTML; what stands in backquotes is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _editor(exercise: Exercise, text: dict[str, Any], word: dict[str, str]) -> str:
    """The exercise: what is asked, PyTorch's line, the file with its gaps, and what became of it."""
    number, code = exercise.number, exercise.with_gaps(text["gaps"])
    label = escape(word["play_editor"].format(number=number, name=f"{exercise.name}.py"))
    return f"""<div class="play" data-lesson="{number}">
<p><strong>{escape(word["exercise_title"])}.</strong> {_marked(" ".join(text["exercise"].split()))}</p>
<p>{escape(word["play_torch"])}: <code>{escape(IN_PYTORCH[number - 1])}</code></p>
<textarea aria-label="{label}" rows="{code.count(chr(10)) + 1}" wrap="off" spellcheck="false"
 autocapitalize="off" autocomplete="off">
{escape(code)}</textarea>
<div class="controls"><button type="button" data-task="run">{escape(word["play_run"])}</button>
<button type="button" data-task="check">{escape(word["play_check"])}</button>
<button type="button" data-reset>{escape(word["play_reset"])}</button>
<progress max="3" value="0" aria-label="{escape(word["play_progress"])}" hidden></progress></div>
<output aria-live="polite"></output>
<div class="hints"></div>
</div>
"""


def _play(word: dict[str, str]) -> str:
    """What the editors' script needs."""
    words = {name: word[f"play_{name}"] for name in ("running", "nothing", "endless", "failed")}
    steps = ("python", "numpy", "scratchcnn", "ready")
    data = {
        "pyodide": PYODIDE,
        "bundle": BUNDLE,
        "limits": SECONDS,
        "words": {
            **words,
            "loading": [word[f"play_loading_{step}"] for step in steps],
            "hints": [word[f"play_hint{stage}"] for stage in (1, 2, 3)],
        },
    }
    return f'<script type="application/json" id="play-data">{json.dumps(data, ensure_ascii=False)}</script>'


def _file(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


def write_pages(folder: Path) -> list[Path]:
    """Write the page in every language, and the code that runs in it, into the folder, made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {file_name(language): page(language) for language in languages()} | {
        BUNDLE: bundle(),
        LENET: lenet_script(),
    }
    for name, text in texts.items():
        with atomic_write(folder / name) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
