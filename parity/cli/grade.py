"""`python -m parity grade`: a folder of submissions, each in a sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from parity.cli.interruption import INTERRUPTED
from parity.cli.options import Misuse, console, print_written
from parity.cores import cores

NEEDED = "install bubblewrap or landlockpy (pip install 'scratchcnn[grade]') on Linux, or give --trust"


def grade(
    submissions: Annotated[
        Path | None,
        typer.Argument(
            help="Folder with a file, notebook, zip or folder per student, whose name is the student's.",
            show_default="none",
        ),
    ] = None,
    assignment: Annotated[
        Path, typer.Option(help="What is asked for, the points, the imports and the hints, as TOML.")
    ] = Path("assignment.toml"),
    out: Annotated[
        Path,
        typer.Option(help="Output folder. If it already holds grades of these submissions, they are kept."),
    ] = Path("grades"),
    one: Annotated[
        Path | None,
        typer.Option("--try", help="Grade only this submission and print the result.", show_default="none"),
    ] = None,
    template: Annotated[
        Path | None, typer.Option(help="Only write an example assignment to this file.", show_default="none")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of processes.", show_default="all cores", min=1)
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler, tcp://host:port, as for sweep.", show_default="none"),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="Run submissions even where no sandbox can be had; they may do anything."
        ),
    ] = False,
) -> None:
    """Grade a folder of submissions, each in a sandbox: points, pages, tables and exports.

    Exit status: 0 everything was graded (--try: all points); 1 (--try) not all points; 2 misuse, or a
    submission that could not be read.
    """
    from parity.grading.assignment import EXAMPLE, read_assignment

    if template is not None:
        _write_example(template, EXAMPLE)
        return
    if scheduler and workers:
        raise Misuse("--workers counts processes here and --scheduler names a cluster; give only one of them")
    if (submissions is None) == (one is None):
        raise Misuse("expected a folder of submissions, or --try with one submission")
    from parity.sandbox.protection import protection

    asked = read_assignment(assignment)
    held = protection().holds
    if not held and not trust:
        raise Misuse(f"this machine offers no sandbox for strangers' code ({protection()}); {NEEDED}")
    if one is not None:
        _try(one, asked, not held)
    assert submissions is not None
    from parity.grading.submissions import left_out, submissions_in

    found = submissions_in(submissions)
    if others := left_out(submissions):
        line = f"not graded, since they are no .py, .ipynb, .zip or folder: {', '.join(others)}"
        console.print(line, markup=False)
    _grade(found, asked, out, workers or cores(), not held, scheduler)


def _write_example(path: Path, text: str) -> None:
    from scratchcnn.files import atomic_write

    if path.exists():
        raise Misuse(f"{path} exists already; give another file")
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print_written(path)


def _try(path: Path, asked: Any, unprotected: bool) -> None:
    from parity.grading.grade import Job
    from parity.grading.grade import grade as grade_one
    from parity.grading.gradebook import student_text
    from parity.grading.speed import judge_speed
    from parity.grading.submissions import Submission, name_of

    if not path.exists():
        raise Misuse(f"no file or folder {path}")
    submission = Submission(name_of(path), path)
    found = grade_one(Job(submission, asked, unprotected))
    judge_speed(submission, asked, unprotected, found)
    console.print(student_text(found, asked).rstrip(), markup=False)
    raise typer.Exit(2 if found["problem"] else 0 if found["points"] == found["most"] else 1)


def _grade(
    found: list[Any], asked: Any, out: Path, workers: int, unprotected: bool, scheduler: str | None
) -> None:
    from parity.grading.run import grade_all
    from parity.sweep.cluster import ClusterError

    done = 0

    def show(one: dict[str, Any]) -> None:
        nonlocal done
        done += 1
        noticed = "".join(f"; {text}" for text in [*one["findings"], one["problem"]] if text)
        line = f"{done}/{len(found)} {one['student']}: {one['points']:g} of {one['most']:g}{noticed}"
        console.print(line, markup=False)

    try:
        graded, written = grade_all(found, asked, out, workers, unprotected, show, scheduler)
    except ClusterError as error:
        raise Misuse(
            f"{error}; {done} of {len(found)} are graded, the same command goes on from here"
        ) from None
    except KeyboardInterrupt:
        console.print(
            f"stopped after {done} of {len(found)}; the same command goes on from here", markup=False
        )
        raise typer.Exit(INTERRUPTED) from None
    print_written(*written)
    console.print(f"protection: {graded[0]['protection']}", markup=False)
    raise typer.Exit(2 if any(one["problem"] for one in graded) else 0)
