"""The pickle in PyTorch's files: which tensors there are, and where in which storage their numbers lie.

A pickle can have any function called. This reader knows the few names that a state dict of tensors needs
and maps them to its own small functions (safe_pickle.py). The bytes of the storages are elsewhere in the
file: in the members of a zip archive (state_dict.py), or after the pickle (legacy_pth.py).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any, ClassVar, NamedTuple

import numpy as np

from scratchcnn.safe_pickle import Aside, Refused, SafeUnpickler
from scratchcnn.typing import Array
from scratchcnn.weights import widened

BFLOAT16 = "bfloat16"  # unknown to NumPy; its bits are the upper half of a float32
STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": BFLOAT16,
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}


# What training scripts save beside a state dict: their arguments, best accuracies, milestones, paths.
BESIDE = (
    *(("argparse", "Namespace"), ("collections", "Counter"), ("_codecs", "encode"), ("numpy", "dtype")),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
    *(("pathlib", f"{kind}Path") for kind in ("Posix", "Windows", "PurePosix", "PureWindows")),
    *(("torch", name) for name in ("Size", "device", "float32", "float16", "bfloat16")),
    *((module, name) for module in ("builtins", "__builtin__") for name in ("set", "dict", "list", "int")),
)


class Dtype(NamedTuple):
    """`torch.FloatStorage` as the pickle names it."""

    code: str

    @property
    def itemsize(self) -> int:
        return 2 if self.code == BFLOAT16 else np.dtype(self.code).itemsize


class Storage(NamedTuple):
    dtype: Dtype
    data: Any  # bytes, or a view of them


class TensorUnpickler(SafeUnpickler):
    """Knows the names in a state dict; a subclass says where the bytes of the storages are.

    limit   how many bytes all tensors together may have
    """

    purpose = "a state dict of tensors"
    mend = "; save model.state_dict() alone, or convert it to safetensors"
    stateless: ClassVar[tuple[type, ...]] = (dict, np.ndarray, Aside)

    def __init__(self, data: Any, limit: int):
        names: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor"): self.rebuild_tensor,
            ("torch._utils", "_rebuild_tensor_v2"): self.rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
            ("torch.nn.parameter", "Parameter"): lambda tensor, *_: tensor,
            ("collections", "defaultdict"): lambda *_: {},
            **dict.fromkeys(BESIDE, Aside),
            **{("torch", name): Dtype(code) for name, code in STORAGES.items()},
        }
        super().__init__(data, names)
        self.left = limit

    def read_storage(self, key: str, dtype: Dtype, count: int) -> Any:
        """The bytes of a storage of `count` numbers."""
        raise NotImplementedError

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.names and (module == "torch._utils" or name.endswith("Storage")):
            raise Refused(
                f"it holds numbers that NumPy cannot hold, such as float8 or complex ones ({module}.{name}); "
                "convert them with model.float() before you save"
            )
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Storage:
        """A storage, of which the format before 1.6 may name a part: (key, offset, count)."""
        kind, dtype, key, _, count, *part = pid
        if kind != "storage" or not isinstance(dtype, Dtype):
            raise Refused(f"it refers to {kind!r}, expected a storage of numbers")
        data = self.read_storage(str(key), dtype, count)
        if part and part[0] is not None:
            _, offset, length = part[0]
            if not 0 <= offset <= offset + length <= count:
                raise Refused(f"a part of storage {key} lies outside of it")
            data = data[offset * dtype.itemsize : (offset + length) * dtype.itemsize]
        return Storage(dtype, data)

    def rebuild_tensor(
        self, storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
    ) -> Array:
        """What `torch._utils._rebuild_tensor_v2` does: a strided view of the storage, here as a copy."""
        code = storage.dtype.code
        flat = np.frombuffer(storage.data, dtype="<u2" if code == BFLOAT16 else code)
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else -1
        if min((offset, *size, *stride), default=0) < 0 or last >= len(flat):
            raise Refused("a tensor lies outside of its storage")
        self.left -= math.prod(size) * flat.itemsize
        if self.left < 0:
            raise Refused("its tensors unpack to many times the size of the file")
        strides = [s * flat.itemsize for s in stride]
        array = np.lib.stride_tricks.as_strided(flat[offset:], size, strides, writeable=False)
        return widened(array) if code == BFLOAT16 else array.copy()
