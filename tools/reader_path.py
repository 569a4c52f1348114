"""How many files and functions one `SimpleConvNet().gradient(x, t)` passes through, by Python's profiler.

    python tools/reader_path.py            textbook: 7 files, 30 functions ...
    python tools/reader_path.py --list     and their names

The book's own network passes through 4 files and 17 functions. Functions are counted by their code: what is
defined below `scratchcnn/`, lambdas and comprehensions too, in every thread. A call before the measured one
fills caches.
"""

import os
import sys
import threading
from pathlib import Path

import numpy as np

import scratchcnn
from scratchcnn import fast

PACKAGE = Path(scratchcnn.__file__).parent
Function = tuple[str, int, str]  # file, line, name


def passed_through(batch_size: int = 100) -> set[Function]:
    """The functions of one gradient of a batch, textbook or fast as it is switched outside."""
    seen: set[Function] = set()

    def note(frame, event, arg):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(f"{PACKAGE}{os.sep}"):
            seen.add(
                (str(Path(code.co_filename).relative_to(PACKAGE)), code.co_firstlineno, code.co_qualname)
            )

    network = scratchcnn.SimpleConvNet(rng=0)
    x = np.random.default_rng(0).random((batch_size, 1, 28, 28), dtype=np.float32)
    t = np.arange(batch_size) % 10
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        network.gradient(x, t)
        seen.clear()
        network.gradient(x, t)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return seen


def report(rung: str, functions: set[Function], names: bool) -> None:
    files = sorted({file for file, _, _ in functions})
    print(f"{rung}: {len(files)} files, {len(functions)} functions")
    for file in files if names else ():
        print(f"    {file}: {', '.join(name for f, _, name in sorted(functions) if f == file)}")


if __name__ == "__main__":
    with fast.textbook():
        report("textbook", passed_through(), "--list" in sys.argv)
    report("fast", passed_through(), "--list" in sys.argv)
