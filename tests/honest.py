"""Honest submissions, generated: right ones and ones with a bug, in five dresses (see dresses.py).

Each is a file of its own that needs NumPy alone, and its true grade is known: the checks that the bug breaks.
"""

from itertools import product

CORE = {
    "convolution": """
def pair(v): return v if isinstance(v, tuple) else (v, v)
def fwd(x, W, b, stride=1, pad=0):
    (sh, sw), (ph, pw), (FN, C, FH, FW) = pair(stride), pair(pad), W.shape
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    OH, OW = (xp.shape[2] - FH) // sh + 1, (xp.shape[3] - FW) // sw + 1
    out = np.zeros((len(x), FN, OH, OW), x.dtype)
    for i in range(FH):
        for j in range(FW):
            out += np.einsum("nchw,fc->nfhw", xp[:, :, i:i + sh * OH:sh, j:j + sw * OW:sw], W[:, :, i, j])
    return out + b[:, None, None]
def bwd(dout, x, W, stride=1, pad=0):
    (sh, sw), (ph, pw), (FN, C, FH, FW) = pair(stride), pair(pad), W.shape
    xp = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    dxp, dW, (OH, OW) = np.zeros_like(xp), np.zeros_like(W), dout.shape[2:]
    for i in range(FH):
        for j in range(FW):
            part = np.s_[:, :, i:i + sh * OH:sh, j:j + sw * OW:sw]
            dW[:, :, i, j] = np.einsum("nfhw,nchw->fc", dout, xp[part])
            dxp[part] += np.einsum("nfhw,fc->nchw", dout, W[:, :, i, j])
    dx = dxp[:, :, ph:dxp.shape[2] - ph, pw:dxp.shape[3] - pw]
    return dx, dW, dout.sum(axis=(0, 2, 3))
""",
    "affine": """
def fwd(x, W, b): return x @ W + b
def bwd(dout, x, W):
    dx = dout @ W.T
    dW = x.T @ dout
    return dx, dW, dout.sum(axis=0)
""",
}
# What is written instead of what, and the checks that it breaks.
BUGS = {
    "convolution": {
        "right": ("", "", set()),
        "no bias": ("return out + b[:, None, None]", "return out", {"forward"}),
        "flipped kernel in dx": ("dout, W[:, :, i, j]", "dout, W[:, :, -1 - i, -1 - j]", {"dx"}),
        "= for += in dx": ("dxp[part] +=", "dxp[part] =", {"dx"}),
        "mean for sum in db": ("dout.sum(axis=(0, 2, 3))", "dout.mean(axis=(0, 2, 3))", {"db"}),
        "dW of a mean over the batch": ('"nfhw,nchw->fc", dout,', '"nfhw,nchw->fc", dout / len(x),', {"dW"}),
    },
    "affine": {
        "right": ("", "", set()),
        "no bias": ("x @ W + b", "x @ W", {"forward"}),
        "mean for sum in db": ("dout.sum(axis=0)", "dout.mean(axis=0)", {"db"}),
        "dW of a mean over the batch": ("x.T @ dout", "x.T @ dout / len(x)", {"dW"}),
        "dx of minus": ("dx = dout", "dx = -dout", {"dx"}),
    },
}
IMAGES = {
    "to": "np.moveaxis(a, -1, 1) if a.ndim == 4 else a",
    "back": "np.moveaxis(a, 1, -1) if a.ndim == 4 else a",
}
SIZES = {
    "convolution": "(out_channels, in_channels, *pair(kernel_size))",
    "affine": "(in_features, out_features)",
}
INIT = {
    "convolution": "self, in_channels, out_channels, kernel_size, stride=1, padding=0",
    "affine": "self, in_features, out_features",
}
OPTIONS = {"convolution": "stride=self.stride, pad=self.padding", "affine": ""}
KEEP = {"convolution": "self.stride, self.padding = stride, padding", "affine": "pass"}


def _made(kind, W, b, shape, wrap=""):
    return f"""
    def __init__({INIT[kind]}):
        self.{W} = {wrap}(np.zeros({shape}))
        self.{b} = {wrap}(np.zeros({"out_channels" if kind == "convolution" else "out_features"}))
        {KEEP[kind]}
"""


