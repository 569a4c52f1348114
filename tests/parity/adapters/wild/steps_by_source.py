"""Optimizers whose layers, states and shapes show in their source; names that end in Wrong are wrong."""

import numpy as np


class AdamOfKernels:
    """Names of arrays and gradients of its own."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.moments, self.t = {}, 0

    def step(self, layers):
        self.t += 1
        for layer in layers:
            if not layer.optimizable:
                continue
            layer.kernel = layer.kernel - self.of(layer, "kernel", layer.kernel_prime)
            layer.bias_vector = layer.bias_vector - self.of(layer, "bias", layer.bias_vector_prime)

    def of(self, layer, name, slope):
        m, v = self.moments.get((layer, name), (0, 0))
        m, v = self.beta1 * m + (1 - self.beta1) * slope, self.beta2 * v + (1 - self.beta2) * slope**2
        self.moments[layer, name] = m, v
        return self.corrected(m, v)

    def corrected(self, m, v):
        root = np.sqrt(v / (1 - self.beta2**self.t))
        return self.lr * m / (1 - self.beta1**self.t) / (root + self.epsilon)


class AdamOfKernelsWrong(AdamOfKernels):
    def corrected(self, m, v):
        return self.lr * m / (np.sqrt(v) + self.epsilon)


class MomentumOfNodes:
    """A graph whose nodes have an array each."""

    def __init__(self, graph, lr, momentum=0.9):
        self.graph, self.lr, self.momentum, self.velocity = graph, lr, momentum, {}

    def update(self):
        for node in self.graph.nodes:
            if node.param is None:
                continue
            self.velocity[id(node)] = self.momentum * self.velocity.get(id(node), 0) + node.grad_param
            node.param -= self.lr * self.velocity[id(node)]


class MomentumOfNodesWrong(MomentumOfNodes):
    def update(self):
        self.velocity = dict.fromkeys(self.velocity, 0)
        super().update()


class RMSPropOfColumns:
    """Biases are columns; an optimizer for each layer."""

    def __init__(self, learning_rate=0.001, decay_rate=0.9, epsilon=1e-8):
        self.rate, self.decay_rate, self.epsilon, self.begun = learning_rate, decay_rate, epsilon, False

    def apply(self, layer):
        n, m = layer.weight.shape
        if not self.begun:
            self.s_w, self.s_b, self.begun = np.zeros((n, m)), np.zeros((n, 1)), True
        self.s_w = self.decay_rate * self.s_w + (1 - self.decay_rate) * layer.dw**2
        self.s_b = self.decay_rate * self.s_b + (1 - self.decay_rate) * layer.db**2
        layer.weight -= self.rate * layer.dw / (self.root(self.s_w) + self.epsilon)
        layer.bias -= self.rate * layer.db / (self.root(self.s_b) + self.epsilon)

    def root(self, s):
        return np.sqrt(s)


class RMSPropOfColumnsWrong(RMSPropOfColumns):
    def root(self, s):
        return s


class MomentumOfAState:
    """A dict between the array and its gradient, which is returned."""

    def __init__(self, lr=1e-3):
        self.lr = lr

    def update(self, w, state, grad, name):
        mu = state.get("mu", 0.9)
        v = mu * state.get(name + "_v", np.zeros_like(w)) - self.lr * grad
        state[name + "_v"] = v
        w += v
        return state, w


class MomentumOfAStateWrong(MomentumOfAState):
    def update(self, w, state, grad, name):
        v = state.get("mu", 0.9) * state.get(name + "_v", np.zeros_like(w)) + self.lr * grad
        state[name + "_v"] = v
        w += v
        return state, w


class AdaGradOfANumber:
    """Flat arrays, of as many numbers as it is shown; gradients are sums over m."""

    def __init__(self, eta=0.01, epsilon=1e-10):
        self.eta, self.epsilon, self.memory = eta, epsilon, None

    def initialize(self, nparams):
        self.memory = np.zeros((nparams,))

    def optimize(self, W, gW, m):
        self.memory += (gW / m) ** 2
        return W - self.eta * (gW / m) / (np.sqrt(self.memory) + self.epsilon)


class AdaGradOfANumberWrong(AdaGradOfANumber):
    def optimize(self, W, gW, m):
        self.memory = (gW / m) ** 2
        return W - self.eta * (gW / m) / (np.sqrt(self.memory) + self.epsilon)


class MomentumOfOneShape:
    """All velocities in one array."""

    def __init__(self, parameters, lr=0.01, momentum=0.9):
        self.parameters, self.lr, self.momentum = parameters, lr, momentum
        self.velocity = np.array([np.zeros(p.shape) for p in parameters])

    def step(self):
        for i, p in enumerate(self.parameters):
            self.velocity[i] = self.momentum * self.velocity[i] + p.grad
            p.value = p.value - self.lr * self.velocity[i]


class MomentumOfOneShapeWrong(MomentumOfOneShape):
    def step(self):
        for i, p in enumerate(self.parameters):
            self.velocity[i] = self.momentum * self.velocity[i] + p.grad
            p.value = p.value - self.lr * (p.grad + self.velocity[i])


class AdamOfACounter:
    """Something else counts its steps."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.m, self.v, self.t = {}, {}, 0

    def next_batch(self):
        self.t += 1

    def update(self, layer, weights, grad_weights):
        self.m[layer] = self.beta1 * self.m.get(layer, 0) + (1 - self.beta1) * grad_weights
        self.v[layer] = self.beta2 * self.v.get(layer, 0) + (1 - self.beta2) * grad_weights**2
        root = np.sqrt(self.v[layer] / (1 - self.beta2**self.t))
        return weights - self.lr * self.m[layer] / (1 - self.beta1**self.t) / (root + self.epsilon)


