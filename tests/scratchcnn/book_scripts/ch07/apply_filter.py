"""Like the book's ch07/apply_filter.py: one layer by itself, with b = 0."""

import os
import sys

sys.path.append(os.pardir)
import numpy as np
from common.layers import Convolution
from common.util import col2im, im2col
from simple_convnet import SimpleConvNet

network = SimpleConvNet(input_dim=(1, 12, 14), conv_param={"filter_num": 4, "filter_size": 5})
img = np.random.rand(12, 14).astype(np.float32).reshape(1, 1, 12, 14)
w = network.params["W1"][2]
conv_layer = Convolution(w.reshape(1, *w.shape), 0)
out = conv_layer.forward(img)
by_hand = (np.dot(conv_layer.col, conv_layer.col_W) + conv_layer.b).reshape(1, 8, 10, 1).transpose(0, 3, 1, 2)
dx = conv_layer.backward(np.ones_like(out))
back = col2im(im2col(img, 5, 5), img.shape, 5, 5)
