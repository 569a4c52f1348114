"""Each contract is broken by a layer whose single calls are all right, and by that contract alone."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.checks.contracts import CONTRACTS
from parity.checks.layer import check_kind
from parity.faults.diagnose import PLAIN


def broken(kind, factory, dtype="float64"):
    rows = list(check_kind(kind, dtype, factory=factory))
    assert all(row.ok for row in rows if row.phase in PLAIN)
    return {row.phase for row in rows if not row.ok}


class ClearsX(sc.Relu):
    def forward(self, x):
        out = super().forward(x)
        x[...] = 0
        return out


class CountsCalls(sc.Sigmoid):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * (1 if self.calls < 2 else 1.001)


class ForgetsAfterBackward(sc.Tanh):
    done = False

    def forward(self, x):
        self.done = False
        return super().forward(x)

    def backward(self, dout):
        dx, self.done = super().backward(dout) * (0 if self.done else 1), True
        return dx


class RemembersTheFirst(sc.Tanh):
    first = None

    def forward(self, x):
        out = super().forward(x)
        self.first = out.copy() if self.first is None or self.first.shape != x.shape else self.first
        return out

    def backward(self, dout):
        y = self.first / self.amplitude
        return dout * (1 - y**2) * self.amplitude * self.slope


class KeepsTheCallersX(sc.Relu):
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout):
        return dout * (self.x > 0)


class ReusesOut(sc.Relu):
    out = None

    def forward(self, x):
        out = super().forward(x)
        if self.out is None or self.out.shape != x.shape:
            self.out = out.copy()
        self.out[...] = out
        return self.out


class DeadAfterEval(sc.Dropout):
    dead = False

    def train(self, mode=True):
        self.dead |= not mode
        return super().train(mode)

    def forward(self, x):
        out = super().forward(x)
        return out * 1.01 if self.dead and self.training else out


class SmallBatchesDiffer(sc.Affine):
    def forward(self, x):
        out = super().forward(x)
        return out if len(x) > 1 or x.shape[1:] not in ((3,),) else out * 2


class SameMask(sc.Dropout):
    def forward(self, x):
        self.rng = np.random.default_rng(0)
        return super().forward(x)


class KeepsItsTranspose(sc.Linear):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.WT = W.T.copy()

    def backward(self, dout):
        super().backward(dout)
        return dout @ self.WT


class SquaresDout(sc.MeanSquaredError):
    def backward(self, dout=1):
        return super().backward(dout) * dout


class RowNotShifted(sc.Softmax):
    def forward(self, x):
        if x.ndim == 1:
            return np.exp(x) / np.exp(x).max()
        return super().forward(x)


BROKEN = {
    "arguments unchanged": ("relu", ClearsX),
    "same call, same answer": ("sigmoid", CountsCalls),
    "backward twice": ("tanh", ForgetsAfterBackward),
    "the last forward counts": ("tanh", RemembersTheFirst),
    "buffers may be reused": ("relu", KeepsTheCallersX),
    "results may be kept": ("relu", ReusesOut),
    "eval, then train": ("dropout", DeadAfterEval),
    "two half batches": ("affine", SmallBatchesDiffer),
    "masks it draws": ("dropout", SameMask),
    "weights changed between two calls": ("affine_last_axis", KeepsItsTranspose),
    "dout of a loss": ("mean_squared_error", SquaresDout),
    "one row by itself": ("softmax", RowNotShifted),
}


@pytest.mark.parametrize("contract", BROKEN)
def test_a_broken_contract_is_named(contract):
    assert contract in broken(*BROKEN[contract])


def test_every_contract_has_a_layer_that_breaks_it():
    assert BROKEN.keys() == CONTRACTS.keys()


@pytest.mark.parametrize("kind", ["arguments unchanged", "updated in place"])
def test_optimizers_have_contracts_too(kind):
    class Scales(sc.SGD):
        def update(self, params, grads):
            super().update(params, grads)
            for g in grads.values():
                g *= 2

    class Replaces(sc.SGD):
        def update(self, params, grads):
            for key in params:
                params[key] = params[key] - self.lr * (grads[key] + self.weight_decay * params[key])

    assert broken("sgd", {"arguments unchanged": Scales, "updated in place": Replaces}[kind]) == {kind}


class RoundsBatches(sc.Affine):
    def forward(self, x):
        return super().forward(x).astype(np.float64)


def test_another_dtype_is_a_wrong_result_and_not_a_contract():
    rows = [row for row in check_kind("affine", "float32", factory=RoundsBatches) if row.phase == "forward"]
    assert rows and all(row.why == "dtype float64, expected float32" for row in rows)


class DxIntoOut(sc.Relu):
    def forward(self, x):
        self.out = super().forward(x)
        return self.out

    def backward(self, dout):
        dx = super().backward(dout)
        self.out[...] = dx
        return dx


class ReusesDx(sc.Relu):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dx = getattr(self, "dx", dx)
        self.dx[...] = dx
        return self.dx


class OneArrayForAll(sc.Relu):
    arrays = {}  # noqa: RUF012  the bug: one for all objects

    def forward(self, x):
        out = super().forward(x)
        kept = self.arrays.setdefault(x.shape, out)
        kept[...] = out
        return kept


class OneGradientForAll(sc.Affine):
    arrays = {}  # noqa: RUF012  the bug: one for all objects

    def backward(self, dout):
        dx = super().backward(dout)
        kept = self.arrays.setdefault(self.dW.shape, self.dW)
        kept[...] = self.dW
        self.grads["W"] = kept
        return dx


OVERWRITTEN = [
    ("relu", ReusesOut, {"out after the next forward"}),
    ("relu", DxIntoOut, {"out after backward"}),
    ("relu", ReusesDx, {"dx after the next backward"}),
    ("relu", OneArrayForAll, {"out after another object's call"}),
    ("affine", OneGradientForAll, {"dW after another object's call"}),
]


@pytest.mark.parametrize("kind, factory, expected", OVERWRITTEN)
def test_what_writes_over_a_result_is_named(kind, factory, expected):
    rows = [row for row in check_kind(kind, factory=factory) if not row.ok]
    assert {row.phase for row in rows} == {"results may be kept"}
    assert {row.tensor for row in rows} == expected and {row.why for row in rows} == {"was written over"}


class GradientsInPlace(sc.Affine):
    """A gradient that is filled anew at each backward is what optimizers expect."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.kept = getattr(self, "kept", self.dW)
        self.kept[...] = self.dW
        self.grads["W"] = self.kept
        return dx


def test_gradients_that_are_filled_anew_are_right():
    assert all(row.ok for row in check_kind("affine", factory=GradientsInPlace, lives=True))


class OneMatrixForAll:
    arrays = {}  # noqa: RUF012  the bug: one for all calls

    def __call__(self, input_data, filter_h, filter_w, stride=1, pad=0):
        col = sc.im2col(input_data, filter_h, filter_w, stride, pad)
        kept = self.arrays.setdefault(col.shape, col)
        kept[...] = col
        return kept


def test_a_function_may_not_write_over_its_result():
    rows = [row for row in check_kind("im2col", factory=OneMatrixForAll()) if not row.ok]
    assert {row.tensor for row in rows} == {"col after another object's call"}
