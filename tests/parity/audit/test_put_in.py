"""Known bugs in optimizers, functions, engines and networks: weak tests miss them, strong ones do not.

A bug that is put in is put into the code itself, called as its author calls it; the tests below run in this
process on the code with the bug.
"""

import re
import sys
from types import ModuleType

import numpy as np
import pytest
from honest import CORE, DRESSES

from parity.adapters.subject import subject_here
from parity.audit.alike import NotApplied, same
from parity.audit.audit import EQUIVALENT, KILLED, NOT_APPLIED, SURVIVED, audit
from parity.audit.faulty import UNCHANGED, put_in, reason_not
from parity.audit.faulty_network import APPLIED, faulty_network, network_faults, places_of
from parity.audit.run_tests import run_tests
from parity.audit.suggest import suggestions
from parity.audit.suggest_network import Build, _text, builds_in, network_suggestions, watch
from parity.faults import FAULTS, faults_of
from parity.faults.catalogue.networks import NETWORK_FAULTS
from scratchcnn import SimpleConvNet


def module_of(source):
    module = ModuleType("person")
    sys.modules["person"] = module  # where an engine's tensor is looked for
    exec(f"import numpy as np\n{source}", module.__dict__)
    return module


def convention_of(source, name, kind):
    found = tuple(vars(module_of(source))[part] for part in name.split(","))
    return subject_here(found if len(found) > 1 else found[0], kind, "auto").convention


def outcome(source, name, kind, fault, test, convention):
    """ "noticed", "missed", or what the bug could not be put in for."""
    module, problems = module_of(source), []
    put_in(module, name, FAULTS[fault], convention, problems)
    try:
        test(module)
    except (AssertionError, TypeError):  # a gradient that is None raises
        return "noticed"
    return problems[0] if problems else "missed"


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# -- optimizers ---------------------------------------------------------------------------------------
IN_PLACE = """
class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        self.lr, self.b1, self.b2, self.t, self.m = lr, beta1, beta2, 0, None
    def update(self, params, grads):
        if self.m is None:
            self.m, self.v = ({k: np.zeros_like(p) for k, p in params.items()} for _ in range(2))
        self.t += 1
        for k, g in grads.items():
            self.m[k] = self.b1 * self.m[k] + (1 - self.b1) * g
            self.v[k] = self.b2 * self.v[k] + (1 - self.b2) * g * g
            m, v = self.m[k] / (1 - self.b1 ** self.t), self.v[k] / (1 - self.b2 ** self.t)
            params[k] -= self.lr * m / (np.sqrt(v) + 1e-8)
"""
OF_PARAMS = (
    IN_PLACE.replace("self, lr", "self, params, lr").replace(
        "self.t, self.m = lr, beta1, beta2, 0, None",
        "self.t, self.m = lr, beta1, beta2, 0, None\n        self.params = list(params)",
    )
    + """
    def step(self):
        held = {i: p.data for i, p in enumerate(self.params)}
        self.update(held, {i: p.grad for i, p in enumerate(self.params)})
"""
)
LISTS = IN_PLACE.replace(
    "def update(self, params, grads):",
    """def apply(self, weights, slopes):
        params, grads = dict(enumerate(weights)), dict(enumerate(slopes))""",
)
CONFIG = """
def sgd_momentum(w, dw, config=None):
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2), config.setdefault("momentum", 0.9)
    v = config["momentum"] * config.get("velocity", np.zeros_like(w)) - config["learning_rate"] * dw
    config["velocity"] = v
    return w + v, config
"""
RATE_GIVEN = "def sgd(w, dw, lr): return w - lr * dw\n"
LAYER = """
class SGD:
    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate
    def update_params(self, layer):
        layer.weights += -self.learning_rate * layer.dweights
        layer.biases += -self.learning_rate * layer.dbiases
"""


def adam_by(hands):
    """Steps of two arrays of one shape against the formula; the gradients of one are next to epsilon."""

    def test(module):
        arrays = {"W": draw(3, 2), "b": draw(3, 2, seed=1)}
        scales = {"W": 1.0, "b": 2.0**-26}
        steps = [{k: s * draw(*arrays[k].shape, seed=i) for k, s in scales.items()} for i in (5, 6, 7)]
        wanted = {}
        for k, p in arrays.items():
            m, v = np.zeros_like(p), np.zeros_like(p)
            for i, g in enumerate([step[k] for step in steps], 1):
                m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
                p = p - 0.1 * (m / (1 - 0.8**i)) / (np.sqrt(v / (1 - 0.9**i)) + 1e-8)
            wanted[k] = p
        found = hands(module, {k: p.copy() for k, p in arrays.items()}, steps)
        for k, p in wanted.items():
            np.testing.assert_allclose(found[k], p, rtol=1e-9)

    return test


