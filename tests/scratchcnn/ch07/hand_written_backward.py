"""The book's SimpleConvNet.gradient, written out for `network`, `x` and `t`."""
# ruff: noqa: F821  (as in the book; N, network, x and t are given)

# forward
network.loss(x, t)

# backward
dout = 1
dout = network.last_layer.backward(dout)

layers = list(network.layers.values())
layers.reverse()
for layer in layers:
    dout = layer.backward(dout)

grads = {}
grads["W1"], grads["b1"] = network.layers["Conv1"].dW, network.layers["Conv1"].db
grads["W2"], grads["b2"] = network.layers["Affine1"].dW, network.layers["Affine1"].db
grads["W3"], grads["b3"] = network.layers["Affine2"].dW, network.layers["Affine2"].db
