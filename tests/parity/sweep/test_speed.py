"""What a cell costs is measured on real sweeps, here and on a cluster, and the paper plan follows from it."""

import re
from contextlib import nullcontext

from parity.sweep.speed import Measured, Speed, measure


def test_every_way_is_measured(monkeypatch, cluster):
    monkeypatch.setattr("parity.sweep.speed.WORKERS", (1,))
    monkeypatch.setattr("parity.sweep.speed.started", lambda workers: nullcontext(cluster.address))
    found = measure(seeds=10, runs=1, weight=40)
    ways = [f"{where}, 1 worker" for where in ("here", "Dask")]
    assert [s.where for s in found.speeds] == [f"{w}, {c}" for w in ways for c in ("cheap cells", "nothing")]
    assert all(s.cells > 0 and s.rows >= s.cells for s in found.speeds) and found.rows_a_cell == 2
    nothing = [s.overhead for s in found.speeds if s.where.endswith("nothing")]
    assert all(0 < us < 1e6 * found.direct * 10 for us in nothing)


def test_a_million_cells_on_paper():
    speeds = [Speed("here, 1 worker, cheap cells", 800, 1600, 100), Speed("Dask, 1 worker", 500, 1000, 1000)]
    told = "\n".join(Measured(speeds, 1e-3, 50_000, 2.0, 40.0, 250).lines())
    assert "| here, 1 worker, cheap cells | 800 | 1,600 | 100 |" in told
    assert "| core hours, of them besides the checks | 0.56, 0.28 |" in told
    assert "| rows | 2,000,000 |" in told and "| 80 MB in 4,000 files of 20 kB |" in told
    assert re.search(r"\| threads that one writer keeps up with \| 50 \|", told)
