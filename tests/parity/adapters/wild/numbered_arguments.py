"""Functions of gradient descent that take each array by itself, or dicts by other names."""

import numpy as np


def update_parameters(W1, b1, W2, b2, dW1, db1, dW2, db2, learning_rate):
    W1 = W1 - learning_rate * dW1
    b1 = b1 - learning_rate * db1
    W2 = W2 - learning_rate * dW2
    b2 = b2 - learning_rate * db2
    return W1, b1, W2, b2


def update_parameters_wrong(W1, b1, W2, b2, dW1, db1, dW2, db2, learning_rate):
    W1 = W1 - learning_rate * dW1
    b1 = b1 - learning_rate * db1
    W2 = W2 - learning_rate * dW2
    b2 = b2 - learning_rate * db1
    return W1, b1, W2, b2


def update_weights(w1, w2, w3, dC_dw1, dC_dw2, dC_dw3, alpha):
    w1 -= alpha * dC_dw1
    w2 -= alpha * dC_dw2
    w3 -= alpha * dC_dw3
    return w3, w2, w1


def update_weights_wrong(w1, w2, w3, dC_dw1, dC_dw2, dC_dw3, alpha):
    w1 -= alpha * dC_dw1
    w2 -= alpha * dC_dw2
    w3 -= alpha * dC_dw1
    return w3, w2, w1


def update(w, b, dw, db, lr):
    w -= lr * dw
    b -= lr * db


def update_wrong(w, b, dw, db, lr):
    w -= lr * dw
    b += lr * db


def update_params(parameters, grads, learning_rate, decay=1.0):
    learning_rate *= decay
    for i in range(1, len(parameters) // 2 + 1):
        parameters[f"w{i}"] -= learning_rate * grads[f"dw{i}"]
        parameters[f"b{i}"] -= learning_rate * grads[f"db{i}"]
    return parameters


def update_params_wrong(parameters, grads, learning_rate, decay=1.0):
    learning_rate *= decay
    for i in range(1, len(parameters) // 2 + 1):
        parameters[f"w{i}"] -= learning_rate * grads[f"dw{i}"]
        parameters[f"b{i}"] -= learning_rate * grads[f"db{i}"] / 2
    return parameters


def rmsprop_update(w, grad, G, lr, beta=0.9, eps=1e-8):
    G = beta * G + (1 - beta) * grad**2
    w -= lr * grad / (np.sqrt(G) + eps)
    return w, G


def rmsprop_update_wrong(w, grad, G, lr, beta=0.9, eps=1e-8):
    G = beta * G + (1 - beta) * grad
    w -= lr * grad / (np.sqrt(np.abs(G)) + eps)
    return w, G


class SGDOfKey:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        for key in params.key():
            params[key] -= self.lr * grads[key]
