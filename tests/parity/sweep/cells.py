"""Cells that do not behave, in the place of `run_cell`: which way is in the cell's `fault`."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from parity.sweep.cell import run_cell


def rude(cell):
    MANNERS[cell.fault](cell)
    return run_cell(cell)


def hang(cell):
    while True:
        time.sleep(0.01)


def kill_the_helper(cell):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.5)


def kill_the_helper_once(cell):
    """`target` names a file that remembers that it was done."""
    if not Path(cell.target).exists():
        Path(cell.target).touch()
        kill_the_helper(cell)


def slow(cell):
    time.sleep(0.02)
    return run_cell(cell)


MANNERS = {
    "": lambda cell: None,
    "crash": lambda cell: ctypes.string_at(0),
    "hang": hang,
    "eat": lambda cell: np.ones(1 << 28),  # 2 GiB
    "leave": lambda cell: sys.exit(3),
    "vanish": lambda cell: os._exit(7),
    "kill the helper": kill_the_helper,
    "kill the helper once": kill_the_helper_once,
}
