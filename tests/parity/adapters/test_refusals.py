"""What an implementation does not take is listed and not held against it; a wrong number always is."""

import numpy as np
import pytest

from parity.adapters.conventions import NotCallable
from parity.adapters.features import shown_lacking
from parity.verification.verify import verify


class RowsByUnpacking:
    def forward(self, x):
        _rows, _columns = x.shape
        self.kept = x > 0
        return np.where(self.kept, x, 0).astype(x.dtype)

    def backward(self, dout):
        return dout * self.kept


class RowsByAssertion(RowsByUnpacking):
    def forward(self, x):
        assert x.ndim == 2, "expected rows"
        return super().forward(x)


class RowsInBackward(RowsByUnpacking):
    def forward(self, x):
        return super().forward(x.reshape(len(x), -1)).reshape(x.shape)

    def backward(self, dout):
        _rows, _columns = dout.shape
        return super().backward(dout)


class ImagesByUnpacking(RowsByUnpacking):
    def forward(self, x):
        _N, _C, _H, _W = x.shape
        self.kept = x > 0
        return np.where(self.kept, x, 0).astype(x.dtype)


class WrongOnImages(RowsByUnpacking):
    def forward(self, x):
        self.kept = x > 0
        return np.where(self.kept, x, 0 if x.ndim == 2 else 1).astype(x.dtype)


class WrongRows(RowsByUnpacking):
    def backward(self, dout):
        return dout * ~self.kept