def torch_like(kind, name):
    turn = ".T" if kind == "affine" else ""
    shape = SIZES[kind] if kind == "convolution" else "(out_features, in_features)"
    return f"""
class {name}:{_made(kind, "weight", "bias", shape)}
    def forward(self, x):
        self.x = x
        return fwd(x, self.weight{turn}, self.bias, {OPTIONS[kind]})
    def backward(self, grad_output):
        dx, dW, self.bias_grad = bwd(grad_output, self.x, self.weight{turn}, {OPTIONS[kind]})
        self.weight_grad = dW{turn}
        return dx
"""


def channels_last(kind, name):
    shape = "(*pair(kernel_size), in_channels, out_channels)" if kind == "convolution" else SIZES[kind]
    to, back = (".transpose(3, 2, 0, 1)", ".transpose(2, 3, 1, 0)") if kind == "convolution" else ("", "")
    return f"""
def to(a): return {IMAGES["to"]}
def back(a): return {IMAGES["back"]}
class {name}:{_made(kind, "kernels", "bias", shape)}
    def forward(self, inputs):
        self.x = to(inputs)
        return back(fwd(self.x, self.kernels{to}, self.bias, {OPTIONS[kind]}))
    def backward(self, grads):
        dx, dW, db = bwd(to(grads), self.x, self.kernels{to}, {OPTIONS[kind]})
        self.gradients = {{"kernels": dW{back}, "bias": db}}
        return back(dx)
"""


def single_image(kind, name):
    return f"""
class {name}:{_made(kind, "kernels", "biases", SIZES[kind])}
    def fprop(self, image):
        self.x = image[None]
        return fwd(self.x, self.kernels, self.biases, {OPTIONS[kind]})[0]
    def bprop(self, delta):
        dx, self.d_kernels, self.d_biases = bwd(delta[None], self.x, self.kernels, {OPTIONS[kind]})
        return dx[0]
"""


def self_updating(kind, name):
    return f"""
class {name}:{_made(kind, "weights", "bias", SIZES[kind])}
    def forward(self, input):
        self.x = input
        return fwd(input, self.weights, self.bias, {OPTIONS[kind]})
    def backward(self, output_gradient, learning_rate):
        dx, dW, db = bwd(output_gradient, self.x, self.weights, {OPTIONS[kind]})
        self.weights = self.weights - learning_rate * dW
        self.bias = self.bias - learning_rate * db
        return dx
"""


def engine(kind, name):
    return f"""
class Tensor:
    def __init__(self, data):
        self.data, self.grad, self.back = np.asarray(data), None, None
    def __mul__(self, other):
        return Tensor(self.data * other.data)
    def add(self, gradient):
        self.grad = gradient if self.grad is None else self.grad + gradient
    def backward(self, gradient):
        self.back(gradient)
class {name}:{_made(kind, "weight", "bias", SIZES[kind], "Tensor")}
    def __call__(self, x):
        out = Tensor(fwd(x.data, self.weight.data, self.bias.data, {OPTIONS[kind]}))
        def back(gradient):
            dx, dW, db = bwd(gradient, x.data, self.weight.data, {OPTIONS[kind]})
            x.add(dx), self.weight.add(dW), self.bias.add(db)
        out.back = back
        return out
"""


DRESSES = {f.__name__: f for f in (torch_like, channels_last, single_image, self_updating, engine)}
NAMES = {
    "convolution": ("Conv2D", "Convolution", "ConvLayer", "Conv"),
    "affine": ("Linear", "Dense", "Affine"),
}


def every():
    """All of them: (file name, source, kind, checks that the bug breaks)."""
    for number in range(5):
        for kind, dress in product(CORE, DRESSES):
            for bug, (old, new, broken) in BUGS[kind].items():
                # one image at a time there is no mean over a batch that could be wrong
                one = dress == "single_image" and ("batch" in bug or (kind == "affine" and "mean" in bug))
                name = NAMES[kind][number % len(NAMES[kind])]
                assert not old or CORE[kind].count(old) == 1
                core = CORE[kind].replace(old, new) if old else CORE[kind]
                source = f"import numpy as np\n{core}\n{DRESSES[dress](kind, name)}"
                title = f"{kind}, {dress}, {bug}, {number}"
                yield title, source, kind, set() if one else broken