def dicts(module, params, steps):
    optimizer = module.Adam(0.1, 0.8, 0.9)
    for grads in steps:
        optimizer.update(params, grads)
    return params


def lists(module, params, steps):
    optimizer = module.Adam(0.1, 0.8, 0.9)
    for grads in steps:
        optimizer.apply(list(params.values()), list(grads.values()))
    return params


def handed(module, params, steps):
    held = {k: ModuleType(k) for k in params}
    for k, p in held.items():
        p.data, p.grad = params[k], None
    optimizer = module.Adam((one for one in held.values()), 0.1, 0.8, 0.9)
    for grads in steps:
        for k, p in held.items():
            p.grad = grads[k]
        optimizer.step()
    return {k: p.data for k, p in held.items()}


def momentum_by_formula(module):
    w, dw, v = draw(4), draw(4, seed=1), draw(4, seed=2)
    new, _ = module.sgd_momentum(w, dw, {"learning_rate": 0.1, "momentum": 0.8, "velocity": v})
    np.testing.assert_allclose(new, w + 0.8 * v - 0.1 * dw)
    new, config = module.sgd_momentum(w, dw, {"learning_rate": 0.1, "momentum": 0.8})
    newer, _ = module.sgd_momentum(new, dw, config)
    np.testing.assert_allclose(newer, new - 0.18 * dw)


def goes_down(name, *args):
    """What people write: a parabola is gone down."""

    def test(module):
        w = np.full(3, 5.0)
        for _ in range(3):
            w = getattr(module, name)(w, w, *args)
            w = w[0] if isinstance(w, tuple) else w
        assert np.all(np.abs(w) < 5)

    return test


def layer_goes_down(module):
    layer = ModuleType("layer")
    layer.weights, layer.biases = np.full((2, 2), 5.0), np.full((1, 2), 5.0)
    layer.dweights, layer.dbiases = layer.weights / 2, layer.biases / 2
    module.SGD(0.5).update_params(layer)
    assert np.all(layer.weights < 5)


def handed_goes_down(module):
    p = ModuleType("parameter")
    p.data, p.grad = np.full(3, 5.0), np.full(3, 10.0)
    module.Adam([p], 0.1).step()
    assert np.all(p.data < 5)


def lists_go_down(module):
    w = np.full(3, 5.0)
    module.Adam(0.1).apply([w], [2 * w])
    assert np.all(w < 5)


def adam_goes_down(module):
    w = np.full(3, 5.0)
    optimizer = module.Adam(0.1)
    for _ in range(5):
        optimizer.update({"W": w}, {"W": 2 * w})
    assert np.all(w < 5)


def sgd_of_layers(module):
    layers = [ModuleType(name) for name in "ab"]
    optimizer = module.SGD(0.5)
    for seed, layer in enumerate(layers):
        layer.weights, layer.biases = draw(3, 2, seed=seed), draw(1, 2, seed=seed + 9)
        layer.dweights, layer.dbiases = draw(3, 2, seed=seed + 5), draw(1, 2, seed=seed + 7)
        wanted = layer.weights - 0.5 * layer.dweights, layer.biases - 0.5 * layer.dbiases
        optimizer.update_params(layer)
        np.testing.assert_allclose(layer.weights, wanted[0])
        np.testing.assert_allclose(layer.biases, wanted[1])
        before = layer.weights.copy()
        optimizer.update_params(layer)
        np.testing.assert_allclose(layer.weights, before - 0.5 * layer.dweights)


