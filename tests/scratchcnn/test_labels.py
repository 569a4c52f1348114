"""The forms of labels, once for networks and trainers."""

import numpy as np
import pytest
from helpers import draw

import scratchcnn as sc
from scratchcnn.labels import class_numbers


@pytest.mark.parametrize(
    ("t", "classes"),
    [([2, 0, 1], 3), ([[2], [0], [1]], 3), (np.eye(3)[[2, 0, 1]], 3), (np.array([[2], [0], [1]], "u1"), 4)],
    ids=["numbers", "column", "one-hot", "column of another type"],
)
def test_each_form_gives_the_class_numbers(t, classes):
    assert class_numbers(t, classes).tolist() == [2, 0, 1]


def test_one_class_has_no_one_hot_form():
    assert class_numbers(np.array([[0], [0]]), 1).tolist() == [0, 0]


def test_rows_of_other_classes_are_not_taken_for_labels_of_the_images():
    with pytest.raises(ValueError, match=r"t: expected labels \(N,\) or one-hot \(N, 4\), got \(3, 3\)"):
        class_numbers(np.eye(3), 4)


X, T = draw(6, 1, 6, 6, dtype=np.float32), np.array([0, 1, 2, 0, 1, 2])
HOT = np.eye(3)[T]
FORMS = {
    "labels": T,
    "a list": list(T),
    "bytes": T.astype("u1"),
    "a column": T[:, None],
    "one-hot": HOT,
    "one-hot of integers": HOT.astype(int),
    "one-hot of booleans": HOT.astype(bool),
    "floats": T.astype(float),
    "NaN": np.where(T == 1, np.nan, T),
    "from 1": T + 1,
    "from -1": T - 1,
    "text": T.astype(str),
    "booleans": T > 0,
    "too few": T[:5],
    "too many": np.append(T, 0),
    "one-hot of 4 classes": np.eye(4)[T],
    "a row": T[None],
    "two axes more": T[:, None, None],
}
GOOD, BAD = list(FORMS)[:7], list(FORMS)[7:]


def counted(t):
    """What the loss, accuracy and Trainer make of these labels; an error is one of the results."""

    def loss():
        return float(network.loss(X, t))

    def accuracy():
        return network.accuracy(X, t)

    def training():
        row = sc.Trainer(network.astype(np.float32), X, t, X, t, epochs=1, batch_size=3, rng=0).train()[0]
        return row["loss"], row["train_accuracy"]

    network = sc.SimpleConvNet((1, 6, 6), {"filter_num": 2, "filter_size": 3}, 4, 3, rng=0)
    found = []
    for count in (loss, accuracy, training):
        try:
            found.append(count())
        except (TypeError, ValueError) as error:
            assert str(error) and "\n" not in str(error)
            found.append(type(error).__name__)
    return found


@pytest.mark.parametrize("name", GOOD)
def test_every_form_is_counted_the_same_by_all(name):
    (*found, ours), (*wanted, theirs) = counted(FORMS[name]), counted(T)
    assert found == pytest.approx(wanted) and ours == pytest.approx(theirs)


@pytest.mark.parametrize("name", BAD)
def test_labels_that_the_loss_refuses_are_refused_by_all(name):
    found = counted(FORMS[name])
    assert {"TypeError", "ValueError"} >= set(found) and found[0] == found[2]


@pytest.mark.parametrize("count", ["loss", "accuracy"])
def test_floating_labels_get_the_mend(count):
    network = sc.SimpleConvNet((1, 6, 6), {"filter_num": 2, "filter_size": 3}, 4, 3, rng=0)
    with pytest.raises(TypeError, match=r"must be integers, got float64; did you mean t\.astype\(int\)\?"):
        getattr(network, count)(X, T.astype(float))


@pytest.mark.parametrize(("row", "sum_"), [([0, 0, 0], "0"), ([0.5, 0, 0], "0.5"), ([1, 1, 0], "2")])
def test_rows_that_are_no_shares_are_refused(row, sum_):
    with pytest.raises(ValueError, match=rf"t: one-hot rows must sum to 1, row 1 sums to {sum_}$"):
        class_numbers(np.array([[0, 1, 0], row]), 3)
    assert class_numbers(np.array([[0, 1, 0], [0.2, 0.1, 0.7]]), 3).tolist() == [1, 2]


def test_masked_arrays_are_refused():
    network, t = sc.LeNet(rng=0), np.ma.masked_array([0, 1], [True, False])
    x = np.zeros((2, 1, 28, 28), np.float32)
    masked = "is a masked array, whose mask would be lost; fill its gaps first"
    for call in (
        lambda: class_numbers(t, 10),
        lambda: network.accuracy(x, t),
        lambda: network.predict(np.ma.masked_array(x)),
        lambda: sc.Trainer(network, x, t, x, t, sc.SGD()),
    ):
        with pytest.raises(TypeError, match=masked):
            call()
