import matplotlib.pyplot as plt
import numpy as np

from scratchcnn import output_size

H, FH, P = 7, 3, 1
fig, axes = plt.subplots(1, 2, figsize=(8, 4))
for ax, S in zip(axes, (1, 2)):
    frame = np.pad(np.ones((H, H)), P)
    ax.imshow(frame, cmap="Blues", vmin=0, vmax=2)
    size = output_size(H, FH, S, P)
    for i in range(size):
        for j in range(size):
            ax.plot(j * S + FH // 2, i * S + FH // 2, "o", color="tab:red")
    ax.set_title(f"stride {S}: {size} x {size}")
# %% experiment
H, FH, S, P = 227, 11, 4, 0
print("OH =", (H + 2 * P - FH) // S + 1)
