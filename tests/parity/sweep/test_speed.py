"""`python -m parity.sweep.speed`: what a million cells cost follows from what was measured."""

import re

import pytest

from parity.sweep import speed
from parity.sweep.speed import Measured, Speed


def test_a_million_cells_on_paper():
    speeds = [Speed("here, 1 worker, cheap cells", 800, 1600, 100), Speed("Dask, 1 worker", 500, 1000, 1000)]
    text = "\n".join(Measured(speeds, 1e-3, 50_000, 2.0, 40.0, 250).lines())
    assert "| here, 1 worker, cheap cells | 800 | 1,600 | 100 |" in text
    assert "| core hours, of which overhead | 0.56, 0.28 |" in text
    assert "| rows | 2,000,000 |" in text and "| 80 MB in 4,000 files of 20 kB |" in text
    assert re.search(r"\| threads that one writer keeps up with \| 50 \|", text)


def test_the_module_prints_what_it_measures(monkeypatch, capsys):
    asked = []
    found = Measured([Speed("Dask, 1 worker", 500, 1000, 1000)], 1e-3, 50_000, 2.0, 40.0, 250)
    monkeypatch.setattr(speed, "measure", lambda *arguments: asked.append(arguments[:3]) or found)
    speed.main(["--seeds", "40", "--runs", "1", "--batch", "20"])
    assert asked == [(40, 1, 20)] and "| Dask, 1 worker | 500 | 1,000 | 1,000 |" in capsys.readouterr().out


def test_too_few_seeds_are_misuse(capsys):
    with pytest.raises(SystemExit) as end:
        speed.main(["--seeds", "3"])
    assert end.value.code == 2 and "expected --seeds of at least 30" in capsys.readouterr().err
