import matplotlib.pyplot as plt
import numpy as np

from scratchcnn import im2col, output_size

N, C, H, FN, FH, stride, pad = 1, 3, 6, 4, 3, 1, 0
OH = output_size(H, FH, stride, pad)
shapes = {
    "col": (N * OH * OH, C * FH * FH),
    "W.reshape(FN, -1).T": (C * FH * FH, FN),
    "out": (N * OH * OH, FN),
}
fig, ax = plt.subplots(figsize=(9, 3.5))
left = 0
for (title, (rows, columns)), color in zip(shapes.items(), ("tab:blue", "tab:orange", "tab:green")):
    ax.add_patch(plt.Rectangle((left, -rows / 2), columns, rows, color=color, alpha=0.6))
    ax.text(left + columns / 2, 0, f"{rows}x{columns}", ha="center", va="center", rotation=90)
    ax.text(left + columns / 2, 16, title, ha="center")
    left += columns + 8
ax.set_xlim(-2, left)
ax.set_ylim(-16, 20)
ax.axis("off")
# %% experiment
x = np.random.default_rng(0).standard_normal((N, C, H, H))
print("col:", im2col(x, FH, FH, stride=2, pad=1).shape)
