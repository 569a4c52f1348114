"""The tables of a report: every column, its type and its meaning.

`conform` gives a frame these columns and types, so that `pandas.read_parquet` loads just what is described
here; the README.md of a report prints the same descriptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from parity.faults.common_practices import PRACTICES

CATEGORY, TEXT, FLOAT, INT, BOOL, MAYBE = "category", "str", "float64", "int64", "bool", "boolean"


class Column(NamedTuple):
    name: str
    type: str
    meaning: str


class Schema(NamedTuple):
    """row: what one row is; key: the columns that identify a row, different for any two."""

    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


def _columns(text: str) -> tuple[Column, ...]:
    """One column per line: `name type meaning`."""
    lines = [line.split(None, 2) for line in text.splitlines() if line.strip()]
    return tuple(Column(name, kind, meaning) for name, kind, meaning in lines)


WHERE = """
    network         category which network; empty for an individual layer
"""
TRAINED = """
    network           category which network
    dtype             category float32 or float64, the same on both sides
    device            category device that PyTorch ran on
    data              category data set
"""

SCHEMAS: dict[str, Schema] = {
    "headlines": Schema(
        "one number that the report opens with",
        _columns(
            """
    question category What matches, By how much, How fast, Why believe it
    figure   str      name of the number
    value    float64  the number
    meaning  str      what it counts or measures
