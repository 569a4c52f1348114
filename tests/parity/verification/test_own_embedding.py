"""An embedding is right where the gradient of a row is the sum of all that came back for its index."""

import numpy as np
import pytest

import parity
from parity.verification.listing import listed
from parity.verification.own_listed import OWN_LAYER


class OfWeights:
    """As in the second book: built with its weights, which it keeps in a list."""

    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, idx):
        (W,) = self.params
        self.idx = idx
        return W[idx]

    def backward(self, dout):
        (dW,) = self.grads
        dW[...] = 0
        np.add.at(dW, self.idx, dout)


class Embedding(OfWeights):
    pass


class EmbeddingOverwritten(OfWeights):
    def backward(self, dout):
        (dW,) = self.grads
        dW[...] = 0
        dW[self.idx] = dout


class EmbeddingAddedOnce(OfWeights):
    def backward(self, dout):
        (dW,) = self.grads
        dW[...] = 0
        dW[self.idx] += dout


class EmbeddingByRows(OfWeights):
    def backward(self, dout):
        (dW,) = self.grads
        dW[...] = 0
        for i, word in enumerate(self.idx):
            dW[word] += dout[i]


class TimeEmbedding:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]
        self.W, self.layers = W, None

    def forward(self, xs):
        N, T = xs.shape
        out = np.empty((N, T, self.W.shape[1]), dtype="f")
        self.layers = []
        for t in range(T):
            layer = Embedding(self.W)
            out[:, t] = layer.forward(xs[:, t])
            self.layers.append(layer)
        return out

    def backward(self, dout):
        grad = 0
        for t, layer in enumerate(self.layers):
            layer.backward(dout[:, t])
            grad = grad + layer.grads[0]
        self.grads[0][...] = grad


class TimeEmbeddingLast(TimeEmbedding):
    def backward(self, dout):
        for t, layer in enumerate(self.layers):
            layer.backward(dout[:, t])
        self.grads[0][...] = self.layers[-1].grads[0]


class EmbeddingOfSizes:
    def __init__(self, vocab_size, embed_dim):
        self.W = np.random.default_rng(0).standard_normal((vocab_size, embed_dim)).astype(np.float32)

    def forward(self, x):
        self.x = x
        return self.W[x]

    def backward(self, grad, lr):
        np.subtract.at(self.W, self.x, lr * grad)


class EmbeddingDrawn(OfWeights):
    def __init__(self, vocab_dim, dim, rng):
        super().__init__(rng.normal(0, 0.02, (vocab_dim, dim)))


class EmbeddingOfMatrix(OfWeights):
    def __init__(self, embedding_matrix):
        super().__init__(embedding_matrix)


class EmbeddingOfSizesOnce(EmbeddingOfSizes):
    def backward(self, grad, lr):
        self.W[self.x] -= lr * grad


class EmbeddingPadded(EmbeddingOfSizes):
    def __init__(self, vocab_size, embed_dim, padding_idx=0):
        super().__init__(vocab_size, embed_dim)
        self.padding_idx = padding_idx

    def backward(self, grad):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.x, grad)
        self.dW[self.padding_idx] = 0
        return self.dW


class EmbeddingDot:
    def __init__(self, W):
        self.embed = Embedding(W)
        self.params, self.grads = self.embed.params, self.embed.grads

    def forward(self, h, idx):
        self.h, self.rows = h, self.embed.forward(idx)
        return (self.rows * h).sum(axis=1)

    def backward(self, dout):
        dout = dout[:, None]
        self.embed.backward(dout * self.h)
        return dout * self.rows


class EmbeddingDotOfRows(EmbeddingDot):
    def backward(self, dout):
        dout = dout[:, None]
        self.embed.backward(dout * self.rows)
        return dout * self.rows


class ScaledEmbedding(EmbeddingOfSizes):
    def forward(self, x):
        return 2 * super().forward(x)

    def backward(self, grad):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.x, 2 * grad)


class ScaledEmbeddingLost(ScaledEmbedding):
    def backward(self, grad):
        super().backward(grad / 2)


def word_embedding_forward(x, W):
    return W[x], (x, W)


def word_embedding_backward(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    np.add.at(dW, x, dout)
    return dW


def word_embedding_backward_once(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    dW[x] = dout
    return dW


RIGHT = [Embedding, TimeEmbedding, EmbeddingOfSizes, EmbeddingPadded, EmbeddingDot, ScaledEmbedding]
RIGHT += [EmbeddingDrawn, EmbeddingOfMatrix]
WRONG = [EmbeddingOverwritten, EmbeddingAddedOnce, TimeEmbeddingLast, EmbeddingOfSizesOnce]
WRONG += [EmbeddingDotOfRows, ScaledEmbeddingLost]


def checked(layer):
    return parity.verify(layer, OWN_LAYER, isolated=False)


@pytest.mark.parametrize("layer", RIGHT)
def test_rows_and_their_sums_are_right(layer):
    verdict = checked(layer)

    assert verdict.outcome == "right", str(verdict)


@pytest.mark.parametrize("layer", WRONG)
def test_a_gradient_that_is_no_sum_is_wrong(layer):
    verdict = checked(layer)

    assert verdict.outcome == "wrong", str(verdict)


def test_functions_are_held_to_their_own_forward():
    right = checked((word_embedding_forward, word_embedding_backward))
    wrong = checked((word_embedding_forward, word_embedding_backward_once))

    assert (right.outcome, wrong.outcome) == ("right", "wrong")


def test_what_is_compared_and_how_it_was_called_is_said():
    right, wrong, other = checked(Embedding), checked(EmbeddingOverwritten), checked(ScaledEmbedding)

    assert right.claim.startswith("its forward gives the rows of its weights that its input names")
    assert right.not_checked == ["indices that are no rows of its weights, or that pad"]
    assert right.called.endswith("indices (N,); also indices (N, T)")
    assert "right where no index comes twice" in str(wrong)
    assert "what its forward computes (it is none of the kinds)" in other.not_checked


def test_a_loop_over_the_first_axis_is_right_for_one_axis_alone():
    verdict = checked(EmbeddingByRows)

    assert verdict.outcome == "right_but"
    assert verdict.buts == ["for indices (N, T) the gradient of params[0] is not that of its forward"]


def test_one_that_keeps_a_layer_per_word_is_none_of_the_networks(tmp_path):
    path = tmp_path / "layers.py"
    path.write_text(
        "class TimeEmbedding:\n"
        "    def __init__(self, W):\n"
        "        self.W, self.layers = W, None\n"
        "    def forward(self, xs):\n"
        "        self.layers = [Embedding(self.W) for x in xs]\n"
        "        return [layer.forward(x) for layer, x in zip(self.layers, xs)]\n"
        "    def backward(self, dout):\n"
        "        for layer, d in zip(self.layers, dout):\n"
        "            layer.backward(d)\n"
    )

    assert [one.kind for one in listed(path)] == [OWN_LAYER]
