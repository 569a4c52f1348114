import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
lengths = 2 ** np.arange(2, 15)
errors, bounds = [], []
for K in lengths:
    a = rng.standard_normal((20, K)).astype(np.float32)
    b = rng.standard_normal((K, 20)).astype(np.float32)
    exact = a.astype(float) @ b.astype(float)
    errors.append(np.abs(a @ b - exact).max())
    bounds.append((np.sqrt(K) * 2.0**-24 * (np.abs(a) @ np.abs(b))).max())
fig, ax = plt.subplots(figsize=(5, 3))
ax.loglog(lengths, errors, "o-", label="error")
ax.loglog(lengths, bounds, label="bound")
ax.axhline(1e-5, color="gray", linestyle=":", label="1e-5")
ax.set_xlabel("K")
ax.legend()
# %% experiment
a = 1000 * rng.standard_normal((20, 100)).astype(np.float32)
b = rng.standard_normal((100, 20)).astype(np.float32)
print("error:", np.abs(a @ b - a.astype(float) @ b.astype(float)).max())
print("bound:", (10 * 2.0**-24 * (np.abs(a) @ np.abs(b))).max())
