import matplotlib.pyplot as plt
import numpy as np

steps = 10.0 ** -np.arange(0, 15)
fig, ax = plt.subplots(figsize=(5, 3))
for dtype in (np.float64, np.float32):
    x = dtype(1.3)
    h = steps.astype(dtype)
    with np.errstate(all="ignore"):
        slope = ((x + h) ** 3 - (x - h) ** 3) / (2 * h)
    error = np.abs(slope - 3 * x**2)
    ax.loglog(steps, np.maximum(error, 1e-17), "o-", label=np.dtype(dtype).name)
ax.set_xlabel("h")
ax.set_ylabel("error")
ax.legend()
# %% experiment
x, h = 1.3, 1e-4
print("central:", ((x + h) ** 3 - (x - h) ** 3) / (2 * h) - 3 * x**2)
print("one-sided:", ((x + h) ** 3 - x**3) / h - 3 * x**2)
