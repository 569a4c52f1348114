"""Like the book's ch04/train_neuralnet.py, with fewer steps."""

import os
import sys

sys.path.append(os.pardir)
import matplotlib.pyplot as plt
import numpy as np
from dataset.mnist import load_mnist
from two_layer_net import TwoLayerNet

(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True, one_hot_label=True)
network = TwoLayerNet(input_size=784, hidden_size=20, output_size=10)

losses = []
for i in range(60):
    batch_mask = np.random.choice(x_train.shape[0], 50)
    grad = network.gradient(x_train[batch_mask], t_train[batch_mask])
    for key in ("W1", "b1", "W2", "b2"):
        network.params[key] -= 1.0 * grad[key]
    losses.append(network.loss(x_train[batch_mask], t_train[batch_mask]))
accuracy = network.accuracy(x_test, t_test)

small = TwoLayerNet(3, 2, 4)
x, t = np.random.rand(5, 3), np.eye(4)[np.arange(5) % 4]
by_differences, by_hand = small.numerical_gradient(x, t), small.gradient(x, t)
plt.plot(losses)
plt.show()