# source, name, kind, a weak test, a strong one, a bug that the weak one misses
ADAM = ("Adam", "adam")
OPTIMIZERS = {
    "dicts": (IN_PLACE, *ADAM, adam_goes_down, adam_by(dicts), "adam-no-bias-correction"),
    "lists": (LISTS, *ADAM, lists_go_down, adam_by(lists), "adam-not-squared"),
    "parameters handed over": (OF_PARAMS, *ADAM, handed_goes_down, adam_by(handed), "adam-betas-exchanged"),
    "a dict of options": (
        *(CONFIG, "sgd_momentum", "momentum", goes_down("sgd_momentum")),
        *(momentum_by_formula, "momentum-dampened"),
    ),
    "an array and a rate": (
        *(RATE_GIVEN, "sgd", "sgd", goes_down("sgd", 0.1)),
        *(lambda module: np.testing.assert_allclose(module.sgd(draw(4), np.ones(4), 0.5), draw(4) - 0.5),),
        "sgd-normalised-gradient",
    ),
    "layers": (LAYER, "SGD", "sgd", layer_goes_down, sgd_of_layers, "sgd-first-parameter-only"),
}
NOT_SEEN = {  # by one call of a function without a state
    "an array and a rate": {"sgd-rate-decays", "sgd-first-parameter-only"},
}


def put_in_all(source, name, kind, test, convention):
    """What became of each bug of the kind that needs nothing in particular."""
    bugs = [f for f in FAULTS.values() if f.kind == kind and not f.equivalent and not f.needs]
    bugs = [f.name for f in bugs if not reason_not(f, convention)]
    return {bug: outcome(source, name, kind, bug, test, convention) for bug in bugs}


@pytest.mark.parametrize("how", OPTIMIZERS)
def test_bugs_of_optimizers(how):
    source, name, kind, weak, strong, missed = OPTIMIZERS[how]
    convention = convention_of(source, name, kind)
    weak(module_of(source)), strong(module_of(source))
    assert outcome(source, name, kind, missed, weak, convention) == "missed"
    found = put_in_all(source, name, kind, strong, convention)
    left = {bug for bug, what in found.items() if what != "noticed"}
    assert len(found) >= 5 and left == NOT_SEEN.get(how, set())


def test_an_optimizer_that_makes_other_steps_is_said():
    source = IN_PLACE.replace("self.lr * m", "2 * self.lr * m")
    assert "makes other steps" in outcome(source, "Adam", "adam", "adam-not-squared", adam_goes_down, None)


IN_ORDER = """
class SGD:
    def __init__(self, lr=0.01):
        self.lr = lr
    def update(self, w, b, dw, db):
        w -= self.lr * dw
        b -= self.lr * db
"""


def test_an_optimizer_that_no_bug_can_be_put_into_is_said():
    convention = convention_of(IN_ORDER, "SGD", "sgd")
    said = outcome(IN_ORDER, "SGD", "sgd", "sgd-ascends", lambda module: None, convention)
    assert said == "bugs are not put into an optimizer that is called in this way (in order)"


# -- functions ----------------------------------------------------------------------------------------
SOFTMAX = """
def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
ENTROPY = """
def cross_entropy_error(y, t):
    if y.ndim == 1:
        y, t = y.reshape(1, -1), t.reshape(1, -1)
    t = t.argmax(axis=1) if t.size == y.size else t
    return -np.sum(np.log(y[np.arange(len(y)), t] + 1e-7)) / len(y)
