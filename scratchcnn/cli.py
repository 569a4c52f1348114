"""The command line: `python -m scratchcnn train | predict | export | summary | learn | book`.

Exit status 0 on success, 2 with one sentence on stderr if the request cannot be carried out, 130 after
Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

# What the commands need and `import scratchcnn` does not: the module that is imported -> its package.
PACKAGES = {
    **{name: name for name in ("numpy", "onnx", "pooch", "rich", "safetensors", "typer")},
    "PIL": "pillow",
}
CLOSED_PIPE = 141  # what a shell gives a program that SIGPIPE ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    The commands are imported here, so that a missing package is reported in a sentence as well.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    ignore_columns_of_zero()
    try:
        from scratchcnn.commands import app

        status = app(args=args or ["--help"], prog_name="scratchcnn", standalone_mode=False, obj=args)
    except ModuleNotFoundError as error:
        return _fail(_needed(error))
    except BrokenPipeError as error:
        is_closed_pipe(error)
        return CLOSED_PIPE
    except (OSError, ValueError, TypeError, FloatingPointError, MemoryError, ImportError) as error:
        return _fail(in_words(error))
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except SystemExit as ending:
        if is_closed_pipe(ending):
            return CLOSED_PIPE
        raise
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer raises for wrong usage
            raise
        return _fail(f"{error.format_message()} (scratchcnn -h shows how it is used)")
    return status if isinstance(status, int) else 0


def is_closed_pipe(ending: BaseException) -> bool:
    """Whether a command ended because nobody reads its output any more, as in `scratchcnn ... | head -1`; if
    so, what is still to be written goes nowhere."""
    if not isinstance(ending, BrokenPipeError) and not isinstance(ending.__context__, BrokenPipeError):
        return False
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return True


def ignore_columns_of_zero() -> None:
    """COLUMNS=0 means that the width is unknown, but rich would print lines of no characters."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and not int(columns):
        del os.environ["COLUMNS"]


def _needed(error: ModuleNotFoundError) -> str:
    """The sentence about a missing package; raises the error again if it is none of ours."""
    if error.name is None:  # a sentence of ours
        return str(error)
    module = error.name.partition(".")[0]
    if module not in PACKAGES:
        raise error
    package = PACKAGES[module]
    return f"the command line needs {package}, which is not installed: pip install {package}"


def _fail(sentence: str, status: int = 2) -> int:
    print(f"error: {printable(sentence)}", file=sys.stderr)
    return status


WORDS = {
    errno.ENOENT: "there is no file or folder {}",
    errno.EISDIR: "{} is a folder, not a file",
    errno.ENOTDIR: "{} stands in a path whose folder is a file",
    errno.EACCES: "{} may not be read or written by this user",
    errno.EROFS: "{} is on a file system that may only be read",
    errno.ENOSPC: "the disk is full: {} was not written",
}


def in_words(error: BaseException) -> str:
    """An error as a sentence; one of the operating system names the file and not its number."""
    if isinstance(error, OSError) and error.errno in WORDS and error.filename is not None:
        return WORDS[error.errno].format(error.filename)
    return str(error) or type(error).__name__


def printable(text: str) -> str:
    """The text, which may quote a foreign file, without control characters other than ends of lines."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
