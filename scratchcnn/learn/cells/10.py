import matplotlib.pyplot as plt
import numpy as np

layers = (("conv1", 5, 1), ("pool1", 2, 2), ("conv2", 5, 1), ("pool2", 2, 2))
field, step, fields = 1, 1, []
for name, size, stride in layers:
    field, step = field + (size - 1) * step, step * stride
    fields.append((name, field))
fig, axes = plt.subplots(1, 4, figsize=(10, 2.8))
for ax, (name, size) in zip(axes, fields):
    seen = np.zeros((28, 28))
    start = (28 - size) // 2
    seen[start : start + size, start : start + size] = 1
    ax.imshow(seen, cmap="Blues")
    ax.set_title(f"{name}: {size}x{size}")
    ax.axis("off")
# %% experiment
field = 1
for size in (3, 3):
    field += size - 1
print("two 3x3:", field, "weights:", 2 * 3 * 3, "instead of", 5 * 5)
