"""Methods of an autograd engine that are a function of one number, or move numbers, have a verdict each."""

import pytest
from engines import ARRAYS

from parity.verification.listing import listed
from parity.verification.verify import verify

METHODS = """
    def log(self):
        return Tensor(np.log(self.data), (self,), lambda g: self.take(g / self.data))

    def sqrt(self):
        y = np.sqrt(self.data)
        return Tensor(y, (self,), lambda g: self.take(g / (2 * y)))

    def abs(self):
        return Tensor(np.abs(self.data), (self,), lambda g: self.take(g * np.sign(self.data)))

    def max(self, axis=None, keepdims=False):
        y = self.data.max(axis=axis, keepdims=True)

        def push(g):
            self.take((self.data == y) * np.reshape(g, y.shape))

        return Tensor(y if keepdims else self.data.max(axis=axis), (self,), push)

    def min(self):
        y = self.data.min()
        return Tensor(y, (self,), lambda g: self.take((self.data == y) * g))

    def reshape(self, *shape):
        return Tensor(self.data.reshape(*shape), (self,), lambda g: self.take(g.reshape(self.data.shape)))

    def view(self, shape):
        return self.reshape(*shape)

    def transpose(self, *axes):
        back = np.argsort(axes) if axes else None
        return Tensor(self.data.transpose(*axes), (self,), lambda g: self.take(np.transpose(g, back)))

    @property
    def T(self):
        return self.transpose()

    def __getitem__(self, at):
        def push(g):
            full = np.zeros(self.data.shape)
            np.add.at(full, at, g)
            self.take(full)

        return Tensor(self.data[at], (self,), push)

    def backward("""
SOURCE = ARRAYS.replace("\n    def backward(", METHODS)
NAMES = ("log", "sqrt", "abs", "max", "min", "reshape", "view", "transpose", "T", "__getitem__")


def verdict(tmp_path, source, name):
    path = tmp_path / f"engine_{len(list(tmp_path.iterdir()))}.py"  # a file is imported once
    path.write_text(source)
    kinds = {one.name: one.kind for one in listed(path)}
    return verify(f"{path}:Tensor.{name}", kinds[f"Tensor.{name}"], isolated=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_right_method_is_right(tmp_path, name):
    found = verdict(tmp_path, SOURCE, name)
    assert found.outcome == "right" and not found.not_checked, str(found)


WRONG = {  # the method, what is written instead, and what is said of it
    "log's slope": ("log", "g / self.data", "g / np.log(self.data)", "wrong: dx"),
    "log to the base of 10": ("log", "np.log(", "np.log10(", "wrong: out"),
    "log written over": ("log", "self.take(g /", "setattr(self, 'grad', g /", "dx of f(x) + f(x)"),
    "root's slope": ("sqrt", "(2 * y)", "y", "wrong: dx"),
    "sign": ("abs", " * np.sign(self.data)", "", "wrong: dx"),
    "abs written over": ("abs", "self.take(g *", "setattr(self, 'grad', g *", "x.abs() + x.abs()"),
    "to all": ("max", "(self.data == y) * np", "np.ones(self.data.shape) * np", "wrong: dx"),
    "the axis left": ("max", "y if keepdims", "y[0] if keepdims", "x.max(axis=1, keepdims)"),
    "the other end": ("min", "self.data.min()", "self.data.max()", "wrong: out"),
    "turned": ("reshape", "g.reshape(", "g.T.reshape(", "wrong: dx"),
    "reshape written over": ("reshape", "self.take(g", "setattr(self, 'grad', g", "dx of f(x) + f(x)"),
    "turned on": ("transpose", "np.argsort(axes) if axes", "axes if axes", "x of three axes"),
    "not turned back": ("transpose", "np.transpose(g, back)", "g.reshape(self.data.shape)", "wrong: dx"),
    "once for two": ("__getitem__", "np.add.at(full, at, g)", "full[at] += g", "x[[0, 0, 2]]"),
    "to every row": ("__getitem__", "self.take(full)", "self.take(0 * full + g.sum())", "wrong: dx"),
}


@pytest.mark.parametrize("bug", WRONG)
def test_a_wrong_method_is_wrong(tmp_path, bug):
    name, right, wrong, said = WRONG[bug]
    start = SOURCE.index(f"    def {name}(")
    written = SOURCE[:start] + SOURCE[start:].replace(right, wrong, 1)
    found = verdict(tmp_path, written, name)
    assert found.outcome == "wrong" and said in str(found), str(found)


def test_what_only_bears_the_name_of_a_method_is_not_listed(tmp_path):
    path = tmp_path / "engine.py"
    others = "def view(self):", "def log(self, text):", "def max(self, other):", "def reshape(self):"
    path.write_text("\n        pass\n\n    ".join([ARRAYS + "\n    ", *others]) + "\n        pass\n")
    assert not {one.name for one in listed(path)} & {f"Tensor.{name}" for name in NAMES}
