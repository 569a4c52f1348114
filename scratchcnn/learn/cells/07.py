import matplotlib.pyplot as plt
import numpy as np

from scratchcnn import Pooling
from scratchcnn.data import load

x = load().x_test[:1]
pool = Pooling(4, 4, stride=4)
moved = np.roll(x, 1, axis=3)
fig, axes = plt.subplots(2, 2, figsize=(6, 6))
for row, image in zip(axes, (x, moved)):
    row[0].imshow(image[0, 0], cmap="gray")
    row[1].imshow(pool.forward(image)[0, 0], cmap="gray")
for ax in axes.flat:
    ax.axis("off")
# %% experiment
shift = 2
before, after = pool.forward(x), pool.forward(np.roll(x, shift, axis=3))
print(f"changed by more than 0.1: {np.mean(np.abs(before - after) > 0.1):.0%}")
