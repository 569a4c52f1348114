"""Sentences for bugs that are in no catalogue: what the search finds, and that it prints nothing else."""

import numpy as np
import pytest

import scratchcnn as sc
from parity.adapters.subject import subject_here
from parity.explain import windows
from parity.explain.explanation import explain
from parity.explain.search import Case, reference, same, windowed
from parity.kinds.probes import probes
from parity.verification.verify import verify


def explained(factory, kind):
    subject = subject_here(factory, kind)
    with np.errstate(all="ignore"):
        cases = [Case(p, subject.results(p), reference(p)) for p in probes(kind)]
        return explain(cases, subject.results)


def dw(change):
    class Changed(sc.Convolution):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["W"] = np.ascontiguousarray(change(self.grads["W"]))
            return dx

    return Changed


class ImageRolled(sc.Convolution):
    def forward(self, x):
        return np.roll(super().forward(x), 1, axis=0)


class DxFlipped(sc.Convolution):
    def backward(self, dout):
        return super().backward(dout)[..., ::-1].copy()


class BiasOverRows(sc.Convolution):
    def backward(self, dout):
        dx = super().backward(dout)
        if self.b is not None:
            self.grads["b"] = dout.sum(axis=(0, 2)).mean(axis=-1)
        return dx


class QuarterLeaks(sc.Relu):
    def backward(self, dout):
        return super().backward(dout) + 0.25 * dout


class SecondMomentByBeta1(sc.Adam):
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, **options):
        super().__init__(lr, beta1, beta1, **options)


class DgammaDoubled(sc.BatchNormalization):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["gamma"] = self.grads["gamma"] * 2
        return dx


class RowsSwapped(sc.Affine):
    def forward(self, x):
        return super().forward(x)[::-1].copy()


class LabelsDoubled(sc.SoftmaxWithLoss):
    def backward(self, dout=1):
        dx = super().backward(dout)
        return dx + (dx < 0) * dx


CASES = [
    (dw(lambda a: a[:, ::-1]), "convolution", "dW is PyTorch's reversed along C"),
    (dw(lambda a: a / a.shape[3]), "convolution", "dW is PyTorch's divided by FW"),
    (dw(lambda a: -a), "convolution", "dW is PyTorch's with the sign flipped"),
    (ImageRolled, "convolution", "out is PyTorch's rolled by one along N"),
    (DxFlipped, "convolution", "dx is PyTorch's reversed along W"),
    (BiasOverRows, "convolution", "db is PyTorch's divided by OW"),
    (QuarterLeaks, "relu", "dx is (dout where x > 0) + 1/4 * dout, where PyTorch's is (dout where x > 0)"),
    (SecondMomentByBeta1, "adam", "the update is PyTorch's with the second moment decayed by beta1"),
    (DgammaDoubled, "batch_norm", "dgamma is PyTorch's multiplied by 2"),
    (RowsSwapped, "affine", "out is PyTorch's reversed along N"),
]


@pytest.mark.parametrize("factory, kind, sentence", CASES, ids=[sentence for *_, sentence in CASES])
def test_a_bug_of_no_catalogue_gets_its_sentence(factory, kind, sentence):
    found = explained(factory, kind)
    assert found.complete and list(found.sentences) == [sentence], str(found)


def test_what_no_map_gives_is_described_by_its_place():
    class LastColumnOff(sc.Convolution):
        def forward(self, x):
            out = super().forward(x)
            out[..., -1] += np.sin(out[..., -1])
            return out

    found = explained(LastColumnOff, "convolution")
    assert not found.sentences and found.unexplained == ("out",)
    assert found.regions[0].startswith("out is wrong in ") and "only where OW = " in found.regions[0]


def test_a_map_that_holds_on_the_probes_alone_is_not_printed():
    known = {p.inputs["x"].tobytes() for p in probes("relu")}

    class KnowsTheProbes(sc.Relu):
        def forward(self, x):
            out = super().forward(x)
            return -out if x.tobytes() in known else np.cos(out)

    found = explained(KnowsTheProbes, "relu")
    assert not [text for text in found.sentences if text.startswith("out")] and "out" in found.unexplained


@pytest.mark.parametrize("kind", windows.KINDS)
def test_an_unchanged_window_gives_pytorchs_numbers(kind):
    for probe in probes(kind):
        own = windows.geometry(probe)
        for name, right in reference(probe).items():
            assert same(windowed(name, probe, own, own), right), (probe.id, name)


def test_the_verdict_has_the_sentence_beside_the_diagnosis():
    verdict = verify(dw(lambda a: a[:, :, ::-1, ::-1]), "convolution", isolated=False)
    text = str(verdict)
    assert verdict.diagnosis.fault == "conv-dw-turned"
    assert "why          dW is PyTorch's reversed along FH and FW" in text
    assert "for example  dW[0, 0, 0, 0] meets dout[0, 0, 0, 0] with x[0, 0, " in text


def test_a_right_layer_has_no_explanation():
    assert verify(sc.Relu, "relu", isolated=False).explanation is None


class PlainTanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dout):
        return dout * (1 + self.y**2)


class OverflowsAndIsWrong:
    def forward(self, x):
        self.x = x
        return np.log(1 + np.exp(x))

    def backward(self, dout):
        return dout / (1 + np.exp(self.x))


def test_letters_are_explained_and_factors_that_nobody_gave_are_left_out():
    says = "dx is dout + dout*t**2, where PyTorch's is dout - dout*t**2 (t = tanh(x))"
    assert verify(PlainTanh, "tanh", isolated=False).explanation.sentences == (says,)


def test_the_bug_comes_before_an_overflow():
    verdict = verify(OverflowsAndIsWrong, "softplus", isolated=False)
    assert verdict.diagnosis.fault == "softplus-derivative-of-minus-x + softplus-overflow"
    whys = [line.split()[1] for line in str(verdict).splitlines() if line.startswith("why ")]
    assert whys == ["dx", "out"]


def test_a_few_numbers_that_are_wrong_where_the_values_fell_have_no_place():
    class OneTooLarge(sc.Convolution):
        def forward(self, x):
            out = super().forward(x)
            out.flat[int(np.argmax(out))] += np.sin(out.flat[int(np.argmax(out))])
            return out

    found = explained(OneTooLarge, "convolution")
    assert found.regions[0].startswith("out is wrong in 1 of ") and "only where" not in str(found.regions)
