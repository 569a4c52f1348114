"""`python -m parity`: the command line, one file per command.

Exit status 0 for success, 1 for a mismatch, 2 for misuse or what could not be checked.
"""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

# What each extra of pyproject.toml installs: the module that is imported -> the extra.
EXTRAS = {
    **dict.fromkeys(("hypothesis", "jinja2", "markupsafe", "pandas", "pyarrow"), "parity"),
    **dict.fromkeys(("pygments", "threadpoolctl", "torch"), "parity"),
    **dict.fromkeys(("dask", "distributed"), "sweep"),
    "landlockpy": "grade",
    **dict.fromkeys(("libcst", "pytest"), "audit"),
    "onnx": "onnx",
    **dict.fromkeys(("jax", "jaxlib", "onnxruntime"), "referees"),
}


def main(arguments: list[str] | None = None) -> None:
    """The console script: misuse is one sentence on stderr and status 2, never a traceback.

    With `arguments` it is called by a program, which goes on afterwards.
    """
    if arguments is not None:
        return run(arguments)
    try:
        run(None)
    except SystemExit as ending:
        from parity.cli.ending import end

        end(ending)


def run(arguments: list[str] | None) -> None:
    """Run a command, which ends with SystemExit.

    The commands are imported here, so that a missing package is reported in a sentence as well.
    """
    from scratchcnn.cli import ignore_columns_of_zero, in_words

    ignore_columns_of_zero()
    gc.disable()  # an import leaves nothing to be collected
    try:
        from parity.cli.commands import app
        from parity.cli.interruption import interruptible
        from parity.cli.options import Misuse
    except ModuleNotFoundError as error:
        fail(needed(error))
    finally:
        gc.enable()
    try:
        with interruptible():
            app(arguments)
    except ModuleNotFoundError as error:
        fail(needed(error))
    except (Misuse, OSError, ValueError) as error:
        fail(in_words(error))


def needed(error: ModuleNotFoundError) -> str:
    """What installs the missing package; raises the error again if no extra has it."""
    from scratchcnn.cli import PACKAGES

    module = (error.name or "").partition(".")[0]
    if module in PACKAGES:
        return f"parity needs {PACKAGES[module]}, which is not installed: pip install {PACKAGES[module]}"
    if module not in EXTRAS:
        raise error
    extra = EXTRAS[module]
    other = "; a layer can be verified without it: --judge numpy" if module == "torch" else ""
    return (
        f"parity needs {module}, which is not installed: pip install 'scratchcnn[{extra}]' "
        f"(in a clone: pip install '.[{extra}]'){other}"
    )


def fail(sentence: str) -> NoReturn:
    from scratchcnn.cli import printable

    print(f"error: {printable(sentence)}", file=sys.stderr)
    sys.exit(2)
