"""The course's style: a forward that returns a cache, and a backward that takes it."""

import numpy as np
import right


def conv_forward(x, w, b, conv_param):
    layer = right.Convolution(w, b, conv_param["stride"], conv_param["pad"])
    return layer.forward(x), layer


def conv_backward(dout, cache):
    dx = cache.backward(dout)
    return dx, cache.dW, cache.db


def conv_backward_wrong(dout, cache):
    dx, dw, db = conv_backward(dout, cache)
    return dx, dw, db / len(dout)


def max_pool_forward(x, pool_param):
    layer = right.MaxPooling(
        pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"], pool_param["pad"]
    )
    return layer.forward(x), layer


def max_pool_backward(dout, cache):
    return cache.backward(dout)


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x.copy(), w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x.copy()


def relu_backward(dout, cache):
    return dout * (cache > 0)


def softmax_loss(x, y):
    layer = right.SoftmaxWithLoss()
    loss = layer.forward(x, y)
    return loss, layer.backward()


def batchnorm_forward(x, gamma, beta, bn_param):
    layer = right.BatchNormalization(
        gamma, beta, bn_param["momentum"], bn_param["running_mean"], bn_param["running_var"]
    )
    out = layer.forward(x, bn_param["mode"] == "train")
    bn_param["running_mean"], bn_param["running_var"] = layer.running_mean, layer.running_var
    return out, layer


def batchnorm_backward(dout, cache):
    dx = cache.backward(dout)
    return dx, cache.dgamma, cache.dbeta
