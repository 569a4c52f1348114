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
            print("still here")


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
