"""What `check` prints of a comparison: against what, how far off, and which comparisons are inconclusive."""

import numpy as np
import pytest

from parity.cli.printing import INCONCLUSIVE, line, verdict
from parity.comparison.records import Record


def record(dtype="float64", phase="forward", margin=0.12, **others):
    place = {"network": "lenet", "layer": "conv1", "phase": phase, "tensor": "out", "dtype": dtype}
    numbers = {"max_abs": 1.8e-15, "max_rel": 1.2e-15, "allowed": 1e-14, "margin": margin}
    return Record(
        **place, device="cpu", shape=(8, 6), **numbers, **({"exact": False, "ok": margin <= 1} | others)
    )


def test_a_float64_tensor_is_off_from_pytorch():
    assert line(record()) == (
        "forward   conv1      out     8x6            off by  1.8e-15 from PyTorch, 1.2e-15 of scale; "
        "12 % of what is allowed  [green]ok[/green]"
    )


def test_a_float32_tensor_is_off_from_float64_though_it_has_pytorchs_bits():
    text = line(record("float32", exact=True))
    assert "off by  1.8e-15 from the float64 result" in text and text.endswith("  same bits as PyTorch")


def test_another_reference_is_named():
    assert "from theirs," in line(record(), "theirs") and "PyTorch" not in line(record(), "theirs")


ODD = ["W[/b]", "[red]W", ":smile:", "back\\", "q[", "a\x1b[31mred"]


def test_names_of_foreign_arrays_are_printed_as_they_are(tmp_path, parity):
    arrays = {name: np.ones(2) for name in ODD}
    np.savez(tmp_path / "ours.npz", **arrays)
    np.savez(tmp_path / "theirs.npz", **{name: 2 * array for name, array in arrays.items()})
    status, out, err = parity("compare", tmp_path / "ours.npz", tmp_path / "theirs.npz")
    assert (status, err) == (1, "") and "\x1b" not in out
    for name in ODD:
        assert f"saved     {name.replace(chr(27), '?')} " in out


def group(records):
    ok, lines = verdict(records, [])
    return ok, list(lines)


@pytest.mark.parametrize("unsure", [1, 2])
def test_inconclusive_float32_steps_are_said_and_explained_but_not_counted(unsure):
    """How many there are depends on the machine."""
    steps = [record("float32", f"step {k}", proves=k >= unsure) for k in range(3)]
    ok, (first, why, _) = group([record("float32"), *steps])
    assert ok and "0 inconclusive (plus some gradients);" in first and why == INCONCLUSIVE


def test_a_tensor_of_which_no_comparison_is_conclusive_fails():
    ok, (first, why, last) = group([record(proves=False)])
    assert not ok and "1 inconclusive;" in first and "every comparison of lenet conv1 out float64" in why
    assert last.startswith("[bold red]MISMATCH")


def test_conclusive_steps_need_no_explanation():
    ok, (first, last) = group([record("float32"), record("float32", "step 1")])
    assert ok and "0 inconclusive; worst" in first and "MATCH" in last
