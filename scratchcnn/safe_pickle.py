"""Pickles of plain data, read without running what is in them.

A pickle is a small program: it can name any function and have it called. The unpickler here knows the
names that its subclass lists, which stand for functions of our own, and the opcodes that plain data
needs. It refuses everything else before anything is called.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable


class Refused(ValueError):
    """The pickle holds what its reader does not accept; the message names it, in one printable line."""

    def __init__(self, message: str):
        super().__init__("".join(c if c.isprintable() else "?" for c in message))


@runtime_checkable
class Restorable(Protocol):
    """What a pickle may give a state to after it was made (the opcode BUILD)."""

    def restore(self, state: Any) -> None: ...


class Aside:
    """Stands for an object beside the data, such as a script's arguments; what it holds is not kept."""

    def __init__(self, *_: Any, **__: Any):
        pass


class SafeUnpickler(pickle._Unpickler):
    """Loads numbers, text, bytes, tuples, lists, dicts, and what the functions in `names` return.

    names    (module, name) in the file -> what stands for it here
    purpose  what is being read, for the error: "a state dict of tensors"
    mend     what to do about another file, appended to the error
    data     bytes, or a memory-mapped file, which is read from where it stands to the pickle's end

    Raises Refused for everything else, and any of `DAMAGE` (files.py) for a damaged file.
    """

    purpose: ClassVar[str] = "plain data"
    mend: ClassVar[str] = ""
    stateless: ClassVar[tuple[type, ...]] = (dict,)  # whose further attributes, as PyTorch's, are left out
    stack: list[Any]  # the base class makes these when it begins to load
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, data: Any, names: Mapping[tuple[str, str], Any]):
        super().__init__(io.BytesIO(data) if isinstance(data, bytes) else data)
        self.size, self.names = len(data), names

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.names:
            raise Refused(f"it names {module}.{name}, which {self.purpose} does not need{self.mend}")
        return self.names[module, name]

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def _set_items(self) -> None:
        self._update(self.pop_mark())

    def _update(self, items: list[Any]) -> None:
        """Keys are text or whole numbers: hashing a tuple of tuples of tuples can take for ever."""
        keys, values = items[::2], items[1::2]
        if not isinstance(self.stack[-1], dict) or any(type(key) not in (str, int) for key in keys):
            raise Refused("it has a dict whose keys are neither text nor whole numbers")
        self.stack[-1].update(zip(keys, values, strict=True))

    def _build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Restorable):
            target.restore(state)
        elif not isinstance(target, self.stateless):
            raise Refused("it sets attributes of an object that has none")

    def _new_object(self) -> None:
        arguments, cls = self.stack.pop(), self.stack.pop()
        if cls is not Aside:
            raise Refused("it makes an object that its reader does not know")
        self.append(Aside(*arguments))

    def _bytearray(self) -> None:
        """The length is checked before memory is reserved for it."""
        (length,) = struct.unpack("<Q", self.read(8))
        if length > self.size:
            raise EOFError(f"{length:,} bytes promised in a pickle of {self.size:,}")
        self.append(bytearray(self.read(length)))


class _Opcodes(dict[int, Callable[[Any], None]]):
    def __missing__(self, code: int) -> Callable[[Any], None]:
        raise Refused(f"it uses the pickle opcode {bytes([code])!r}, not needed for data")


_PLAIN = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.LONG4, pickle.BINFLOAT),
    *(pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8),
    *(pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.BINBYTES8),
    *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
    *(pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS, pickle.EMPTY_DICT),
    *(pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.BINGET, pickle.LONG_BINGET),
    *(pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.REDUCE, pickle.BINPERSID),
)
SafeUnpickler.dispatch = _Opcodes(
    {code[0]: pickle._Unpickler.dispatch[code[0]] for code in _PLAIN}
    | {
        pickle.SETITEM[0]: SafeUnpickler._set_item,
        pickle.SETITEMS[0]: SafeUnpickler._set_items,
        pickle.BUILD[0]: SafeUnpickler._build,
        pickle.NEWOBJ[0]: SafeUnpickler._new_object,
        pickle.BYTEARRAY8[0]: SafeUnpickler._bytearray,
    }
)
