"""Sweeps: a plan of many small, independent checks, on the cores of one machine or on a Dask cluster.

plan.py     a TOML file -> Plan                    cells.py           Plan -> Cells with stable ids -> Batches
cell.py     a Cell -> its rows                     worker_process.py  the process in which batches run, forked
worker.py   keeps such a process alive             store.py           the Parquet dataset, one file per batch
local.py    batches on this machine's cores        cluster.py         batches on a Dask cluster
run.py      plan, resume, progress                 summary.py, report.py  the results, as a page
estimate.py how long a plan will take              speed.py           the measured overhead of a cell
"""
