"""Data sets as Keras, Kaggle and folders of pictures have them."""

import numpy as np
import pytest
from PIL import Image

from scratchcnn.data import load
from scratchcnn.data.sets import SETS

rng = np.random.default_rng(0)
X, T = rng.integers(0, 256, (28, 4, 4), dtype=np.uint8), np.arange(28) % 4
X_TEST, T_TEST = X[:8, ::-1], T[:8]


def keras(folder, **changed):
    arrays = {"x_train": X, "y_train": T.astype("u1"), "x_test": X_TEST, "y_test": T_TEST.astype("u1")}
    np.savez(folder / "mnist.npz", **(arrays | changed))


def table(path, x, labels=None, header=True):
    names = ["label"] * (labels is not None) + [f"pixel{i}" for i in range(x[0].size)]
    rows = x.reshape(len(x), -1).astype(int)
    rows = rows if labels is None else np.column_stack([labels, rows])
    head = ",".join(names) + "\n" if header else ""
    path.write_text(head + "".join(",".join(map(str, row)) + "\n" for row in rows))


def tables(folder, header=True):
    table(folder / "mnist_train.csv", X, T, header)
    table(folder / "mnist_test.csv", X_TEST, T_TEST, header)


def pictures(folder, names=("10", "9", "2", "1")):
    for part, x, t in (("train", X, T), ("test", X_TEST, T_TEST)):
        for i, (image, label) in enumerate(zip(x, t, strict=True)):
            (folder / part / names[label]).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / part / names[label] / f"{i:02}.png")


FORMS = {"keras": keras, "kaggle": tables, "csv without a header": lambda folder: tables(folder, False)}


@pytest.mark.parametrize("write", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("by_path", [True, False], ids=["by its path", "as mnist"])
def test_every_form_reads_as_the_same_images(write, by_path, tmp_path):
    write(tmp_path)
    data = load(str(tmp_path), normalize=False) if by_path else load("mnist", tmp_path, normalize=False)
    assert np.array_equal(data.x_train[:, 0], X) and np.array_equal(data.x_test[:, 0], X_TEST)
    assert data.t_train.tolist() == T.tolist() and data.t_test.tolist() == T_TEST.tolist()
    assert (len(data.class_names), data.note) == (4 if by_path else 10, "")
    assert load(str(tmp_path)).x_train.max() <= 1


def test_a_folder_per_class_has_its_names_and_its_numbers_in_order(tmp_path):
    pictures(tmp_path)
    data = load(str(tmp_path), normalize=False)
    assert data.class_names == ("1", "2", "9", "10")
    order = np.argsort(3 - T, kind="stable")
    assert np.array_equal(data.x_train[:, 0], X[order]) and data.t_train.tolist() == (3 - T)[order].tolist()
    pictures(tmp_path / "words", ("cat", "dog", "ant", "bee"))
    assert load(str(tmp_path / "words")).class_names == ("ant", "bee", "cat", "dog")


def test_kaggles_own_test_file_has_no_labels_so_some_images_are_kept(tmp_path):
    table(tmp_path / "train.csv", X, T)
    table(tmp_path / "test.csv", X_TEST)
    data = load(str(tmp_path), normalize=False)
    assert np.array_equal(data.x_test[:, 0], X[6::7]) and len(data.x_train) == 24
    assert data.note == "every seventh image of train.csv is for testing"


def test_the_variables_folder_is_searched_for_the_sets_own_file(tmp_path, monkeypatch):
    keras(tmp_path)
    np.savez(tmp_path / "others.npz", a=X)
    monkeypatch.setenv("SCRATCHCNN_DATA", str(tmp_path))
    assert load("mnist").x_train.shape == (28, 1, 4, 4)


def test_colour_images_and_shares_of_255(tmp_path):
    colour = rng.integers(0, 256, (28, 5, 4, 3), dtype=np.uint8)
    keras(tmp_path, x_train=colour / 255, y_train=np.eye(4)[T], x_test=colour[:8], y_test=T_TEST[:, None])
    data = load(str(tmp_path), normalize=False)
    assert np.array_equal(data.x_train, colour.transpose(0, 3, 1, 2)) and data.t_train.tolist() == T.tolist()


REFUSED = {
    "no labels for some": (dict(y_train=T[:5]), "as many labels as training images .* got 5 and 28"),
    "other sizes": (dict(x_test=X[:8, :3]), r"its test images \(1, 3, 4\); they do not belong together"),
    "numbers of 16 bits": (dict(x_train=X.astype("u2") * 257), "expected bytes of 0 to 255.* to 65535"),
    "normalized": (dict(x_train=X / 255 - 0.5), "expected bytes of 0 to 255, or these divided by 255"),
    "rows": (dict(x_train=X.reshape(28, 16)), r"expected images \(N, H, W\) or .* got \(28, 16\)"),
    "labels that are not whole": (dict(y_train=T / 2), "expected the number of its class"),
    "too many classes": (dict(y_train=T + 10), "has 14 classes, mnist has 10"),
    "another set": (
        dict(y_train=np.resize(SETS["fashion-mnist"].first_labels, 28)),
        "holds the labels of fashion-mnist",
    ),
}


@pytest.mark.parametrize(("changed", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_set_of_images_is_refused(changed, sentence, tmp_path):
    keras(tmp_path, **changed)
    with pytest.raises(ValueError, match=sentence):
        load("mnist", tmp_path)


def test_other_files_are_refused_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", W=X)
    with pytest.raises(ValueError, match=r"a.npz holds W; expected x_train, y_train, x_test, y_test"):
        load(str(tmp_path))
    (tmp_path / "a.npz").write_text("nothing")
    with pytest.raises(ValueError, match=r"a.npz is not a whole .npz file"):
        load(str(tmp_path))
    (tmp_path / "a.npz").unlink()
    with pytest.raises(ValueError, match=r"is no data set; expected IDX files, an \.npz"):
        load(str(tmp_path))
    for content, sentence in (("label,pixel0\n1,x\n", "not a table"), ("1,2,3\n", "1 rows of 3 numbers")):
        (tmp_path / "train.csv").write_text(content)
        with pytest.raises(ValueError, match=sentence):
            load(str(tmp_path))


def test_pictures_of_other_sizes_and_other_classes_are_named(tmp_path):
    pictures(tmp_path)
    Image.new("L", (9, 4)).save(tmp_path / "train" / "9" / "wide.png")
    with pytest.raises(ValueError, match=r"wide.png has 4x9 pixels, .* 4x4; give all pictures the same"):
        load(str(tmp_path))
    (tmp_path / "train" / "9").rename(tmp_path / "train" / "8")
    with pytest.raises(ValueError, match=r"has folders for 1, 2, 8, 10, but .* for 1, 2, 9, 10"):
        load(str(tmp_path))
