"""parity: is it the same function as PyTorch's? Checks, localises and times NumPy networks against twins."""