"""
COLUMNS = """
def im2col(x, kernel_height, kernel_width, padding=0, stride=1):
    N, C, H, W = x.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    OH, OW = ((n + 2 * padding - k) // stride + 1 for n, k in ((H, kernel_height), (W, kernel_width)))
    at = [(i * stride, j * stride) for i in range(OH) for j in range(OW)]
    cols = [x[:, :, i:i + kernel_height, j:j + kernel_width].reshape(N, -1) for i, j in at]
    return np.stack(cols).transpose(2, 0, 1).reshape(cols[0].shape[1], -1)
"""
PAIR = (
    CORE["affine"]
    + """
def affine_forward(x, w, b):
    return fwd(x, w, b), (x, w, b)
def affine_backward(dout, cache):
    x, w, b = cache
    return bwd(dout, x, w)
"""
)


def rows_add_up(module):
    assert np.allclose(module.softmax(draw(3, 4)).sum(axis=1), 1)


def softmax_by_hand(module):
    for x in (draw(2, 5), np.array([[1000.0, 0.0, 999.0], [1.0, 2.0, -1000.0]])):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        np.testing.assert_allclose(
            module.softmax(x), e / e.sum(axis=1, keepdims=True), rtol=1e-9, atol=1e-300
        )


def loss_of_one(module):
    y, t = np.array([0.1, 0.05, 0.6, 0.0, 0.25]), np.array([0, 0, 1, 0, 0])
    assert np.isclose(module.cross_entropy_error(y, t), -np.log(0.6), atol=1e-5)


def loss_of_a_batch(module):
    loss_of_one(module)
    y = np.array([[0.2, 0.5, 0.3], [0.7, 0.2, 0.1]])
    assert np.isclose(module.cross_entropy_error(y, np.array([2, 0])), -np.log([0.3, 0.7]).mean(), atol=1e-5)


def columns_have_a_shape(module):
    assert module.im2col(np.ones((2, 3, 5, 4)), 2, 3).shape == (18, 16)


def columns_one_by_one(module):
    x = draw(2, 3, 6, 5)
    col = module.im2col(x, 2, 3).reshape(3, 2, 3, 5, 3, 2)
    for c, i, j, oh, ow, n in np.ndindex(*col.shape):
        assert col[c, i, j, oh, ow, n] == x[n, c, oh + i, ow + j]


def pair_has_shapes(module):
    out, cache = module.affine_forward(np.ones((4, 3)), np.ones((3, 2)), np.zeros(2))
    assert out.shape == (4, 2) and [a.shape for a in module.affine_backward(out, cache)] == [
        (4, 3),
        (3, 2),
        (2,),
    ]


def pair_by_hand(module):
    x, w, b, dout = draw(4, 3), draw(3, 3), draw(3, seed=1), draw(4, 3, seed=2)
    out, cache = module.affine_forward(x, w, b)
    np.testing.assert_allclose(out, x @ w + b)
    module.affine_forward(dout, w, b)  # the cache says whose backward it is
    for found, wanted in zip(
        module.affine_backward(dout, cache), (dout @ w.T, x.T @ dout, dout.sum(axis=0)), strict=True
    ):
        assert found is not None and found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted)


FUNCTIONS = {
    "softmax": (SOFTMAX, "softmax", "softmax", rows_add_up, softmax_by_hand, "softmax-global-maximum"),
    "cross entropy": (
        *(ENTROPY, "cross_entropy_error", "softmax_with_loss", loss_of_one, loss_of_a_batch),
        "loss-sum-for-mean",
    ),
    "im2col": (
        COLUMNS,
        "im2col",
        "im2col",
        columns_have_a_shape,
        columns_one_by_one,
        "im2col-window-flipped",
    ),
    "a pair": (
        *(PAIR, "affine_forward,affine_backward", "affine", pair_has_shapes, pair_by_hand),
        "affine-dw-mean",
    ),
}


@pytest.mark.parametrize("what", FUNCTIONS)
def test_bugs_of_functions(what):
    source, name, kind, weak, strong, missed = FUNCTIONS[what]
    convention = convention_of(source, name, kind)
    weak(module_of(source)), strong(module_of(source))
    assert outcome(source, name, kind, missed, weak, convention) == "missed"
    found = put_in_all(source, name, kind, strong, convention)
    left = {bug for bug, seen in found.items() if seen != "noticed"}
    assert left == SHOWN_ELSEWHERE[what] and len(found) - len(left) >= 6


SHOWN_ELSEWHERE = {  # in a gradient that the function has not, in another dtype, or in a wrong shape of zeros
    "softmax": {f"softmax-{name}" for name in ("diagonal-backward", "half-precision-input")}
    | {f"softmax-backward-{name}" for name in ("straight-through", "sum-over-batch", "without-sum")},
    "cross entropy": {f"loss-{name}" for name in ("float64", "float64-gradient", "single-precision")}
    | {f"loss-{name}" for name in ("global-maximum", "log-of-softmax", "no-shift")}
    | {f"loss-gradient-{name}" for name in ("divided-twice", "not-divided", "sign", "without-labels")}
    | {
        "loss-subtracts-one-everywhere",
        "loss-clamped-logarithm",
        "loss-clipped-probabilities",
        "loss-gradient-right-class-only",
    },
    "im2col": {"im2col-float64"},
    "a pair": {"affine-float64-output", "affine-half-precision-input"},
}


# -- the test to add ----------------------------------------------------------------------------------
def passes(suggestion, module, name):
    space = {"np": np} | {part: getattr(module, part) for part in name.split(",")}
    exec(suggestion.text, space)
    try:
        space[suggestion.name]()
    except Exception:
        return False
    return True


WRITTEN = {**OPTIMIZERS, **FUNCTIONS}
NOT_WRITTEN = ("layers", "cross entropy")  # ways of calling that no test is written out for


@pytest.mark.parametrize("what", WRITTEN)
def test_suggested_tests_notice_the_bugs(what):
    source, name, kind, *_, missed = WRITTEN[what]
    convention = convention_of(source, name, kind)
    found = list(suggestions(name, kind, convention))
    if what in NOT_WRITTEN:
        assert found == []
        return
    good = [one for one in found if passes(one, module_of(source), name)]
    module = module_of(source)
    put_in(module, name, FAULTS[missed], convention, [])
    noticed = [one for one in good if not passes(one, module, name)]
    assert len(good) >= 10 or kind == "momentum"
    assert noticed or missed in NOT_SEEN.get(what, ())


# -- an engine's layers -------------------------------------------------------------------------------
def engine_by_hand(module):
    layer, x, dout = module.Layer(3, 3), module.Tensor(draw(4, 3)), draw(4, 3, seed=2)
    layer.weight.data, layer.bias.data = draw(3, 3, seed=3), draw(3, seed=4)
    out = layer(x)
    out.backward(dout)
    np.testing.assert_allclose(out.data, x.data @ layer.weight.data + layer.bias.data)
    np.testing.assert_allclose(x.grad, dout @ layer.weight.data.T)
    np.testing.assert_allclose(layer.weight.grad, x.data.T @ dout)
    np.testing.assert_allclose(layer.bias.grad, dout.sum(axis=0))


def engine_has_shapes(module):
    layer, x = module.Layer(3, 2), module.Tensor(np.ones((4, 3)))
    layer(x).backward(np.ones((4, 2)))
    assert x.grad.shape == (4, 3) and layer.weight.grad.shape == (3, 2) and layer.bias.grad.shape == (2,)


def test_bugs_of_an_engines_layer():
    source = CORE["affine"] + DRESSES["engine"]("affine", "Layer")
    convention = convention_of(source, "Layer", "affine")
    assert convention.tensor == "Tensor"
    weak = {bug: outcome(source, "Layer", "affine", bug, engine_has_shapes, convention) for bug in IN_ENGINE}
    assert set(weak.values()) == {"missed"}
    strong = put_in_all(source, "Layer", "affine", engine_by_hand, convention)
    assert {bug: strong[bug] for bug in IN_ENGINE} == dict.fromkeys(IN_ENGINE, "noticed")
    left = {bug for bug, what in strong.items() if what != "noticed"}
    assert left == {"affine-float64-output", "affine-half-precision-input"}


IN_ENGINE = ("affine-dw-mean", "affine-db-mean", "affine-bias-forgotten")


def test_an_engine_that_keeps_no_gradient_of_an_output_is_said():
    source = CORE["affine"] + DRESSES["engine"]("affine", "Layer")
    convention = convention_of(source, "Layer", "affine")

    def one_step_further(module):
        out = module.Layer(3, 2)(module.Tensor(np.ones((4, 3))))
        further = module.Tensor(2 * out.data)
        further.back = lambda gradient: out.back(2 * gradient)
        further.backward(np.ones((4, 2)))

    why = outcome(source, "Layer", "affine", "affine-db-mean", one_step_further, convention)
    assert why == "the engine keeps no gradient of the layer's output"


# -- networks -----------------------------------------------------------------------------------------
NETWORK = """
class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T
class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)
    def backward(self, dout):
        return np.where(self.mask, dout, 0)
