"""Parameters by name, by another name, by place; never by the place of another meaning."""

import numpy as np
import pytest

from parity.adapters.arguments import Misfit, bind, call, misfit
from parity.adapters.recipe import recipe

CONV, POOL, ADAM = recipe("convolution"), recipe("max_pooling"), recipe("adam")


@pytest.mark.parametrize(
    ("names", "how", "stands_for"),
    [
        ("W b stride pad", CONV, "W b stride pad"),
        ("weight bias padding stride", CONV, "W b pad stride"),
        ("kernel bias S P", CONV, "W b stride pad"),
        ("a c d e", CONV, "W b stride pad"),
        ("W b dilation stride", CONV, "W b dilation stride"),
        ("in_channels out_channels kernel_size stride padding", CONV, "- - - stride pad"),
        ("kernel stride", POOL, "pool_h+pool_w stride"),
        ("height width step", POOL, "pool_h pool_w stride"),
        ("pool_h pool_w name", POOL, "pool_h pool_w -"),
        ("learning_rate beta_1 beta_2 epsilon", ADAM, "lr beta1 beta2 -"),
        ("rate b1 b2", ADAM, "lr beta1 beta2"),
    ],
)
def test_what_a_parameter_stands_for(names, how, stands_for):
    bound = bind(names.split(), how)
    assert " ".join("+".join(bound.get(name, "-")) for name in names.split()) == stands_for


def test_a_call_by_the_names_that_there_are():
    def factory(weight, bias, padding=7, stride=8):
        return weight, bias, padding, stride

    assert call(factory, {"W": 1, "b": 2, "stride": 3}, CONV) == (1, 2, 7, 3)


def test_what_is_insisted_on_is_given_its_default():
    assert call(lambda kernel, stride: (kernel, stride), {"pool_h": 2, "pool_w": 2}, POOL) == (2, 1)


def test_one_size_takes_no_two():
    with pytest.raises(NotImplementedError, match="kernel is one number for both axes"):
        call(lambda kernel, stride=1: None, {"pool_h": 2, "pool_w": 3}, POOL)


def test_what_there_is_no_room_for_is_not_left_out():
    with pytest.raises(Misfit, match="takes no dilation"):
        call(lambda w, c: None, {"W": np.ones(2), "b": None, "dilation": 2}, CONV)


@pytest.mark.parametrize(
    ("factory", "how", "said"),
    [
        (lambda n_in, n_out: None, recipe("affine"), "it takes (n_in, n_out), not (W, b)"),
        (lambda kernel_size, stride: None, CONV, "it takes (kernel_size, stride), not (W, b, stride, pad)"),
        (lambda size: None, recipe("relu"), "it takes (size), not (nothing)"),
        (np.ones(1), recipe("relu"), "it is an object of ndarray; name the class"),
        ((min, max), recipe("relu"), "for two functions there is --adapter cs231n"),
        (lambda W, b, **options: None, CONV, ""),
        (lambda W, b: None, CONV, ""),
        (lambda kernel, stride=2: None, POOL, ""),
    ],
)
def test_a_misfit_is_told_beforehand(factory, how, said):
    found = misfit(factory, how)
    assert said in found and bool(said) == bool(found)
