"""Like the book's ch07/train_convnet.py, with fewer images and epochs."""

import os
import sys

sys.path.append(os.pardir)
import matplotlib.pyplot as plt
import numpy as np
from common.trainer import Trainer
from dataset.mnist import load_mnist
from simple_convnet import SimpleConvNet

(x_train, t_train), (x_test, t_test) = load_mnist(flatten=False)
x_train, t_train = x_train[:500], t_train[:500]
x_test, t_test = x_test[:200], t_test[:200]

max_epochs = 3
network = SimpleConvNet(
    input_dim=(1, 28, 28),
    conv_param={"filter_num": 10, "filter_size": 5, "pad": 0, "stride": 1},
    hidden_size=30,
    output_size=10,
    weight_init_std=0.01,
)
trainer = Trainer(
    network,
    x_train,
    t_train,
    x_test,
    t_test,
    epochs=max_epochs,
    mini_batch_size=50,
    optimizer="Adam",
    optimizer_param={"lr": 0.003},
    evaluate_sample_num_per_epoch=100,
)
trainer.train()

network.save_params("params.pkl")
print("Saved Network Parameters!")

x = np.arange(max_epochs)
plt.plot(x, trainer.train_acc_list, marker="o", label="train", markevery=2)
plt.plot(x, trainer.test_acc_list, marker="s", label="test", markevery=2)
plt.show()
