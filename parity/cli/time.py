"""`python -m parity time`: ours and PyTorch's times side by side, each row with the verdict of its code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from parity.cli.interruption import INTERRUPTED
from parity.cli.options import (
    Device,
    DeviceOption,
    Dtype,
    Misuse,
    Out,
    Seed,
    Threads,
    console,
    print_table,
    print_written,
    save,
    set_device,
    split_names,
)

if TYPE_CHECKING:
    import pandas as pd

    from parity.timing.measure import Setup
    from parity.timing.yours import Yours

DEFAULT_NETWORKS = ("simple_conv_net", "lenet", "alexnet")
BATCH_SIZES = {"simple_conv_net": (100, 1), "lenet": (100, 1), "lenet5": (100, 1), "alexnet": (32, 1)}
OTHER_BATCH_SIZES = (8, 1)
EVERY = {  # of --all
    **dict.fromkeys(("simple_conv_net", "lenet"), (1, 10, 100, 500)),
    "alexnet": (1, 8, 32),
    **dict.fromkeys(("vgg11", "vgg16"), (1, 4)),
    **dict.fromkeys(("resnet18", "resnet50", "googlenet", "googlenet_bn"), (1, 8)),
}
SHAPES_OF = "lenet"  # whose shapes anyone's layer is timed on, where no network is named
QUICK_ROUNDS = 3


def time(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Networks or layers to time; or anyone's layer, mine.py:Conv2D, on the shapes of the "
            "networks named with it.",
            show_default=" ".join(DEFAULT_NETWORKS),
        ),
    ] = None,
    batch_size: Annotated[
        list[int] | None,
        typer.Option(
            help="Images per batch; repeat the option for several.", show_default="by network", min=1
        ),
    ] = None,
    dtype: Annotated[Dtype, typer.Option(help="Floating-point type, used on both sides.")] = Dtype.float32,
    device: DeviceOption = Device.cpu,
    threads: Threads = None,
    rounds: Annotated[int, typer.Option(help="Timed rounds per implementation.", min=1)] = 11,
    seed: Seed = 0,
    layers: Annotated[
        bool, typer.Option("--layers", help="Also time every layer of a network individually.")
    ] = False,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Also measure how the time grows with batch and image size.")
    ] = False,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help=f"Time {', '.join(EVERY)}, at {sum(map(len, EVERY.values()))} batch sizes."
        ),
    ] = False,
    limit: Annotated[
        float | None,
        typer.Option(
            help="Minutes after which nothing more is begun.", metavar="MINUTES", min=0, show_default="none"
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help=f"{QUICK_ROUNDS} rounds, without torch.compile and the slow baselines."),
    ] = False,
    out: Out = None,
    kind: Annotated[
        str | None,
        typer.Option("--as", help="What anyone's layer is meant to be.", show_default="by its name"),
    ] = None,
    adapter: Annotated[str, typer.Option(help="How it is called; as of `verify`.")] = "auto",
) -> None:
    """Time forward, backward, a training step and prediction, interleaved, on equal threads.

    Anyone's layer (mine.py:Conv2D) is verified first, and its numbers are compared once more when the clock
    has stopped.

    Exit status: 0 all timed code passed its check, 1 some did not, 2 misuse or a layer that could not be
    checked, 130 interrupted.
    """
    targets = [name for name in names or [] if ":" in name]
    yours = [_verified(target, kind, adapter, seed) for target in targets]
    others = [name for name in names or [] if ":" not in name]
    if every and (names or batch_size):
        raise Misuse("--all names the networks and the batch sizes; leave the others out")
    networks, kinds = _split(list(EVERY) if every else others or ([SHAPES_OF] if yours else []))
    if yours and (kinds or device is not Device.cpu or layers or scaling):
        raise Misuse("anyone's layer is timed on the CPU and on the shapes of networks, such as lenet, alone")
    import pandas as pd

    from parity.cores import cores
    from parity.reference import machine
    from parity.timing.clock import Patience
    from parity.timing.measure import Setup
    from parity.timing.scaling import scaling as measure_scaling

    set_device(device)
    count = threads or cores()
    tables: dict[str, pd.DataFrame] = {"speed": pd.DataFrame(), "scaling": pd.DataFrame()}
    interrupted = False
    with machine.equal_threads(count), Progress(console=console, transient=True) as bar:
        task = bar.add_task("measuring the machine", total=None)

        def progress(text: str, done: int, total: int) -> None:
            bar.update(task, description=text, completed=done, total=total or None)

        peaks = machine.measured_peaks(count)
        tables["machine"] = pd.DataFrame([machine.describe(count) | peaks._asdict() | _cuda(device.value)])
        setup = Setup(
            dtype.value,
            device.value,
            count,
            QUICK_ROUNDS if quick else rounds,
            seed,
            peaks,
            baselines=not quick,
            layers=layers,
            transfers=device is Device.cuda,
            patience=Patience(
                more=10.0 if quick else 120.0,
                waiting=lambda text: bar.update(task, description=text),
                gave_up=lambda text: print(text, file=sys.stderr),
            ),
        )
        try:
            for rows in (
                _measure_yours(yours, networks, batch_size, setup, progress)
                if yours
                else _measure(_cases(networks, kinds, batch_size, every), setup, progress, limit)
            ):
                tables["speed"] = pd.concat([tables["speed"], rows], ignore_index=True)
                if every:
                    bar.console.print(_line(rows), markup=False)
            if scaling:
                name = (networks or ["simple_conv_net"])[0]
                tables["scaling"] = measure_scaling(name, setup, progress)
        except KeyboardInterrupt:  # what was measured is kept
            interrupted = True
    _finish(tables, out, interrupted)


def _cases(
    networks: list[str], kinds: list[str], batch_sizes: list[int] | None, every: bool
) -> list[tuple[str, int, bool]]:
    """(name, images per batch, whether it is a network) of everything to be timed."""
    usual = EVERY if every else BATCH_SIZES
    found = [(name, n, True) for name in networks for n in batch_sizes or usual.get(name, OTHER_BATCH_SIZES)]
    return found + [(kind, n, False) for kind in kinds for n in batch_sizes or OTHER_BATCH_SIZES]


def _measure(
    cases: list[tuple[str, int, bool]],
    setup: Setup,
    progress: Callable[[str, int, int], None],
    limit: float | None,
) -> Iterator[pd.DataFrame]:
    """One frame per network or layer and batch size; none is begun after `limit` minutes."""
    from parity.timing.measure import time_layer, time_network

    start = monotonic()
    for number, (name, n, is_network) in enumerate(cases):
        if limit is not None and monotonic() - start > 60 * limit:
            left = ", ".join(f"{name} N={n}" for name, n, _ in cases[number:])
            print(f"the limit of {limit:g} minutes is reached; not timed: {left}", file=sys.stderr)
            return
        yield (time_network if is_network else time_layer)(name, n, setup, progress)


def _line(rows: pd.DataFrame) -> str:
    """`vgg11 N=1: forward 0.71, backward 0.85, step 0.80, predict 0.66 times PyTorch's`."""
    ours = rows[(rows["implementation"] == "ours") & (rows["layer"] == "")]
    said = [f"{r['phase']} {r['ratio_to_torch']:.2f}" for r in ours.to_dict("records")]
    first = ours.iloc[0]
    return f"{first['network']} N={first['batch_size']}: {', '.join(said)} times PyTorch's"


def _verified(target: str, kind: str | None, adapter: str, seed: int) -> Yours:
    """The layer, loaded here after it was verified apart; its verdict is printed. Raises Misuse."""
    from parity.timing.yours import load_yours
    from parity.verification.listing import kind_of_target
    from parity.verification.verify import verify

    kind = kind or kind_of_target(target)
    if kind is None:
        raise Misuse(f"the name of {target} does not say what it is; add --as convolution, or another kind")
    verdict = verify(target, kind, adapter=adapter, seed=seed)
    console.print(str(verdict).split("\n", 1)[0], markup=False)
    if verdict.outcome == "not_checked":
        raise Misuse(f"{target} is not timed, since it could not be checked")
    return load_yours(target, verdict, adapter)


def _measure_yours(
    yours: list[Yours],
    networks: list[str],
    batch_sizes: list[int] | None,
    setup: Setup,
    progress: Callable[[str, int, int], None],
) -> Iterator[pd.DataFrame]:
    """One frame per layer, network and batch size."""
    from parity.timing.yours import time_yours

    for layer in yours:
        for name in networks:
            for n in batch_sizes or OTHER_BATCH_SIZES:
                yield time_yours(layer, name, n, setup, progress)


def _split(names: list[str] | None) -> tuple[list[str], list[str]]:
    """Networks and layers among the names."""
    networks, kinds = split_names(list(names or DEFAULT_NETWORKS))
    if kinds:
        from parity.timing.layer_sizes import LAYERS

        if unknown := [kind for kind in kinds if kind not in LAYERS]:
            raise Misuse(
                f"{', '.join(unknown)} cannot be timed individually; layers that can: {', '.join(LAYERS)}"
            )
    return networks, kinds


def _cuda(device: str) -> dict[str, object]:
    from parity.reference.devices import settings

    return {key: value for key, value in settings(device).items() if key not in ("torch", "threads")}


def _finish(tables: dict[str, pd.DataFrame], out: Path | None, interrupted: bool) -> None:
    """Write, print, and exit with the status."""
    from parity.timing.tables import (
        display_table,
        exponent_table,
        failed,
        heading,
        markdown,
        notes,
        summary,
    )
    from scratchcnn.files import atomic_write

    speed, machine = tables["speed"], tables["machine"]
    save(out, tables)
    if out is not None and not speed.empty:
        with atomic_write(out / "speed.md") as temporary:
            temporary.write_text(markdown(speed, machine), encoding="utf-8")
        print_written(out / "speed.md")
    console.print(heading(machine), markup=False)
    if interrupted:
        print("interrupted; the measurements completed until then were kept", file=sys.stderr)
    if not speed.empty:
        print_table(display_table(speed))
        for text in [*notes(speed), *summary(speed)]:
            console.print(text, markup=False)
    if not tables["scaling"].empty:
        print_table(exponent_table(tables["scaling"]))
    raise typer.Exit(INTERRUPTED if interrupted else 1 if failed(speed) else 0)
