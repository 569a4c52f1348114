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


# -- right in a single call, and wrong nevertheless; none shows its layers ---------------------------
class NetThatPilesUp(NetWithoutLayers):
    """Gradients are added to those of the last call."""

    def __init__(self):
        super().__init__()
        self.sums = {name: np.zeros_like(p) for name, p in self.params.items()}
        self.gradient = self.added

    def added(self, x, t):
        for name, grad in self._net.gradient(x, t).items():
            self.sums[name] = self.sums[name] + grad
        return dict(self.sums)


class NetRightOnce(NetWithoutLayers):
    """Every later call gives zeros."""

    def __init__(self):
        super().__init__()
        self.calls, self.gradient = 0, self.first_only

    def first_only(self, x, t):
        self.calls += 1
        return {name: g * (self.calls == 1) for name, g in self._net.gradient(x, t).items()}


class NetThatWritesIntoX(NetWithoutLayers):
    def __init__(self):
        super().__init__()
        self.gradient = self.normalizing

    def normalizing(self, x, t):
        grads = self._net.gradient(x, t)
        x -= x.mean()
        return grads


class NetThatDecays(NetWithoutLayers):
    """`loss` shrinks the weights."""

    def __init__(self):
        super().__init__()
        self.loss = self.decaying

    def decaying(self, x, t):
        loss = self._net.loss(x, t)
        self.params["W3"] *= 0.999
        return loss


class NetOfOneBatchSize(NetWithoutLayers):
    """The gradient is divided by the size of the first batch that it saw."""

    def __init__(self):
        super().__init__()
        self.size, self.gradient = 0, self.scaled

    def scaled(self, x, t):
        self.size = self.size or len(x)
        return {name: g * len(x) / self.size for name, g in self._net.gradient(x, t).items()}


class NetOfOtherPredict(NetWithoutLayers):
    """`predict` forgets the last bias."""

    def predict(self, x):
        return self._net.predict(x) - self.params["b3"]


class NetOfProbabilities(NetWithoutLayers):
    """`predict` ends in softmax: right, and no scores."""

    def predict(self, x):
        y = np.exp(self._net.predict(x))
        return y / y.sum(axis=1, keepdims=True)


class NetOfClasses(NetWithoutLayers):
    """`predict` gives the class: right, and no scores."""

    def predict(self, x):
        return self._net.predict(x).argmax(axis=1)


class NetOfMaskedArrays(NetWithoutLayers):
    def __init__(self):
        super().__init__()
        self.gradient = self.masked

    def masked(self, x, t):
        return {n: np.ma.masked_invalid(g * np.nan) for n, g in self._net.gradient(x, t).items()}


class NetOfCopies(NetWithoutLayers):
    """`params` keeps what is written into it, and the network computes with other arrays."""

    def __init__(self):
        super().__init__()
        self.params = {name: p.copy() for name, p in self.params.items()}


class NetOfFreshCopies(NetWithoutLayers):
    """`params` is made anew each time that it is asked for."""

    @property
    def params(self):
        return {name: p.copy() for name, p in self._net.params.items()}

    @params.setter
    def params(self, _):
        pass


class NetThatTiresOut(NetWithoutLayers):
    """From the tenth call on its gradients point the other way."""

    def __init__(self):
        super().__init__()
        self.calls, self.gradient = 0, self.tiring

    def tiring(self, x, t):
        self.calls += 1
        return {name: -g if self.calls > 9 else g for name, g in self._net.gradient(x, t).items()}


# -- wrong in a single call --------------------------------------------------------------------------
class NetOfSums(NetWithoutLayers):
    """The gradients are those of the sum of the losses."""

    def __init__(self):
        super().__init__()
        self.gradient = lambda x, t: {n: len(x) * g for n, g in self._net.gradient(x, t).items()}


class NetOfAnotherLoss(NetWithoutLayers):
    """A right predict, and a loss with the book's 1e-7 in its logarithm."""

    def __init__(self):
        super().__init__()
        self.predict, self.loss = self._net.predict, self.rounded

    def rounded(self, x, t):
        y = self.predict(x)
        y = np.exp(y - y.max(axis=1, keepdims=True))
        y = y / y.sum(axis=1, keepdims=True)
        return -np.mean(np.log(y[np.arange(len(t)), t] + 1e-7))


