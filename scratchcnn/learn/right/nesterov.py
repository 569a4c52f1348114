class Nesterov:
    def __init__(self, lr=0.01, momentum=0.9, weight_decay=0):
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.iter = 0
        self.v = {}

    def update(self, params, grads):
        self.iter += 1
        for key, p in params.items():
            g = grads[key] + self.weight_decay * p
            v = self.v.setdefault(key, np.zeros_like(p))
            v *= self.momentum
            v += g
            p -= self.lr * (g + self.momentum * v)
