"""Verdicts as one self-contained page, each with the picture of which number met which, for both themes."""

from __future__ import annotations

import base64
from html import escape

from parity.adapters.wire import clean
from parity.verification.verdict import Verdict, by_judge
from parity.verification.whole import Sheet

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
    "background:light-dark(#fff,#14171a);color:light-dark(#1b1f24,#e6e9ec)}"
    "h1,h2{overflow-wrap:anywhere}h2{margin-top:2.5rem;border-top:1px solid;padding-top:1rem}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.9rem}figure{margin:2rem 0;overflow-x:auto}"
)


def page(verdict: Verdict, protection: str) -> str:
    """The report's lines, and the picture where a wrong entry of a linear map can be drawn."""
    return _page(_title(verdict), _lines(verdict), protection)


def page_of_all(sheet: Sheet, protection: str) -> str:
    """All that a file or folder defines: its summary, followed by a section per definition."""
    sections = "".join(
        f"<section>\n<h2>{_title(verdict)}</h2>\n{_lines(verdict)}</section>\n" for verdict in sheet.verdicts
    )
    summary = escape("\n".join(sheet.summary()))
    return _page(escape(clean(sheet.where)), f"<pre>{summary}</pre>\n{sections}", protection)


def _page(title: str, body: str, protection: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n{body}"
        f"<p><small>protection: {escape(protection)}</small></p>\n</html>\n"
    )


def _title(verdict: Verdict) -> str:
    return escape(f"{clean(verdict.name)} as {verdict.kind}")


def _lines(verdict: Verdict) -> str:
    return f"<pre>{escape(str(verdict))}</pre>\n{_figure(verdict)}"


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
