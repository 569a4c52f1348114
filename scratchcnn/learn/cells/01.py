import matplotlib.pyplot as plt
import numpy as np

from scratchcnn.data import load
from scratchcnn.naive import conv_forward

x = load().x_test[0, 0]
w = np.array([[1.0, 0.0, -1.0], [1.0, 0.0, -1.0], [1.0, 0.0, -1.0]], np.float32)
out = conv_forward(x[None, None], w[None, None], None)[0, 0]
fig, axes = plt.subplots(1, 3, figsize=(9, 3))
for ax, image, title in zip(axes, (x, w, out), ("x", "w", "out")):
    ax.imshow(image, cmap="gray")
    ax.set_title(f"{title} {image.shape}")
    ax.axis("off")
# %% experiment
w = np.full((3, 3), 1 / 9, np.float32)
out = conv_forward(x[None, None], w[None, None], None)[0, 0]
fig, ax = plt.subplots(figsize=(3, 3))
ax.imshow(out, cmap="gray")
print(out.shape, out.min(), out.max())
