import matplotlib.pyplot as plt
import numpy as np

from scratchcnn import im2col

H, FH, stride = 4, 3, 1
x = np.arange(H * H, dtype=float).reshape(1, 1, H, H)
col = im2col(x, FH, FH, stride)
fig, axes = plt.subplots(1, 2, figsize=(10, 3.5), width_ratios=[1, 2])
for ax, a, title in ((axes[0], x[0, 0], "x"), (axes[1], col, "im2col(x)")):
    ax.imshow(a, cmap="nipy_spectral", vmin=-1, vmax=H * H)
    for (i, j), value in np.ndenumerate(a):
        ax.text(j, i, int(value), ha="center", va="center", color="white")
    ax.set_title(f"{title} {a.shape}")
    ax.axis("off")
# %% experiment
stride = 1
x = np.arange(49.0).reshape(1, 1, 7, 7)
col = im2col(x, 3, 3, stride)
print("the pixel in the middle appears", int((col == 24).sum()), "times")
