"""Every optimizer against torch.optim, number by number."""

import json
import re

import numpy as np
import pytest
import torch

from scratchcnn import optim
from scratchcnn.optim import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    AdaGrad,
    Adam,
    Adamax,
    AdamW,
    Momentum,
    NAdam,
    Nesterov,
    RMSProp,
)

# Settings far from their defaults, so that a setting that is not used shows.
CASES = {
    "sgd": (SGD(0.05), lambda p: torch.optim.SGD(p, 0.05)),
    "sgd, decay": (SGD(0.05, 0.1), lambda p: torch.optim.SGD(p, 0.05, weight_decay=0.1)),
    "momentum": (Momentum(0.02, 0.8), lambda p: torch.optim.SGD(p, 0.02, 0.8)),
    "momentum, decay": (Momentum(0.02, 0.8, 0.1), lambda p: torch.optim.SGD(p, 0.02, 0.8, weight_decay=0.1)),
    "nesterov": (Nesterov(0.02, 0.7), lambda p: torch.optim.SGD(p, 0.02, 0.7, nesterov=True)),
    "nesterov, decay": (
        Nesterov(0.02, 0.7, 0.1),
        lambda p: torch.optim.SGD(p, 0.02, 0.7, weight_decay=0.1, nesterov=True),
    ),
    "adagrad": (AdaGrad(0.1, 1e-3), lambda p: torch.optim.Adagrad(p, 0.1, eps=1e-3)),
    "adagrad, decay": (
        AdaGrad(0.1, 1e-3, 0.1),
        lambda p: torch.optim.Adagrad(p, 0.1, weight_decay=0.1, eps=1e-3),
    ),
    "rmsprop": (RMSProp(0.01, 0.9, 1e-3), lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 1e-3)),
    "rmsprop, decay": (RMSProp(0.01, 0.9, 1e-3, 0.1), lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 1e-3, 0.1)),
    "adadelta": (Adadelta(0.5, 0.8, 1e-3), lambda p: torch.optim.Adadelta(p, 0.5, 0.8, 1e-3)),
    "adadelta, decay": (
        Adadelta(0.5, 0.8, 1e-3, 0.1),
        lambda p: torch.optim.Adadelta(p, 0.5, 0.8, 1e-3, 0.1),
    ),
    "adadelta, maximize": (
        Adadelta(0.01, 0.8, 1e-5, maximize=True),
        lambda p: torch.optim.Adadelta(p, 0.01, 0.8, 1e-5, maximize=True),
    ),
    "adam": (Adam(0.02, 0.8, 0.95, 1e-3), lambda p: torch.optim.Adam(p, 0.02, (0.8, 0.95), 1e-3)),
    "adam, decay": (
        Adam(0.02, 0.8, 0.95, 1e-3, 0.1),
        lambda p: torch.optim.Adam(p, 0.02, (0.8, 0.95), 1e-3, 0.1),
    ),
    "adamw": (
        AdamW(0.02, 0.8, 0.95, 1e-3, 0.1),
        lambda p: torch.optim.AdamW(p, 0.02, (0.8, 0.95), 1e-3, 0.1),
    ),
    "adamax": (Adamax(0.02, 0.8, 0.95, 1e-3), lambda p: torch.optim.Adamax(p, 0.02, (0.8, 0.95), 1e-3)),
    "adamax, decay": (
        Adamax(0.02, 0.8, 0.95, 1e-3, 0.1),
        lambda p: torch.optim.Adamax(p, 0.02, (0.8, 0.95), 1e-3, 0.1),
    ),
    "adamax, maximize": (
        Adamax(0.002, 0.8, 0.95, maximize=True),
        lambda p: torch.optim.Adamax(p, 0.002, (0.8, 0.95), maximize=True),
    ),
    "nadam": (
        NAdam(0.02, 0.8, 0.95, 1e-3),
        lambda p: torch.optim.NAdam(p, 0.02, (0.8, 0.95), 1e-3),
    ),
    "nadam, decays": (
        NAdam(0.02, 0.8, 0.95, 1e-3, 0.1, 2.0),
        lambda p: torch.optim.NAdam(p, 0.02, (0.8, 0.95), 1e-3, 0.1, 2.0),
    ),
    "nadam, maximize": (
        NAdam(0.002, 0.8, 0.95, maximize=True),
        lambda p: torch.optim.NAdam(p, 0.002, (0.8, 0.95), maximize=True),
    ),
    "sgd, maximize": (
        SGD(0.001, 0.1, maximize=True),
        lambda p: torch.optim.SGD(p, 0.001, weight_decay=0.1, maximize=True),
    ),
    "momentum, dampening": (Momentum(0.02, 0.8, dampening=0.3), lambda p: torch.optim.SGD(p, 0.02, 0.8, 0.3)),
    "no momentum, dampening": (Momentum(0.02, 0, dampening=0.3), lambda p: torch.optim.SGD(p, 0.02, 0, 0.3)),
    "nesterov, maximize": (
        Nesterov(0.0002, 0.7, maximize=True),
        lambda p: torch.optim.SGD(p, 0.0002, 0.7, nesterov=True, maximize=True),
    ),
    "adagrad, maximize": (
        AdaGrad(0.01, 1e-3, maximize=True),
        lambda p: torch.optim.Adagrad(p, 0.01, eps=1e-3, maximize=True),
    ),
    "rmsprop, centered": (
        RMSProp(0.01, 0.9, 1e-3, centered=True),
        lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 1e-3, centered=True),
    ),
    "rmsprop, momentum": (
        RMSProp(0.01, 0.9, 1e-3, momentum=0.5),
        lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 1e-3, momentum=0.5),
    ),
    "rmsprop, all": (
        RMSProp(0.001, 0.9, 1e-3, 0.1, momentum=0.5, centered=True, maximize=True),
        lambda p: torch.optim.RMSprop(p, 0.001, 0.9, 1e-3, 0.1, 0.5, True, maximize=True),
    ),
    "adam, amsgrad": (
        Adam(0.02, 0.8, 0.95, 1e-3, 0.1, amsgrad=True),
        lambda p: torch.optim.Adam(p, 0.02, (0.8, 0.95), 1e-3, 0.1, True),
    ),
    "adamw, amsgrad and maximize": (
        AdamW(0.002, 0.8, 0.95, 1e-3, 0.1, amsgrad=True, maximize=True),
        lambda p: torch.optim.AdamW(p, 0.002, (0.8, 0.95), 1e-3, 0.1, True, maximize=True),
    ),
}
DEFAULTS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.01),
    "momentum": lambda p: torch.optim.SGD(p, 0.01, 0.9),
    "nesterov": lambda p: torch.optim.SGD(p, 0.01, 0.9, nesterov=True),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adadelta": torch.optim.Adadelta,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
}
each_rule = pytest.mark.parametrize("rule", OPTIMIZERS.values(), ids=OPTIMIZERS)


