"""`save_params` and `load_params`: the book's pickle, .npz and safetensors; and what is never run."""

import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from scratchcnn import BatchNormalization, LeNet, Network, Sequential, SimpleConvNet, WeightMismatch
from scratchcnn.load_network import load_network
from scratchcnn.params_file import read_params, write_params


def network(seed=0, dtype=np.float32):
    return SimpleConvNet((1, 8, 8), {"filter_num": 2, "filter_size": 3}, 5, 4, 0.1, rng=seed, dtype=dtype)


def copies(net):
    return {name: array.copy() for name, array in net.params.items()}


def assert_same(found, wanted):
    assert sorted(found) == sorted(wanted)
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


@pytest.mark.parametrize("name", ["params.pkl", "params.npz", "params.safetensors", "PARAMS.PKL"])
def test_what_is_saved_is_loaded(name, tmp_path):
    saved, loaded = network(), network(seed=1)
    before = dict(loaded.params)
    saved.save_params(tmp_path / name)
    loaded.load_params(str(tmp_path / name))
    assert_same(loaded.params, saved.params)
    assert all(loaded.params[key] is array for key, array in before.items())
    assert os.listdir(tmp_path) == [name]


def test_the_books_default_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved, loaded = network(), network(seed=1)
    saved.save_params()
    loaded.load_params()
    assert_same(loaded.params, saved.params)


def test_a_pickle_of_ours_is_what_the_books_code_reads(tmp_path):
    """Plain arrays in a plain dict: `pickle.load` needs nothing of ours."""
    net = network()
    net.save_params(tmp_path / "params.pkl")
    found = pickle.loads((tmp_path / "params.pkl").read_bytes())
    assert type(found) is dict and {type(array) for array in found.values()} == {np.ndarray}
    assert_same(found, net.params)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_of_the_books_code_is_read(protocol, tmp_path):
    wide, net = network(1, np.float64), network()
    arrays = copies(wide) | {"W2": np.asfortranarray(wide.params["W2"]), "b3": wide.params["b3"][::-1][::-1]}
    (tmp_path / "params.pkl").write_bytes(pickle.dumps(arrays, protocol))
    net.load_params(tmp_path / "params.pkl")
    assert_same(net.params, {name: array.astype(np.float32) for name, array in wide.params.items()})


def test_a_pickle_of_an_older_numpy_is_read(tmp_path):
    data = pickle.dumps({"W": np.arange(3.0)}, 2).replace(b"cnumpy._core.", b"cnumpy.core.")
    (tmp_path / "old.pkl").write_bytes(data)
    assert_same(read_params(tmp_path / "old.pkl"), {"W": np.arange(3.0)})


ARRAYS = {
    "scalar": np.array(3.5),
    "empty": np.zeros((0, 3), np.float32),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "big-endian": np.arange(3, dtype=">f4"),
    "integers": np.arange(3, dtype=np.int16),
    "booleans": np.array([True, False]),
}


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_arrays_of_any_layout_come_back(array, suffix, tmp_path):
    write_params(tmp_path / f"a{suffix}", {"a": array})
    wanted = array.astype(array.dtype.newbyteorder("="))
    assert_same(read_params(tmp_path / f"a{suffix}"), {"a": wanted})


def test_buffers_are_kept_too(tmp_path):
    def normalized():
        layers = {"bn": BatchNormalization(np.ones(2, np.float32), np.zeros(2, np.float32))}
        return Network((2, 3, 3), 18, Sequential(layers))

    saved, loaded = normalized(), normalized()
    saved.buffers["bn.running_mean"] = np.array([3, 4], np.float32)
    saved.save_params(tmp_path / "bn.npz")
    loaded.load_params(tmp_path / "bn.npz")
    assert loaded.buffers["bn.running_mean"].tolist() == [3, 4]


@pytest.mark.parametrize("name", ["other.pkl", "other.npz", "other.safetensors"])
def test_what_does_not_fit_is_listed_whole_and_changes_nothing(name, tmp_path):
    net, arrays = network(), copies(network(1))
    before = copies(net)
    del arrays["b1"]
    write_params(tmp_path / name, arrays | {"W1": arrays["W1"][:1], "W9": np.ones(2)})
    with pytest.raises(WeightMismatch) as caught:
        net.load_params(tmp_path / name)
    assert str(caught.value).splitlines() == [
        f"{tmp_path / name} does not fit SimpleConvNet, nothing was loaded:",
        "  W1: expected shape (2, 1, 3, 3), the file has (1, 1, 3, 3)",
        "  b1: missing from the file",
        "  W9: surplus in the file",
    ]
    assert_same(net.params, before)


# -- what is refused ------------------------------------------------------------------------------
class Bomb:
    def __reduce__(self):
        return os.system, ("touch SHOULD_NOT_EXIST",)


