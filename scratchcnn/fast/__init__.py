"""The fast rung: the same layers, written for the machine instead of for the reader.

Every hot operation is there three times, and tests and `parity check` hold the three together:

    scratchcnn.naive    nested loops, the specification                    seconds for one image
    scratchcnn.layers   the book's way: im2col and one matrix product      3 to 15 times PyTorch's time
    scratchcnn.fast     the same arithmetic in another order               PyTorch's time for a step, or less

Layers use their fast implementation automatically; in a `with fast.textbook():` they run the code that one
reads in their class instead. A subclass always runs the code of its class.

Which code runs is decided in three places:

    dispatch.py     a layer's forward and backward: the table of the implementations
    batch_split.py  a network's gradient and predict: a batch split over the threads
    branches.py     where it is not split: whole branches to each thread

What makes it fast, one file each:

    layout.py       images last, (C, H, W, N): long contiguous runs wherever a window slides
    inference.py    what follows a convolution in a prediction, done while its output is in the cache
    convolution.py  columns in a workspace that fits into the cache, made again in backward, not stored
    winograd.py     3x3 windows, many channels: 16 products instead of 36
    products.py     flat matrix products as stacks of small ones
    pooling.py      maxima and their places by copies of the windows' cells
    batch_norm.py   all passes over some channels while they are in the cache
    lrn.py          blocks that stay in the cache, beta = 0.75 by square roots
    affine.py       matrix products split over the threads
    elementwise.py  Relu, Sigmoid and Tanh without branches
    activations.py  the activations after the book's, the same
    normal.py       the normal distribution function, for GELU
    dropout.py      random numbers drawn, compared and dropped while they are in the cache
    memory.py       arrays from memory that was touched before
    threads.py      as many threads as NumPy's BLAS has
"""

from scratchcnn.fast.dispatch import accelerated, enabled, textbook

__all__ = ["accelerated", "enabled", "textbook"]
