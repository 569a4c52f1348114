import matplotlib.pyplot as plt

from scratchcnn import SimpleConvNet
from scratchcnn.data import load

x = load().x_test[:1]
network = SimpleConvNet(conv_param={"filter_num": 4}, weight_init_std="he", rng=0)
maps, out = [], x
for name in ("Conv1", "Relu1", "Pool1"):
    out = network.layers[name].forward(out)
    maps.append((name, out[0]))
fig, axes = plt.subplots(3, 4, figsize=(7, 5.5))
for row, (name, channels) in zip(axes, maps):
    for c, ax in enumerate(row):
        ax.imshow(channels[c], cmap="gray")
        ax.set_title(f"{name} {c}", fontsize=8)
        ax.axis("off")
# %% experiment
another = SimpleConvNet(conv_param={"filter_num": 4}, weight_init_std="he", rng=1)
print(another)
