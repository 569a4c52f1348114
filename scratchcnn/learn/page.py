"""The course as a page: a convolution to try, and what each lesson says. One file per language."""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from pathlib import Path

from scratchcnn.files import atomic_write
from scratchcnn.learn.backward_steps import PARTS, backward_steps
from scratchcnn.learn.exercises import EXERCISES
from scratchcnn.learn.texts import languages, lesson_texts, messages

FILES = Path(__file__).parent / "page_files"
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
CONTROLS = (("pad", 0, 2, 1), ("stride", 1, 3, 1), ("dilation", 1, 3, 1))


def file_name(language: str) -> str:
    """index.html, index.ko.html."""
    return "index.html" if language == "en" else f"index.{language}.html"


def page(language: str) -> str:
    """The page in that language: one HTML file that needs no other and no network."""
    word = messages(language)
    others = [
        f'<a href="{file_name(other)}" lang="{other}">{escape(word["page_other"])}</a>'
        for other in languages()
        if other != language
    ]
    style, script, steps = (
        (FILES / name).read_text(encoding="utf-8") for name in ("style.css", "page.js", "steps.js")
    )
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
{_steps(word)}<h1>{escape(word["page_lessons"])}</h1>
{"".join(_lesson(exercise.number, language) for exercise in EXERCISES)}<script>
{script}{steps}</script>
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


def _lesson(number: int, language: str) -> str:
    text = lesson_texts(number, language)
    return (
        f'<section id="lesson{number}"><h2>{number}. {escape(text["title"])}</h2>\n'
        f"<p>{escape(' '.join(text['idea'].split()))}</p>\n<p><code>{escape(text['formula'])}</code></p>\n"
        f"<p>{escape(text['experiment'])}</p>\n"
        f'<p class="soft"><code>python -m scratchcnn learn {number} --lang {language}</code></p></section>\n'
    )


def write_pages(folder: Path) -> list[Path]:
    """Write the page in every language into the folder, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / file_name(language) for language in languages()]
    for path, language in zip(paths, languages(), strict=True):
        with atomic_write(path) as unfinished:
            unfinished.write_text(page(language), encoding="utf-8")
    return paths
