class SGD:
    def __init__(self, lr=0.01, weight_decay=0):
        self.lr = lr
        self.weight_decay = weight_decay
        self.iter = 0

    def update(self, params, grads):
        self.iter += 1
        for key, p in params.items():
            g = grads[key] + self.weight_decay * p
            p -= self.lr * g