class NetOfLossAlone(NetOfAnotherLoss):
    """The same without a predict."""

    def __init__(self):
        super().__init__()
        del self.predict
        self._predict = self._net.predict

    def rounded(self, x, t):
        self.predict = self._predict
        try:
            return super().rounded(x, t)
        finally:
            del self.predict


class NetOfTwoBugs(NetOfAnotherLoss):
    """And dW twice, of the first layer."""

    def __init__(self):
        super().__init__()
        self.gradient = lambda x, t: (grads := self._net.gradient(x, t)) | {"W1": 2 * grads["W1"]}


class NetOfChannelsLast(Net):
    """The images are flattened as (H, W, C)."""

    input_dim = (2, 6, 6)

    def __init__(self):
        rng = np.random.default_rng(0)
        self.params = {
            "W1": rng.normal(size=(3, 2, 3, 3)), "b1": rng.normal(size=3),
            "W2": rng.normal(size=(48, 5)), "b2": rng.normal(size=5),
        }  # fmt: skip

    def predict(self, x):
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))
        z = np.einsum("ncyxij,fcij->nfyx", windows, self.params["W1"]) + self.params["b1"][:, None, None]
        flat = np.maximum(z, 0).transpose(0, 2, 3, 1).reshape(len(x), -1)
        return flat @ self.params["W2"] + self.params["b2"]

    def loss(self, x, t):
        return right.SoftmaxWithLoss().forward(self.predict(x), t)

    def gradient(self, x, t):
        return {name: np.zeros_like(p) for name, p in self.params.items()}


# -- wrong for one number of images, for one type, or beside another network -------------------------
class NetOfOneImage(NetWithoutLayers):
    """`predict` of one image forgets the last bias."""

    def predict(self, x):
        return self._net.predict(x) - (len(x) == 1) * self.params["b3"]


class NetOfManyImages(NetWithoutLayers):
    """From the 64th image on W2's gradient is twice too large."""

    def __init__(self):
        super().__init__()
        self.gradient = lambda x, t: (g := self._net.gradient(x, t)) | {"W2": (1 + (len(x) >= 64)) * g["W2"]}


class NetOfManyPredictions(NetWithoutLayers):
    def predict(self, x):
        return self._net.predict(x) * (1 + (len(x) >= 64))


class NetOfFloat32(NetWithoutLayers):
    """Images of float32 lose their last row."""

    def __init__(self):
        super().__init__()
        self.loss = lambda x, t: self._net.loss(self.cut(x), t)
        self.gradient = lambda x, t: self._net.gradient(self.cut(x), t)

    @staticmethod
    def cut(x):
        return np.concatenate([x[:, :, :-1], 0 * x[:, :, -1:]], axis=2) if x.dtype == np.float32 else x


class NetOfFloat32Predictions(NetWithoutLayers):
    def predict(self, x):
        return self._net.predict(NetOfFloat32.cut(x))


class NetOfSharedWeights(Net):
    """Its parameters are those of the class."""

    shared = None

    def __init__(self):
        super().__init__()
        mine = Net.__dict__.get("shared") or self.params
        Net.shared = mine
        for name in self.params:
            self.params[name] = mine[name]
        self.layers["Affine2"].W, self.layers["Affine2"].b = mine["W3"], mine["b3"]
        self.layers["Affine1"].W, self.layers["Affine1"].b = mine["W2"], mine["b2"]
        self.layers["Conv1"].W, self.layers["Conv1"].b = mine["W1"], mine["b1"]


class NetOfTheLastImages(NetWithoutLayers):
    """`gradient` is that of the last images that `loss` of any network of the class was given."""

    last = None

    def __init__(self):
        super().__init__()
        self.loss, self.gradient = self.noting, self.of_the_last

    def noting(self, x, t):
        NetOfTheLastImages.last = x.copy()
        return self._net.loss(x, t)

    def of_the_last(self, x, t):
        last = NetOfTheLastImages.last
        same = last is not None and last.shape == x.shape and last.sum().round(6) == x.sum().round(6)
        return self._net.gradient(last if same else x, t)
