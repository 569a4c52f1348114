import matplotlib.pyplot as plt

from scratchcnn import Momentum, SimpleConvNet
from scratchcnn.data import load

data = load()
network = SimpleConvNet(conv_param={"filter_num": 8}, weight_init_std="he", rng=0)
before = network.params["W1"].copy()
optimizer, losses = Momentum(lr=0.01), []
for step in range(40):
    batch = slice(step * 50, step * 50 + 50)
    grads = network.gradient(data.x_train[batch], data.t_train[batch])
    optimizer.update(network.params, grads)
    losses.append(float(network.last_loss))
fig, axes = plt.subplots(2, 8, figsize=(9, 2.6))
for row, W in zip(axes, (before, network.params["W1"])):
    for ax, w in zip(row, W):
        ax.imshow(w[0], cmap="gray")
        ax.axis("off")
fig, ax = plt.subplots(figsize=(5, 3))
ax.plot(losses)
ax.set_xlabel("step")
ax.set_ylabel("loss")
# %% experiment
lr = 0.1
network = SimpleConvNet(conv_param={"filter_num": 8}, weight_init_std="he", rng=0)
optimizer = Momentum(lr=lr)
for step in range(10):
    batch = slice(step * 50, step * 50 + 50)
    optimizer.update(network.params, network.gradient(data.x_train[batch], data.t_train[batch]))
    print(step, float(network.last_loss))
