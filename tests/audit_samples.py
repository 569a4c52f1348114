"""Eight layers with tests in the styles that people write: what is checked is real, and it is not enough.

name -> (source of the layers, source of the tests, name of the file of tests, class, kind)
"""

from honest import CORE, DRESSES

BOOK_CONV = (
    CORE["convolution"]
    + """
class Convolution:
    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad
    def forward(self, x):
        self.x = x
        return fwd(x, self.W, self.b, self.stride, self.pad)
    def backward(self, dout):
        dx, self.dW, self.db = bwd(dout, self.x, self.W, self.stride, self.pad)
        return dx
"""
)
BOOK_AFFINE = """
class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, x):
        self.shape = x.shape
        self.x = x.reshape(len(x), -1)
        return self.x @ self.W + self.b
    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return (dout @ self.W.T).reshape(self.shape)
"""
RELU = """
class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)
    def backward(self, dout):
        return np.where(self.mask, dout, 0)
"""
POOLING = """
class MaxPooling:
    def __init__(self, pool_h, pool_w, stride=None):
        self.size = (pool_h, pool_w)
        stride = self.size if stride is None else stride
        self.stride = stride if isinstance(stride, tuple) else (stride, stride)
    def forward(self, x):
        (ph, pw), (sh, sw) = self.size, self.stride
        view = np.lib.stride_tricks.sliding_window_view(x, (ph, pw), axis=(2, 3))[:, :, ::sh, ::sw]
        flat = view.reshape(*view.shape[:4], -1)
        self.x, self.at = x, flat.argmax(axis=-1)
        return flat.max(axis=-1)
    def backward(self, dout):
        dx = np.zeros_like(self.x)
        for n, c, i, j in np.ndindex(*dout.shape):
            di, dj = divmod(int(self.at[n, c, i, j]), self.size[1])
            dx[n, c, i * self.stride[0] + di, j * self.stride[1] + dj] += dout[n, c, i, j]
        return dx
"""
SIGMOID = """
class Sigmoid:
    def forward(self, x):
        e = np.exp(-np.abs(x))
        self.out = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
        self.out = self.out.astype(x.dtype)
        return self.out
    def backward(self, dout):
        return dout * (1 - self.out) * self.out
"""
NUMERICAL = """
def numerical(f, x, h=1e-5):
    grad = np.zeros_like(x)
    for at in np.ndindex(*x.shape):
        old = x[at]
        x[at] = old + h
        plus = f()
        x[at] = old - h
        grad[at] = (plus - f()) / (2 * h)
        x[at] = old
    return grad
"""

