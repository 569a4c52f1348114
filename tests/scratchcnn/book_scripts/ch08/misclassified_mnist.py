"""Like the book's ch08/misclassified_mnist.py: a DeepConvNet from a file, asked for its mistakes."""

import os
import sys

sys.path.append(os.pardir)
import numpy as np
from dataset.mnist import load_mnist
from deep_convnet import DeepConvNet

(x_train, t_train), (x_test, t_test) = load_mnist(flatten=False)
network = DeepConvNet()
network.gradient(x_train[:10], t_train[:10])
network.save_params("deep_convnet_params.pkl")

network = DeepConvNet()
network.load_params("deep_convnet_params.pkl")
sampled = 100
classified_ids = []
for i in range(sampled // 50):
    tx = x_test[i * 50 : (i + 1) * 50]
    y = network.predict(tx, train_flg=False)
    classified_ids.append(np.argmax(y, axis=1))
classified_ids = np.array(classified_ids).flatten()
acc = np.sum(classified_ids == t_test[:sampled]) / sampled
