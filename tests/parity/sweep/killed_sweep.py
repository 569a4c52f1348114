"""`parity sweep`, killed while it writes a part: python killed_sweep.py PART ARGUMENTS...

Its own SIGKILL comes when the part of that number (the first is 1) is written and not yet renamed. It
prints the ids of the processes that it had started.
"""

import os
import signal
import sys
from contextlib import contextmanager
from itertools import count

import psutil

from parity.cli import main
from parity.sweep import run, store

LAST, *ARGUMENTS = sys.argv[1:]
numbers, whole = count(1), store.atomic_write


@contextmanager
def write_or_die(path):
    with whole(path) as temporary:
        yield temporary
        if path.suffix == ".parquet" and next(numbers) == int(LAST):
            print(*(process.pid for process in psutil.Process().children(recursive=True)), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    store.atomic_write = write_or_die
    run.NOTED = 0.0  # the time that it took is written down after each part
    main(["sweep", *ARGUMENTS])
