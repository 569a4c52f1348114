"""Images of the one size that a source has, and options in a dict that is never asked for padding."""

import pytest

from parity.verification.verify import verify

POOL = """
import numpy as np

class MaxPool:
    def __init__(self):
        self.size = 2

    def forward(self, x):
        self.x = x
        out = np.zeros((14, 14, x.shape[2]))
        for i in range(14):
            for j in range(14):
                out[i, j] = np.max(x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2], axis=(0, 1))
        return out

    def backward(self, dout):
        dx = np.zeros(self.x.shape)
        for i in range(14):
            for j in range(14):
                for c in range(self.x.shape[2]):
                    window = self.x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
                    a, b = np.unravel_index(np.argmax(window), window.shape)
                    dx[2 * i + a, 2 * j + b, c] += dout[i, j, c]
        return dx

class MaxPoolWrong(MaxPool):
    def backward(self, dout):
        return super().backward(dout) / 2
"""
CONV = """
import numpy as np

def conv_forward(A_prev, W, b, hparameters):
    stride, (m, h, w, _), (f, _, _, n) = hparameters["stride"], A_prev.shape, W.shape
    Z = np.zeros((m, (h - f) // stride + 1, (w - f) // stride + 1, n))
    for i in range(Z.shape[1]):
        for j in range(Z.shape[2]):
            at = A_prev[:, i * stride : i * stride + f, j * stride : j * stride + f]
            Z[:, i, j] = np.tensordot(at, W, 3) + b[0, 0]
    return Z, (A_prev, W, b, hparameters)

def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    stride, f = hparameters["stride"], len(W)
    dA, dW, db = np.zeros(A_prev.shape), np.zeros(W.shape), np.zeros(b.shape)
    for i in range(dZ.shape[1]):
        for j in range(dZ.shape[2]):
            at = np.s_[:, i * stride : i * stride + f, j * stride : j * stride + f]
            dA[at] += np.tensordot(dZ[:, i, j], W, (1, 3))
            dW += np.tensordot(A_prev[at], dZ[:, i, j], (0, 0))
    db += DB
    return dA, dW, db
"""


TILED = """
import numpy as np

def maxpool_forward(image):
    h, w, c = image.shape
    if h % 2 or w % 2:
        raise ValueError("2x2 windows")
    tiles = image.reshape(h // 2, 2, w // 2, 2, c).swapaxes(1, 2).reshape(h // 2, w // 2, 4, c)
    return tiles.max(axis=2), (image.shape, tiles.argmax(axis=2))

def maxpool_backward(dout, cache):
    (h, w, c), first = cache
    dx = np.zeros((h, w, c))
    for i in range(h // 2):
        for j in range(w // 2):
            for k in range(c):
                dx[2 * i + first[i, j, k] // 2, 2 * j + first[i, j, k] % 2, k] = dout[i, j, k]
    return dx

def fc_forward(l_in, W, b):
    return l_in @ W + b

def fc_backward(dinput, h, W, input_layer=False):
    return None if input_layer else dinput @ W.T, h.T @ dinput, DB

"""


def judged(tmp_path, text, name, kind):
    file = tmp_path / "layers.py"
    file.write_text(text)
    return verify(f"{file}:{name}", kind, isolated=False)


def test_images_of_the_size_in_its_source_are_tried_where_no_others_go(tmp_path):
    verdict = judged(tmp_path, POOL, "MaxPool", "max_pooling")
    assert verdict.ok and "H other than 28" in verdict.not_checked, str(verdict)


def test_what_is_wrong_on_images_of_that_size_is_wrong(tmp_path):
    assert judged(tmp_path, POOL, "MaxPoolWrong", "max_pooling").outcome == "wrong"


def test_padding_in_a_dict_that_is_never_asked_for_it_is_not_checked(tmp_path):
    verdict = judged(
        tmp_path, CONV.replace("DB", "dZ.sum((0, 1, 2))"), "conv_forward,conv_backward", "convolution"
    )
    assert verdict.ok and "padding other than 'valid'" in verdict.not_checked, str(verdict)


def test_its_gradients_are_still_held_to_pytorch(tmp_path):
    verdict = judged(
        tmp_path, CONV.replace("DB", "dZ.mean((0, 1, 2))"), "conv_forward,conv_backward", "convolution"
    )
    assert verdict.outcome == "wrong", str(verdict)


def test_a_function_of_an_image_alone_has_a_window_of_its_own(tmp_path):
    verdict = judged(tmp_path, TILED, "maxpool_forward,maxpool_backward", "max_pooling")
    assert verdict.ok and "windows other than 2x2" in verdict.not_checked, str(verdict)


@pytest.mark.parametrize(("db", "right"), [("dinput.sum(axis=0)", True), ("dinput.mean(axis=0)", False)])
def test_what_is_left_beside_the_gradient_and_the_weights_is_the_input(tmp_path, db, right):
    verdict = judged(tmp_path, TILED.replace("DB", db), "fc_forward,fc_backward", "affine")
    assert verdict.ok == right and "fc_backward(dinput, h, W" in str(verdict), str(verdict)