class AdamOfACounterWrong(AdamOfACounter):
    def update(self, layer, weights, grad_weights):
        self.m[layer] = self.beta2 * self.m.get(layer, 0) + (1 - self.beta2) * grad_weights
        self.v[layer] = self.beta1 * self.v.get(layer, 0) + (1 - self.beta1) * grad_weights**2
        root = np.sqrt(self.v[layer] / (1 - self.beta1**self.t))
        return weights - self.lr * self.m[layer] / (1 - self.beta2**self.t) / (root + self.epsilon)


class NesterovOfTwoCalls:
    """The gradient is taken where it looks ahead."""

    def __init__(self, alpha=0.01, mu=0.9):
        self.alpha, self.mu, self.v = alpha, mu, 0

    def lookahead(self, theta):
        return theta + self.mu * self.v

    def step(self, theta, g):
        self.v = self.mu * self.v - self.alpha * g
        return theta + self.v


class NesterovOfTwoCallsWrong(NesterovOfTwoCalls):
    def lookahead(self, theta):
        return theta - self.mu * self.v


class MomentumFromTheSecond:
    """The first layer is that of the input."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.velocity = lr, momentum, {}

    def update(self, net):
        for i in range(1, len(net)):
            slopes, arrays = net[i].get_weights_grad(), net[i].get_weights()
            new = {name: arrays[name] + self.moved(f"{name}{i}", slopes[f"d{name}"]) for name in ("W", "b")}
            net[i].set_weights(new)

    def moved(self, key, slope):
        self.velocity[key] = self.momentum * self.velocity.get(key, 0) - self.lr * slope
        return self.velocity[key]


class MomentumFromTheSecondWrong(MomentumFromTheSecond):
    def moved(self, key, slope):
        self.velocity[key] = self.momentum * self.velocity.get(key, 0) - slope
        return self.lr * self.velocity[key] + 0 * self.momentum * self.velocity.pop(key)


class AdaGradOfLists:
    """A list of parameters for each layer."""

    def __init__(self, parameters, lr=0.01, eps=1e-10):
        self.parameters, self.lr, self.eps = parameters, lr, eps
        self.squares = [[np.zeros(p.shape) for p in layer] for layer in parameters]

    def step(self):
        for layer, squares in zip(self.parameters, self.squares, strict=True):
            for p, s in zip(layer, squares, strict=True):
                s += p.grad.data**2
                p.data -= self.stepped(p.grad.data, s)

    def stepped(self, slope, s):
        return self.lr * slope / (np.sqrt(s) + self.eps)


class AdaGradOfListsWrong(AdaGradOfLists):
    def stepped(self, slope, s):
        return self.lr * slope / (s + self.eps)


class MomentumOfAPenalty:
    """What is unused, a penalty's step, and its constant by keyword."""

    def __init__(self, lr, clip):
        self.lr, self.velocity = lr, {}
        self.clip = clip

    def step(self, W, dW, name, old, reg_W, **more):
        self.velocity[name] = more.get("gamma", 0.9) * self.velocity.get(name, 0) + self.lr * dW
        W -= self.velocity[name] + reg_W


class MomentumOfAPenaltyWrong(MomentumOfAPenalty):
    def step(self, W, dW, name, old, reg_W, **more):
        self.velocity[name] = more.get("gamma", 0.9) * self.velocity.get(name, 0) + self.lr * dW
        W += self.velocity[name] - reg_W


class Base:
    def __init__(self, model, lr=0.01):
        self.model, self.lr = model, lr


