"""What a million cells cost follows from what was measured."""

import re

from parity.sweep.speed import Measured, Speed


def test_a_million_cells_on_paper():
    speeds = [Speed("here, 1 worker, cheap cells", 800, 1600, 100), Speed("Dask, 1 worker", 500, 1000, 1000)]
    told = "\n".join(Measured(speeds, 1e-3, 50_000, 2.0, 40.0, 250).lines())
    assert "| here, 1 worker, cheap cells | 800 | 1,600 | 100 |" in told
    assert "| core hours, of them besides the checks | 0.56, 0.28 |" in told
    assert "| rows | 2,000,000 |" in told and "| 80 MB in 4,000 files of 20 kB |" in told
    assert re.search(r"\| threads that one writer keeps up with \| 50 \|", told)
