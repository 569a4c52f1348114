import matplotlib.pyplot as plt
import numpy as np

from scratchcnn.naive import conv_forward

rng = np.random.default_rng(0)
yy, xx = np.mgrid[:16, :16]
x = np.stack([(xx > 7), (yy > 7), (xx + yy > 15)]).astype(float)
W = np.stack([[[1, 0, -1]] * 3, [[1, 1, 1], [0, 0, 0], [-1, -1, -1]], np.zeros((3, 3))]).astype(float)
out = conv_forward(x[None], W[None], None)[0, 0]
fig, axes = plt.subplots(2, 4, figsize=(9, 4.5))
for c in range(3):
    axes[0, c].imshow(x[c], cmap="gray")
    axes[0, c].set_title(f"x[{c}]")
    axes[1, c].imshow(W[c], cmap="RdBu", vmin=-1, vmax=1)
    axes[1, c].set_title(f"W[0, {c}]")
axes[0, 3].imshow(out, cmap="RdBu")
axes[0, 3].set_title("out[0]")
for ax in axes.flat:
    ax.axis("off")
# %% experiment
W[1:] = 0
out = conv_forward(x[None], W[None], None)[0, 0]
print(np.unique(out))
