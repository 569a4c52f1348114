"""Whole networks as students write them, in various styles: right ones, and ones with a bug or two."""

import nets
import numpy as np
import right
from nets import Net, NetWithoutLayers


def softmax(scores):
    y = np.exp(scores - scores.max(axis=1, keepdims=True))
    return y / y.sum(axis=1, keepdims=True)


# -- right ------------------------------------------------------------------------------------------
class Linear:
    """Weights (out, in), as PyTorch has them."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x, self.shape = x.reshape(len(x), -1), x.shape
        return self.x @ self.W.T + self.b

    def backward(self, dout):
        self.dW, self.db = dout.T @ self.x, dout.sum(axis=0)
        return (dout @ self.W).reshape(self.shape)


class TorchLikeNet(Net):
    """Layers in a list."""

    linear = Linear

    def __init__(self):
        super().__init__()
        p = self.params
        for name in ("W2", "W3"):
            p[name] = np.ascontiguousarray(p[name].T)
        conv, pool = self.convolution(p["W1"], p["b1"], 1, 1), right.MaxPooling(3, 3, 2)
        hidden, out = self.linear(p["W2"], p["b2"]), self.linear(p["W3"], p["b3"])
        self.layers = [conv, right.Relu(), pool, hidden, right.Relu(), out]

    def predict(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        owners = dict(zip("123", (self.layers[0], self.layers[3], self.layers[5]), strict=True))
        return {name: getattr(owners[name[1]], f"d{name[0]}") for name in self.params}


class LeakyRelu(right.Relu):
    """A base of another kind's name."""

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, 0.1 * x)

    def backward(self, dout):
        return np.where(self.x > 0, dout, 0.1 * dout)


class LeakyNet(Net):
    relu = LeakyRelu

    def __init__(self):
        super().__init__()
        self.layers.update(Relu1=self.relu(), Relu2=self.relu())


class NetOfPartialConvolution(Net):
    """Every filter sees some of the channels."""

    input_dim = (3, 8, 7)
    connections = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0]], bool)

    def __init__(self):
        super().__init__()
        W = np.random.default_rng(5).normal(size=(3, 3, 3, 3)) * self.connections[:, :, None, None]
        self.params["W1"] = W
        self.layers["Conv1"] = PartialConvolution(W, self.params["b1"], self.connections, 1, 1)


class PartialConvolution(right.Convolution):
    def __init__(self, W, b, connections, stride=1, pad=0):
        super().__init__(W, b, stride, pad)
        self.connections = connections

    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW * self.connections[:, :, None, None]
        return dx


class NetOfOneHotRows(NetWithoutLayers):
    """Takes labels as rows of 0 and 1, and nothing else."""

    def __init__(self):
        super().__init__()
        self.loss = lambda x, t: -(t * np.log(softmax(self._net.predict(x)))).sum() / len(x)
        self.gradient = lambda x, t: self._net.gradient(x, t.argmax(axis=1))


class NetOfOneSetOfArrays(NetWithoutLayers):
    """Every call fills the same arrays."""

    def __init__(self):
        super().__init__()
        self.grads = {name: np.zeros_like(p) for name, p in self.params.items()}
        self.gradient = self.filled

    def filled(self, x, t):
        for name, grad in self._net.gradient(x, t).items():
            self.grads[name][...] = grad
        return self.grads


class NetThatNamesItsLayers(NetWithoutLayers):
    layers = ("conv", "relu", "pool", "affine", "relu", "affine")


class Dense:
    """Parameters and gradients in dicts."""

    def __init__(self, W, b):
        self.params, self.grads = {"W": W, "b": b}, {}

    def forward(self, x):
        self.x, self.shape = x.reshape(len(x), -1), x.shape
        return self.x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads = {"W": self.x.T @ dout, "b": dout.sum(axis=0)}
        return (dout @ self.params["W"].T).reshape(self.shape)


