"""safetensors files: whole or not at all, both when written and when loaded."""

import json
import os
import stat
import struct

import numpy as np
import pytest
import safetensors.torch
import torch

from scratchcnn.layers import BatchNormalization, Convolution, Sequential
from scratchcnn.weights import (
    WeightMismatch,
    load_weights,
    read_safetensors,
    save_weights,
    write_safetensors,
)


def network(seed=0, dtype=np.float32, FN=3):
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.standard_normal(shape).astype(dtype)  # noqa: E731
    bn = BatchNormalization(draw(FN), draw(FN), running_mean=draw(FN), running_var=draw(FN) ** 2)
    return Sequential({"conv": Convolution(draw(FN, 2, 3, 2), draw(FN)), "bn": bn})


def tensors_of(net):
    return {key: a.copy() for key, a in {**net.params, **net.buffers}.items()}


def assert_same(ours, theirs):
    assert sorted(ours) == sorted(theirs)
    for key in ours:
        np.testing.assert_array_equal(ours[key], theirs[key], strict=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def test_weights_and_buffers_come_back(path):
    saved, loaded = network(), network(seed=1)
    arrays = dict(loaded.params)
    save_weights(saved, path, {"note": "first"})
    assert load_weights(loaded, str(path)) == {"network": "Sequential", "note": "first"}
    assert_same(tensors_of(loaded), tensors_of(saved))
    assert all(loaded.params[key] is arrays[key] for key in arrays)
    assert loaded["conv"].W is arrays["conv.W"]


def test_the_name_of_another_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"name the file net.safetensors; save_torch_weights writes .pth"):
        save_weights(network(), tmp_path / "net.pth")
    assert not list(tmp_path.iterdir())


