"""The book's ch07/train_convnet.py with our imports; `N` images per batch, and few of them."""
# ruff: noqa: F821  (as in the book; N, network, x and t are given)

import matplotlib.pyplot as plt
import numpy as np

from scratchcnn import SimpleConvNet, Trainer
from scratchcnn.data import load

data = load()
x_train, t_train = data.x_train[: 3 * N], data.t_train[: 3 * N]
x_test, t_test = data.x_test[:50], data.t_test[:50]

max_epochs = 2

network = SimpleConvNet(
    input_dim=(1, 28, 28),
    conv_param={"filter_num": 30, "filter_size": 5, "pad": 0, "stride": 1},
    hidden_size=100,
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
    mini_batch_size=N,
    optimizer="Adam",
    optimizer_param={"lr": 0.001},
    evaluate_sample_num_per_epoch=1000,
)
trainer.train()

network.save_params("params.pkl")
print("Saved Network Parameters!")

x = np.arange(max_epochs)
plt.plot(x, trainer.train_acc_list, marker="o", label="train", markevery=2)
plt.plot(x, trainer.test_acc_list, marker="s", label="test", markevery=2)
plt.xlabel("epochs")
plt.ylabel("accuracy")
plt.ylim(0, 1.0)
plt.legend(loc="lower right")
plt.show()
