"""What a report writes: typed tables, a README that documents them, a page that holds every number."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from parity.report.figures.speed import ratios
from parity.report.findings import Findings
from parity.report.headline import headlines, power
from parity.report.markdown import markdown, readme
from parity.report.markdown import speed as speed_rows
from parity.report.page import embedded, page, verdict
from parity.report.schema import PARQUET_ONLY, SCHEMAS, conform
from parity.report.write import write

TABLES = (
    "headlines",
    "accuracy",
    "faults",
    "faults_summary",
    "training",
    "training_steps",
    "predictions",
    "filters",
    "speed",
    "counts",
    "scaling",
)


def test_the_small_run_is_a_whole_one(found):
    assert found.parts == ("accuracy", "faults", "training", "speed")
    assert set(found.tables) == set(TABLES)
    assert found.ok, found.failures


@pytest.mark.parametrize("name", TABLES)
def test_a_table_loads_with_the_types_that_its_schema_says(folder, found, name):
    table = pd.read_parquet(folder / f"{name}.parquet")
    assert [(c, str(t)) for c, t in table.dtypes.items()] == [(c.name, c.type) for c in SCHEMAS[name].columns]
    pd.testing.assert_frame_equal(table, found.tables[name])
    assert (folder / f"{name}.csv").exists() == (name not in PARQUET_ONLY)
    if name not in PARQUET_ONLY:
        assert len(pd.read_csv(folder / f"{name}.csv")) == len(table)


@pytest.mark.parametrize("name", TABLES)
def test_the_readme_documents_every_column(folder, name):
    text = (folder / "README.md").read_text()
    section = text[text.index(f"### {name}\n") :]
    for column in SCHEMAS[name].columns:
        assert f"| `{column.name}` | {column.type} | {column.meaning} |" in section
    key = re.search(r"No two rows have the same (.*)\.", section).group(1)
    assert tuple(re.findall(r"`(\w+)`", key)) == SCHEMAS[name].key


def test_the_readme_has_tables_of_the_same_figures(folder, found):
    text = (folder / "README.md").read_text()
    accuracy = found.tables["accuracy"]
    assert f"- **What matches**: **all match**. {len(accuracy):,} of {len(accuracy):,} tensors" in text
    assert "× as fast** as PyTorch in a training step" in text
    row = next(line for line in text.splitlines() if line.startswith("| lenet | float64"))
    assert row.split("|")[3].strip() == str(len(accuracy.query("network == 'lenet' and dtype == 'float64'")))


def test_the_environment_says_what_it_was_made_on(folder):
    told = json.loads((folder / "environment.json").read_text())
    assert {
        "cpu",
        "cores",
        "threads",
        "blas",
        "numpy",
        "torch",
        "torch_simd",
        "textbook",
        "seed",
        "command",
        "quick",
        "date",
        "version",
        "commit",
        "load_at_start",
    } <= set(told)
    assert told["quick"] is True and told["gemm_gflops"] > 0
    assert told["threads"] == 1  # as the small run asked for, whatever the machine has


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="median_ms"), r"is missing \['median_ms'\]"),
        (lambda t: t.assign(median=1), r"unexpected \['median'\]"),
    ],
    ids=["missing", "unknown"],
)
def test_a_table_of_other_columns_is_refused(found, change, said):
    with pytest.raises(ValueError, match=said):
        conform("speed", change(found.tables["speed"]))


def test_tables_of_another_run_are_removed(found, tmp_path):
    write(found, tmp_path)
    tables = {name: found.tables[name] for name in ("accuracy",)}
    write(replace(found, tables=tables, failures={"accuracy": []}, pictures=None), tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "accuracy.csv",
        "accuracy.parquet",
        "environment.json",
        "README.md",
        "index.html",
    }


def test_a_failure_leaves_the_old_page(found, tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("old")
    monkeypatch.setattr("parity.report.page.page", lambda found, audited: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(found, tmp_path)
    assert (tmp_path / "index.html").read_text() == "old"


# -- the page -------------------------------------------------------------------------------------
def test_the_page_needs_nothing_from_outside(folder):
    text = (folder / "index.html").read_text()
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    loaded = re.findall(r'(?:src|srcset|data|action|href)="([^"#]*)"', markup)
    assert loaded and all(address.startswith("data:") for address in loaded if address)
    assert "@import" not in text and not re.search(r"url\((?!data:)", text)


def test_every_table_is_in_the_page_with_all_its_rows(folder, found):
    text = (folder / "index.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1).replace("<\\/", "</"))
    assert {name: table["rows"] for name, table in data.items()} == {
        n: len(t) for n, t in found.tables.items()
    }
    margin = next(c for c in data["accuracy"]["columns"] if c["name"] == "margin")["values"]
    for shown, exact in zip(margin, found.tables["accuracy"]["margin"], strict=True):
        assert shown == pytest.approx(exact, rel=1e-3)


def test_every_figure_of_the_harness_names_its_table(folder):
    text = (folder / "index.html").read_text()
    named = set(re.findall(r'data-table="(\w+)"', text))
    assert named == set(TABLES)


def test_code_and_lines_are_those_of_the_source(folder):
    import html
    import inspect

    import scratchcnn as sc

    text = html.unescape(re.sub(r"<[^>]+>", "", (folder / "index.html").read_text()))
    for line in inspect.getsource(sc.Convolution.forward).splitlines():
        assert line.strip() in text
    assert "nn.Conv2d(1, 6, 5, padding=2)" in text and "F.batch_norm(" in text


def test_json_cannot_end_the_script(found):
    table = found.tables["faults"].assign(story="</script><b>")
    assert "</script>" not in embedded({"faults": table})


VERDICTS = {
    "all match": ({"accuracy": []}, "", "good", "are the same functions on everything that was compared"),
    "one failed": ({"accuracy": ["lenet conv1"]}, "", "bad", "1 failed. The first: accuracy: lenet conv1"),
    "interrupted": ({"accuracy": []}, "speed", "open", "Interrupted during speed; without speed (lenet"),
    "nothing compared": ({"speed": []}, "", "open", "Nothing was compared in this run; it holds speed"),
}


@pytest.mark.parametrize(("failures", "interrupted", "css", "said"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(failures, interrupted, css, said):
    told = verdict(Findings(failures=failures, interrupted=interrupted, left=["speed (lenet N=1)"]))
    assert told[0] == css and said in told[1]


def test_a_failing_tensor_turns_the_headline(found):
    table = found.tables["accuracy"].copy()
    table.loc[3, "ok"] = False
    first = headlines(replace(found, tables={"accuracy": table}))[0]
    assert first.figure == "1 differ" and first.good is False


def test_the_speed_headline_is_the_geometric_mean(found):
    speed = found.tables["speed"]
    ratio = speed.query("phase == 'step' and implementation == 'ours'")["ratio_to_torch"].iloc[0]
    third = headlines(found)[2]
    assert third.name == "How fast" and third.figure == f"{1 / ratio:.2f}× as fast"
    assert third.numbers["mean_ratio"][0] == pytest.approx(ratio)


def test_a_speed_that_other_processes_disturbed_is_no_headline(found):
    speed = found.tables["speed"].copy()
    speed.loc[speed["implementation"] == "ours", ["ratio_to_torch", "ratio_low", "ratio_high"]] = np.nan
    disturbed = replace(found, tables={**found.tables, "speed": speed})
    third = headlines(disturbed)[2]
    assert third.figure == "not known" and "all 1 training steps" in third.sentence
    assert speed_rows(speed)["which is faster"].tolist() == ["disturbed"]
    assert "disturbed" in str(ratios(speed).body) and "nan" not in str(ratios(speed).body)


def test_every_number_that_the_page_opens_with_is_in_a_table(found):
    values = found.tables["headlines"]["value"]
    shown = [
        *(f"{v:,.0f}" for v in values),
        *(f"{v:.2f}" for v in values),
        *(f"{v:.0%}" for v in values),
        *(power(v) for v in values),
        *(f"{v:.0f}" for v in values),
        "10⁻⁹",
    ]
    for line in headlines(found):
        said = re.sub(r"float(64|32)", "", f"{line.figure} {line.sentence}")
        said = re.sub(r"\(lenet, \d+ images\)", "", said)  # the batch size stands in the meaning
        numbers = re.findall(r"\d[\d,.]*·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|10⁻⁹|\d[\d,.]*%|\d[\d,]*(?:\.\d+)?", said)
        assert numbers and not [n for n in numbers if n.rstrip(",.") not in shown], line


def test_the_weights_of_the_filters_are_in_a_table(found):
    table, pictures = found.tables["filters"], found.pictures
    for column, filters in (
        ("before", pictures.filters_before),
        ("after", pictures.filters_after),
        ("torch_after", pictures.torch_filters_after),
    ):
        last = table.iloc[-1]
        place = int(last["filter"]), int(last["row"]), int(last["column"])
        assert len(table) == filters.size and last[column] == filters[place]


def test_injections_into_networks_are_counted_by_network_and_family(found):
    places = [
        ("lenet", "training", "C1", "relu", True),
        ("lenet", "training", "F6", "relu", False),
        ("lenet", "training", "", "wiring", True),
        ("branched", "inference", "", "weights", True),
        ("branched", "inference", "", "fast", True),
    ]
    table = pd.DataFrame(places, columns=["network", "mode", "layer", "family", "right"])
    table = table.assign(fault=[f"bug {i}" for i in table.index], caught=True, culprit="somewhere")
    injections = conform("injections", table)
    text = page(replace(found, tables={**found.tables, "injections": injections}))
    shown = text[text.index("<h3>In whole networks</h3>") :].replace("<wbr>", "")
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in shown.split("<tr>")[2:4]]
    lenet, branched = ["2/2", "1/2", "–", "–", "1/1", "1/1", "–", "–"], ["–", "–", *["1/1"] * 2, "–", "–"]
    assert cells == [lenet, [*branched, "1/1", "1/1"]]
    assert "branched, inference" in shown and 'data-table="injections"' in shown


def test_a_page_of_one_part_has_its_sections_only(found):
    tables = {name: found.tables[name] for name in ("accuracy",)}
    text = page(replace(found, tables=tables, failures={"accuracy": []}, pictures=None))
    assert 'id="accuracy"' in text and 'id="speed"' not in text and "How fast" not in text


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (1.24e-15, "1.2·10⁻¹⁵"), (3e4, "3.0·10⁴")], ids=["0", "small", "large"]
)
def test_powers(value, said):
    assert power(value) == said


def test_markdown_escapes_and_aligns():
    table = pd.DataFrame({"name": ["a|b"], "n": [3], "share": ["5 %"]})
    assert markdown(table).splitlines() == [
        "| name | n | share |",
        "| --- | ---: | ---: |",
        "| a\\|b | 3 | 5 % |",
    ]


def test_the_readme_of_a_report_without_timings(found):
    tables = {name: t for name, t in found.tables.items() if name not in ("speed", "counts", "scaling")}
    text = readme(replace(found, tables=tables))
    assert "**How fast**" not in text and "### speed" not in text
