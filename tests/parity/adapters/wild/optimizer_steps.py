"""Optimizers of several styles: what a step may be handed beside its arrays, and in which form these come."""

import numpy as np


class RMSPropByBeta:
    """One array; the rate comes with each step."""

    def __init__(self, param_shape, beta=0.9):
        self.beta, self.s = beta, np.zeros(param_shape)

    def update_parameters(self, param, dparam, learning_rate):
        self.s = self.beta * self.s + self.fresh() * np.square(dparam)
        param -= learning_rate * dparam / (np.sqrt(self.s) + 1e-8)
        return param

    def fresh(self):
        return 1 - self.beta


class RMSPropByBetaWrong(RMSPropByBeta):
    def fresh(self):
        return self.beta


class DividesByM:
    """Gradients are sums over m images."""

    def __init__(self, eta=0.01):
        self.eta = eta

    def optimize(self, W, gW, m):
        return W - gW * (self.eta / m)


class DividesByMWrong(DividesByM):
    def optimize(self, W, gW, m):
        return W + gW * (self.eta / m)


class HelpsItself:
    """Its get_update is no step of its own: it takes a gradient and the average of its squares."""

    def __init__(self, lr=0.01, rho=0.9):
        self.lr, self.rho, self.rms = lr, rho, {}

    def get_update(self, grad, rms):
        return self.lr * grad / (np.sqrt(rms) + 1e-8)

    def train(self, model, batches):
        for x, t in batches:
            for key, grad in model.gradient(x, t).items():
                self.rms[key] = self.rho * self.rms.get(key, 0) + (1 - self.rho) * grad**2
                model.weights[key] -= self.get_update(grad, self.rms[key])


