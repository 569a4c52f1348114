"""A verdict as one self-contained page, with the picture of which number met which, for both themes."""

from __future__ import annotations

import base64
from html import escape

from parity.verification.verdict import Verdict, by_judge

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
    "background:light-dark(#fff,#14171a);color:light-dark(#1b1f24,#e6e9ec)}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.9rem}figure{margin:2rem 0}img{max-width:100%}"
)


def page(verdict: Verdict, protection: str) -> str:
    """The report's lines, and the picture where a wrong entry of a linear map can be drawn."""
    title = escape(f"{verdict.name} as {verdict.kind}")
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n"
        f"<pre>{escape(str(verdict))}</pre>\n{_figure(verdict)}"
        f"<p><small>protection: {escape(protection)}</small></p>\n</html>\n"
    )


def _figure(verdict: Verdict) -> str:
    wiring = verdict.explanation.wiring if verdict.explanation is not None else None
    if wiring is None:
        return ""
    svg = by_judge(wiring.svg(), verdict.judge)
    sentence = escape(by_judge(wiring.sentence, verdict.judge))
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{sentence}">'
        "<figcaption>Which number met which in the first wrong entry.</figcaption></figure>\n"
    )