class SoftmaxWithLoss:
    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.log(self.y[np.arange(len(t)), t]).mean()
    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx / len(dx)
class Net:
    def __init__(self, n=4, rng=np.random.default_rng(0)):
        self.params = {f"W{i}": rng.normal(size=(n, n)) for i in (1, 2, 3)}
        self.params |= {f"b{i}": rng.normal(size=n) for i in (1, 2, 3)}
        self.layers = {}
        for i in (1, 2, 3):
            self.layers[f"affine{i}"] = Affine(self.params[f"W{i}"], self.params[f"b{i}"])
            self.layers |= {f"relu{i}": Relu()} if i < 3 else {}
        self.last_layer = SoftmaxWithLoss()
    def predict(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x
    def loss(self, x, t):
        return self.last_layer.forward(self.predict(x), t)
    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward()
        for layer in reversed(list(self.layers.values())):
            dout = layer.backward(dout)
        pairs = ((i, self.layers[f"affine{i}"]) for i in (1, 2, 3))
        return {k: v for i, a in pairs for k, v in ((f"W{i}", a.dW), (f"b{i}", a.db))}
"""
WEAK = """
import numpy as np
from nets import Net
def test_shapes():
    net, x, t = Net(), np.ones((2, 4)), np.array([0, 1])
    grads = net.gradient(x, t)
    assert net.predict(x).shape == (2, 4) and all(grads[k].shape == p.shape for k, p in net.params.items())
"""
STRONG = """
import numpy as np
from nets import Net
def test_against_differences_and_a_forward_of_its_own():
    rng = np.random.default_rng(1)
    net, x, t = Net(), rng.normal(size=(3, 4)), np.array([0, 3, 1])
    p = net.params
    h = np.maximum(np.maximum(x @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"], 0) @ p["W3"] + p["b3"]
    assert np.allclose(net.predict(x), h)
    e = np.exp(h - h.max(axis=1, keepdims=True))
    assert np.isclose(net.loss(x, t), -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(3), t]).mean())
    grads = net.gradient(x, t)
    for name, array in p.items():
        for at in np.ndindex(*array.shape):
            old, losses = array[at], []
            for step in (1e-5, -1e-5):
                array[at] = old + step
                losses.append(net.loss(x, t))
            array[at] = old
            assert np.isclose(grads[name][at], (losses[0] - losses[1]) / 2e-5, atol=1e-6)
"""


def audit_of(folder, monkeypatch, tests, bugs):
    """The audit of these bugs in the network."""
    from parity.audit import audit as audits

    (folder / "nets.py").write_text(f"import numpy as np\n{NETWORK}")
    (folder / "test_nets.py").write_text(tests)
    monkeypatch.setattr(audits, "network_faults", lambda: [f for f in network_faults() if f[0].name in bugs])
    monkeypatch.setattr(audits, "faults_of", lambda kind: [f for f in faults_of(kind) if f.name in bugs])
    return audit(folder / "test_nets.py", f"{folder}/nets.py:Net", "network", source=False)


@pytest.mark.parametrize(("tests", "outcome"), [(WEAK, SURVIVED), (STRONG, KILLED)], ids=["weak", "strong"])
def test_bugs_of_a_network(tmp_path, monkeypatch, tests, outcome):
    bugs = {"layer-skipped-forward", "left-in-eval", "bias-not-copied", "relu-leaky"}
    bugs |= {"affine-flattens-channels-last"} if tests is STRONG else set()
    audited = audit_of(tmp_path, monkeypatch, tests, bugs)
    found = {m.name: m.outcome for m in audited.mutants}
    assert found.pop("left-in-eval") == found.pop("bias-not-copied") == NOT_APPLIED  # it has no dropout
    assert found.pop("affine-flattens-channels-last in Affine", EQUIVALENT) == EQUIVALENT
    assert found == {"layer-skipped-forward": outcome, "relu-leaky in Relu": outcome}
    assert "changes no number" in UNCHANGED


def test_the_test_to_add_for_a_network_notices_what_survived(tmp_path, monkeypatch):
    """Both what its gradient gets wrong and what a forward and backward get wrong alike."""
    bugs = {"layer-skipped-backward", "gradients-under-each-others-names", "affine-dw-mean", "relu-leaky"}
    found = audit_of(tmp_path, monkeypatch, WEAK, bugs)
    survived = {m.name for m in found.of(SURVIVED)}
    assert len(survived) == 4 and set(found.killed_by_it) == survived and found.rate_after == 1
    assert "net = Net()\n" in found.suggestion and "x = rng.normal(size=(2, 4))\n" in found.suggestion
    assert not {"torch", "parity", "scratchcnn"} & set(re.findall(r"\w+", found.suggestion))
    exec(f"import numpy as np\n{found.suggestion}", space := {"Net": module_of(NETWORK).Net})
    space["test_gradient_and_loss_of_net"]()


OF_IMAGES = """
from scratchcnn import SimpleConvNet
class Net(SimpleConvNet):
    def __init__(self, input_dim=(1, 28, 28), units=20, ARGUMENT):
        conv = {"filter_num": 3, "filter_size": 5, "pad": 0, "stride": 1}
        super().__init__(input_dim, conv, units, 4, GIVEN)
"""


@pytest.mark.parametrize(
    ("argument", "given", "more"),
    [("**more", "**more", ""), ("rng=0, dtype=np.float32", "rng=rng, dtype=dtype", "dtype=np.float64, ")],
    ids=["float32", "float64"],
)
def test_the_test_of_a_network_of_images_is_not_square(argument, given, more):
    module = module_of(OF_IMAGES.replace("ARGUMENT", argument).replace("GIVEN", given))
    notes = []
    watch(module.Net, notes)
    net = module.Net(units=np.int64(9), rng=np.random.default_rng(3))
    net.gradient(draw(5, 1, 28, 28).astype(np.float32), np.eye(4)[[0, 1, 2, 3, 0]])
    (build,) = builds_in(notes)
    assert build == Build({"units": "9", "rng": "np.random.default_rng(0)"}, (1, 28, 28), True)
    found = list(network_suggestions("Net", module.Net, {"Net": module.Net}, [build]))
    assert len(found) == 7  # one, two or all of: the loss, the scores, the gradient
    assert all(f"{more}input_dim=(1, 10, 12))" in one.text for one in found)
    assert all(
        "rng.normal(size=(2, 1, 10, 12))" in one.text and "np.eye(4)[[0, 3]]" in one.text for one in found
    )
    for one in found:
        exec(one.text, space := {"np": np, "Net": module.Net})
        space[one.name]()


def test_what_cannot_be_written_down_makes_no_test():
    module = module_of(NETWORK)
    assert _text(object()) is None and _text(np.float32) == "np.float32" and _text((1, "a")) == "(1, 'a')"
    assert builds_in(["something else"]) == []
    wrong = Build({"n": "5"}, (4,))  # x does not fit
    assert list(network_suggestions("Net", module.Net, {"Net": module.Net}, [wrong])) == []


def test_what_cannot_be_put_in_is_no_kill(tmp_path):
    """A change that raises while the file is imported would fail every test."""

    def raising(module):
        raise NotApplied("no such method")

    (tmp_path / "nets.py").write_text(f"import numpy as np\n{NETWORK}")
    (tmp_path / "check.py").write_text("from nets import Net\nassert Net()\n")
    found = run_tests(tmp_path / "check.py", tmp_path / "nets.py", 60.0, raising).messages
    assert ("test", "the whole file", True, "") in found
    assert ("odd", "it could not be put in: NotApplied: no such method") in found


def net_by_hand(module):
    exec(STRONG.replace("from nets import Net\n", ""), space := {"Net": module.Net})
    space["test_against_differences_and_a_forward_of_its_own"]()


def test_every_bug_between_layers_is_noticed_or_said():
    net_by_hand(module_of(NETWORK))
    for fault, why in network_faults():
        if why:
            assert fault.name not in APPLIED
            continue
        module, problems = module_of(NETWORK), []
        module.Net = faulty_network(module.Net, fault, problems)
        if fault.name in ("left-in-eval", "neighbours-swapped"):
            module.Net()
            assert len(problems) == 1
        else:
            with pytest.raises(AssertionError):
                net_by_hand(module)
    assert set(APPLIED) <= set(NETWORK_FAULTS)


class Dropout:
    """As the book has it; it says whether it was asked to train."""

    def forward(self, x, train_flg=True):
        return x if train_flg else -x

    def backward(self, dout):
        return dout


class Tanh(Dropout):
    def forward(self, x):
        return x


class Pooling(Tanh):
    pass


class Box:
    def __init__(self):
        self.layers = [Tanh(), Pooling(), Dropout()]


def test_layers_are_found_in_the_container_that_holds_them():
    x, t = draw(2, 1, 28, 28), np.array([1, 2])
    assert [key for _, key in places_of(SimpleConvNet(), "relu")] == ["Relu1", "Relu2"]
    assert places_of(ModuleType("nothing"), "relu") == []
    skipped = faulty_network(SimpleConvNet, NETWORK_FAULTS["layer-skipped-backward"], [])
    right, wrong = (of(rng=0).gradient(x, t)["W2"] for of in (SimpleConvNet, skipped))
    assert right.shape == wrong.shape and not np.allclose(right, wrong)


def test_swapped_neighbours_and_a_network_left_in_eval():
    swapped = faulty_network(Box, NETWORK_FAULTS["neighbours-swapped"], [])()
    assert [type(layer).__name__ for layer in swapped.layers] == ["Pooling", "Tanh", "Dropout"]
    left = faulty_network(Box, NETWORK_FAULTS["left-in-eval"], [])()
    assert left.layers[2].forward(3, train_flg=True) == -3


# -- names of arguments ---------------------------------------------------------------------------------
SHORT_NAMES = """
from scratchcnn import Pooling, im2col
class Pool(Pooling):
    def __init__(self, kh, kw, stride=1, pad=0):
        super().__init__(kh, kw, stride, pad)
def columns(x, kh, kw, stride=1, pad=0):
    return im2col(x, kh, kw, stride, pad)
"""
OF_WINDOWS = {
    "max-pool-window-axes-swapped": ("Pool", "max_pooling", lambda m: m.Pool(2, 3).forward(draw(2, 1, 5, 7))),
    "im2col-window-transposed": ("columns", "im2col", lambda m: m.columns(draw(2, 1, 5, 7), 2, 3)),
}


@pytest.mark.parametrize("fault", OF_WINDOWS)
def test_kh_and_kw_are_the_window_of_whichever_kind_it_is(fault):
    name, kind, call = OF_WINDOWS[fault]
    right = call(module_of(SHORT_NAMES))

    def test(module):
        np.testing.assert_array_equal(call(module), right)

    assert outcome(SHORT_NAMES, name, kind, fault, test, None) == "noticed"


RETURNED = """
class Linear:
    def __init__(self, input_dim, output_dim):
        self.w, self.b = np.random.normal(size=(input_dim, output_dim)), np.zeros(output_dim)
    def forward(self, x):
        self.x = x
        return x @ self.w + self.b
    def backward(self, dout):
        return dout @ self.w.T, self.x.T @ dout, dout.sum(axis=0)
"""


@pytest.mark.parametrize(
    "fault", ["affine-db-mean", "affine-dw-mean", "affine-weights-reshape-for-transpose"]
)
def test_gradients_that_backward_returns_get_the_bug(fault):
    def results(module):
        layer = module.Linear(2, 3)
        layer.w, layer.b = draw(2, 3), draw(3)
        layer.forward(draw(4, 2, seed=1))
        return layer.backward(draw(4, 3, seed=2))

    right = results(module_of(RETURNED))

    def test(module):
        for one, other in zip(results(module), right, strict=True):
            np.testing.assert_allclose(one, other)

    convention = convention_of(RETURNED, "Linear", "affine")
    assert outcome(RETURNED, "Linear", "affine", fault, test, convention) == "noticed"


OF_THE_BOOK = (
    "from scratchcnn import Affine as A, Pooling\n"
    + """
class Affine(A):
    def forward(self, x):
        return super().forward(x[None])[0] if x.ndim == 1 else super().forward(x)
class Whole(Pooling):
    def forward(self, x): return super().forward(x.astype(float))
"""
)


@pytest.mark.parametrize(
    ("name", "kind", "fault", "test"),
    [
        (
            *("Affine", "affine", "affine-bias-forgotten"),
            lambda m: np.testing.assert_array_equal(m.Affine(np.eye(2), np.ones(2)).forward(np.ones(2)), 2),
        ),
        (
            *("Whole", "max_pooling", "max-pool-largest-magnitude"),
            lambda m: np.testing.assert_array_equal(m.Whole(1, 2).forward(np.array([[[[-3, 1]]]])), 1),
        ),
    ],
    ids=["one row", "whole numbers"],
)
def test_tests_hand_over_one_row_or_whole_numbers(name, kind, fault, test):
    test(module_of(OF_THE_BOOK))
    assert outcome(OF_THE_BOOK, name, kind, fault, test, None) == "noticed"


def test_rounding_next_to_zero_is_no_change():
    a = np.array([1e3, 1e-4], np.float32)
    assert same(a, a + np.float32(1e-5)) and not same(a, a + np.float32(1e-1))
    assert same(np.zeros(2), np.zeros(2)) and not same(np.ones(2), np.ones(2) + 1e-8)
