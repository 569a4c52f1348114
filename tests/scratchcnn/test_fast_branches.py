"""Branches side by side give the textbook's numbers, and run so only where they may."""

import threading

import numpy as np
import pytest
from helpers import close
from threadpoolctl import threadpool_limits

from scratchcnn import fast
from scratchcnn.fast import branches, convolution
from scratchcnn.layers import (
    BatchNormalization,
    Concat,
    Convolution,
    Dropout,
    Flatten,
    Pooling,
    Relu,
    Sequential,
)
from scratchcnn.networks import Network

C = 4


@pytest.fixture(autouse=True)
def small_and_on_two_threads(monkeypatch):
    monkeypatch.setattr(branches, "MIN_PRODUCTS", 1)
    monkeypatch.setattr("scratchcnn.fast.batch_split.MIN_SPLIT_ELEMENTS", 1)
    with threadpool_limits(2, user_api="blas"):
        yield


@pytest.fixture
def ran(monkeypatch):
    """The thread of each forward of a convolution."""
    seen, pad = [], convolution.pad_images
    noted = lambda *given, **how: seen.append(threading.get_ident()) or pad(*given, **how)  # noqa: E731
    monkeypatch.setattr(convolution, "pad_images", noted)
    return seen


def rng(seed=0):
    return np.random.default_rng(seed)


def conv(seed, size=3, FN=C):
    W = rng(seed).standard_normal((FN, C, size, size)) / 4
    return Convolution(W, rng(seed + 50).standard_normal(FN), pad=size // 2)


def norm():
    return BatchNormalization(rng(8).uniform(0.5, 2, C), rng(9).standard_normal(C))


def module(*more):
    return Concat(
        {
            "one": Sequential(conv(1), Relu()),
            "two": Sequential(conv(2, size=1, FN=C), norm(), Relu(), conv(3)),
            "pool": Sequential(Pooling(3, 3, stride=1, pad=1), conv(4, size=1)),
            **{f"more{i}": layer for i, layer in enumerate(more)},
        }
    )


def results(concat, N):
    net = Network((C, 6, 6), 3 * C * 36, Sequential(conv(7), norm(), concat, Flatten()))
    x = rng(1).standard_normal((N, C, 6, 6))
    grads = net.gradient(x, np.arange(N))
    running = {name: array.copy() for name, array in net.layers.buffers.items()}
    return grads | {"dx": net.dx, "loss": net.last_loss, "scores": net.predict(x)} | running


@pytest.mark.parametrize("N", [1, 3])
def test_gradients_and_scores_are_the_textbooks(N, ran):
    found = results(module(), N)
    assert len(set(ran)) == 2 and ran[0] == threading.get_ident()
    with fast.textbook():
        wanted = results(module(), N)
    assert found.keys() == wanted.keys()
    for name in wanted:
        close(found[name], wanted[name])


def test_the_same_numbers_every_time():
    first, second = results(module(), 2), results(module(), 2)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def shared_by_two():
    layer = conv(5)
    return Concat({"one": Sequential(layer), "two": Sequential(layer)})


def recorded():
    concat = module()
    concat["one"]["0"].forward = concat["one"]["0"].forward
    return concat


class Own(Relu):
    pass


MUST_WAIT = {
    "one layer in two branches": shared_by_two,
    "a method that was replaced": recorded,
    "random numbers": lambda: module(Dropout(0.5)),
    "a subclass": lambda: module(Own()),
    "one branch": lambda: Concat({"one": conv(1)}),
}


@pytest.mark.parametrize("make", MUST_WAIT.values(), ids=MUST_WAIT)
def test_what_must_run_one_after_another_does(make):
    assert type(branches.side_by_side(make())) is Concat
    assert type(branches.side_by_side(module())) is branches.SideBySide


@pytest.mark.parametrize(
    ("weights", "members", "groups"),
    [([1, 5, 3, 1], 2, [[1], [2, 0, 3]]), ([4, 4], 3, [[0], [1], []]), ([0, 0], 2, [[0, 1], []])],
)
def test_branches_are_dealt_out_by_their_weights(weights, members, groups):
    assert branches.evenly(weights, members) == groups


def test_uneven_branches_share_their_own_work():
    x = rng().standard_normal((1, C, 6, 6))
    uneven = Concat({"large": conv(1, size=5), "small": conv(2, size=1)})
    assert branches.each_branch(uneven, lambda branch: branch.forward(x), x) is None
    even = Concat({"one": conv(1), "two": conv(2)})
    assert len(branches.each_branch(even, lambda branch: branch.forward(x), x)) == 2


def test_branches_that_do_not_fit_are_named():
    concat = Concat({"one": conv(1), "two": Convolution(rng(2).standard_normal((C, C, 3, 3)))})
    with pytest.raises(ValueError, match=r"branches must agree in all but the channels; the first gives"):
        branches.side_by_side(concat).forward(rng().standard_normal((1, C, 6, 6)))


def test_an_error_in_a_branch_is_raised():
    concat = Concat({"one": conv(1), "two": Convolution(rng(2).standard_normal((C, C + 1, 3, 3)))})
    with pytest.raises(ValueError, match="expected x of shape"):
        branches.side_by_side(concat).forward(rng().standard_normal((1, C, 6, 6)))