class SGDOfABase(Base):
    """What it hands on to its base, and a rate that is a function there."""

    def __init__(self, decay, dampening, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.decay, self.dampening = decay, dampening

    def step(self):
        for p in self.model.parameters():
            p.data -= self.lr * (1 - self.dampening) * p.grad + self.decay * p.data


class SGDOfABaseWrong(SGDOfABase):
    def step(self):
        for p in self.model.parameters():
            p.data -= self.lr * (1 - self.dampening) * p.grad**2 + self.decay * p.data


class RMSPropOfARateFunction:
    """The rate is a function of the step, and layers are told who their optimizer is."""

    def __init__(self, layers, learning_rate=lambda n: 0.001, decay_rate=0.9, epsilon=1e-8):
        self.rate, self.decay_rate, self.epsilon = learning_rate, decay_rate, epsilon
        self.s, self.n = {layer: [0 for _ in layer.vars] for layer in layers}, 0
        for layer in layers:
            layer.assign_optimizer(self)

    def __call__(self, layer, grad):
        for i in range(len(layer.vars)):
            self.s[layer][i] = self.decay_rate * self.s[layer][i] + (1 - self.decay_rate) * self.square(
                grad[i]
            )
            layer.vars[i] -= self.rate(self.n) * grad[i] / (np.sqrt(self.s[layer][i]) + self.epsilon)

    def square(self, slope):
        return slope**2


class RMSPropOfARateFunctionWrong(RMSPropOfARateFunction):
    def square(self, slope):
        return np.abs(slope)


class MomentumOfANameThatIsUnused:
    """One velocity for all arrays; the Wrong one is it."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, name, param, grad):
        self.v[name] = self.momentum * self.v.get(name, 0) - self.lr * grad
        return param + self.v[name]


class MomentumOfANameThatIsUnusedWrong(MomentumOfANameThatIsUnused):
    def update(self, name, param, grad):
        self.v[param.shape] = self.momentum * self.v.get(param.shape, 0) - self.lr * grad
        return param + self.v[param.shape]


class MomentumOfGivenLayers:
    """Its state is by layer, so one optimizer has them all."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v, self.steps = lr, momentum, {}, 0

    def update(self, layer, grad_w, grad_b):
        self.steps += 1
        old = self.v.get(id(layer), (0, 0))
        new = [self.momentum * v + g for v, g in zip(old, (grad_w, grad_b), strict=True)]
        self.v[id(layer)] = new
        layer.weights -= self.lr * new[0]
        layer.bias -= self.lr * new[1]


class MomentumOfGivenLayersWrong(MomentumOfGivenLayers):
    def update(self, layer, grad_w, grad_b):
        old = self.v.get(id(layer), (0, 0))
        new = [self.momentum * v - g for v, g in zip(old, (grad_w, grad_b), strict=True)]
        self.v[id(layer)] = new
        layer.weights -= self.lr * new[0]
        layer.bias -= self.lr * new[1]


class AdamThatCountsEachLayer:
    """One for several layers counts too many steps."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v, self.t = {}, {}, 0

    def update(self, layer, grad_w, grad_b):
        self.t += 1
        for name, g in (("weights", grad_w), ("bias", grad_b)):
            m, v = self.m.get((id(layer), name), 0), self.v.get((id(layer), name), 0)
            m, v = self.beta1 * m + (1 - self.beta1) * g, self.beta2 * v + (1 - self.beta2) * g**2
            self.m[id(layer), name], self.v[id(layer), name] = m, v
            root = np.sqrt(v / (1 - self.beta2**self.t)) + self.eps
            setattr(layer, name, getattr(layer, name) - self.lr * m / (1 - self.beta1**self.t) / root)


class MomentumOfALayersDict:
    """Layer by layer, in dicts."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, params, grads, layer_id):
        for name in params:
            at = f"{name}{layer_id}"
            self.v[at] = self.momentum * self.v.get(at, 0) - self.lr * grads[f"d{name}"]
            params[name] += self.v[at]


class MomentumOfALayersDictWrong(MomentumOfALayersDict):
    def update(self, params, grads, layer_id):
        for name in params:
            self.v[name] = self.momentum * self.v.get(name, 0) - self.lr * grads[f"d{name}"]
            params[name] += self.v[name]


class SGDOfPairsBesideANet:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, network, grads):
        for layer, (dW, db) in zip(network.layers, grads, strict=True):
            layer.weights -= self.lr * dW
            layer.biases -= self.lr * db


class SGDOfPairsBesideANetWrong(SGDOfPairsBesideANet):
    def update(self, network, grads):
        super().update(network, [(dW, 2 * db) for dW, db in grads])
