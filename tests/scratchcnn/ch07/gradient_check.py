"""The book's ch07/gradient_check.py with our imports; `N` images, smaller than the book's."""
# ruff: noqa: B007, F821, NPY002  (as in the book; N, network, x and t are given)

import numpy as np

from scratchcnn import SimpleConvNet

network = SimpleConvNet(
    input_dim=(1, 6, 6),
    conv_param={"filter_num": 2, "filter_size": 3, "pad": 0, "stride": 1},
    hidden_size=4,
    output_size=10,
    weight_init_std="he",
    rng=0,
)

X = np.random.rand(36 * N).reshape((N, 1, 6, 6))
T = np.arange(N).reshape((N, 1)) % 10

grad_num = network.numerical_gradient(X, T)
grad = network.gradient(X, T)

errors = {}
for key, val in grad_num.items():
    errors[key] = np.abs(grad_num[key] - grad[key]).mean()
    print(key, errors[key])
