import numpy as np

from scratchcnn import Affine, Convolution, Pooling, Relu, SoftmaxWithLoss


class SimpleConvNet:
    """conv - relu - pool - affine - relu - affine - softmax; params W1 b1 W2 b2 W3 b3."""

    def __init__(self, params):
        self.params = params
        self.layers = {
            "Conv1": Convolution(params["W1"], params["b1"]),
            "Relu1": Relu(),
            "Pool1": Pooling(2, 2, stride=2),
            "Affine1": Affine(params["W2"], params["b2"]),
            "Relu2": Relu(),
            "Affine2": Affine(params["W3"], params["b3"]),
        }
        self.last_layer = SoftmaxWithLoss()

    def predict(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def loss(self, x, t):
        #<gap loss
        return self.last_layer.forward(self.predict(x), t)
        #>

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward(1)
        #<gap backward
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        #>
        names = {"1": "Conv1", "2": "Affine1", "3": "Affine2"}
        return {key: getattr(self.layers[names[key[1]]], "d" + key[0]) for key in self.params}
