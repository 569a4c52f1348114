"""NaN, infinity and other odd images and labels are named, and never counted as if they were right."""

import numpy as np
import pytest
import torch

import scratchcnn as sc

RNG = np.random.default_rng(0)
X, T = RNG.random((6, 1, 28, 28)).astype(np.float32), np.arange(6)


def with_one(array, value):
    changed = array.copy()
    changed[3, ..., 2] = value
    return changed


def train(x_test=X, t_test=T, **options):
    sc.Trainer(sc.LeNet(rng=0), X, T, x_test, t_test, epochs=1, batch_size=6, **options).train()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_images_that_are_not_finite_have_no_accuracy(value):
    x = with_one(X, value)
    with pytest.raises(FloatingPointError, match="accuracy: the images hold NaN or infinity"):
        sc.LeNet(rng=0).accuracy(x, T)
    with pytest.raises(FloatingPointError, match="accuracy: the images hold NaN or infinity"):
        train(x)
    with pytest.raises(FloatingPointError, match=r"at step \d .epoch 1.; the images hold NaN or infinity"):
        sc.Trainer(sc.LeNet(rng=0), x, T, X, T, epochs=1, batch_size=3).train()


def test_weights_and_shares_that_are_not_finite_are_named():
    network = sc.LeNet(rng=0)
    with pytest.raises(ValueError, match="accuracy: the labels hold NaN"):
        network.accuracy(X, np.where(np.eye(10)[T] > 0, np.nan, 0))
    network.params["conv1.W"][0] = np.nan
    with pytest.raises(FloatingPointError, match=r"accuracy: the weights hold NaN or infinity in conv1\.W"):
        network.accuracy(X, T)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (T + 5, r"got \d\.\.10$"),
        (np.array([1, 10, 1, 10, 10, 1]), r"got 1\.\.10; did you mean t - 1\?"),
        (T.astype(str), r"got <U\d+; np\.unique\(t, return_inverse=True\)\[1\] numbers the classes"),
        (T > 2, r"got bool; did you mean t\.astype\(int\)\?"),
        (np.where(T == 1, np.nan, T), "got float64, among them NaN or infinity"),
    ],
    ids=["too high", "from 1", "text", "bool", "NaN"],
)
def test_the_error_has_the_mend_for_the_loss_and_for_those_who_count(labels, sentence):
    network = sc.LeNet(rng=0)
    for ask in (network.loss, network.accuracy, lambda x, t: train(x, t)):
        with pytest.raises((TypeError, ValueError), match=sentence):
            ask(X, labels)


def test_no_array_of_labels_or_images():
    network = sc.LeNet(rng=0)
    for nothing in (None, 3):
        with pytest.raises(ValueError, match="t_test must be an array with one entry per image"):
            train(X, nothing)
        with pytest.raises(ValueError, match=r"expected labels \(N,\)"):
            network.accuracy(X, nothing)
    with pytest.raises(TypeError, match="expected images of numbers, got <U"):
        network.predict(X.astype(str))
    for x in (X.reshape(6, -1), X[:, 0]):
        with pytest.raises(ValueError, match=r"x\.reshape\(-1, 1, 28, 28\) makes it so"):
            network.predict(x)
    np.testing.assert_array_equal(network.predict(torch.tensor(X)), network.predict(X))


def test_a_trainer_names_what_is_no_network_or_optimizer():
    with pytest.raises(TypeError, match=r"network is the class LeNet; pass an object: LeNet\(\)"):
        sc.Trainer(sc.LeNet, X, T, X, T)
    for wrong in (None, 3):
        with pytest.raises(TypeError, match=r"optimizer must be a name or have update\(params, grads\), got"):
            sc.Trainer(sc.LeNet(), X, T, X, T, wrong)
    with pytest.raises(TypeError, match=r"Softmax: axis must be a whole number, got '1'"):
        sc.Softmax("1")
