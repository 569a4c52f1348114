"""`python -m parity time`: ours and PyTorch's times side by side, each row with the verdict of its code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

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
            "--all",
            help="Time every network of the zoo at 23 batch sizes, their convolutions, each kind of layer, "
            "and growth with the batch; also ONNX Runtime, JAX and torch.compile.",
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
    networks, kinds = _split(others or ([SHAPES_OF] if yours else []))
    if yours and (kinds or device is not Device.cpu or layers or scaling):
        raise Misuse("anyone's layer is timed on the CPU and on the shapes of networks, such as lenet, alone")
    import pandas as pd

    from parity.cores import cores
    from parity.referees.predictions import other_frameworks
    from parity.reference import machine
    from parity.timing import everything
    from parity.timing.clock import Patience
    from parity.timing.measure import Setup
    from parity.timing.scaling import scaling as measure_scaling

    set_device(device)
    count = threads or cores()
    tables = {name: pd.DataFrame() for name in ("speed", "counts", "scaling")}
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
            baselines=not (quick or every),
            others=other_frameworks if every and not quick else None,
            layers=layers,
            transfers=device is Device.cuda,
            patience=Patience(
                seconds=everything.RETRY_S if every else 60.0,
                more=10.0 if quick else everything.MORE_S if every else 120.0,
                waiting=lambda text: bar.update(task, description=text),
                gave_up=lambda text: print(text, file=sys.stderr),
            ),
        )
        try:
            if every:
                measured = _measure_all(
                    setup, progress, limit, lambda said: bar.console.print(said, markup=False)
                )
            elif yours:
                measured = _measure_yours(yours, networks, batch_size, setup, progress)
            else:
                measured = _measure(_cases(networks, kinds, batch_size), setup, progress, limit)
            for name, rows in measured:
                tables[name] = pd.concat([tables[name], rows], ignore_index=True)
            if scaling:
                name = (networks or ["simple_conv_net"])[0]
                tables["scaling"] = measure_scaling(name, setup, progress)
        except KeyboardInterrupt:  # what was measured is kept
            interrupted = True
    _finish(tables, out, interrupted, every)


def _cases(
    networks: list[str], kinds: list[str], batch_sizes: list[int] | None
) -> list[tuple[str, int, bool]]:
    """(name, images per batch, whether it is a network) of everything to be timed."""
    found = [
        (name, n, True) for name in networks for n in batch_sizes or BATCH_SIZES.get(name, OTHER_BATCH_SIZES)
    ]
    return found + [(kind, n, False) for kind in kinds for n in batch_sizes or OTHER_BATCH_SIZES]


Measured = Iterator[tuple[str, "pd.DataFrame"]]  # of each table, rows


def _measure(
    cases: list[tuple[str, int, bool]],
    setup: Setup,
    progress: Callable[[str, int, int], None],
    limit: float | None,
) -> Measured:
    """One frame per network or layer and batch size; none is begun after `limit` minutes."""
    from parity.timing.measure import count_network, time_layer, time_network

    for name, n, is_network in _until(limit, [(f"{name} N={n}", (name, n, net)) for name, n, net in cases]):
        yield "speed", (time_network if is_network else time_layer)(name, n, setup, progress)
        if is_network:
            yield "counts", count_network(name, n, setup, progress)


def _measure_all(
    setup: Setup,
    progress: Callable[[str, int, int], None],
    limit: float | None,
    say: Callable[[str], None],
) -> Measured:
    """Everything of --all; a line is printed on each cell when it has been timed."""
    from parity.timing.everything import cells, time_cell
    from parity.timing.layer_sizes import LAYERS

    start = monotonic()
    for cell in _until(limit, [(str(cell), cell) for cell in cells(tuple(LAYERS))]):
        for table, rows in time_cell(cell, setup, progress):
            yield table, rows
            if table == "counts":
                continue
            found = _ratios(rows) if table == "speed" else f"{rows['size'].nunique()} batch sizes"
            say(f"{(monotonic() - start) / 60:4.1f} min  {cell}: {found}")


def _until(limit: float | None, named: list[tuple[str, Any]]) -> Iterator[Any]:
    """The items one after another; those that are left after `limit` minutes are named and not begun."""
    start = monotonic()
    for number, (_, item) in enumerate(named):
        if limit is not None and monotonic() - start > 60 * limit:
            left = ", ".join(name for name, _ in named[number:])
            print(f"the limit of {limit:g} minutes is reached; not timed: {left}", file=sys.stderr)
            return
        yield item


def _ratios(rows: pd.DataFrame) -> str:
    """`forward 0.71, backward 0.85, step 0.80 (0.78 - 0.83), predict 0.66 (0.60 - 0.70) times PyTorch's`; of
    several layers the geometric means."""
    from parity.timing.tables import geometric_mean

    ours = rows[(rows["implementation"] == "ours") & rows["median_ms"].notna()]
    said = []
    for phase, of in ours.groupby("phase", sort=False):
        known = of[of["ratio_to_torch"].notna()]
        if known.empty:
            said.append(f"{phase} disturbed")
            continue
        text = f"{phase} {geometric_mean(known['ratio_to_torch']):.2f}"
        if len(of) == 1 and phase in ("step", "predict"):
            text += f" ({known['ratio_low'].iloc[0]:.2f} - {known['ratio_high'].iloc[0]:.2f})"
        said.append(text)
    count = ours.groupby("phase").size().max()
    of_all = f" (geometric means of {count})" if count > 1 else ""
    wrong = "" if ours["ok"].fillna(True).all() else "; WRONG"
    return f"{', '.join(said)} times PyTorch's{of_all}{wrong}"


def _verified(target: str, kind: str | None, adapter: str, seed: int) -> Yours:
    """The layer, loaded here after it was verified apart; its verdict is printed. Raises Misuse."""
    from parity.timing.yours import load_yours
    from parity.verification.listing import kind_of_target
    from parity.verification.own_listed import OWN_LAYER
    from parity.verification.verify import verify

    kind = kind or kind_of_target(target)
    if kind is None:
        raise Misuse(f"the name of {target} does not say what it is; add --as convolution, or another kind")
    verdict = verify(target, kind, adapter=adapter, seed=seed)
    console.print(str(verdict).split("\n", 1)[0], markup=False)
    if kind == OWN_LAYER:
        raise Misuse(f"{target} is not timed: it is none of the kinds, and PyTorch has nothing to time it by")
    if verdict.outcome == "not_checked":
        raise Misuse(f"{target} is not timed, since it could not be checked")
    return load_yours(target, verdict, adapter)


def _measure_yours(
    yours: list[Yours],
    networks: list[str],
    batch_sizes: list[int] | None,
    setup: Setup,
    progress: Callable[[str, int, int], None],
) -> Measured:
    """One frame per layer, network and batch size."""
    from parity.timing.yours import time_yours

    for layer in yours:
        for name in networks:
            for n in batch_sizes or OTHER_BATCH_SIZES:
                yield "speed", time_yours(layer, name, n, setup, progress)


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


def _finish(tables: dict[str, pd.DataFrame], out: Path | None, interrupted: bool, every: bool) -> None:
    """Write, print, and exit with the status."""
    from parity.timing.scaling import rises
    from parity.timing.tables import (
        all_cells,
        count_table,
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
    said = [] if tables["scaling"].empty else rises(tables["scaling"])
    if every and not speed.empty:
        said += all_cells(speed)
    if out is not None and not speed.empty:
        with atomic_write(out / "speed.md") as temporary:
            page = markdown(speed, machine, tables["counts"]) + "".join(f"- {text}\n" for text in said)
            temporary.write_text(page, encoding="utf-8")
        print_written(out / "speed.md")
    console.print(heading(machine), markup=False)
    if interrupted:
        print("interrupted; the measurements completed until then were kept", file=sys.stderr)
    if not speed.empty:
        print_table(display_table(speed))
        for text in [*notes(speed), *summary(speed)]:
            console.print(text, markup=False)
    if not tables["counts"].empty:
        print_table(count_table(tables["counts"]))
    if not tables["scaling"].empty:
        print_table(exponent_table(tables["scaling"]))
    for text in said:
        console.print(text, markup=False)
    raise typer.Exit(INTERRUPTED if interrupted else 1 if failed(speed) else 0)
