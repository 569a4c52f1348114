"""Optimizers of layers, models and parameters in further shapes; names that end in Wrong are wrong."""

import numpy as np


class OfALayerAndItsNumber:
    def __init__(self, lr, beta=0.9):
        self.lr, self.beta, self.v = lr, beta, {}

    def update(self, layer, i):
        if i not in self.v:
            self.v[i] = [np.zeros_like(layer.W), np.zeros_like(layer.b)]
        self.v[i] = [self.beta * v + g for v, g in zip(self.v[i], (layer.grad_W, layer.grad_b), strict=True)]
        layer.W -= self.lr * self.v[i][0]
        layer.b -= self.lr * self.v[i][1]


class OfALayerAndItsNumberWrong(OfALayerAndItsNumber):
    """The velocities of all layers are one."""

    def update(self, layer, i):
        super().update(layer, 0)


class HoldsOneLayer:
    def __init__(self, layer, lr=0.1, momentum=0.9):
        self.layer, self.lr, self.momentum = layer, lr, momentum
        self.v = {"weights": np.zeros_like(layer.weights), "biases": np.zeros_like(layer.biases)}

    def update(self):
        for name in self.v:
            self.v[name] = self.momentum * self.v[name] + getattr(self.layer, f"d{name}")
            setattr(self.layer, name, getattr(self.layer, name) - self.lr * self.v[name])


class HoldsOneLayerWrong(HoldsOneLayer):
    def update(self):
        self.v["biases"] = 0 * self.v["biases"]
        super().update()


class OfAModelAndItsSlopes:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, model, grads):
        for number, layer in model.layers.items():
            for key in layer.params:
                layer.params[key] = layer.params[key] - self.lr * grads[number][key]


class OfAModelAndItsSlopesWrong(OfAModelAndItsSlopes):
    def update(self, model, grads):
        super().update(model, {n: {k: -g for k, g in own.items()} for n, own in grads.items()})


class HoldsANetAndTakesTwoLists:
    def __init__(self, nn, lr):
        self.nn, self.lr = nn, lr

    def update(self, b_grads, w_grads):
        for layer, w, b in zip(self.nn.layers, w_grads, b_grads, strict=True):
            layer.weights -= self.lr * w
            layer.biases -= self.lr * b


class HoldsANetAndTakesTwoListsWrong(HoldsANetAndTakesTwoLists):
    def update(self, b_grads, w_grads):
        super().update([-b for b in b_grads], w_grads)


class HoldsDictsOfANet:
    def __init__(self, net, lr=0.01, momentum=0.9):
        self.net, self.lr, self.momentum = net, lr, momentum
        self.v = {key: np.zeros_like(p) for key, p in net.params.items()}

    def step(self):
        for key in self.net.params:
            self.v[key] = self.momentum * self.v[key] + self.net.grads[key]
            self.net.params[key] -= self.lr * self.v[key]


class HoldsDictsOfANetWrong(HoldsDictsOfANet):
    def step(self):
        self.v = {key: 0 * v for key, v in self.v.items()}
        super().step()


class HoldsListsOfAModel:
    def __init__(self, model, lr=0.01):
        self.model, self.lr = model, lr

    def step(self):
        self.model.weights = [
            w - self.lr * g for w, g in zip(self.model.weights, self.model.dweights, strict=True)
        ]
        self.model.bias = [b - self.lr * g for b, g in zip(self.model.bias, self.model.dbias, strict=True)]


class HoldsListsOfAModelWrong(HoldsListsOfAModel):
    def step(self):
        self.model.bias = [b + 2 * self.lr * g for b, g in zip(self.model.bias, self.model.db, strict=True)]
        super().step()


class OfOneVariable:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update_one(self, param):
        v = self.v.setdefault(id(param), np.zeros_like(param.data))
        v *= self.momentum
        v -= self.lr * param.grad.data
        param.data += v


class OfOneVariableWrong(OfOneVariable):
    def update_one(self, param):
        self.v = {}
        super().update_one(param)


class HoldsObjectsOfWeights:
    def __init__(self, params, lr=0.01):
        self.params, self.lr = params, lr

    def step(self):
        for p in self.params:
            p.w = p.w - self.lr * p.dw


class HoldsObjectsOfWeightsWrong(HoldsObjectsOfWeights):
    def step(self):
        for p in self.params:
            p.w = p.w + self.lr * p.dw


class HoldsObjectsByName:
    def __init__(self, params, alpha=0.01):
        self.params, self.alpha = params, alpha

    def step(self):
        for p in self.params.values():
            p.val -= self.alpha * p.grad


class HoldsObjectsByNameWrong(HoldsObjectsByName):
    def step(self):
        next(iter(self.params.values())).val *= 2
        super().step()


class OfPairsInAList:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, parameters):
        for p, g in parameters:
            p -= self.lr * g


class OfPairsInAListWrong(OfPairsInAList):
    def step(self, parameters):
        super().step([(p, -g) for p, g in parameters])


