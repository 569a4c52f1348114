"""Trains the network of my_convnet.py, saves it and reads it back."""

import os
import sys

sys.path.append(os.pardir)
from common.trainer import Trainer
from dataset.mnist import load_mnist
from my_convnet import SimpleConvNet

(x_train, t_train), (x_test, t_test) = load_mnist(flatten=False)
network = SimpleConvNet(
    conv_param={"filter_num": 10, "filter_size": 5, "pad": 0, "stride": 1},
    hidden_size=30,
    weight_init_std=0.1,
)
trainer = Trainer(
    network,
    x_train[:300],
    t_train[:300],
    x_test[:100],
    t_test[:100],
    epochs=4,
    mini_batch_size=50,
    optimizer="Adam",
    optimizer_param={"lr": 0.003},
)
trainer.train()
network.save_params()
again = SimpleConvNet(conv_param={"filter_num": 10, "filter_size": 5, "pad": 0, "stride": 1}, hidden_size=30)
again.load_params("params.pkl")
