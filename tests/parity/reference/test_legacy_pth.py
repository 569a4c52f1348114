"""PyTorch's files of the format before 1.6, against torch.load."""

import os
import pickle
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
import torch

import scratchcnn as sc
from scratchcnn.state_dict import read_pth
from scratchcnn.torch_weights import read_weights_file

MAGIC = 0x1950A86A20F9469CFC6C


def save(found, path, **options):
    torch.save(found, path, _use_new_zipfile_serialization=False, **options)


def assert_as_torch_reads_it(path):
    ours, theirs = read_pth(path), torch.load(path, weights_only=False)
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        wanted = tensor.detach()
        wanted = wanted.float() if wanted.dtype == torch.bfloat16 else wanted
        np.testing.assert_array_equal(ours[name], wanted.numpy(), strict=True)
    assert all(array.flags.writeable and array.flags.aligned for array in ours.values())


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_state_dict_of_every_dtype_and_layout(protocol, tmp_path):
    x = torch.arange(24.0).reshape(2, 3, 4)
    dtypes = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
    tensors = {name: x.to(getattr(torch, name)) for name in dtypes}
    views = {"transposed": x.mT, "part": x[1, :, 1:3], "scalar": x[0, 0, 1], "empty": x[:0], "again": x}
    save(OrderedDict(tensors | views), tmp_path / "w.pth", pickle_protocol=protocol)
    assert_as_torch_reads_it(tmp_path / "w.pth")


@pytest.mark.parametrize("name", ["vgg16.pth", "vgg16.pth.tar", "weights"])
def test_a_network_loads_it_whatever_its_name(name, tmp_path):
    saved, loaded = sc.LeNet(rng=0), sc.LeNet(rng=1)
    sc.save_torch_weights(saved, tmp_path / "new.pth")
    save({"state_dict": torch.load(tmp_path / "new.pth"), "epoch": 3}, tmp_path / name)
    sc.load_torch_weights(loaded, tmp_path / name)
    for key, array in saved.params.items():
        np.testing.assert_array_equal(loaded.params[key], array)


# -- as the first releases wrote it ---------------------------------------------------------------
class Numbers(NamedTuple):
    """Stands for a storage; `part` is (key, offset, count) of a view of it."""

    key: str
    count: int
    part: tuple | None = None


class Tensor(NamedTuple):
    storage: Numbers
    size: tuple
    stride: tuple


class Parameter(NamedTuple):
    data: Tensor


class Early(pickle._Pickler):
    """Pickles as PyTorch 0.1: `_rebuild_tensor`, and Parameters that are given a state."""

    def persistent_id(self, value):
        if isinstance(value, Numbers):
            return "storage", torch.FloatStorage, value.key, "cpu", value.count, value.part
        return None

    def reducer_override(self, value):
        if isinstance(value, Tensor):
            return torch._utils._rebuild_tensor, (value.storage, 0, value.size, value.stride)
        if isinstance(value, Parameter):
            return torch.nn.parameter.Parameter, (value.data,), (True, False, OrderedDict())
        return NotImplemented


def early(path, found, storages, little_endian=True, version=1001, magic=MAGIC):
    with open(path, "wb") as file:
        for value in (magic, version, {"protocol_version": version, "little_endian": little_endian}):
            pickle.dump(value, file, protocol=2)
        Early(file, protocol=2).dump(found)
        pickle.dump(list(storages), file, protocol=2)
        for array in storages.values():
            file.write(len(array).to_bytes(8, "little") + array.astype("<f4").tobytes())


SIX = np.arange(6.0)
WEIGHT = Tensor(Numbers("7", 6), (2, 3), (3, 1))


def test_parameters_and_views_of_storages(tmp_path):
    part = Tensor(Numbers("7", 6, ("8", 2, 3)), (3,), (1,))
    early(tmp_path / "w.pth", OrderedDict(weight=Parameter(WEIGHT), part=part), {"7": SIX})
    found = read_pth(tmp_path / "w.pth")
    np.testing.assert_array_equal(found["weight"], SIX.reshape(2, 3))
    np.testing.assert_array_equal(found["part"], SIX[2:5])


class Bomb:
    def __reduce__(self):
        return os.system, ("touch SHOULD_NOT_EXIST",)


def beyond(offset, count):
    return {"w": Tensor(Numbers("7", 6, ("8", offset, count)), (1,), (1,))}


REFUSED = {
    "a big-endian machine": (({"w": WEIGHT}, {"7": SIX}, False), "its numbers are big-endian"),
    "another version": (
        ({"w": WEIGHT}, {"7": SIX}, True, 1000),
        "its format has version 1000",
    ),
    "another count": (({"w": WEIGHT}, {"7": SIX[:5]}), "storage 7 has 5 numbers, expected 6"),
    "a missing storage": (({"w": WEIGHT}, {}), "the numbers of storage 7 are not in it"),
    "a storage too many": (({"w": WEIGHT}, {"7": SIX, "9": SIX}), "storage 9 belongs to no tensor"),
    "a view beyond": ((beyond(4, 3), {"7": SIX}), "a part of storage 7 lies outside of it"),
    "a view before": ((beyond(-1, 3), {"7": SIX}), "a part of storage 7 lies outside of it"),
    "a tensor beyond": (({"w": WEIGHT._replace(stride=(4, 1))}, {"7": SIX}), "a tensor lies outside"),
    "stride 0": (
        ({"w": WEIGHT._replace(size=(10**9, 1), stride=(0, 1))}, {"7": SIX}),
        "its tensors unpack",
    ),
    "two counts": (
        ({"w": WEIGHT, "v": WEIGHT._replace(storage=Numbers("7", 5))}, {"7": SIX}),
        "storage 7 has two sizes",
    ),
    "code": (({"w": WEIGHT, "bomb": Bomb()}, {"7": SIX}), r"it names (posix|nt|os)\.system, which a state"),
}


@pytest.mark.parametrize(("args", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_in_one_sentence(args, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    early("w.pth", *args)
    with pytest.raises(ValueError, match=rf"^w.pth was not read: .*{message}") as caught:
        read_pth("w.pth")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "SHOULD_NOT_EXIST").exists()


def test_a_whole_model_and_half_a_file(tmp_path):
    save(torch.nn.Linear(2, 2), tmp_path / "model.pth")
    with pytest.raises(ValueError, match=r"torch\.nn\.modules\.linear\.Linear, .* save model\.state_dict"):
        read_weights_file(tmp_path / "model.pth")
    save({"w": torch.zeros(1000)}, tmp_path / "half.pth")
    (tmp_path / "half.pth").write_bytes((tmp_path / "half.pth").read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"it is not whole: it should have [\d,]+ bytes and has 3,000"):
        read_pth(tmp_path / "half.pth")
