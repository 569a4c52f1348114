"""A small network in the book's style, right and wrong in each place where a network can be."""

from collections import OrderedDict

import numpy as np
import right
import wrong


class Net:
    """conv - relu - pool - affine - relu - affine - softmax with loss, float64."""

    input_dim = (1, 8, 7)
    convolution, loss_class = right.Convolution, right.SoftmaxWithLoss
    dtype = np.float64

    def __init__(self):
        rng = np.random.default_rng(3)
        self.params = {
            "W1": rng.normal(size=(3, 1, 3, 3)),
            "b1": rng.normal(size=3),
            "W2": rng.normal(size=(27, 5)),
            "b2": rng.normal(size=5),
            "W3": rng.normal(size=(5, 4)),
            "b3": rng.normal(size=4),
        }
        self.params = {name: p.astype(self.dtype) for name, p in self.params.items()}
        p = self.params
        self.layers = OrderedDict(
            Conv1=self.convolution(p["W1"], p["b1"], 1, 1),
            Relu1=right.Relu(),
            Pool1=right.MaxPooling(3, 3, 2),
            Affine1=right.Affine(p["W2"], p["b2"]),
            Relu2=right.Relu(),
            Affine2=right.Affine(p["W3"], p["b3"]),
        )
        self.last_layer = self.loss_class()

    def predict(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def loss(self, x, t):
        return self.last_layer.forward(self.predict(x), t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        owners = {"1": self.layers["Conv1"], "2": self.layers["Affine1"], "3": self.layers["Affine2"]}
        return {name: getattr(owners[name[1]], f"d{name[0]}") for name in self.params}


class Net32(Net):
    dtype = np.float32


class NetWithoutLayers:
    """The same behind a face that shows nothing but params, loss and gradient."""

    input_dim = (1, 8, 7)

    def __init__(self):
        self._net = Net()
        self.params = self._net.params
        self.loss, self.gradient = self._net.loss, self._net.gradient


class NetOfWrongLayer(Net):
    convolution = wrong.ConvolutionMeanBias


class NetOfWrongLoss(Net):
    loss_class = wrong.LossNotDivided


class NetOfExchangedNames(Net):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        grads["W2"] = grads["W2"] + 0.0
        grads["b1"] = grads["b1"][::-1].copy()
        return grads


class NetOfWrongWiring(Net):
    """The second Relu is left out on the way back."""

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.layers["Affine2"].backward(self.last_layer.backward(1))
        for name in ("Affine1", "Pool1", "Relu1", "Conv1"):
            dout = self.layers[name].backward(dout)
        owners = {"1": self.layers["Conv1"], "2": self.layers["Affine1"], "3": self.layers["Affine2"]}
        return {name: getattr(owners[name[1]], f"d{name[0]}") for name in self.params}


class NetThatHangs(Net):
    def gradient(self, x, t):
        while True:
            pass


class NoNet:
    def __init__(self):
        self.params = {"W": np.zeros(2)}
