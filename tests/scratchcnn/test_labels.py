"""The forms of labels, once for networks and trainers."""

import numpy as np
import pytest

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
    assert len(class_numbers(np.eye(3), 4)) == 9
