import numpy as np


def numerical_gradient(f, x):
    """df/dx of x's shape, by central differences; f(x) gives one number, x is left as it was."""
    if x.dtype.kind != "f":
        raise TypeError(f"x must be floating-point, got {x.dtype}: x + h would be cut back to x")
    h = 1e-4
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        #<gap differences
        x[index] = value + h
        above = f(x)
        x[index] = value - h
        below = f(x)
        grad[index] = (above - below) / (2 * h)
        x[index] = value
        #>
    return grad
