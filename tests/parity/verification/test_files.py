"""Arrays that two programs saved: what passes, what never does, and what is said of near misses."""

import zipfile

import numpy as np
import pytest

from parity.cli import main
from parity.verification.files import compare_files, is_undecided
from parity.verification.read_arrays import read_arrays

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
    "theirs coarser": ({"W": W}, {"W": W.astype(np.float32)}, "theirs is float32; save it in float64"),
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


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_equal_integers_are_marked_as_equal_exactly(tmp_path, capsys, dtype):
    arrays = {"t": np.array([1, 0, 1]).astype(dtype), "W": W}
    for name in ("ours", "theirs"):
        np.savez(tmp_path / f"{name}.npz", **arrays)
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(tmp_path / "ours.npz"), str(tmp_path / "theirs.npz")])
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert [("equal, exactly  ok" in line) for line in lines] == [True, False, False]


def test_one_integer_in_a_million_that_is_off_by_one_is_named(tmp_path, capsys):
    t = np.arange(1_000_000)
    np.savez(tmp_path / "theirs.npz", t=t)
    np.savez(tmp_path / "ours.npz", t=np.where(t == 765_432, t + 1, t))
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(tmp_path / "ours.npz"), str(tmp_path / "theirs.npz")])
    assert ended.value.code == 1
    assert "at (765432,) 765433, expected 765432; 1 of 1,000,000 differ" in capsys.readouterr().out


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


@pytest.mark.parametrize("content", [b"", b"no archive"], ids=["empty", "text"])
def test_a_file_that_holds_no_arrays(tmp_path, content):
    path = tmp_path / "ours.dat"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"ours.dat is not an .npz file, nor .npy, .csv, .pth"):
        read_arrays(path)


def test_a_file_that_was_cut_off(tmp_path):
    path = tmp_path / "ours.npz"
    np.savez(path, W=W)
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"ours.npz cannot be read as .npz"):
        read_arrays(path)


def rounded(a, bits):
    """Float32 numbers with so many bits of mantissa, as TF32 (10) and bfloat16 (7) keep them."""
    drop = np.uint32(23 - bits)
    whole = a.astype(np.float32).view(np.uint32) + (np.uint32(1) << (drop - np.uint32(1)))
    return (whole >> drop << drop).view(np.float32)


def sums(K, n=40):
    """The operands of products of K terms."""
    return RNG.standard_normal((n, K)).astype(np.float32), RNG.standard_normal((K, n)).astype(np.float32)


@pytest.mark.parametrize("K", [3, 27, 300, 4000])
def test_sums_of_any_length_in_float32_pass(tmp_path, K):
    a, b = sums(K)
    assert rows(tmp_path, {"y": a @ b}, {"y": a.astype(float) @ b.astype(float)})["y"].ok


@pytest.mark.parametrize(
    ("wrong", "why"),
    {
        "a factor": (lambda y: y * (1 + 4e-6), ""),
        "an offset": (lambda y: y + 2e-5, ""),
        "one entry": (lambda y: np.where(np.arange(y.size).reshape(y.shape) == 7, y + 1e-4, y), ""),
        "TF32": (None, "TF32 or float16"),
        "bfloat16": (None, "bfloat16"),
        "on the grid": (lambda y: rounded(y, 10), "11 significant bits"),
    }.items(),
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_what_is_not_rounding_of_float32_fails(tmp_path, wrong, why):
    change, sentence = why
    a, b = sums(300)
    exact = a.astype(float) @ b.astype(float)
    if change is None:
        bits = 10 if wrong == "TF32" else 7
        ours = (rounded(a, bits).astype(float) @ rounded(b, bits).astype(float)).astype(np.float32)
    else:
        ours = change((a @ b).astype(float)).astype(np.float32)
    row = rows(tmp_path, {"y": ours}, {"y": exact})["y"]
    assert not row.ok and sentence in row.why and "times 1" not in row.why


def test_few_numbers_that_a_long_sum_may_explain_are_undecided(tmp_path):
    exact = RNG.standard_normal(4)
    row = rows(tmp_path, {"db": (exact * (1 + 3e-6)).astype(np.float32)}, {"db": exact})["db"]
    assert is_undecided(row) and "--exact" in row.why
    far = rows(tmp_path, {"db": (exact + 0.01 * np.eye(4)[3]).astype(np.float32)}, {"db": exact})["db"]
    assert not far.ok and not is_undecided(far)


RELATIONS = {
    "180 degrees": (IMAGE[..., ::-1, ::-1], "turned by 180 degrees"),
    "BGR": (IMAGE[:, ::-1], "axis 1 reversed (its three channels in the order BGR for RGB)"),
    "flattened": (
        IMAGE.reshape(2, 3, 20).transpose(0, 2, 1).reshape(2, 60),
        "axis 1 flattened in the other layout: as (20, 3) where theirs is (3, 20)",
    ),
    "offset": (IMAGE + 0.5, "equal to theirs plus 0.5 everywhere"),
    "a share": (IMAGE / 8, "equal to theirs times 1/8"),
}


@pytest.mark.parametrize(("ours", "why"), RELATIONS.values(), ids=RELATIONS)
def test_simple_relations_are_named(tmp_path, ours, why):
    row = rows(tmp_path, {"x": ours}, {"x": IMAGE.reshape(ours.shape)})["x"]
    assert not row.ok and why in row.why


def test_other_files_and_folders(tmp_path):
    torch = pytest.importorskip("torch")
    (tmp_path / "ours").mkdir()
    np.save(tmp_path / "ours" / "W.npy", W)
    np.savetxt(tmp_path / "ours" / "b.csv", W[0], header="b", comments="")
    torch.save({"W": torch.from_numpy(W), "b": torch.from_numpy(W[0])}, tmp_path / "theirs.pth")
    found = compare_files(tmp_path / "ours", tmp_path / "theirs.pth")
    assert [(row.tensor, row.ok) for row in found] == [("W", True), ("b", True)]


def test_a_zip_of_other_things_is_refused(tmp_path):
    np.savez(tmp_path / "with.npz", W=W)
    with zipfile.ZipFile(tmp_path / "with.npz", "a") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match=r"with.npz holds more than arrays \(readme.txt\)"):
        read_arrays(tmp_path / "with.npz")


def test_a_zip_that_claims_another_version_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", W=W)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 6] = 99  # the version that is needed to extract it
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(ValueError, match=r"a.npz"):
        read_arrays(tmp_path / "a.npz")