class NetOfDicts(Net):
    dense = Dense

    def __init__(self):
        super().__init__()
        p = self.params
        self.layers.update(Affine1=self.dense(p["W2"], p["b2"]), Affine2=self.dense(p["W3"], p["b3"]))

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        conv, hidden, out = (self.layers[name] for name in ("Conv1", "Affine1", "Affine2"))
        found = {"W1": conv.dW, "b1": conv.db}
        return found | {f"{n}{i}": layer.grads[n] for i, layer in ((2, hidden), (3, out)) for n in "Wb"}


class NetOfALossInItsList(TorchLikeNet):
    """The loss is the last of the layers, under no other name."""

    def __init__(self):
        super().__init__()
        self.layers.append(self.last_layer)
        del self.last_layer

    def predict(self, x):
        for layer in self.layers[:-1]:
            x = layer.forward(x)
        return x

    def loss(self, x, t):
        return self.layers[-1].forward(self.predict(x), t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = 1
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        owners = dict(zip("123", (self.layers[0], self.layers[3], self.layers[5]), strict=True))
        return {name: getattr(owners[name[1]], f"d{name[0]}") for name in self.params}


class NetOfSumsInItsList(NetOfALossInItsList):
    loss_class = nets.NetOfWrongLoss.loss_class


class StackedRelu:
    """Remembers all its calls, so one object can stand in two places."""

    def __init__(self):
        self.masks = []

    def forward(self, x):
        self.masks.append(x > 0)
        return x * self.masks[-1]

    def backward(self, dout):
        return dout * self.masks.pop()


class NetOfOneRelu(Net):
    def __init__(self):
        super().__init__()
        relu = StackedRelu()
        self.layers.update(Relu1=relu, Relu2=relu)


class NetThatCountsItsLayers(NetWithoutLayers):
    layers = 3


class NetOfWideColumns(nets.Net32):
    """float32 weights, and float64 from the first layer on."""

    class convolution(right.Convolution):
        def forward(self, x):
            return super().forward(x.astype(np.float64))


class BatchNormNet(Net):
    """A bias before the normalization, whose gradient is nothing but rounding."""

    norm = right.BatchNormalization

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(4)
        gamma, beta = rng.normal(size=3), rng.normal(size=3)
        self.params.update(gamma1=gamma, beta1=beta)
        layers = list(self.layers.items())
        layers.insert(1, ("BatchNorm1", self.norm(gamma, beta, 0.9, np.zeros(3), np.ones(3))))
        self.layers = dict(layers)

    def predict(self, x, train_flg=False):
        for name, layer in self.layers.items():
            x = layer.forward(x, train_flg) if name == "BatchNorm1" else layer.forward(x)
        return x

    def loss(self, x, t):
        return self.last_layer.forward(self.predict(x, True), t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        owners = {"1": self.layers["Conv1"], "2": self.layers["Affine1"], "3": self.layers["Affine2"]}
        norm = self.layers["BatchNorm1"]
        grads = {"gamma1": norm.dgamma, "beta1": norm.dbeta}
        return grads | {n: getattr(owners[n[1]], f"d{n[0]}") for n in self.params if n not in grads}


class BatchNormNetThatTrainsInPredict(BatchNormNet):
    def predict(self, x, train_flg=True):
        return super().predict(x, True)


class ResidualNet(Net):
    """The first Relu's output is added to that of a second convolution."""

    skip = True

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(6)
        self.params.update(W4=0.3 * rng.normal(size=(3, 3, 3, 3)), b4=rng.normal(size=3))
        layers = list(self.layers.items())
        layers.insert(2, ("Conv2", self.convolution(self.params["W4"], self.params["b4"], 1, 1)))
        self.layers = dict(layers)

    def predict(self, x):
        for name, layer in self.layers.items():
            x = x + layer.forward(x) if name == "Conv2" else layer.forward(x)
        return x

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward(1)
        for name, layer in reversed(self.layers.items()):
            passed = dout if name == "Conv2" and self.skip else 0
            dout = layer.backward(dout.copy()) + passed
        owners = {f"{i}": self.layers[n] for i, n in enumerate(("Conv1", "Affine1", "Affine2", "Conv2"), 1)}
        return {name: getattr(owners[name[1]], f"d{name[0]}") for name in self.params}


class NetOfOneScore:
    """Two classes, told apart by the sign of one score."""

    input_dim = (1, 4, 3)

    def __init__(self):
        rng = np.random.default_rng(8)
        self.params = {"W": rng.normal(size=(12, 1)), "b": rng.normal(size=1)}

    def predict(self, x):
        return x.reshape(len(x), -1) @ self.params["W"] + self.params["b"]

    def loss(self, x, t):
        scores = self.predict(x)[:, 0]
        return (np.logaddexp(0, scores) - t * scores).mean()

    def gradient(self, x, t):
        dout = (1 / (1 + np.exp(-self.predict(x))) - t[:, None]) / len(x)
        return {"W": x.reshape(len(x), -1).T @ dout, "b": dout.sum(axis=0)}


# -- wrong ------------------------------------------------------------------------------------------
class Dropout:
    def __init__(self, ratio=0.5):
        self.ratio, self.rng = ratio, np.random.default_rng(7)

    def forward(self, x, train_flg=True):
        self.mask = self.rng.random(x.shape) > self.ratio if train_flg else 1 - self.ratio
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class NetThatDropsInPredict(Net):
    def __init__(self):
        super().__init__()
        out = self.layers.pop("Affine2")
        self.layers.update(Dropout1=Dropout(), Affine2=out)


class NetThatDropsInLoss(Net):
    """Right, but no two calls of its loss are the same."""

    def __init__(self):
        super().__init__()
        self.drop = Dropout()

    def loss(self, x, t):
        return super().loss(self.drop.forward(x), t)


class NetOfLabelsFromOne(Net):
    def loss(self, x, t):
        return super().loss(x, t - 1)


class PlainNetOfLabelsFromOne(NetWithoutLayers):
    def __init__(self):
        super().__init__()
        self.predict = self._net.predict
        self.loss = lambda x, t: self._net.loss(x, (t + 1) % 4)
        self.gradient = lambda x, t: self._net.gradient(x, (t + 1) % 4)


class NetOfTwoSoftmaxes(Net):
    """`predict` ends in softmax, and the loss takes another one."""

    def predict(self, x):
        return softmax(super().predict(x))


class NetThatForgetsRelu2(Net):
    def __init__(self):
        super().__init__()
        del self.layers["Relu2"]


class NetOfReluAfterAll(Net):
    def __init__(self):
        super().__init__()
        self.layers["Relu3"] = right.Relu()


class NetDividedTwice(Net):
    """By the number of images, in the loss and after it."""

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward(1) / len(x)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        owners = {"1": self.layers["Conv1"], "2": self.layers["Affine1"], "3": self.layers["Affine2"]}
        return {name: getattr(owners[name[1]], f"d{name[0]}") for name in self.params}


class Net32OfReversedBias(nets.Net32):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return grads | {"b2": grads["b2"][::-1].copy()}


class NetOfDoubledW2(Net):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return grads | {"W2": 2 * grads["W2"]}


class NetWithoutB1(Net):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        del grads["b1"]
        return grads


class NetOfTheLastLoss(Net):
    """`gradient` is that of the last call of `loss`."""

    def gradient(self, x, t):
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        owners = {"1": self.layers["Conv1"], "2": self.layers["Affine1"], "3": self.layers["Affine2"]}
        return {name: getattr(owners[name[1]], f"d{name[0]}") for name in self.params}


class NetThatReturnsThePair(NetWithoutLayers):
    def __init__(self):
        super().__init__()
        self.gradient = lambda x, t: (self._net.loss(x, t), self._net.gradient(x, t))


class NetThatRaisesInGradient(NetWithoutLayers):
    def __init__(self):
        super().__init__()
        self.gradient = lambda x, t: self.params["W9"]


class LeakyNetOfSums(LeakyNet):
    loss_class = nets.NetOfWrongLoss.loss_class


class TorchLikeNetOfWrongB3(TorchLikeNet):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return grads | {"b3": 3 * grads["b3"]}


class LinearOfMeans(Linear):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW / len(dout)
        return dx


class TorchLikeNetOfMeans(TorchLikeNet):
    def __init__(self):
        super().__init__()
        self.layers[3] = LinearOfMeans(self.params["W2"], self.params["b2"])


class NetThatWritesIntoXInPredict(NetWithoutLayers):
    def predict(self, x):
        y = self._net.predict(x)
        x -= x.mean()
        return y


class NetOfOtherKeys(NetWithoutLayers):
    def __init__(self):
        super().__init__()
        self.gradient = lambda x, t: {f"d{name}": g for name, g in self._net.gradient(x, t).items()}


class NetOfTransposedW2(Net):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return grads | {"W2": grads["W2"].T}


class NetThatDecaysW1(Net):
    """By a gradient that its loss does not have."""

    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return grads | {"W1": grads["W1"] + 0.001 * self.params["W1"]}


class NetOfZeroB1(Net):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return grads | {"b1": np.zeros_like(grads["b1"])}


class NetOfWideColumnsAndDoubledW2(NetOfWideColumns, NetOfDoubledW2):
    pass


class NetOfTwoTypes(Net):
    def __init__(self):
        super().__init__()
        self.params["b1"] = self.params["b1"].astype(np.float32)


class BatchNormOfMeans(right.BatchNormalization):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dgamma = self.dgamma / len(dout)
        return dx


class BatchNormNetOfMeans(BatchNormNet):
    norm = BatchNormOfMeans


class BatchNormThatForgetsItsMean(right.BatchNormalization):
    """dx as if the mean were a constant."""

    def backward(self, dout):
        dx = super().backward(dout)
        return dx + dout.mean(axis=(0, 2, 3), keepdims=True)


class BatchNormNetThatForgets(BatchNormNet):
    norm = BatchNormThatForgetsItsMean


class ResidualNetOfOneBranch(ResidualNet):
    """The way around the convolution is left out going back."""

    skip = False


class NetOfOneScoreThatForgetsOnes(NetOfOneScore):
    """Only the images of class 0 count."""

    def gradient(self, x, t):
        return super().gradient(x * (t == 0)[:, None, None, None], t)


class AffineOfOldWeights(right.Affine):
    """Goes back through the weights that it was built with."""

    def __init__(self, W, b):
        super().__init__(W, b)
        self.old = W.copy()

    def backward(self, dout):
        super().backward(dout)
        return (dout @ self.old.T).reshape(self.shape)


class NetOfOldWeights(Net):
    def __init__(self):
        super().__init__()
        self.layers["Affine2"] = AffineOfOldWeights(self.params["W3"], self.params["b3"])


class AffineWithoutBias(right.Affine):
    def forward(self, x):
        return super().forward(x) - self.b


class NetThatForgetsAZeroBias(Net):
    """The bias is 0 at first, so nothing shows until it was trained."""

    def __init__(self):
        super().__init__()
        self.params["b3"][...] = 0
        self.layers["Affine2"] = AffineWithoutBias(self.params["W3"], self.params["b3"])


class NetOfMeansOverClasses(NetWithoutLayers):
    """Loss and gradients are divided by the number of classes too."""

    def __init__(self):
        super().__init__()
        self.loss = lambda x, t: self._net.loss(x, t) / 4
        self.gradient = lambda x, t: {name: g / 4 for name, g in self._net.gradient(x, t).items()}


class NetOfLossAndAccuracy(Net):
    def loss(self, x, t):
        loss = super().loss(x, t)
        return loss, 0.5


class NetThatCentersItsImages(Net):
    def predict(self, x):
        return super().predict(x - x.mean())


class DenseOfMeans(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["b"] = dout.mean(axis=0)
        return dx


class NetOfDictsAndMeans(NetOfDicts):
    dense = DenseOfMeans


class NetThatSqueezes(Net):
    """One image loses its axis."""

    def predict(self, x):
        return np.squeeze(super().predict(x))


class NetOfSixteen(Net):
    """From the seventeenth image on none counts."""

    def gradient(self, x, t):
        grads = super().gradient(x[:16], t[:16])
        return {name: g * len(x[:16]) / len(x) for name, g in grads.items()}