@pytest.mark.parametrize(
    ("cls", "lacks"),
    [
        (RowsByUnpacking, "images (4-D input)"),
        (RowsByAssertion, "images (4-D input)"),
        (RowsInBackward, "images (4-D input)"),
        (ImagesByUnpacking, "rows (2-D input)"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_activation_of_one_form_of_input_is_right(cls, lacks):
    verdict = verify(cls, "relu", isolated=False)
    assert verdict.outcome == "right" and verdict.not_checked == [lacks], str(verdict)


@pytest.mark.parametrize("cls", [WrongOnImages, WrongRows])
def test_a_wrong_number_is_never_excused_by_the_form(cls):
    assert verify(cls, "relu", isolated=False).outcome == "wrong"


def test_an_activation_held_to_images_is_wrong_where_it_refuses_them():
    assert verify(RowsByUnpacking, "relu", isolated=False, supports=["images"]).outcome == "wrong"


class BatchNorm:
    """With one backward, that of training."""

    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean, self.running_var = running_mean, running_var

    def forward(self, x, train_flg=True):
        N, _ = x.shape
        mean, var = x.mean(0), x.var(0)
        if train_flg:
            new, unbiased = x.dtype.type(1 - self.momentum), var * x.dtype.type(N / (N - 1))
            self.running_mean = self.running_mean + new * (mean - self.running_mean)
            self.running_var = self.running_var + new * (unbiased - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        self.std = np.sqrt(var + x.dtype.type(1e-5))
        self.normalised = (x - mean) / self.std
        return self.gamma * self.normalised + self.beta

    def backward(self, dout):
        self.dbeta, self.dgamma = dout.sum(0), (dout * self.normalised).sum(0)
        d = dout * self.gamma
        return (d - d.mean(0) - self.normalised * (d * self.normalised).mean(0)) / self.std


class BatchNormWithoutMean(BatchNorm):
    def backward(self, dout):
        super().backward(dout)
        d = dout * self.gamma
        return (d - self.normalised * (d * self.normalised).mean(0)) / self.std


class OwnVariance(BatchNorm):
    """Its running variance averages the batches' own."""

    share = 1

    def forward(self, x, train_flg=True):
        before, out = self.running_var, super().forward(x, train_flg)
        if train_flg:
            new = x.dtype.type(self.share * (1 - self.momentum))
            self.running_var = before + new * (x.var(0) - before)
        return out


class OwnVarianceTwiceAsFast(OwnVariance):
    share = 2


class OwnVarianceWithoutMean(OwnVariance, BatchNormWithoutMean):
    pass


def test_training_s_backward_beside_the_batches_own_variance_is_listed():
    verdict = verify(OwnVariance, "batch_norm", isolated=False)
    assert verdict.outcome == "right_but" and len(verdict.buts) == 1, str(verdict)
    assert "the batches' own variances" in verdict.buts[0]
    assert [text for text in verdict.not_checked if text.startswith("gradients")] == [
        "gradients after an inference call, which are not PyTorch's (are they training's?)"
    ]


@pytest.mark.parametrize("cls", [OwnVarianceTwiceAsFast, OwnVarianceWithoutMean])
def test_what_is_wrong_beside_the_batches_own_variance_is_wrong(cls):
    assert verify(cls, "batch_norm", isolated=False).outcome == "wrong"


def test_training_s_backward_after_inference_is_listed():
    verdict = verify(BatchNorm, "batch_norm", isolated=False)
    assert verdict.outcome == "right", str(verdict)
    assert any("after an inference call, which are not PyTorch's" in text for text in verdict.not_checked)
    assert verdict.largest  # the real sizes were tried all the same


def test_a_wrong_backward_of_training_is_not_excused_by_inference():
    assert verify(BatchNormWithoutMean, "batch_norm", isolated=False).outcome == "wrong"


def test_gradients_after_inference_count_for_one_that_is_held_to_all():
    assert verify(BatchNorm, "batch_norm", isolated=False, supports=["rows"]).outcome == "wrong"


HANGS = """import time
class Relu:
    def {0}(self, x):
        time.sleep(60)
    def {1}(self, dout):
        return dout
class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = None, None
        time.sleep(60)
    def forward(self, x):
        return x
"""


@pytest.mark.parametrize(
    ("name", "step"),
    [("Relu", "its first call"), ("Dense", "a call of the constructor")],
)
def test_the_step_of_the_trial_that_hung_is_named(tmp_path, name, step):
    (tmp_path / "mine.py").write_text(HANGS.format("forward", "backward"))
    verdict = verify(f"{tmp_path}/mine.py:{name}", {"Relu": "relu", "Dense": "affine"}[name], timeout=1)
    assert verdict.outcome == "not_checked" and step in str(verdict), str(verdict)


@pytest.mark.parametrize(
    ("count", "said"), [(1, ""), (2, ", and 1 other way failed too"), (3, ", and 2 other ways failed too")]
)
def test_the_other_ways_are_counted(count, said):
    tried = [(f"called as Mine({n})", "build: TypeError: no") for n in range(count)]
    assert NotCallable("Mine", "relu", "n", tried).reason.endswith("raised TypeError: no" + said)


class OfFlattenedLabels:
    """Numbers of classes alone: one-hot rows flattened are too many of them, but for one row."""

    def forward(self, logits, targets):
        self.labels, self.rows = targets.flatten().astype(int), np.arange(len(logits))
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        logs = logits - logits.max(axis=1, keepdims=True) - np.log(e.sum(axis=1, keepdims=True))
        return -np.mean(logs[self.rows, self.labels])

    def backward(self):
        dx = self.probs.copy()
        dx[self.rows, self.labels] -= 1
        return dx / len(dx)


class OfFlattenedLabelsWrong(OfFlattenedLabels):
    def backward(self):
        return super().backward() * len(self.rows)


def test_one_row_of_flattened_labels_is_no_answer_for_one_hot_rows():
    verdict = verify(OfFlattenedLabels, "softmax_with_loss", isolated=False)
    assert verdict.outcome == "right", str(verdict)
    assert any("one-hot" in said for said in verdict.not_checked)
    wrong = verify(OfFlattenedLabelsWrong, "softmax_with_loss", isolated=False)
    assert wrong.outcome == "wrong" and "dx" in set(wrong.wrong["tensor"])


STUBS = """
import numpy as np

def affine_forward(x, w, b):
    out = None
    return out, (x, w, b)

def affine_backward(dout, cache):
    return None, None, None

def softmax_loss(x, y):
    return None, None

class Sigmoid:
    def forward(self, x):
        raise NotImplementedError

class Adam:
    def __init__(self, lr, beta1, beta2):
        self.lr = lr

    def update(self, params, grads):
        pass

def update_parameters_with_momentum(parameters, grads, v, beta, learning_rate):
    for i in ("1", "2"):
        v["dW" + i] = beta * v["W" + i] + (1 - beta) * grads["dW" + i]
        v["db" + i] = beta * v["db" + i] + (1 - beta) * grads["db" + i]
    return parameters, v

def update_parameters(parameters, grads, learning_rate):
    for i in range(2):
        parameters[f"W{i + 1}"] -= learning_rate * grads[f"dW{i}"]
        parameters[f"b{i + 1}"] -= learning_rate * grads[f"db{i + 1}"]

def relu(x):
    return np.maximum(x, 0)

def relu_backward(dA, cache):
    return dA * (cache SIGN 0)
"""
BY_NAME = {
    "affine_forward,affine_backward": ("affine", "its forward returns None where its result should be"),
    "softmax_loss": ("softmax_with_loss", "its forward returns None where its result should be"),
    "Sigmoid": ("sigmoid", "could not be checked: its forward is still to be written"),
    "Adam": ("adam", "could not be checked: its update is still to be written"),
    "update_parameters_with_momentum": ("momentum", "a step raised KeyError: 'W1' (mine.py, line 27)"),
    "update_parameters": ("sgd", "a step raised KeyError: 'dW0' (mine.py, line 33)"),
}


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    path = tmp_path_factory.mktemp("stubs") / "mine.py"
    path.write_text(STUBS.replace("SIGN", ">"))
    return path


@pytest.mark.parametrize(("name", "kind", "why"), [(name, *case) for name, case in BY_NAME.items()])
def test_the_code_s_own_reason_is_said(stubs, name, kind, why):
    verdict = verify(f"{stubs}:{name}", kind, isolated=False)
    assert verdict.outcome == "not_checked" and why in verdict.headline, verdict.headline
    assert ("class Mine" in str(verdict)) == (kind in ("momentum", "sgd"))
    if kind in ("momentum", "sgd", "adam"):
        assert "def update(self, optimizer, params, grads)" in verdict.suggestion
        assert "backward" not in verdict.suggestion


@pytest.mark.parametrize(("sign", "outcome"), [(">", "right"), ("<", "wrong")])
def test_a_cache_that_forward_does_not_return_is_x_for_a_relu(tmp_path, sign, outcome):
    (tmp_path / "mine.py").write_text(STUBS.replace("SIGN", sign))
    verdict = verify(f"{tmp_path}/mine.py:relu", "relu", isolated=False)
    assert verdict.outcome == outcome and "gradients" not in verdict.not_checked, str(verdict)


def test_so_many_ways_are_not_counted():
    tried = [(f"called as Mine({n})", "forward: TypeError: no") for n in range(40)]
    reason = NotCallable("Mine", "relu", "n", tried).reason
    assert reason.endswith("raised TypeError: no, and every other way that was tried failed too")


LACKING = """
class Momentum:
    def __init__(self, lr):
        self.lr, self.v = lr, {}

    def update(self, params, grads):
        for key in params:
            self.v[key] = 0.9 * self.v.get(key, 0) - self.lr * grads[key]
            params[key] += self.v[key]

class Convolution:
    def __init__(self, W):
        self.W = W

    def forward(self, x):
        return x
"""


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("Momentum", "momentum", "it takes no momentum"),
        ("Convolution", "convolution", "it cannot be called: it takes (W), and no b"),
    ],
)
def test_a_parameter_that_is_lacking_is_no_exception_of_the_code(tmp_path, name, kind, why):
    path = tmp_path / f"lacking_{kind}.py"
    path.write_text(LACKING)
    verdict = verify(f"{path}:{name}", kind, isolated=False)
    assert verdict.headline == f"could not be checked: {why}" and "raised" not in str(verdict)


def test_where_no_input_is_taken_nothing_is_lacking():
    assert shown_lacking([], []) == set()