def fresh(optimizer):
    """A new optimizer with the same settings."""
    return type(optimizer)(
        **{name: getattr(optimizer, name) for name in (*optimizer.settings, *optimizer.options)}
    )


def start(dtype=np.float64):
    rng = np.random.default_rng(0)
    shapes = {"W1": (3, 2, 2, 2), "b1": (3,), "W2": (5, 4)}
    return {key: rng.standard_normal(shape).astype(dtype) for key, shape in shapes.items()}


def gradients(params, step):
    """Gradients of a bumpy bowl with noise: they depend on the parameters, so errors would grow."""
    rng = np.random.default_rng(step)
    return {
        k: (np.sin(p) + 0.3 * p + 0.2 * rng.standard_normal(p.shape)).astype(p.dtype)
        for k, p in params.items()
    }


def walk(optimizer, params, steps):
    for step in steps:
        optimizer.update(params, gradients(params, step))


@pytest.fixture(autouse=True)
def scalars_in_float64():
    """PyTorch's NAdam keeps the product of its momenta in its default dtype."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(usual)


def torch_walk(make, params, steps):
    tensors = {key: torch.tensor(p) for key, p in params.items()}
    theirs = make(list(tensors.values()))
    for step in range(steps):
        grads = gradients({key: t.numpy() for key, t in tensors.items()}, step)
        for key, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[key])
        theirs.step()
    return {key: t.numpy() for key, t in tensors.items()}


@pytest.mark.parametrize(("optimizer", "make"), CASES.values(), ids=CASES)
def test_300_steps_are_pytorchs_in_float64(optimizer, make):
    params = start()
    walk(optimizer := fresh(optimizer), params, range(300))
    for key, theirs in torch_walk(make, start(), 300).items():
        np.testing.assert_allclose(params[key], theirs, rtol=1e-12, atol=1e-12 * np.abs(theirs).max())


@pytest.mark.parametrize(("optimizer", "make"), CASES.values(), ids=CASES)
def test_300_steps_are_pytorchs_in_float32(optimizer, make):
    params = start(np.float32)
    walk(optimizer := fresh(optimizer), params, range(300))
    for key, theirs in torch_walk(make, start(np.float32), 300).items():
        assert params[key].dtype == np.float32
        np.testing.assert_allclose(params[key], theirs, rtol=2e-5, atol=2e-5 * np.abs(theirs).max())
    for slot in optimizer.slots:
        assert {a.dtype for a in getattr(optimizer, slot).values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_are_pytorchs(name):
    params = start()
    walk(OPTIMIZERS[name](), params, range(20))
    for key, theirs in torch_walk(DEFAULTS[name], start(), 20).items():
        np.testing.assert_allclose(params[key], theirs, rtol=1e-12)


@each_rule
def test_parameters_change_in_place_and_gradients_do_not(rule):
    params, before = start(), start()
    grads = gradients(params, 0)
    arrays, kept = dict(params), {key: g.copy() for key, g in grads.items()}
    for g in grads.values():
        g.flags.writeable = False
    rule(weight_decay=0.1).update(params, grads)
    for key in params:
        assert params[key] is arrays[key]
        assert not np.array_equal(params[key], before[key])
        np.testing.assert_array_equal(grads[key], kept[key])


@each_rule
def test_resumed_training_is_the_same_bit_for_bit(rule):
    through, resumed = start(np.float32), start(np.float32)
    optimizer, first = rule(lr=0.03, weight_decay=0.1), rule(lr=0.03, weight_decay=0.1)
    walk(optimizer, through, range(7))
    walk(first, resumed, range(3))
    state = first.state_dict()
    state["scalars"] = json.loads(json.dumps(state["scalars"]))
    walk(first, start(np.float32), range(2))  # goes on, and must not touch the state that was saved
    second = rule()
    second.load_state_dict(state)
    walk(second, resumed, range(3, 7))
    for key in through:
        np.testing.assert_array_equal(resumed[key], through[key])


def test_state_is_named_as_in_the_book():
    optimizer = Adam()
    walk(optimizer, start(), range(2))
    assert optimizer.iter == 2
    assert list(optimizer.m) == list(optimizer.v) == ["W1", "b1", "W2"]
    state = optimizer.state_dict()
    assert state["scalars"] == {
        "lr": 0.001,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "iter": 2,
    }
    assert list(state["arrays"]) == ["m.W1", "m.b1", "m.W2", "v.W1", "v.b1", "v.W2"]


def test_names_with_dots_survive_the_state():
    params = {"conv1.W": np.ones(2)}
    first, second = Momentum(), Momentum()
    first.update(params, {"conv1.W": np.ones(2)})
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(second.v["conv1.W"], [1, 1])


@each_rule
def test_blocks_and_memory_layout_change_nothing(rule, monkeypatch):
    whole, pieces = start(), {key: np.asfortranarray(p) for key, p in start().items()}
    walk(rule(weight_decay=0.1), whole, range(5))
    monkeypatch.setattr(optim, "BLOCK_ELEMENTS", 7)
    walk(rule(weight_decay=0.1), blocks := start(), range(5))
    walk(rule(weight_decay=0.1), pieces, range(5))
    for key in whole:
        np.testing.assert_array_equal(blocks[key], whole[key])
        np.testing.assert_array_equal(pieces[key], whole[key])


def test_scalars_and_empty_arrays_are_parameters_too():
    params = {"a": np.array(1.0), "none": np.zeros((0, 3))}
    SGD(lr=0.5).update(params, {"a": np.array(1.0), "none": np.zeros((0, 3))})
    assert params["a"] == 0.5


def test_lr_can_be_changed_between_updates():
    params, optimizer = {"a": np.zeros(1)}, Momentum(lr=1, momentum=0.5)
    optimizer.update(params, {"a": np.ones(1)})  # v = 1, a = -1
    optimizer.lr = 0.1
    optimizer.update(params, {"a": np.ones(1)})  # v = 1.5, a = -1.15; the book's velocity would give -1.6
    np.testing.assert_allclose(params["a"], [-1.15])


def test_repr_shows_the_settings():
    assert repr(Momentum(0.1)) == "Momentum(lr=0.1, momentum=0.9, weight_decay=0)"
    assert repr(AdamW()) == "AdamW(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01)"


MISFITS = {
    "keys": (
        {"b": np.ones(2)},
        ValueError,
        r"same keys; grads is missing \['a'\] and has unexpected \['b'\]",
    ),
    "shape": ({"a": np.ones((1, 2))}, ValueError, r"a has shape \(2,\), its gradient \(1, 2\)"),
    "dtype": ({"a": np.ones(2, np.float32)}, TypeError, "a is float64, its gradient float32"),
}


@pytest.mark.parametrize(("grads", "error", "text"), MISFITS.values(), ids=MISFITS)
def test_misfits_are_refused_before_anything_changes(grads, error, text):
    params, optimizer = {"a": np.ones(2)}, Adam()
    with pytest.raises(error, match=text):
        optimizer.update(params, grads)
    np.testing.assert_array_equal(params["a"], [1, 1])
    assert optimizer.iter == 0


def test_integer_parameters_are_refused():
    with pytest.raises(TypeError, match="SGD: a must be an array of floating-point numbers, got int64"):
        SGD().update({"a": np.ones(2, int)}, {"a": np.ones(2, int)})


def test_one_optimizer_serves_one_network():
    optimizer, one = Momentum(), {"a": np.ones(2)}
    optimizer.update(one, one)
    with pytest.raises(ValueError, match=r"keys; the state is missing \['b'\] and has unexpected \['a'\]"):
        optimizer.update({"b": np.ones(2)}, {"b": np.ones(2)})
    with pytest.raises(
        ValueError, match=r"a has shape \(3,\), its v \(2,\); give each network its own optimizer"
    ):
        optimizer.update({"a": np.ones(3)}, {"a": np.ones(3)})
    wide = {"a": np.ones(2, np.float32)}
    with pytest.raises(TypeError, match="a is float32, its v float64"):
        optimizer.update(wide, wide)


@pytest.mark.parametrize("value", ["0.1", None, [0.1, 0.2]], ids=["text", "None", "list"])
def test_a_setting_that_is_not_a_number_is_named(value):
    with pytest.raises(TypeError, match=re.escape(f"SGD: lr must be a number, got {value!r}")):
        SGD(lr=value)


def test_anothers_state_is_refused():
    optimizer, state = Adam(), Momentum().state_dict()
    with pytest.raises(
        ValueError, match=r"Adam: expected a state of .*beta1.*\. Is it another optimizer's\?"
    ):
        optimizer.load_state_dict(state)
    state = Adam().state_dict() | {"arrays": {"m.a": np.ones(1)}}
    with pytest.raises(ValueError, match="m and v for different parameters"):
        optimizer.load_state_dict(state)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"lr": -1}, "Adam: lr must be at least 0 and finite, got -1"),
        ({"beta1": 1.0}, r"Adam: beta1 must be in \[0, 1\), got 1.0"),
        ({"eps": float("nan")}, "Adam: eps must be at least 0 and finite, got nan"),
    ],
    ids=["lr", "beta1", "eps"],
)
def test_bad_settings_are_refused(settings, text):
    with pytest.raises(ValueError, match=text):
        Adam(**settings)


@pytest.mark.parametrize("given", CASES, ids=str)
def test_options_are_resumed_bit_for_bit(given):
    """A new optimizer with other options takes them, and the state they need, from what was saved."""
    optimizer, through, resumed = fresh(CASES[given][0]), start(), start()
    walk(optimizer, through, range(7))
    walk(first := fresh(optimizer), resumed, range(3))
    second = type(optimizer)()
    second.load_state_dict(first.state_dict())
    assert repr(second) == repr(optimizer)
    walk(second, resumed, range(3, 7))
    for key in through:
        np.testing.assert_array_equal(resumed[key], through[key])


def test_a_state_saved_without_options_is_read_and_turns_them_off():
    walk(saved := Adam(), start(), range(2))
    assert set(saved.state_dict()["scalars"]) == {"lr", "beta1", "beta2", "eps", "weight_decay", "iter"}
    optimizer = Adam(amsgrad=True)
    optimizer.load_state_dict(saved.state_dict())
    assert not optimizer.amsgrad and optimizer.slots == ("m", "v")


def test_an_option_that_is_on_or_off_takes_no_number():
    with pytest.raises(TypeError, match="Adam: amsgrad must be True or False, got 'yes'"):
        Adam(amsgrad="yes")
    with pytest.raises(ValueError, match="Momentum: dampening must be at least 0 and finite, got -1"):
        Momentum(dampening=-1)


def test_centered_steps_of_a_constant_gradient_stay_finite():
    params = {"W": np.ones(3, np.float32)}
    optimizer = RMSProp(centered=True)
    for _ in range(3000):
        optimizer.update(params, {"W": np.full(3, 0.1, np.float32)})
    assert np.isfinite(params["W"]).all()
