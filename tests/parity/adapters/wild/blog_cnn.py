"""A small CNN of a blog: fixed 3x3 filters on one grey image, pooling by two, dense with softmax in one."""

import numpy as np


class Conv3x3:
    def __init__(self, num_filters):
        self.num_filters = num_filters
        self.filters = np.random.default_rng(0).standard_normal((num_filters, 3, 3)) / 9

    def iterate_regions(self, image):
        h, w = image.shape
        for i in range(h - 2):
            for j in range(w - 2):
                yield image[i : i + 3, j : j + 3], i, j

    def forward(self, input):
        self.last_input = input
        h, w = input.shape
        output = np.zeros((h - 2, w - 2, self.num_filters), dtype=input.dtype)
        for region, i, j in self.iterate_regions(input):
            output[i, j] = np.sum(region * self.filters, axis=(1, 2))
        return output

    def backprop(self, d_L_d_out, learn_rate):
        d_L_d_filters = np.zeros_like(self.filters)
        for region, i, j in self.iterate_regions(self.last_input):
            for f in range(self.num_filters):
                d_L_d_filters[f] += d_L_d_out[i, j, f] * region
        self.filters = self.filters - learn_rate * d_L_d_filters


class MaxPool2:
    def iterate_regions(self, image):
        h, w, _ = image.shape
        for i in range(h // 2):
            for j in range(w // 2):
                yield image[i * 2 : i * 2 + 2, j * 2 : j * 2 + 2], i, j

    def forward(self, input):
        self.last_input = input
        h, w, num_filters = input.shape
        output = np.zeros((h // 2, w // 2, num_filters), dtype=input.dtype)
        for region, i, j in self.iterate_regions(input):
            output[i, j] = np.amax(region, axis=(0, 1))
        return output

    def backprop(self, d_L_d_out):
        d_L_d_input = np.zeros(self.last_input.shape, dtype=d_L_d_out.dtype)
        for region, i, j in self.iterate_regions(self.last_input):
            h, w, f = region.shape
            amax = np.amax(region, axis=(0, 1))
            for k in range(f):
                at = np.unravel_index(np.argmax(region[:, :, k] == amax[k]), (h, w))
                d_L_d_input[i * 2 + at[0], j * 2 + at[1], k] = d_L_d_out[i, j, k]
        return d_L_d_input


class Conv3x3Wrong(Conv3x3):
    def backprop(self, d_L_d_out, learn_rate):
        d_L_d_filters = np.zeros_like(self.filters)
        for region, i, j in self.iterate_regions(self.last_input):
            for f in range(self.num_filters):
                d_L_d_filters[f] = d_L_d_out[i, j, f] * region
        self.filters = self.filters - learn_rate * d_L_d_filters


class MaxPool2Wrong(MaxPool2):
    def backprop(self, d_L_d_out):
        return np.repeat(np.repeat(d_L_d_out, 2, axis=0), 2, axis=1)