class HoldsNumberedArrays:
    def __init__(self, parameters, learning_rate=0.01):
        self.parameters, self.lr = parameters, learning_rate

    def update(self, grads):
        for key in self.parameters:
            self.parameters[key] = self.parameters[key] - self.lr * grads["d" + key]


class HoldsNumberedArraysWrong(HoldsNumberedArrays):
    def update(self, grads):
        super().update({key: grads["dW1"] if key == "dW2" else g for key, g in grads.items()})


class OfSumsOverABatch:
    def __init__(self, lr=0.01, batch_size=32):
        self.lr, self.batch_size = lr, batch_size

    def step(self, layers):
        for layer in layers:
            layer.W -= self.lr / self.batch_size * layer.dW
            layer.b -= self.lr / self.batch_size * layer.db


class OfSumsOverABatchWrong(OfSumsOverABatch):
    def step(self, layers):
        self.batch_size += 1
        super().step(layers)


class OfANumberedWeightAndItsBias:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, layer_idx, W, b, dW, db):
        return W - self.lr * dW, b - self.lr * db


class OfANumberedWeightAndItsBiasWrong(OfANumberedWeightAndItsBias):
    def update(self, layer_idx, W, b, dW, db):
        return super().update(layer_idx, W, b, dW, -db)


class CountsTheLayers:
    """Its moments are the layer's, and its steps are counted at each layer."""

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.t = 0

    def update(self, layer):
        self.t += 1
        for name in ("weights", "bias"):
            g, m, v = (getattr(layer, f"{what}_{name}") for what in ("grad", "m", "v"))
            m = self.beta1 * m + (1 - self.beta1) * g
            v = self.beta2 * v + (1 - self.beta2) * g**2
            setattr(layer, f"m_{name}", m)
            setattr(layer, f"v_{name}", v)
            root = np.sqrt(v / (1 - self.beta2**self.t)) + self.epsilon
            step = self.learning_rate * m / (1 - self.beta1**self.t) / root
            setattr(layer, name, getattr(layer, name) - step)


class CountsTheLayersWrong(CountsTheLayers):
    def update(self, layer):
        layer.v_bias = 0 * layer.v_bias
        super().update(layer)


class OfSlopesNamedD:
    def __init__(self, layers, lr=0.01):
        self.layers, self.lr = layers, lr

    def step(self):
        for layer in self.layers:
            for key in layer.params:
                layer.params[key] -= self.lr * layer.grads["d" + key]


class OfSlopesNamedDWrong(OfSlopesNamedD):
    def step(self):
        self.lr *= 2
        super().step()


class OfOtherKeys:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, layer):
        layer.params["weights"] = layer.params["weights"] - self.lr * layer.grads["weights"]
        layer.params["biases"] = layer.params["biases"] - self.lr * layer.grads["biases"]


class OfOtherKeysWrong(OfOtherKeys):
    def update(self, layer):
        super().update(layer)
        layer.params["biases"] = layer.params["biases"] - self.lr * layer.grads["biases"]


class OfAttributesAndADict:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, layers):
        for layer in layers:
            layer.W -= self.lr * layer.grads["W"]
            layer.b -= self.lr * layer.grads["b"]


class OfAttributesAndADictWrong(OfAttributesAndADict):
    def update(self, layers):
        super().update(layers[:1] * 2 + layers[1:])


class OfLossNames:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def apply(self, layer):
        layer.weights = layer.weights - self.learning_rate * layer.dL_dweights
        layer.bias = layer.bias - self.learning_rate * layer.dL_dbias


class OfLossNamesWrong(OfLossNames):
    def apply(self, layer):
        layer.dL_dbias = -layer.dL_dbias
        super().apply(layer)


class OfDictsOfDicts:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        for layer in params:
            for key in params[layer]:
                params[layer][key] -= self.lr * grads[layer][key]


class OfDictsOfDictsWrong(OfDictsOfDicts):
    def update(self, params, grads):
        super().update(params, {name: dict.fromkeys(own, own["W"][0]) for name, own in grads.items()})


class OfAnArrayItsSlopeAndItsName:
    def __init__(self, lr=0.01, decay1=0.9, decay2=0.999, eps=1e-7, clip_norm=None):
        self.lr, self.d1, self.d2, self.eps, self.state = lr, decay1, decay2, eps, {}

    def update(self, param, param_grad, param_name, cur_loss=None):
        t, m, v = self.state.get(param_name, (0, 0, 0))
        t, m, v = t + 1, self.d1 * m + (1 - self.d1) * param_grad, self.d2 * v + (1 - self.d2) * param_grad**2
        self.state[param_name] = t, m, v
        return param - self.lr * m / (1 - self.d1**t) / (np.sqrt(v / (1 - self.d2**t)) + self.eps)


class OfAnArrayItsSlopeAndItsNameWrong(OfAnArrayItsSlopeAndItsName):
    def update(self, param, param_grad, param_name, cur_loss=None):
        self.state[param_name] = 0, *self.state.get(param_name, (0, 0, 0))[1:]
        return super().update(param, param_grad, param_name, cur_loss)
