"""Like the book's ch06/optimizer_compare_naive.py: parameters that are single numbers."""

import os
import sys

sys.path.append(os.pardir)
from collections import OrderedDict

from common.optimizer import *

optimizers = OrderedDict()
optimizers["SGD"] = SGD(lr=0.95)
optimizers["Momentum"] = Momentum(lr=0.1)
optimizers["AdaGrad"] = AdaGrad(lr=1.5)
optimizers["Adam"] = Adam(lr=0.3)

ends = {}
for key in optimizers:
    params, grads = {"x": -7.0, "y": 2.0}, {"x": 0, "y": 0}
    for i in range(30):
        grads["x"], grads["y"] = params["x"] / 10.0, 2.0 * params["y"]
        optimizers[key].update(params, grads)
    ends[key] = params["x"] ** 2 / 20.0 + params["y"] ** 2
