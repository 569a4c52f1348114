"""Sweeps: a plan of many small, independent checks, on the cores of one machine or on a Dask cluster.

plan.py     a TOML file -> Plan                   expand.py   Plan -> Cells with stable ids -> Batches
cell.py     a Cell -> its rows                    helper.py   the process in which batches run, forked
runner.py   whoever keeps such a process alive    store.py    the Parquet dataset, a part a batch
local.py    batches on this machine's cores       cluster.py  batches on a Dask cluster
run.py      plan, resume, progress                summary.py, report.py  what was found, as a page
estimate.py what a plan will take                 speed.py    what a cell costs besides its work, measured
"""
