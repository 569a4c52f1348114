"""Code that does not behave."""

import os
import sys
import time

import numpy as np
import right


class Hangs(right.Relu):
    def forward(self, x):
        if x.ndim == 4:
            while True:
                time.sleep(0.01)
        return super().forward(x)


class Prints(right.Relu):
    def forward(self, x):
        while True:
            print("still here " * 100)


class PrintsAndHangs(right.Relu):
    def forward(self, x):
        print("about to hang", flush=True)
        while True:
            pass


class Crashes(right.Relu):
    def forward(self, x):
        import ctypes

        return ctypes.string_at(0)


class Exits(right.Relu):
    def forward(self, x):
        sys.exit(3)


class ExitsAtOnce(right.Relu):
    def forward(self, x):
        os._exit(7)


class EatsMemory(right.Relu):
    def forward(self, x):
        self.waste = np.ones(1 << 26)  # half a GiB
        return super().forward(x)


class AsksForInput(right.Relu):
    def forward(self, x):
        return input("x?")


class GivesList(right.Relu):
    def forward(self, x):
        return super().forward(x).tolist()


class GivesRagged(right.Relu):
    def forward(self, x):
        return [[1], [2, 3]]


class GivesItself(right.Relu):
    def backward(self, dout):
        return self


class Raises(right.Relu):
    def forward(self, x):
        raise KeyError("gamma", x.shape)


class Talks(right.Relu):
    """Prints a little, which is nobody's business."""

    def forward(self, x):
        print("forward", x.shape)
        return super().forward(x)


class Aborts(right.Relu):
    def forward(self, x):
        os.abort()


class Interrupts(right.Relu):
    def forward(self, x):
        raise KeyboardInterrupt


class ClosesFiles(right.Relu):
    def forward(self, x):
        os.closerange(3, 200)
        return super().forward(x)


class GivesNothing(right.Relu):
    def forward(self, x):
        super().forward(x)


class GivesPair(right.Relu):
    def forward(self, x):
        return super().forward(x), x


class GivesTensor(right.Relu):
    def forward(self, x):
        import torch

        return torch.from_numpy(super().forward(x))


class NoBackward:
    def forward(self, x):
        return np.maximum(x, 0)


class NeedsMore(right.Relu):
    def __init__(self, size):
        self.size = size


AN_OBJECT = right.Relu()


class RaisesWhenBuilt(right.Relu):
    def __init__(self):
        raise ValueError("no gamma given")


class RaisesBack(right.Relu):
    def backward(self, dout):
        raise IndexError("no such axis")


class ChangesFolder(right.Relu):
    def forward(self, x):
        os.chdir("/")
        return super().forward(x)


class SeedsGlobally(right.Relu):
    def forward(self, x):
        np.random.seed(0)  # noqa: NPY002
        return super().forward(x)


a_function_that_makes_one = lambda: right.Relu()  # noqa: E731
