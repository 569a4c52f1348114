import matplotlib.pyplot as plt
import numpy as np

right = np.array([[1.0, -2.0], [3.0, 4.0]])
wrong = {
    "too large": right + 1e-3,
    "too small": right - 1e-3,
    "NaN": right * np.array([np.nan, 1]),
    "zeros": right * 0,
    "one number": np.float64(1.0),
    "a row": right[:1],
}
ways = {
    "max(a - b) < tol": lambda a, b: np.max(a - b) < 1e-6,
    "not (|a - b| > tol).any()": lambda a, b: not (np.abs(a - b) > 1e-6).any(),
    "mean of a == mean of b": lambda a, b: abs(a.mean() - b.mean()) < 1e-6,
    "|a - b| / |b| < 1e-2": lambda a, b: (np.abs(a - b) / np.abs(b)).max() < 1e-2,
}
passes = np.array([[bool(way(a, right)) for a in wrong.values()] for way in ways.values()])
fig, ax = plt.subplots(figsize=(7, 3))
ax.imshow(passes, cmap="Reds", vmin=0, vmax=1.5)
ax.set_xticks(range(len(wrong)), wrong, rotation=30)
ax.set_yticks(range(len(ways)), ways)
# %% experiment
for name, a in wrong.items():
    print(f"{name:12}", np.allclose(a, right))
