"""The explanations of known bugs in other people's clothes: what is counted, and what the report says."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("dressed", ROOT / "tools" / "dressed_explanations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_dressed_bug_is_explained_and_a_right_layer_is_not_counted(tool):
    rows = pd.DataFrame(tool.rows_of("engine", "relu"))
    assert len(rows) == 8 and rows["explained"].all() and not rows["wrong"].any()
    assert "dout" in rows.set_index("fault").loc["relu-straight-through", "sentences"]


def test_what_shows_only_beside_a_second_image_is_not_counted_one_at_a_time(tool):
    together, alone = (pd.DataFrame(tool.rows_of(name, "affine")) for name in ("torch_like", "single_image"))
    assert {*alone["fault"]} < {*together["fault"]} and "affine-db-mean" not in {*alone["fault"]}


def test_the_report_is_that_of_its_table(tool):
    table = pd.read_csv(ROOT / "reports" / "dresses" / "explanations.csv")
    text = (ROOT / "reports" / "dresses" / "README.md").read_text()
    assert tool.figure(table) in text and "0 wrongly" in text
    for row in tool.shares(table).itertuples():
        kinds, mark = ("linear", 0.8) if row.linear else ("others", 0.6)
        assert f"| {row.dress} | {kinds} | {row.bugs} | {row.explained} |" in text
        assert row.explained >= mark * row.bugs