SAMPLES = {
    "shapes and ones": (
        BOOK_AFFINE,
        """
from layers import Affine
def test_shape():
    assert Affine(np.ones((3, 2)), np.zeros(2)).forward(np.ones((4, 3))).shape == (4, 2)
def test_gradient_of_ones():
    layer = Affine(np.ones((3, 2)), np.zeros(2))
    layer.forward(np.ones((4, 3)))
    assert np.allclose(layer.backward(np.ones((4, 2))), 2)
""",
        "test_affine.py",
        "Affine",
        "affine",
    ),
    "finite differences of the sum": (
        BOOK_CONV,
        NUMERICAL
        + """
from layers import Convolution
rng = np.random.default_rng(0)
def test_gradients():
    x, W, b = rng.normal(size=(2, 2, 5, 5)), rng.normal(size=(3, 2, 3, 3)), np.zeros(3)
    layer = Convolution(W, b, 1, 1)
    out = layer.forward(x)
    dx = layer.backward(np.ones_like(out))
    assert np.allclose(dx, numerical(lambda: layer.forward(x).sum(), x), atol=1e-4)
    assert np.allclose(layer.dW, numerical(lambda: layer.forward(x).sum(), W), atol=1e-4)
def test_one_filter_of_ones():
    out = Convolution(np.ones((1, 1, 2, 2)), np.zeros(1)).forward(np.ones((1, 1, 4, 4)))
    assert out.shape == (1, 1, 3, 3) and np.all(out == 4)
""",
        "test_conv.py",
        "Convolution",
        "convolution",
    ),
    "unittest, by hand": (
        RELU,
        """
import unittest
from layers import Relu
class ReluTestCase(unittest.TestCase):
    def setUp(self):
        self.layer = Relu()
    def test_forward(self):
        out = self.layer.forward(np.array([[-1.0, 2.0], [3.0, -4.0]]))
        self.assertEqual(out.tolist(), [[0.0, 2.0], [3.0, 0.0]])
    def test_backward(self):
        self.layer.forward(np.array([[-1.0, 2.0]]))
        self.assertEqual(self.layer.backward(np.ones((1, 2))).tolist(), [[0.0, 1.0]])
""",
        "test_relu.py",
        "Relu",
        "relu",
    ),
    "a layer as torch.nn has it, forward alone": (
        DRESSES["torch_like"]("affine", "Linear"),
        """
from layers import Linear
def test_is_a_product():
    layer = Linear(3, 2)
    layer.weight = np.arange(6.0).reshape(2, 3)
    x = np.arange(12.0).reshape(4, 3)
    assert np.allclose(layer.forward(x), x @ layer.weight.T)
def test_backward_has_the_shape_of_x():
    layer = Linear(3, 2)
    layer.forward(np.ones((4, 3)))
    assert layer.backward(np.ones((4, 2))).shape == (4, 3) and layer.weight_grad.shape == (2, 3)
""",
        "test_linear.py",
        "Linear",
        "affine",
    ),
    "a script of asserts": (
        POOLING,
        """
from layers import MaxPooling
layer = MaxPooling(2, 2, stride=2)
x = np.arange(16.0).reshape(1, 1, 4, 4)
assert layer.forward(x).tolist() == [[[[5.0, 7.0], [13.0, 15.0]]]]
dx = layer.backward(np.ones((1, 1, 2, 2)))
assert dx.sum() == 4 and dx[0, 0, 1, 1] == 1
print("all good")
""",
        "check_pooling.py",
        "MaxPooling",
        "max_pooling",
    ),
    "channels last, square images": (
        DRESSES["channels_last"]("convolution", "Conv2D"),
        """
from layers import Conv2D
rng = np.random.default_rng(1)
def loop(x, K):
    out = np.zeros((len(x), x.shape[1] - 2, x.shape[2] - 2, K.shape[3]))
    for n, i, j, f in np.ndindex(*out.shape):
        out[n, i, j, f] = (x[n, i:i + 3, j:j + 3] * K[..., f]).sum()
    return out
def test_against_a_loop():
    layer = Conv2D(2, 3, 3)
    layer.kernels = rng.normal(size=layer.kernels.shape)
    x = rng.normal(size=(2, 6, 6, 2))
    assert np.allclose(layer.forward(x), loop(x, layer.kernels))
def test_backward_runs():
    layer = Conv2D(2, 3, 3, padding=1)
    out = layer.forward(np.ones((1, 5, 5, 2)))
    assert layer.backward(out).shape == (1, 5, 5, 2)
""",
        "test_conv2d.py",
        "Conv2D",
        "convolution",
    ),
    "the loss goes down": (
        DRESSES["self_updating"]("affine", "Dense"),
        """
from layers import Dense
def test_it_learns():
    rng = np.random.default_rng(2)
    layer, x = Dense(3, 1), rng.normal(size=(20, 3))
    t = x @ np.array([[1.0], [-2.0], [0.5]])
    losses = []
    for _ in range(50):
        out = layer.forward(x)
        losses.append(float(((out - t) ** 2).mean()))
        layer.backward(2 * (out - t) / len(x), 0.1)
    assert losses[-1] < 0.01 * losses[0]
""",
        "test_dense.py",
        "Dense",
        "affine",
    ),
    "values at a few points": (
        SIGMOID,
        """
from layers import Sigmoid
def test_half_at_zero():
    assert Sigmoid().forward(np.zeros((1, 1)))[0, 0] == 0.5
def test_bounds():
    out = Sigmoid().forward(np.array([[-5.0, 5.0]]))
    assert 0 < out[0, 0] < 0.01 and 0.99 < out[0, 1] < 1
def test_slope_at_zero():
    layer = Sigmoid()
    layer.forward(np.zeros((1, 1)))
    assert layer.backward(np.ones((1, 1)))[0, 0] == 0.25
""",
        "test_sigmoid.py",
        "Sigmoid",
        "sigmoid",
    ),
}


def write(folder, name):
    """The sample's two files in that folder: the path of the tests, the target and the kind."""
    layers, tests, file, cls, kind = SAMPLES[name]
    folder.mkdir(parents=True, exist_ok=True)
    core = CORE[kind] if "fwd(" in layers and "def fwd" not in layers else ""
    (folder / "layers.py").write_text(f"import numpy as np\n{core}{layers}")
    (folder / file).write_text(f"import numpy as np\n{tests}")
    return folder / file, f"{folder}/layers.py:{cls}", kind
