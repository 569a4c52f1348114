"""The report's page shows which number met which in bugs that were explained, and what audits found."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from parity.explain import leave_one_out as unaided
from parity.faults import FAULTS
from parity.report.figures import accuracy, audit, explanations
from parity.report.figures.speed import ratios
from parity.report.markdown import percent
from parity.report.write import write

AUDITED = Path(__file__).parents[3] / "reports" / "audit" / "audit.parquet"
NAMES = ("affine-weights-reshape-for-transpose", "affine-bias-forgotten", "im2col-window-flipped")


@pytest.fixture(scope="module")
def explained():
    """Rows as `parity faults` makes them; the second one counts as not explained."""
    rows = [unaided.row(FAULTS[name]) | {"explained": name != NAMES[1]} for name in NAMES]
    return pd.DataFrame(rows).astype({"kind": "category"})


def test_a_picture_per_explained_bug_and_none_of_a_wrong_explanation(explained):
    drawn = list(explanations.drawn(explained))
    assert [fault for _, fault, _ in drawn] == [NAMES[0], NAMES[2]]
    _, fault, met = drawn[0]
    found, wrong = unaided.explained(FAULTS[fault])
    assert not wrong and found.wiring is not None and met.result == found.wiring.result
    body = str(explanations.wirings(drawn).body)
    assert body.count("<img ") == 2 and met.sentence.replace("'", "&#39;") in body
    assert list(explanations.drawn(explained.assign(wrong=True))) == []
    assert list(explanations.drawn(explained.assign(explained=False))) == []


def test_the_bars_say_how_many_are_explained(explained):
    figure = explanations.shares(explained)
    assert figure.title == "2 of 3 known bugs are explained without the catalogue"
    assert [text in str(figure.body) for text in ("1 of 2", "1 of 1")] == [True, True]


def test_the_audit_is_shown_before_and_after():
    table = pd.DataFrame(
        {"tests": ["a.py", "b.py"], "kind": ["relu", "max_pooling"], "killed": [1, 3], "survived": [3, 1]}
    ).assign(before=[0.25, 0.75], after=[1.0, 1.0])
    (figure,) = audit.figures(table)
    assert figure.title == "One more test: the median goes from 50% to 100%"
    assert [text in str(figure.body) for text in ("1 of 4", "3 of 4", "4 of 4")] == [True] * 3
    shown = audit.summary(table)
    assert list(shown["rate before"]) == ["25%", "75%"] and list(shown["kind"]) == ["relu", "max pooling"]


@pytest.fixture(scope="module")
def report(found, explained, tmp_path_factory):
    """A report with both, on disk."""
    folder = tmp_path_factory.mktemp("explained")
    (folder / "audit").mkdir()
    shutil.copy(AUDITED, folder / "audit")
    write(replace(found, tables=found.tables | {"explanations": explained}), folder)
    return folder


@pytest.mark.parametrize("width, theme", [(390, "dark"), (1280, "light")])
def test_the_page_has_both(report, open_page, width, theme):
    page = open_page(report / "index.html", width, theme)
    for details in page.locator("details").all():
        details.evaluate("d => d.open = true")
    page.wait_for_function("[...document.querySelectorAll('.wiring img')].every(i => i.naturalWidth > 100)")
    assert page.locator(".wiring img").count() == 2
    audits = pd.read_parquet(AUDITED)
    assert page.locator("#audit tbody tr").count() == len(audits)
    assert page.locator("#audit .rows .bar").count() == 2 * len(audits)
    assert page.locator("nav a[href='#audit']").count() == 1 and page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_a_report_without_an_audit_has_no_such_section(folder):
    assert 'id="audit"' not in (folder / "index.html").read_text()


def test_the_charts_say_what_to_conclude(folder, found):
    text = (folder / "index.html").read_text()
    assert "Error against allowance: " in re.sub(r"<span[^>]*>", "", text)
    table, speed = found.tables["accuracy"], found.tables["speed"]
    assert accuracy.allowance(table).says == f"no tensor uses more than {percent(table['margin'].max())}"
    broken = table.assign(ok=[False] * 2 + [True] * (len(table) - 2))
    assert accuracy.allowance(broken).says == f"2 of {len(table):,} tensors fail"
    mine = speed[(speed["implementation"] == "ours") & (speed["layer"] == "")]
    won = mine.assign(ratio_to_torch=0.5, ratio_low=0.4, ratio_high=0.6)
    assert ratios(won).says == f"NumPy is faster in {len(mine)} of {len(mine)}, slower in 0"
    assert ratios(won.assign(ratio_high=1.1)).says == f"NumPy is faster in 0 of {len(mine)}, slower in 0"
    assert ratios(won.assign(ratio_low=1.1)).says.endswith(f"slower in {len(mine)}")
