import matplotlib.pyplot as plt
import numpy as np

from scratchcnn import Convolution

x = np.zeros((1, 1, 6, 6))
conv = Convolution(np.ones((1, 1, 3, 3)), np.zeros(1))
dx = conv.backward(np.ones_like(conv.forward(x)))[0, 0]
fig, axes = plt.subplots(1, 2, figsize=(7, 3.2))
for ax, a, title in ((axes[0], np.ones((4, 4)), "dout"), (axes[1], dx, "dx")):
    ax.imshow(a, cmap="Blues", vmin=0, vmax=9)
    for (i, j), value in np.ndenumerate(a):
        ax.text(j, i, int(value), ha="center", va="center")
    ax.set_title(title)
    ax.axis("off")
# %% experiment
dout = np.zeros((1, 1, 4, 4))
dout[0, 0, 1, 2] = 1
conv.forward(x)
print(conv.backward(dout)[0, 0].astype(int))
