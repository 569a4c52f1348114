"""Arrays that two programs saved: what passes, what never does, and what is said of near misses."""

import numpy as np
import pytest

from parity.verification.files import compare_files, read_arrays

RNG = np.random.default_rng(0)
W = RNG.standard_normal((4, 3))
IMAGE = RNG.standard_normal((2, 3, 4, 5))


def rows(tmp_path, ours, theirs, names=None, exact=None):
    for name, arrays in {"ours": ours, "theirs": theirs, "exact": exact or {}}.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
    found = compare_files(
        tmp_path / "ours.npz",
        tmp_path / "theirs.npz",
        names,
        None if exact is None else tmp_path / "exact.npz",
    )
    return {row.tensor: row for row in found}


def test_equal_arrays_pass(tmp_path):
    found = rows(tmp_path, {"W": W + 1e-13, "t": np.arange(3)}, {"W": W, "t": np.arange(3)})
    assert found["W"].ok and found["t"].ok and not found["W"].exact


WRONG = {
    "off": ({"W": W + 1e-6}, {"W": W}, ""),
    "missing in theirs": ({"W": W, "b": W[0]}, {"W": W}, "theirs has no b"),
    "missing in ours": ({"W": W}, {"W": W, "b": W[0]}, "only theirs has it"),
    "broadcastable": ({"W": W[:1]}, {"W": W}, "shape (1, 3), expected (4, 3)"),
    "transposed": (
        {"W": W.T},
        {"W": W},
        "expected (4, 3), equal to theirs with its axes in the order (1, 0)",
    ),
    "channels last": ({"x": IMAGE.transpose(0, 2, 3, 1)}, {"x": IMAGE}, "its axes in the order (0, 3, 1, 2)"),
    "flattened": ({"W": W.ravel()}, {"W": W}, "equal to theirs in another shape"),
    "summed": ({"W": W * 8}, {"W": W}, "equal to theirs times 8"),
    "negated": ({"W": -W}, {"W": W}, "equal to theirs times -1"),
    "NaN": ({"W": np.where(W > 1, np.nan, W)}, {"W": W}, "not finite"),
    "labels": ({"t": np.array([1, 2])}, {"t": np.array([1, 3])}, "integers differ"),
    "labels as floats": (
        {"t": np.array([1.0, 2.0])},
        {"t": np.array([1, 2])},
        "float64 (2,), expected int64 (2,)",
    ),
    "half precision": ({"W": W.astype(np.float16)}, {"W": W}, "float16: save float64 or float32"),
    "theirs coarser": ({"W": W}, {"W": W.astype(np.float32)}, "theirs is float32: save it in float64"),
    "both float32": (
        {"W": W.astype(np.float32) * np.float32(1.0000001)},
        {"W": W.astype(np.float32)},
        "give the reference in float64 too, by --exact",
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "why"), WRONG.values(), ids=WRONG)
def test_wrong_arrays_fail_and_say_why(tmp_path, ours, theirs, why):
    found = [row for row in rows(tmp_path, ours, theirs).values() if not row.ok]
    assert len(found) == 1 and why in found[0].why


def test_float32_is_judged_by_float64(tmp_path):
    single = W.astype(np.float32)
    assert rows(tmp_path, {"W": single}, {"W": W})["W"].ok
    assert not rows(tmp_path, {"W": single * np.float32(1.0001)}, {"W": W})["W"].ok


def test_float32_twice_with_the_float64_beside_it(tmp_path):
    theirs = W.astype(np.float32) * np.float32(1.000001)  # PyTorch's own error, ten times ours
    ours = (W * (1 + 3e-6)).astype(np.float32)
    assert rows(tmp_path, {"W": ours}, {"W": theirs}, exact={"W": W})["W"].ok
    assert not rows(tmp_path, {"W": ours}, {"W": W})["W"].ok


def test_a_map_gives_names_and_axes(tmp_path):
    names = {"W1": {"theirs": "fc.weight", "transposed": True}, "b": "fc.bias"}
    found = rows(tmp_path, {"W1": W.T, "b": W[0]}, {"fc.weight": W, "fc.bias": W[0]}, names)
    assert all(row.ok for row in found.values()) and list(found) == ["W1", "b"]


def test_the_map_must_fit(tmp_path):
    with pytest.raises(ValueError, match=r"the map names V, which .*ours.npz does not have; it has W"):
        rows(tmp_path, {"W": W}, {"W": W}, {"V": "W"})


def test_a_name_of_theirs_is_given_once(tmp_path):
    with pytest.raises(ValueError, match="the map gives W to more than one of ours"):
        rows(tmp_path, {"W": W, "V": W}, {"W": W}, {"V": "W", "W": "W"})


def test_integers_that_differ_are_shown(tmp_path):
    found = rows(tmp_path, {"t": np.array([[1, 2]])}, {"t": np.array([[1, 3]])})
    assert found["t"].why.startswith("integers differ: at (0, 1) 2, expected 3")


def test_empty_arrays_show_nothing(tmp_path):
    assert not rows(tmp_path, {"W": np.zeros((0, 3))}, {"W": np.zeros((0, 3))})["W"].ok


class Bomb:
    """Executed by whoever unpickles it."""

    def __reduce__(self):
        return exec, ("raise SystemExit('it was executed')",)


def test_a_pickle_is_refused_and_not_executed(tmp_path):
    np.savez(tmp_path / "ours.npz", W=np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match="it holds Python objects, which are not loaded"):
        read_arrays(tmp_path / "ours.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "text", "npy"])
def test_a_file_that_is_none(tmp_path, content):
    path = tmp_path / "ours.npy"
    if content is None:
        np.save(path, W)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"ours.npy is no .npz file; save the arrays by name with np.savez"):
        read_arrays(path)


def test_a_file_that_was_cut_off(tmp_path):
    path = tmp_path / "ours.npz"
    np.savez(path, W=W)
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"ours.npz cannot be read as .npz"):
        read_arrays(path)
