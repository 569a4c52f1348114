"""Optimizers that ask their layers what they are, or get more than they read. As they were found."""

import numpy as np


class Linear:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.zeros((n_in, n_out)), np.zeros(n_out)


class Flatten:
    pass


class MomentumOfLinears:
    factor = 1.0

    def __init__(self, net, lr, momentum=0.9):
        self.lr, self.momentum = lr, momentum
        self.v = {i: np.zeros_like(layer.W) for i, layer in self.linears(net)}
        self.u = {i: np.zeros_like(layer.b) for i, layer in self.linears(net)}

    @staticmethod
    def linears(net):
        return [(i, layer) for i, layer in enumerate(net.layers) if isinstance(layer, (Flatten, Linear))]

    def step(self, net):
        for i, layer in enumerate(net.layers):
            if isinstance(layer, Flatten) and not isinstance(layer, Linear):
                continue
            self.v[i] = self.momentum * self.v[i] + layer.dW
            self.u[i] = self.momentum * self.u[i] * self.factor + layer.db
            layer.W -= self.lr * self.v[i]
            layer.b -= self.lr * self.u[i]


class MomentumOfLinearsWrong(MomentumOfLinears):
    factor = 0.5


class SGDOfLinears:
    factor = 1.0

    def __init__(self, lr):
        self.lr = lr

    def step(self, model, lr=None):
        lr = self.lr if lr is None else lr
        for layer in model.layers:
            if isinstance(layer, Linear):
                layer.W -= lr * layer.dW
                layer.b -= lr * self.factor * layer.db


class SGDOfLinearsWrong(SGDOfLinears):
    factor = 2.0


class AdamOfSublayers:
    power = 1

    def __init__(self, beta1=0.9, beta2=0.999, eps=1e-8):
        self.beta1, self.beta2, self.eps, self.t = beta1, beta2, eps, 0
        self.m, self.v = {}, {}

    def step(self, model, lr):
        self.t += 1
        for layer in model.all_sublayers():
            for name, param in layer.params().items():
                key, grad = (id(layer), name), layer.grads[name]
                self.m[key] = self.beta1 * self.m.get(key, 0) + (1 - self.beta1) * grad
                self.v[key] = self.beta2 * self.v.get(key, 0) + (1 - self.beta2) * grad**2
                m = self.m[key] / (1 - self.beta1 ** (self.t * self.power))
                param -= lr * m / (np.sqrt(self.v[key] / (1 - self.beta2**self.t)) + self.eps)


class AdamOfSublayersWrong(AdamOfSublayers):
    power = 2


class RMSPropOfModelAndData:
    late = False

    def __init__(self, beta=0.95, epsilon=1e-8):
        self.beta, self.epsilon, self.cache = beta, epsilon, {}

    def step(self, model, X, y, lr, epoch):
        for layer in model.layers:
            if not layer.trainable:
                continue
            for key in layer.params:
                old, grad = self.cache.get((layer.id, key), 0), layer.grad[key]
                new = self.cache[layer.id, key] = self.beta * old + (1 - self.beta) * grad**2
                layer.params[key] -= lr * grad / (np.sqrt(old if self.late else new) + self.epsilon)


class RMSPropOfModelAndDataWrong(RMSPropOfModelAndData):
    late = True


class AdaGradOfTrainable:
    root = 2

    def __init__(self, learning_rate, trainable, epsilon=1e-10):
        self.learning_rate, self.trainable, self.epsilon = learning_rate, trainable, epsilon
        self.squares = [(np.zeros_like(one.weights), np.zeros_like(one.biases)) for one in trainable]

    def gradient_step(self):
        for layer, (w, b) in zip(self.trainable, self.squares, strict=True):
            w += layer.d_weights**2
            b += layer.d_biases**2
            layer.weights -= self.learning_rate * layer.d_weights / (w ** (1 / self.root) + self.epsilon)
            layer.biases -= self.learning_rate * layer.d_biases / (np.sqrt(b) + self.epsilon)


class AdaGradOfTrainableWrong(AdaGradOfTrainable):
    root = 3


class SGDOfParametersThatAreLayers:
    factor = 1.0

    def __init__(self, parameters, learning_rate=0.01):
        self.parameters, self.learning_rate = parameters, learning_rate

    def step(self):
        for layer in self.parameters:
            if hasattr(layer, "weights"):
                layer.weights -= self.learning_rate * layer.d_weights
                layer.biases -= self.factor * self.learning_rate * layer.d_biases


class SGDOfParametersThatAreLayersWrong(SGDOfParametersThatAreLayers):
    factor = 0.5


class SGDDecay:
    factor = 1.0

    def __init__(self, learning_rate=0.01, decay_rate=1e-3):
        self.initial_lr, self.decay_rate, self.iterations = learning_rate, decay_rate, 0

    def pre_update_params(self):
        self.current_lr = self.initial_lr / (1 + self.decay_rate * self.iterations)

    def update_params(self, layer):
        layer.weights -= self.current_lr * layer.dweights
        layer.biases -= self.current_lr * self.factor * layer.dbiases

    def post_update_params(self):
        self.iterations += 1


class SGDDecayWrong(SGDDecay):
    factor = 2.0


class AdamOfMachineEps:
    power = 1

    def __init__(self, lr, mu, rho):
        self.lr, self.mu, self.rho, self.k, self.v, self.r = lr, mu, rho, 1, 0.0, 0.0

    def calculate_update(self, weight_tensor, gradient_tensor):
        self.v = self.mu * self.v + (1 - self.mu) * gradient_tensor
        self.r = self.rho * self.r + (1 - self.rho) * gradient_tensor**2
        m, r = self.v / (1 - self.mu ** (self.k * self.power)), self.r / (1 - self.rho**self.k)
        self.k += 1
        return weight_tensor - self.lr * m / (np.sqrt(r) + np.finfo(float).eps)


class AdamOfMachineEpsWrong(AdamOfMachineEps):
    power = 2


class AdamOfSizes:
    """Its layers get their moments by their sizes before the first step."""

    power = 1

    def __init__(self, learning_rate=0.001):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon, self.t = (
            learning_rate,
            0.9,
            0.999,
            1e-8,
            0,
        )

    def initialize_parameters(self, layers):
        for layer in layers:
            shapes = (layer.input_dim, layer.output_dim), (1, layer.output_dim)
            layer.moments = [[np.zeros(shape) for shape in shapes] for _ in range(2)]

    def update_weights(self, layers):
        self.t += 1
        for layer in layers:
            m, v = layer.moments
            for i, (name, g) in enumerate((("W", layer.dW), ("b", layer.db))):
                m[i] = self.beta_1 * m[i] + (1 - self.beta_1) * g
                v[i] = self.beta_2 * v[i] + (1 - self.beta_2) * g**2
                step = m[i] / (1 - self.beta_1 ** (self.t * self.power))
                root = np.sqrt(v[i] / (1 - self.beta_2**self.t)) + self.epsilon
                setattr(layer, name, getattr(layer, name) - self.learning_rate * step / root)


class AdamOfSizesWrong(AdamOfSizes):
    power = 2


class SGDOfAModelAgain:
    factor = 1.0

    def __init__(self, model, lr):
        self.names, self.lr = [*model.params().keys()], lr

    def step(self, model):
        for name, array in model.params().items():
            array -= self.lr * model.grads[name] * (self.factor if array.ndim == 1 else 1.0)


class SGDOfAModelAgainWrong(SGDOfAModelAgain):
    factor = 2.0