"""
        ),
        ("question", "figure"),
    ),
    "accuracy": Schema(
        "one tensor that was compared",
        _columns(
            WHERE
            + """
    layer           category layer or parameter of the network, or the kind that was checked individually
    case            category the probe, for an individual layer
    phase           category forward, backward, alone (fed PyTorch's input), step k, a contract, reference
    tensor          category out, loss, dx, grad, dW, ...
    dtype           category float64 catches bugs, float32 judges precision
    device          category device that PyTorch ran on, and on CUDA the mode
    shape           str      2x3x8x8, or scalar
    max_abs         float64  largest absolute difference from the reference (PyTorch in float64)
    max_rel         float64  the same divided by the largest value of the reference
    allowed         float64  the largest absolute difference that passes
    margin          float64  share of what is allowed that was used; more than 1 fails
    exact           bool     whether the bits are the same as PyTorch's
    ok              bool     whether it passed
    proves          bool     whether zeros or a scaled tensor would have failed; otherwise it is inconclusive
    why             str      what is wrong other than the size of the difference: shape, NaN, an exception
"""
        ),
        ("network", "layer", "case", "phase", "tensor", "dtype", "device"),
    ),
    "faults": Schema(
        "one known bug, injected into a correct implementation",
        _columns(
            """
    fault             str      its name in the catalogue
    kind              category the layer, loss or optimizer that it breaks
    story             str      how people come to write it
    equivalent        str      why it changes no result, for the few that change none; otherwise empty
    killed            bool     whether the checker noticed it
    killed_by         category the first check that failed
    case              str      the input on which it failed
    tensor            category the result that was wrong
    max_rel           float64  how wrong, relative to the reference's largest value
    checks_failed     int64    comparisons that failed
    checks            int64    comparisons that were made
    diagnosis         str      the known bug that explains the results; empty for "unknown"
    named             bool     whether the diagnosis is right
    misnamed          bool     whether the diagnosis is wrong
"""
        )
        + tuple(
            Column(
                name.replace(" ", "_"),
                MAYBE,
                f"whether the practice {name!r} would have noticed it; missing where it does not apply",
            )
            for name in PRACTICES
        ),
        ("fault",),
    ),
    "injections": Schema(
        "one bug injected into one place of a whole network",
        _columns(
            """
    network category the network
    mode    category training or inference
    layer   str      where it was injected; empty for a fault between layers
    fault   str      its name
    family  category the kind of fault
    caught  bool     whether the checker noticed it
    culprit str      the place that the checker named
    right   bool     whether that is the place
"""
        ),
        ("network", "mode", "layer", "fault"),
    ),
    "conditions": Schema(
        "one right layer, made wrong under one condition",
        _columns(
            """
    kind      category the layer, loss or optimizer
    condition str      when it is wrong: a size, a call, a memory layout, memory that objects share
    spoils    category forward, backward, or a later call
    killed    bool     whether the checks noticed it
    killed_by str      the input or the scenario that showed it
"""
        ),
        ("kind", "condition", "spoils"),
    ),
    "explanations": Schema(
        "one known bug that changes numbers, explained without the catalogue of known bugs",
        _columns(
            """
    fault     str      its name
    kind      category the layer, loss or optimizer
    linear    bool     whether the kind is a linear map of its input
    explained bool     whether sentences account for every wrong result
    wrong     bool     whether a sentence fails on further inputs
    by        str      the sorts of change that the sentences use: map, window, sum, terms, formula, ...
    sentences str      the sentences, or where the wrong numbers are
"""
        ),
        ("fault",),
    ),
    "faults_summary": Schema(
        "one figure about the checker",
        _columns(
            """
    figure str   killed, named, false_alarms, practice: ...
    count  int64 how many
    out_of int64 out of how many
"""
        ),
        ("figure",),
    ),
    "training": Schema(
        "one epoch of one comparison",
        _columns(
            TRAINED
            + """
    epoch               int64   from 1
    train_loss          float64 mean loss of the epoch, NumPy
    torch_train_loss    float64 the same, PyTorch
    max_loss_difference float64 largest difference between the two losses of a step
    test_accuracy       float64 share of the test images that are classified correctly, NumPy
    torch_test_accuracy float64 the same, PyTorch
    same_predictions    float64 share of the test images that both classify the same
    images_per_s        float64 training images per second, NumPy
    torch_images_per_s  float64 the same, PyTorch
"""
        ),
        ("network", "dtype", "device", "data", "epoch"),
    ),
    "training_steps": Schema(
        "one training step",
        _columns(
            TRAINED
            + """
    step             int64   from 1
    epoch            int64   epoch that it belongs to
    train_loss       float64 loss of the batch, NumPy
    torch_train_loss float64 the same batch, PyTorch
"""
        ),
        ("network", "dtype", "device", "data", "step"),
    ),
    "predictions": Schema(
        "one test image",
        _columns(
            """
    network category which network
    image   int64    number in the test set
    label   category true class
    ours    category class predicted by the NumPy network
    torch   category class predicted by the PyTorch network
"""
        ),
        ("network", "image"),
    ),
    "filters": Schema(
        "one weight in the first channel of the first layer of the network that is pictured",
        _columns(
            """
    network     category which network
    filter      int64    number, from 0
    row         int64    from 0
    column      int64    from 0
    before      float64  before training, in both frameworks
    after       float64  after training, NumPy
    torch_after float64  after training, PyTorch
"""
        ),
        ("network", "filter", "row", "column"),
    ),
    "speed": Schema(
        "one implementation in one phase",
        _columns(
            """
    network          category which network
    layer            category layer of it; empty for the whole network
    phase            category forward, backward, step (with update), predict, host_to_device, device_to_host
    dtype            category of that implementation
    device           category of that implementation
    threads          int64    the same for NumPy's BLAS and PyTorch
    batch_size       int64    images per batch
    input_shape      str      of one image
    implementation   category ours, torch, torch_compile, book (its style, float64), naive (loops)
    median_ms        float64  median of the rounds, milliseconds
    q1_ms            float64  lower quartile, milliseconds
    q3_ms            float64  upper quartile, milliseconds
    rounds           float64  number of timed rounds
    disturbed        float64  rounds during which other processes used the cores
    ratio_to_torch   float64  median of the rounds' ratios to PyTorch eager; below 1 is faster
    ratio_q1         float64  lower quartile of the rounds' ratios
    ratio_q3         float64  upper quartile of the rounds' ratios
    ratio_low        float64  lower end of the median's 95 % interval (bootstrap over the rounds)
    ratio_high       float64  upper end of it
    pairs            float64  undisturbed rounds, which the ratio is taken from; too few: no ratio
    gflops           float64  1e9 multiplications and additions of matrix products per second
    gemm_share       float64  the same as a share of the machine's measured peak
    gbytes_per_s     float64  1e9 bytes of compulsory reads and writes per second
    copy_share       float64  the same as a share of the machine's measured copy
    peak_rss_mb      float64  peak memory of a process that runs some steps, megabytes
    rss_rise_mb      float64  of that, the part that the steps added
    ok               boolean  whether the same code passes parity check; missing where nothing is checked
    note             str      what a reader must know, such as a rate beyond the peak, which gets no ratio
"""
        ),
        ("network", "layer", "phase", "dtype", "device", "threads", "batch_size", "implementation"),
    ),
    "counts": Schema(
        "one phase of our network, counted: the same in every run, on every machine",
        _columns(
            """
    network               category which network
    phase                 category forward, backward, step (with update), predict
    dtype                 category float32 or float64
    threads               int64    of NumPy's BLAS and ours
    batch_size            int64    images per batch
    numpy_calls           int64    calls, operators and subscripts that lines of scratchcnn hand to NumPy
    allocated_bytes       int64    of the new arrays that these return
    moved_bytes           int64    of the arrays that go in and come out, once per call; a view moves none
    multiplications       int64    in matrix products, as they are made
    least_bytes           int64    of every array that a layer needs and gives, once
    least_multiplications int64    of the same layers by their definition; Winograd's need fewer
"""
        ),
        ("network", "phase", "dtype", "threads", "batch_size"),
    ),
    "cuda_steps": Schema(
        "one step of a run on a GPU",
        _columns(
            """
    step    str      what was run: a network or all layers, dtype, device and mode; or what was timed
    part    category tests, accuracy, speed
    outcome category ok, FAIL, skipped
    seconds float64  that it took
    why     str      the first failure, or why it was skipped
"""
        ),
        ("step",),
    ),
    "cuda_tests": Schema(
        "one test that is marked cuda",
        _columns(
            """
    test    str      its module and name
    outcome category passed, failed, skipped
    seconds float64  that it took
    why     str      the first line of why it failed or was skipped
"""
        ),
        ("test",),
    ),
    "scaling": Schema(
        "one size of a series",
        _columns(
            """
    variable       category what grows: images per batch, or the side of the images
    network        category which network; empty for an individual layer
    layer          category which layer; empty for a network
    phase          category forward, backward, step
    implementation category ours or torch
    size           int64    value of the variable
    batch_size     int64    images per batch
    input_shape    str      of one image
    median_ms      float64  median, milliseconds
    q1_ms          float64  lower quartile, milliseconds
    q3_ms          float64  upper quartile, milliseconds
    exponent       float64  exponent of the fitted power law, the same for the whole series
    r2             float64  how well the power law fits
"""
        ),
        ("variable", "network", "layer", "phase", "implementation", "size"),
    ),
}
# Too long to be read as CSV: figures are drawn from them, but they are written as Parquet only.
PARQUET_ONLY = ("training_steps", "predictions")


def conform(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns and types of its schema, in that order.

    Raises ValueError naming the columns that are missing or unknown, or a key that is repeated.
    """
    table = table.rename(columns=lambda column: column.replace(" ", "_"))
    columns = SCHEMAS[name].columns
    known = [c.name for c in columns]
    missing, extra = [c for c in known if c not in table], [c for c in table.columns if c not in known]
    if missing or extra:
        raise ValueError(
            f"the table {name} is missing {missing or 'nothing'} and has unexpected {extra or 'nothing'}"
        )
    table = table[known].reset_index(drop=True)
    for c in columns:
        if c.type in (CATEGORY, TEXT):
            table[c.name] = table[c.name].astype("str").fillna("")
        table[c.name] = table[c.name].astype(c.type)  # type: ignore[call-overload]
    refuse_repeats(table, SCHEMAS[name].key, f"the table {name}")
    return table


def refuse_repeats(table: pd.DataFrame, key: Sequence[str], what: str) -> None:
    """Raise ValueError if two rows of the table have the same key, since they could not be matched up."""
    repeated = table[table.duplicated(list(key))]
    if len(repeated):
        first = ", ".join(
            f"{name} {value}" for name, value in repeated.iloc[0][list(key)].items() if value != ""
        )
        rows = f"{len(repeated):,} {'row' if len(repeated) == 1 else 'rows'}"
        raise ValueError(f"{what} has {rows} with the same key as another row, the first: {first}")
