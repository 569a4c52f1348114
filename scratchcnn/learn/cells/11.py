import matplotlib.pyplot as plt
import numpy as np

from scratchcnn import Dropout

x = np.ones(20000)
ratios = np.arange(0, 1, 0.1)
inverted = [Dropout(ratio, rng=0).forward(x).mean() for ratio in ratios]
plain = [Dropout(ratio, rng=0).forward(x).mean() * (1 - ratio) for ratio in ratios]
fig, ax = plt.subplots(figsize=(5, 3))
ax.plot(ratios, inverted, "o-", label="x * mask / (1 - ratio)")
ax.plot(ratios, plain, "s-", label="x * mask")
ax.set_xlabel("ratio")
ax.set_ylabel("mean")
ax.legend()
# %% experiment
ratio = 0.3
train = (np.random.default_rng(0).random(20000) > ratio).mean()
print("training:", train, "inference:", 1 * (1 - ratio))