ARRAYS = {
    "transposed": np.arange(12.0).reshape(3, 4).T,
    "strided": np.arange(12.0)[::-2],
    "broadcast": np.broadcast_to(np.float32(3), (2, 3)),
    "big-endian": np.arange(3, dtype=">f4"),
    "scalar": np.array(3.5),
    "empty": np.zeros((0, 3), np.float32),
    "integers": np.arange(3, dtype=np.int16),
    "booleans": np.array([True, False]),
    "half": np.array([1, np.nan, -np.inf], np.float16),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_arrays_of_any_layout_come_back(array, path):
    write_safetensors(path, {"a": array})
    tensors, metadata = read_safetensors(path)
    np.testing.assert_array_equal(tensors["a"], array.astype(array.dtype.newbyteorder("=")), strict=True)
    assert metadata == {}
    assert tensors["a"].flags.writeable


def test_pytorch_reads_what_we_write_and_we_what_it_writes(path):
    array = np.arange(6.0).reshape(2, 3).T
    write_safetensors(path, {"a": array})
    assert torch.equal(safetensors.torch.load_file(path)["a"], torch.tensor(array))
    safetensors.torch.save_file({"b": torch.ones(2, 3)}, path, {"by": "torch"})
    tensors, metadata = read_safetensors(path)
    assert metadata == {"by": "torch"}
    np.testing.assert_array_equal(tensors["b"], np.ones((2, 3), np.float32), strict=True)


def test_a_new_file_has_usual_permissions_and_no_leftovers(path):
    path.with_name("other").touch()
    write_safetensors(path, {"a": np.ones(2)})
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(path.with_name("other").stat().st_mode)
    assert sorted(os.listdir(path.parent)) == ["net.safetensors", "other"]


def test_a_failing_write_leaves_the_old_file(path, monkeypatch):
    write_safetensors(path, {"a": np.ones(2)})
    before = path.read_bytes()

    def full(file):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_safetensors(path, {"a": np.zeros(9)})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_link_stays_a_link(path):
    target = path.with_name("target")
    path.symlink_to(target)
    write_safetensors(path, {"a": np.ones(2)})
    assert path.is_symlink()
    assert read_safetensors(target)[0]["a"].tolist() == [1, 1]


def test_float64_is_rounded_into_float32_and_float32_widened(path):
    wide, narrow = network(dtype=np.float64), network(seed=1)
    save_weights(wide, path)
    load_weights(narrow, path)
    assert_same(tensors_of(narrow), {key: a.astype(np.float32) for key, a in tensors_of(wide).items()})
    save_weights(narrow, path)
    load_weights(wide, path)
    assert_same(tensors_of(wide), {key: a.astype(np.float64) for key, a in tensors_of(narrow).items()})


def test_a_mismatch_lists_everything_and_loads_nothing(path):
    net = network()
    tensors, before = tensors_of(net), tensors_of(net)
    tensors = {key: a + 1 for key, a in tensors.items()}
    del tensors["conv.b"]
    tensors["conv.W"] = tensors["conv.W"].transpose(1, 0, 2, 3)
    tensors["bn.gamma"] = np.arange(3)
    tensors["bn.beta"] = np.array([1, np.inf, 1e39])
    tensors["fc.W"] = np.ones(2)
    write_safetensors(path, tensors)
    with pytest.raises(WeightMismatch) as caught:
        load_weights(net, path)
    assert str(caught.value).splitlines() == [
        f"{path} does not fit Sequential, nothing was loaded:",
        "  conv.W: expected shape (3, 2, 3, 2), the file has (2, 3, 3, 2)",
        "  conv.b: missing from the file",
        "  bn.gamma: expected floating-point numbers, the file has int64",
        "  bn.beta: the file's float64 values reach 1e+39, too large for float32",
        "  fc.W: surplus in the file",
    ]
    assert len(caught.value.problems) == 5
    assert_same(tensors_of(net), before)


def test_a_read_only_array_changes_nothing_in_the_others(path):
    saved, net = network(seed=1), network()
    save_weights(saved, path)
    before = tensors_of(net)
    net.params["bn.beta"].flags.writeable = False
    with pytest.raises(ValueError, match=r"nothing was loaded: the network's bn\.beta are read-only"):
        load_weights(net, path)
    assert_same(tensors_of(net), before)


def test_underflow_where_it_raises_changes_nothing_or_everything(path):
    wide, net = network(dtype=np.float64), network(seed=1)
    wide.params["bn.beta"] = np.full(3, 1e-60)
    save_weights(wide, path)
    with np.errstate(all="raise"):
        load_weights(net, path)
    assert_same(tensors_of(net), {key: a.astype(np.float32) for key, a in tensors_of(wide).items()})


def good(path):
    write_safetensors(path, {"a": np.arange(5.0)}, {"k": "v"})
    return path.read_bytes()


def header(text):
    return struct.pack("<Q", len(text)) + text


WRONG_SHAPE = json.dumps({"a": {"dtype": "F64", "shape": [9], "data_offsets": [0, 8]}}).encode()
BROKEN = {
    "empty": (lambda data: b"", "it is empty"),
    "truncated numbers": (lambda data: data[:-3], r"it should have \d+ bytes and has \d+"),
    "truncated header": (lambda data: data[:40], "its header is truncated or damaged"),
    "truncated length": (lambda data: data[:5], "it is of another format"),
    "longer": (lambda data: data + b"xx", r"it should have \d+ bytes and has \d+"),
    "a zip file": (lambda data: b"PK\x03\x04" + bytes(60), "it is of another format"),
    "PyTorch's": (lambda data: b"PK\x03\x04" + bytes(60), "load_torch_weights reads PyTorch's files"),
    "text": (lambda data: b"hello, world", "it is of another format"),
    "a page": (lambda data: b"<!DOCTYPE html><html>", "it is an HTML page; .* download the file itself"),
    "a pointer": (lambda data: b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer; `git lfs"),
    "not JSON": (lambda data: header(b"{nonsense"), "its header is truncated or damaged"),
    "text for a number": (
        lambda data: header(b'{"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, "8"]}}'),
        "its header is truncated or damaged",
    ),
    "a list in the header": (lambda data: header(b'{"a": [1]}'), "its header is truncated or damaged"),
    "a shape of other size": (lambda data: header(WRONG_SHAPE) + bytes(8), "invalid shape"),
}


@pytest.mark.parametrize(("damage", "text"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_with_its_damage(damage, text, path):
    path.write_bytes(damage(good(path)))
    with pytest.raises(ValueError, match=rf"net\.safetensors is not a whole safetensors file \(.*({text})"):
        read_safetensors(path)


def test_bfloat16_becomes_float32(path):
    tensor = torch.tensor([[1.5, -2.25, 3e38], [0, -0.0, float("inf")]], dtype=torch.bfloat16)
    safetensors.torch.save_file({"a": tensor, "b": torch.ones(2)}, path, {"by": "torch"})
    tensors, metadata = read_safetensors(path)
    assert_same(tensors, {"a": tensor.float().numpy(), "b": np.ones(2, np.float32)})
    assert metadata == {"by": "torch"}


def test_float8_is_refused(path):
    safetensors.torch.save_file({"a": torch.ones(2).to(torch.float8_e4m3fn)}, path)
    with pytest.raises(
        ValueError, match=r"net\.safetensors holds F8_E4M3, numbers that NumPy cannot hold; con"
    ):
        read_safetensors(path)


def test_missing_files_and_folders(path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*net\.safetensors"):
        read_safetensors(path)
    with pytest.raises(
        FileNotFoundError, match=r"cannot write .*: there is no folder .*nowhere; make it first"
    ):
        write_safetensors(path.parent / "nowhere" / "net.safetensors", {})
    with pytest.raises(ValueError, match="is not a file"):
        read_safetensors(path.parent)
    with pytest.raises(ValueError, match="it exists and is not a file"):
        write_safetensors(path.parent, {})


@pytest.mark.parametrize(
    ("tensors", "metadata", "text"),
    [
        ({"a": np.array(["x"])}, None, "'a': expected .* got <U1"),
        ({"a": np.array([1j])}, None, "'a': expected .* got complex128"),
        ({3: np.ones(1)}, None, "3: expected a name that is a str"),
        ({}, {"step": 3}, r"metadata must be text, got 'step': 3; use str\(\)"),
    ],
    ids=["text", "complex", "name", "metadata"],
)
def test_what_cannot_be_written_is_refused(tensors, metadata, text, path):
    with pytest.raises(TypeError, match=text):
        write_safetensors(path, tensors, metadata)
    assert not path.exists()
