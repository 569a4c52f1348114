"""`make cuda`: what can be checked on one GPU in under six minutes, written to reports/cuda/.

    python3 tools/cuda_report.py --pack cuda-report.tar.gz
    python3 tools/cuda_report.py --device cpu --tiny        a rehearsal where there is no GPU

Nothing is installed: it runs in whatever Python has PyTorch and the packages below. Exit status 0 when all
matched, 1 when something did not, 2 when nothing could be run or a step was skipped, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("numpy", "torch", "pandas", "pyarrow", "threadpoolctl")
OUT = {"cuda": Path("reports/cuda"), "cpu": Path("build/cuda-rehearsal")}


def main(arguments: list[str] | None = None) -> int:
    """Run it and return the exit status."""
    asked = options().parse_args(arguments)
    if lacking := [name for name in NEEDED if find_spec(name) is None]:
        return refused(
            f"{', '.join(lacking)} cannot be imported by {sys.executable}; "
            "name a Python that has them: make cuda CUDA_PYTHON=python3"
        )
    sys.path.insert(0, str(ROOT))
    from parity.cores import cores
    from parity.reference import devices, machine

    try:
        devices.prepare(asked.device)
        threads = asked.threads or cores()
        machine.check_threads(threads)
    except RuntimeError as error:
        return refused(f"{str(error).split(';')[0]}; --device cpu --tiny rehearses without one")
    except ValueError as error:
        return refused(str(error))
    from parity.report import cuda

    start = time.monotonic()
    plan = cuda.Plan(
        out=asked.out or OUT[asked.device],
        root=ROOT,
        device=asked.device,
        budget=asked.budget,
        threads=threads,
        pack=asked.pack,
        command=command(asked),
        **(cuda.TINY if asked.tiny else {}),
    )

    def say(text: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {text}", flush=True)

    found = cuda.Run(plan, say).go()
    for text in cuda.closing(found):
        say(text)
    say(f"wrote {plan.out}{f' and {plan.pack}' if plan.pack else ''}")
    return cuda.status(found)


def command(asked: argparse.Namespace) -> str:
    """What was asked for, without the paths of this machine."""
    if asked.device == "cuda" and not asked.tiny:
        return "make cuda"
    return f"python tools/cuda_report.py --device {asked.device}{' --tiny' if asked.tiny else ''}"


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Check and time on one GPU; write reports/cuda/.")
    parser.add_argument("--out", type=Path, help="folder for the report; default: reports/cuda")
    parser.add_argument("--pack", type=Path, help="also put the report into this tar.gz, after every step")
    parser.add_argument(
        "--budget", type=float, default=330.0, help="seconds after which steps are skipped; default: 330"
    )
    parser.add_argument("--threads", type=int, help="for PyTorch and NumPy; default: all cores")
    parser.add_argument("--device", choices=list(OUT), default="cuda", help="cpu: a rehearsal without a GPU")
    parser.add_argument(
        "--tiny", action="store_true", help="a few layers, two small networks, one of them timed"
    )
    return parser


def refused(why: str) -> int:
    print(f"error: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
