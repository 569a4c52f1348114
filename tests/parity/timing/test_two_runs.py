"""tools/speed_runs.py: whether two runs of the clock agree, and on what."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

MACHINE = {"cpu": "C", "threads": 2, "cores": 2, "blas": "B", "torch": "2", "numpy": "2"}


@pytest.fixture(scope="module")
def tool():
    path = Path(__file__).parents[3] / "tools/speed_runs.py"
    spec = importlib.util.spec_from_file_location("speed_runs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(folder, ratios, **machine):
    """A run whose cells, N = 1, 2, ..., have these ratios."""
    folder.mkdir()
    rows = []
    for n, ratio in enumerate(ratios, start=1):
        place = {"network": "x", "layer": "", "batch_size": n, "phase": "step", "peak_rss_mb": np.nan}
        place |= {"ratio_to_torch": ratio, "ratio_low": ratio, "ratio_high": ratio}
        rows += [place | {"implementation": name, "median_ms": 1.0} for name in ("ours", "torch")]
    pd.DataFrame(rows).to_parquet(folder / "speed.parquet")
    peaks = {"gemm_gflops": 1.0, "copy_gbytes_per_s": 1.0}
    pd.DataFrame([MACHINE | peaks | machine]).to_csv(folder / "machine.csv", index=False)
    return str(folder)


def test_means_are_of_the_cells_that_both_have(tool, tmp_path, capsys):
    first = written(tmp_path / "a", [0.5, 2.0, np.nan])
    second = written(tmp_path / "b", [0.52, 2.0, 9.0])
    assert tool.main([first, second, "--out", str(tmp_path / "runs.md")]) == 0
    text = capsys.readouterr().out
    assert "| all cells | 2 | 1.000 | 1.020 | 1.020 |" in text and "agree within 5%" in text
    assert "without a ratio: x N=3 step" in text and (tmp_path / "runs.md").read_text() == text


def test_means_that_differ_by_more_are_1(tool, tmp_path, capsys):
    first, second = written(tmp_path / "a", [1.0]), written(tmp_path / "b", [1.06])
    assert tool.main([first, second]) == 1 and "do not agree within 5%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ratio", "cpu", "sentence"),
    [(1.0, "D", "the runs differ in cpu"), (np.nan, "C", "the runs have no cell with a ratio in common")],
    ids=["another machine", "nothing in common"],
)
def test_what_cannot_be_compared_is_2(ratio, cpu, sentence, tool, tmp_path, capsys):
    first, second = written(tmp_path / "a", [1.0]), written(tmp_path / "b", [ratio], cpu=cpu)
    assert tool.main([first, second]) == 2
    assert capsys.readouterr().err.startswith(f"error: {sentence}")