def test_code_in_a_pickle_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"W1": np.ones(2), "bomb": Bomb()})
    (tmp_path / "params.pkl").write_bytes(data)
    with pytest.raises(
        ValueError, match=r"params.pkl was not read: it names (posix|nt|os)\.system, which a dic"
    ):
        network().load_params()
    assert not (tmp_path / "SHOULD_NOT_EXIST").exists()
    assert pickle.loads(data)["bomb"] == 0 and (tmp_path / "SHOULD_NOT_EXIST").exists()  # it is live


def deep_keys():
    """A key of 60 tuples within each other, each twice: hashing it would take 2**60 steps."""
    return (
        b"\x80\x04}"
        + b"K\x01"
        + b"\x94h\x00h\x00\x86"
        + b"".join(b"\x94h%ch%c\x86" % (n, n) for n in range(1, 60))
        + b"Ns."
    )


def claims(opcode, size):
    return b"\x80\x05}X\x01\x00\x00\x00W" + opcode + struct.pack("<Q", size) + b"abc"


PICKLES = {
    "objects": (pickle.dumps({"W": np.array([{}])}), "an array of Python objects, expected plain numbers"),
    "text": (pickle.dumps({"W": np.array(["x"])}), "an array of <U1, expected plain numbers"),
    "a list": (pickle.dumps([np.ones(2)]), "it holds list, expected a dict of NumPy arrays"),
    "a number": (pickle.dumps({"lr": 0.1}), "it holds more than NumPy arrays: 'lr'"),
    "a network": (pickle.dumps(LeNet), "it names scratchcnn.networks.lenet.LeNet, which a dict of NumPy"),
    "a set": (pickle.dumps({"W": {1}}), r"it uses the pickle opcode b'\\x8f', not"),
    "nested keys": (deep_keys(), "a dict whose keys are neither text nor whole numbers"),
    "a claim": (claims(b"\x96", 2**40), "is not a whole .pkl file .* 1,099,511,627,776 bytes promised"),
    "half": (pickle.dumps({"W": np.ones(20)})[:-40], "is not a whole .pkl file"),
    "nothing": (b"", "is not a whole .pkl file"),
    "no pickle": (b"hello", "is not a whole .pkl file"),
}


@pytest.mark.parametrize(("data", "message"), PICKLES.values(), ids=PICKLES)
def test_other_pickles_are_refused_in_one_sentence(data, message, tmp_path):
    (tmp_path / "params.pkl").write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        read_params(tmp_path / "params.pkl")
    assert "\n" not in str(caught.value) and "params.pkl" in str(caught.value)


class View:
    """Pickles as an array of these bytes, which the pickle holds once, however many views there are."""

    def __init__(self, data):
        self.data = data

    def __reduce__(self):
        arguments = (self.data, np.dtype(float), (len(self.data) // 8,), "C")
        return np._core.numeric._frombuffer, arguments


@pytest.mark.parametrize("count", [1, 2])
def test_the_same_bytes_are_unpacked_once(count, tmp_path):
    data, path = bytes(8000), tmp_path / "params.pkl"
    path.write_bytes(pickle.dumps({f"W{i}": View(data) for i in range(count)}, 4))
    if count == 1:
        assert_same(read_params(path), {"W0": np.zeros(1000)})
    else:
        with pytest.raises(ValueError, match="it unpacks more bytes than it holds"):
            read_params(path)


def npz(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return buffer.getvalue()


def npy(array, shape=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array)
    data = buffer.getvalue()
    return data if shape is None else data.replace(str(array.shape).encode(), shape.encode())


ARCHIVES = {
    "objects": (npz(W=npy(np.array([{}]))), "an array of object, expected plain numbers"),
    "a claimed shape": (npz(W=npy(np.ones(200), "(2000000000000,)")), "is not a whole .npz file"),
    "a bomb": (npz(W=bytes(2**27)), "is not a whole .npz file .*134,217,728 bytes promised in a file of"),
    "half": (npz(W=npy(np.ones(2)))[:-30], "is not a whole .npz file"),
    "text": (b"hello", "is not a whole .npz file"),
}


@pytest.mark.parametrize(("data", "message"), ARCHIVES.values(), ids=ARCHIVES)
def test_other_archives_are_refused_in_one_sentence(data, message, tmp_path):
    (tmp_path / "params.npz").write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        read_params(tmp_path / "params.npz")
    assert "\n" not in str(caught.value) and "params.npz" in str(caught.value)


def test_files_that_are_not_there_or_of_another_name(tmp_path):
    net = network()
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.pkl"):
        net.load_params(tmp_path / "none.pkl")
    for act in (net.save_params, net.load_params):
        with pytest.raises(ValueError, match=r"expected a file name ending in \.pkl, \.npz, \.saf"):
            act(tmp_path / "params.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["npz", "pkl", "safetensors"])
def test_predict_takes_every_form_of_save_params(tmp_path, suffix):
    network = LeNet(rng=3)
    network.save_params(tmp_path / f"lenet.{suffix}")
    loaded = load_network("lenet", tmp_path / f"lenet.{suffix}").network
    assert all(np.array_equal(loaded.params[k], network.params[k]) for k in network.params)