class ByIndex:
    """A dict of W1, b1, ... is held; gradients have the names of their arrays."""

    def __init__(self, params, lr=0.1, momentum=0, nesterov=False):
        self.params, self.lr, self.momentum, self.v = params, lr, momentum, None
        self.nesterov = nesterov

    def step(self, grads):
        if self.v is None:
            self.v = {k: np.zeros_like(p) for k, p in self.params.items()}
        for i in range(1, len(grads.keys()) // 2 + 1):
            for key in ("W" + str(i), "b" + str(i)):
                self.v[key] = self.momentum * self.v[key] + self.lr * grads[key]
                self.params[key] -= self.v[key]


class ByIndexWrong(ByIndex):
    def step(self, grads):
        super().step(grads)
        for i in range(1, len(grads.keys()) // 2 + 1):
            self.v["b" + str(i)] = np.zeros_like(self.v["b" + str(i)])


class ReadsItsFlag(ByIndex):
    """With the flag set it is plain momentum, too."""

    def step(self, grads):
        self.was_asked = self.nesterov
        super().step(grads)


class ListsAndPairs:
    def __init__(self, lr=1e-3, beta=0.9):
        self.lr, self.beta, self.v_W, self.v_b = lr, beta, None, None

    def update(self, weights, biases, grads):
        if self.v_W is None:
            self.v_W = [np.zeros_like(w) for w in weights]
            self.v_b = [np.zeros_like(b) for b in biases]
        for i, (dW, db) in enumerate(grads):
            self.v_W[i] = self.beta * self.v_W[i] + dW
            self.v_b[i] = self.beta * self.v_b[i] + self.of_bias(db)
            weights[i] -= self.lr * self.v_W[i]
            biases[i] -= self.lr * self.v_b[i]

    def of_bias(self, db):
        return db


class ListsAndPairsWrong(ListsAndPairs):
    def of_bias(self, db):
        return (1 - self.beta) * db


class NesterovByBeta:
    def __init__(self, lr, beta):
        self.lr, self.beta, self.v = lr, beta, {}

    def update(self, params, grads):
        for key, g in grads.items():
            self.v[key] = self.beta * self.v.get(key, 0) + g
            params[key] -= self.lr * (g + self.ahead() * self.v[key])

    def ahead(self):
        return self.beta


class NesterovByBetaWrong(NesterovByBeta):
    def ahead(self):
        return 1


class ListsOfPairs:
    """A new pair for each layer."""

    def __init__(self, lr):
        self.lr = lr

    def step(self, layers, gradients):
        new = []
        for (W, b), (dW, db) in zip(layers, gradients, strict=True):
            new.append((W - self.lr * dW, self.next_bias(b, db)))
        return new

    def next_bias(self, b, db):
        return b - self.lr * db


class ListsOfPairsWrong(ListsOfPairs):
    def next_bias(self, b, db):
        return b - self.lr * db.mean()


class OfANumberedModel:
    """A model with its layers' numbers and lists of their arrays; the epoch is handed over and not used."""

    def __init__(self, learning_rate=0.01):
        self.lr = learning_rate

    def update(self, fc, epoch):
        for number in fc.layers:
            fc.w[number] -= self.lr * fc.dw[number]
            fc.b[number] -= self.rate_of_biases() * fc.db[number]

    def rate_of_biases(self):
        return self.lr


class OfANumberedModelWrong(OfANumberedModel):
    def rate_of_biases(self):
        return 2 * self.lr


class EmptiesGradients:
    def __init__(self, model, lr=0.01):
        self.model, self.lr = model, lr

    def step(self):
        for p in self.model.parameters():
            p.data = p.data - self.step_of(p.grad)
            p.zero_grad()

    def step_of(self, g):
        return self.lr * g


class EmptiesGradientsWrong(EmptiesGradients):
    def step_of(self, g):
        return self.lr * abs(g)


def adam_optimizer(f, grad, x0, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, num_iterations=10):
    m = v = 0
    x = x0
    for t in range(1, num_iterations + 1):
        g = grad(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x = x - learning_rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return x


def adam_optimizer_wrong(f, grad, x0, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, n_steps=10):
    m = v = 0
    for _ in range(n_steps):
        g = grad(x0)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x0 = x0 - learning_rate * m / (np.sqrt(v) + epsilon)
    return x0


def gradient_descent(grad_fn, start, learn_rate, n_iter, tol=1e-6):
    path, x = [start], start
    for _ in range(n_iter):
        step = learn_rate * grad_fn(x)
        if np.all(np.abs(step) < tol):
            break
        x = x - step
        path.append(x)
    return np.array(path)


def gradient_descent_wrong(grad_fn, start, learn_rate, n_iter):
    x = start.copy()
    for _ in range(n_iter - 1):
        grad_fn(x)
        x -= learn_rate * grad_fn(x)
    return x


class Descends:
    """The losses come first; it stops where they stay."""

    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.lr, self.momentum = learning_rate, momentum

    def minimize(self, func, grad_func, x0, max_iter=1000, tol=1e-8):
        x, v, losses = x0.copy(), np.zeros_like(x0), [func(x0)]
        for _ in range(max_iter):
            v = self.next_velocity(v, grad_func(x))
            x = x - self.lr * v
            losses.append(func(x))
            if abs(losses[-1] - losses[-2]) < tol:
                break
        return np.array(losses), x

    def next_velocity(self, v, g):
        return self.momentum * v + g


class DescendsWrong(Descends):
    def next_velocity(self, v, g):
        return self.momentum * (v + g)


class HoldsItsArray:
    """A copy of the array comes to the constructor; each call returns the new one."""

    def __init__(self, xinit, lr=1e-3, beta=(0.9, 0.999), epsilon=1e-8):
        self.x, self.m, self.v, self.k = xinit.copy(), np.zeros_like(xinit), np.zeros_like(xinit), 0
        self.lr, self.eps = lr, epsilon
        self.b1, self.b2 = beta

    def __call__(self, gradient):
        self.k += 1
        self.m = self.b1 * self.m + (1 - self.b1) * gradient
        self.v = self.b2 * self.v + (1 - self.b2) * gradient**2
        self.x -= self.lr * self.first() / (np.sqrt(self.v / (1 - self.b2**self.k)) + self.eps)
        return self.x

    def first(self):
        return self.m / (1 - self.b1**self.k)


class HoldsItsArrayWrong(HoldsItsArray):
    def first(self):
        return self.m


class DecaysByLetter:
    """Arrays whose names have a W are decayed."""

    def __init__(self, lr=0.01, weight_decay=0.0):
        self.lr, self.weight_decay = lr, weight_decay

    def update(self, params, grads):
        for key in params:
            penalty = self.weight_decay * params[key] if "W" in key else 0
            params[key] -= self.lr * (grads[key] + penalty)


class DecaysByLetterWrong(DecaysByLetter):
    def update(self, params, grads):
        super().update(params, {key: 2 * g if "W" in key else g for key, g in grads.items()})


class ByLayerName:
    """Dicts of dicts; gradients are called dW and db."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def step(self, params, grads):
        for layer, own in params.items():
            v = self.v.setdefault(layer, {k: np.zeros_like(p) for k, p in own.items()})
            for k in own:
                v[k] = self.momentum * v[k] + self.fresh(grads[layer], k)
                own[k] -= self.lr * v[k]

    def fresh(self, grads, k):
        return grads["d" + k]


class ByLayerNameWrong(ByLayerName):
    def fresh(self, grads, k):
        return grads["d" + k].mean(0)


def adam_with_a_dict(w, dw, state, lr, t, beta1=0.9, beta2=0.999, eps=1e-8):
    state["m"] = beta1 * state["m"] + (1 - beta1) * dw
    state["v"] = beta2 * state["v"] + (1 - beta2) * dw**2
    return w - lr * (state["m"] / (1 - beta1**t)) / (np.sqrt(state["v"] / (1 - beta2**t)) + eps), state


def adam_with_a_dict_wrong(w, dw, state, lr, t, beta1=0.9, beta2=0.999, eps=1e-8):
    new, _ = adam_with_a_dict(w, dw, dict.fromkeys("mv", 0), lr, t, beta1, beta2, eps)
    return new, {"m": dw, "v": dw}


def adam_with_a_pair(w, dw, state, lr, t, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = state
    m = beta1 * m + (1 - beta1) * dw
    v = beta2 * v + (1 - beta2) * dw**2
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), (m, v)


def momentum_with_a_dict(w, dw, state, lr, momentum=0.9):
    v = momentum * state.get("v", np.zeros_like(w)) + dw
    return w - lr * v, {"v": v}


def momentum_with_a_dict_wrong(w, dw, state, lr, momentum=0.9):
    v = momentum * state.get("v", np.ones_like(w)) + dw
    return w - lr * v, {"v": v}


class AsksAhead:
    """Nesterov's: the gradient comes as a function, and is asked where the velocity leads."""

    def __init__(self, learning_rate=0.001, momentum=0.4):
        self.learning_rate, self.momentum, self.step = learning_rate, momentum, np.array([])

    def update(self, w, grad_func):
        if not self.step.any():
            self.step = np.zeros(np.shape(w))
        g = grad_func(self.ahead(w))
        self.step = self.momentum * self.step + self.learning_rate * g
        return w - self.step

    def ahead(self, w):
        return w - self.momentum * self.step


class AsksBehindWrong(AsksAhead):
    def ahead(self, w):
        return w + self.momentum * self.step


class AsksAtItsArray(AsksAhead):
    """PyTorch's form."""

    def update(self, w, grad_func):
        g = grad_func(w)
        self.step = g if self.step.size == 0 else self.momentum * self.step + g
        return w - self.learning_rate * (g + self.momentum * self.step)


class AsksAndHasMomentum(AsksAhead):
    def ahead(self, w):
        return w


class Damped(RMSPropByBeta):
    def __init__(self, param_shape, beta=0.9, damping=0.1):
        super().__init__(param_shape, beta)
        self.damping = damping

    def update_parameters(self, param, dparam, learning_rate):
        self.s = self.beta * self.s + self.fresh() * np.square(dparam)
        return param - learning_rate * dparam / (np.sqrt(self.s) + self.damping)
