"""Dense layers whose weights a method makes later, that are handed an activation with a backward, or how many
samples there are; convolutions of the size and depth of an image; a pooling that unpools."""

import pytest

from parity.verification.verify import verify

SOURCE = """
import numpy as np

class Connected:
    def __init__(self, size):
        self.size = size

    def connect(self, prev_size):
        self.weights, self.biases = np.random.randn(self.size, prev_size), np.zeros((self.size, 1))

    def forward(self, a):
        self.a = a
        return self.weights @ a + self.biases

    def backward(self, delta):
        self.nabla_w, self.nabla_b = delta @ self.a.T, delta.sum(axis=1, keepdims=True)
        return self.weights.T @ delta

class Activated:
    def __init__(self, n_in, n_out, activation):
        self.W, self.b, self.activation = np.random.randn(n_in, n_out), np.zeros(n_out), activation

    def forward(self, x):
        self.x = x
        return self.activation.forward(x @ self.W + self.b)

    def backward(self, dout, lr):
        dz = self.activation.backward(dout)
        dx = dz @ self.W.T
        self.W, self.b = self.W - lr * self.x.T @ dz, self.b - lr * dz.sum(axis=0)
        return dx

class ActivatedWrong(Activated):
    def backward(self, dout, lr):
        dx = super().backward(dout, lr)
        self.b = self.b - lr * dout.sum(axis=0)
        return dx

class OfSamples:
    def __init__(self, n_prev, n_curr):
        self.W, self.b = np.random.randn(n_curr, n_prev), np.zeros((n_curr, 1))

    def forward_propagate(self, a_prev):
        self.a_prev = a_prev
        return self.W @ a_prev + self.b

    def back_propagate(self, da, m, lr, lambd):
        self.dW = da @ self.a_prev.T + lambd / m * self.W
        self.db = da.sum(axis=1, keepdims=True)
        return self.W.T @ da

class Pool:
    def __init__(self, f, s):
        self.f, self.s = f, s

    def windows(self, shape):
        for i in range((shape[1] - self.f) // self.s + 1):
            for j in range((shape[2] - self.f) // self.s + 1):
                yield i, j, np.s_[:, i * self.s : i * self.s + self.f, j * self.s : j * self.s + self.f]

    def pool(self, image):
        self.image = image
        sizes = [(n - self.f) // self.s + 1 for n in image.shape[1:]]
        out = np.zeros((len(image), *sizes))
        for i, j, window in self.windows(image.shape):
            out[:, i, j] = image[window].max(axis=(1, 2))
        return out

    def unpool(self, dpool):
        dx = np.zeros(self.image.shape)
        for i, j, window in self.windows(self.image.shape):
            for c, one in enumerate(self.image[window]):
                a, b = np.unravel_index(one.argmax(), one.shape)
                dx[c, i * self.s + a, j * self.s + b] += dpool[c, i, j]
        return dx

class PoolWrong(Pool):
    def unpool(self, dpool):
        return super().unpool(dpool) / 2
"""
CASES = [
    ("Connected", "affine", True, "then connect(prev_size)"),
    ("Activated", "affine", True, "activation other than the identity"),
    ("ActivatedWrong", "affine", False, "db"),
    ("OfSamples", "affine", True, "back_propagate(da, m, lr, lambd)"),
    ("Pool", "max_pooling", True, "pool(image), unpool(dpool)"),
    ("PoolWrong", "max_pooling", False, "dx"),
]


@pytest.mark.parametrize(("name", "kind", "right", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_verdict_and_how_it_was_called(tmp_path, name, kind, right, part):
    file = tmp_path / "layers.py"
    file.write_text(SOURCE)
    verdict = verify(f"{file}:{name}", kind, isolated=False)
    assert verdict.outcome in (("right", "right_but") if right else ("wrong",)), str(verdict)
    assert part in str(verdict), str(verdict)
