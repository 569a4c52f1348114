class RMSProp:
    def __init__(self, lr=0.01, decay_rate=0.99, weight_decay=0):
        self.lr = lr
        self.decay_rate = decay_rate
        self.weight_decay = weight_decay
        self.iter = 0
        self.h = {}

    def update(self, params, grads):
        self.iter += 1
        for key, p in params.items():
            g = grads[key] + self.weight_decay * p
            h = self.h.setdefault(key, np.zeros_like(p))
            h *= self.decay_rate
            h += (1 - self.decay_rate) * g * g
            p -= self.lr * g / (np.sqrt(h) + 1e-8)
