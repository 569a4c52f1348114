"""Images to train on: a bundled Fashion-MNIST sample, and Fashion-MNIST and MNIST in full.

from scratchcnn.data import load
data = load()                                   # 5,000 training and 1,000 test images, without a download
data.x_train, data.t_train                      # (5000, 1, 28, 28) float32 in [0, 1], (5000,) int64
"""

from scratchcnn.data.batches import minibatches
from scratchcnn.data.sets import NAMES, Dataset, load

__all__ = ["NAMES", "Dataset", "load", "minibatches"]
