import matplotlib.pyplot as plt
import numpy as np


def gradient_sizes(depth, shortcut, width=50):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((width, width)) * 0.8 / np.sqrt(width) for _ in range(depth)]
    g, sizes = np.ones(width), []
    for W in weights:
        g = W.T @ g * (0.3 if shortcut else 1) + (g if shortcut else 0)
        sizes.append(np.linalg.norm(g))
    return sizes


fig, ax = plt.subplots(figsize=(5, 3))
for shortcut in (False, True):
    ax.semilogy(gradient_sizes(30, shortcut), label="x + F(x)" if shortcut else "F(x)")
ax.set_xlabel("layers back")
ax.legend()
# %% experiment
sizes = gradient_sizes(60, shortcut=False)
print(next(i for i, size in enumerate(sizes) if size < sizes[0] / 1000))
