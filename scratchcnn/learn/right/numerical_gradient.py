def numerical_gradient(f, x):
    if x.dtype.kind != "f":
        raise TypeError("x must hold floating-point numbers")
    h = 1e-4
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        above = f(x)
        x[index] = value - h
        below = f(x)
        grad[index] = (above - below) / (2 * h)
        x[index] = value
    return grad
