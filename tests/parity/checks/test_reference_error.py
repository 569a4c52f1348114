"""PyTorch's own results against its float64 ones: right ones pass, rounded products with TF32's allowance."""

from dataclasses import replace

import pytest
import torch

from parity.checks.reference_error import PHASE, check_reference
from parity.kinds import KINDS


@pytest.mark.parametrize(("kind", "dtype"), [(k.name, dtype) for k in KINDS.values() for dtype in k.dtypes])
def test_pytorch_is_within_its_rounding(kind, dtype):
    rows = list(check_reference(kind, dtype))
    assert rows and {row.phase for row in rows} == {PHASE}
    assert [row for row in rows if not row.ok] == []


def to_tf32(a):
    """float32 rounded to 10 bits, half away from zero, as the tensor cores' inputs are."""
    if a.dtype != torch.float32:
        return a
    return ((a.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)


class Rounded(torch.autograd.Function):
    """x -> TF32 -> x; the gradient passes rounded too."""

    @staticmethod
    def forward(ctx, a):
        return to_tf32(a)

    @staticmethod
    def backward(ctx, grad):
        return grad


@pytest.mark.parametrize("kind", ["convolution", "affine"])
def test_products_in_tf32_pass_with_its_unit_roundoff_alone(kind, monkeypatch):
    plain = KINDS[kind].formula

    def rounding(a, options):
        return plain(a | {name: Rounded.apply(a[name]) for name in ("x", "W")}, options)

    monkeypatch.setitem(KINDS, kind, replace(KINDS[kind], formula=rounding))
    assert [row for row in check_reference(kind, "float32", tf32=True) if not row.ok] == []
    assert [row for row in check_reference(kind, "float32") if not row.ok] != []


def test_another_formula_fails_with_tf32s_allowance_too(monkeypatch):
    plain = KINDS["affine"].formula
    monkeypatch.setitem(
        KINDS,
        "affine",
        replace(
            KINDS["affine"], formula=lambda a, o: plain(a, o) * (1.05 if a["x"].dtype == torch.float32 else 1)
        ),
    )
    assert [row for row in check_reference("affine", "float32", tf32=True) if not row.ok]


def test_an_optimizer_has_nothing_to_check():
    assert list(check_reference("momentum", "float32")) == []
