"""Layer normalization as people write it: how it is called is found, and every verdict is true."""

import textwrap

import numpy as np
import pytest

from parity.verification.verify import verify

HEAD = "import numpy as np\n"
FORWARD = """
def __init__(self, dim, eps=1e-5):
    self.gamma, self.beta, self.eps = np.ones(dim), np.zeros(dim), eps

def forward(self, x):
    mean = x.mean(axis=-1, keepdims=True)
    self.std = np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)
    self.z = (x - mean) / self.std
    return self.gamma * self.z + self.beta
"""
BACKWARD = """
def backward(self, dout):
    rows = tuple(range(dout.ndim - 1))
    self.dgamma, self.dbeta = (dout * self.z).sum(axis=rows), dout.sum(axis=rows)
    dz = dout * self.gamma
    return (dz - dz.mean(-1, keepdims=True) - self.z * (dz * self.z).mean(-1, keepdims=True)) / self.std
"""
PAIR = """
def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    xt = x.T
    std = np.sqrt(xt.var(axis=0) + eps)
    z = ((xt - xt.mean(axis=0)) / std).T
    return gamma * z + beta, (z, gamma, std)

def layernorm_backward(dout, cache):
    z, gamma, std = cache
    dz, zt = (dout * gamma).T, z.T
    dx = (dz - dz.mean(axis=0) - zt * (dz * zt).mean(axis=0)) / std
    return dx.T, (dout * z).sum(axis=0), dout.sum(axis=0)
"""
ROWS = "def layer_norm(x{}):\n    m, s = x.mean(-1, keepdims=True), x.std(-1, keepdims=True)\n    return {}\n"


def cls(*parts, name="LayerNorm"):
    return f"class {name}:\n" + textwrap.indent("".join(parts), "    ")


def verdict(tmp_path, text, name):
    path = tmp_path / f"mine{len(list(tmp_path.iterdir()))}.py"
    path.write_text(HEAD + text)
    return verify(f"{path}:{name}", "layer_norm", isolated=False)


def test_a_class_of_rows_and_sequences(tmp_path):
    found = verdict(tmp_path, cls(FORWARD, BACKWARD), "LayerNorm")
    assert found.outcome == "right" and not found.not_checked


def test_gradients_that_are_summed_for_rows_alone_say_nothing_of_sequences(tmp_path):
    text = cls(FORWARD, BACKWARD.replace("tuple(range(dout.ndim - 1))", "0"))
    found = verdict(tmp_path, text, "LayerNorm")
    assert found.outcome == "right" and found.not_checked == ["sequences (3-D input)"]
    text = text.replace("def forward(self, x):", "def forward(self, x):\n        # x: (batch, steps, dim)")
    assert verdict(tmp_path, text, "LayerNorm").outcome == "wrong"


def test_sequences_alone(tmp_path):
    text = cls(FORWARD, BACKWARD.replace("tuple(range(dout.ndim - 1))", "(0, 1)"))
    found = verdict(tmp_path, text, "LayerNorm")
    assert found.outcome == "right" and "rows (2-D input)" in found.not_checked


def test_sequences_alone_with_a_step_that_takes_a_number_for_a_vector(tmp_path):
    """Of rows the sums over both axes are numbers, and a step would take those off all the same."""
    step = "\ndef update(self, lr):\n    self.gamma -= lr * self.dgamma\n    self.beta -= lr * self.dbeta\n"
    text = cls(FORWARD, BACKWARD.replace("tuple(range(dout.ndim - 1))", "(0, 1)"), step)
    found = verdict(tmp_path, text, "LayerNorm")
    assert found.outcome == "right" and "rows (2-D input)" in found.not_checked, str(found)
    wrong = verdict(tmp_path, text.replace("(dout * self.z).sum", "dout.sum"), "LayerNorm")
    assert wrong.outcome == "wrong", str(wrong)


def test_functions_with_a_cache(tmp_path):
    found = verdict(tmp_path, PAIR, "layernorm_forward,layernorm_backward")
    assert found.outcome == "right" and found.not_checked == ["sequences (3-D input)"]


def test_a_backward_belongs_to_the_forward_of_its_name(tmp_path):
    text = PAIR + ROWS.format("", "(x - m) / np.sqrt(s**2 + 1e-5)")
    found = verdict(tmp_path, text, "layer_norm")
    assert found.outcome == "right" and "gamma" in found.not_checked and "dx" in found.not_checked


@pytest.mark.parametrize(
    ("more", "returned", "unchecked"),
    [
        ("", "(x - m) / np.sqrt(s**2 + 1e-5)", {"gamma", "beta"}),
        (", g, eps=1e-5", "g * (x - m) / np.sqrt(s**2 + eps)", {"beta"}),
        (", scale, shift", "scale * (x - m) / np.sqrt(s**2 + 1e-5) + shift", set()),
    ],
)
def test_functions_with_and_without_gamma_and_beta(tmp_path, more, returned, unchecked):
    found = verdict(tmp_path, ROWS.format(more, returned), "layer_norm")
    assert found.outcome == "right"
    assert {"gamma", "beta"} & {*found.not_checked} == unchecked


@pytest.mark.parametrize("name", ["LayerNormalization", "MyLayerNorm", "LayerNormLayer"])
def test_samples_in_columns(tmp_path, name):
    text = cls(
        FORWARD.replace("(dim)", "((dim, 1))").replace("axis=-1", "axis=0"),
        BACKWARD.replace("tuple(range(dout.ndim - 1))", "1, keepdims=True")
        .replace("rows = 1, keepdims=True", "")
        .replace("axis=rows", "axis=1, keepdims=True")
        .replace("-1, keep", "0, keep"),
        name=name,
    )
    found = verdict(tmp_path, text, name)
    assert found.outcome == "right" and "rows (F, N)" in found.called


LISTS = """
def forward(self, x):
    mean = sum(x) / len(x)
    var = sum((one - mean) ** 2 for one in x) / len(x)
    return [g * (one - mean) / (var + 1e-5) ** 0.5 + b for one, g, b in zip(x, self.gamma, self.beta)]
"""


def test_a_loop_over_the_numbers_of_a_row_may_round_more(tmp_path):
    made = "def __init__(self, n):\n    self.gamma, self.beta = [1.0] * n, [0.0] * n\n"
    found = verdict(tmp_path, cls(made, LISTS), "LayerNorm")
    assert found.outcome == "right" and {"gamma", "beta"} <= {*found.not_checked}


@pytest.mark.parametrize("names", ["weight, bias", "w, b", "gain, bias"])
def test_gamma_and_beta_by_other_names(tmp_path, names):
    gamma, beta = names.split(", ")
    text = ROWS.format(f", {names}", f"(x - m) / np.sqrt(s**2 + 1e-5) * {gamma} + {beta}")
    assert verdict(tmp_path, text, "layer_norm").outcome == "right"
    made = f"def __init__(self, {names}):\n    self.gamma, self.beta, self.eps = {names}, 1e-5\n"
    forward = FORWARD[FORWARD.index("def forward") :]
    found = verdict(tmp_path, cls(made, forward, BACKWARD), "LayerNorm")
    assert found.outcome == "right" and not found.not_checked


@pytest.mark.parametrize("asked", ["how_wide", "n_embd, bias=True"])
def test_a_size_of_any_name(tmp_path, asked):
    text = cls(FORWARD.replace("dim, eps=1e-5", asked).replace("dim)", f"{asked.split(',')[0]})"), BACKWARD)
    found = verdict(tmp_path, text.replace(", eps\n", ", 1e-5\n"), "LayerNorm")
    assert found.outcome == "right"


@pytest.mark.parametrize(
    ("std", "says"),
    [
        ("np.sqrt(x.var(axis=-1, keepdims=True)) + self.eps", "stands outside the root"),
        ("np.sqrt(x.var(axis=-1, keepdims=True) + 1e-6)", "its eps is 1e-06, PyTorch's 1e-05"),
    ],
)
def test_another_eps_is_slight(tmp_path, std, says):
    text = cls(FORWARD.replace("np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)", std))
    found = verdict(tmp_path, text, "LayerNorm")
    assert found.outcome == "right_but" and says in str(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("axis=-1", "axis=0"),
        ("x.mean(axis=-1, keepdims=True)", "x.mean()"),
        ("keepdims=True) + self.eps", "keepdims=True, ddof=1) + self.eps"),
        (" + self.eps)", ")"),
        ("np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)", "x.var(axis=-1, keepdims=True) + self.eps"),
        ("(dout * self.z).sum(axis=rows)", "dout * self.z"),
        ("(dout * self.z).sum(axis=rows)", "(dout * self.z).mean(axis=rows)"),
        ("- dz.mean(-1, keepdims=True) ", ""),
        (" - self.z * (dz * self.z).mean(-1, keepdims=True)", ""),
        ("dz = dout * self.gamma", "dz = dout"),
    ],
)
def test_what_is_wrong_is_wrong(tmp_path, old, new):
    text = cls(FORWARD, BACKWARD)
    assert old in text
    assert verdict(tmp_path, text.replace(old, new), "LayerNorm").outcome == "wrong"


def test_a_function_that_knows_no_axis_is_for_one_vector(tmp_path):
    text = "def layer_norm(x):\n    return (x - np.mean(x)) / np.sqrt(np.var(x) + 1e-5)\n"
    found = verdict(tmp_path, text, "layer_norm")
    assert found.outcome == "right" and "several rows at once" in found.not_checked
    assert (
        verdict(tmp_path, text.replace("x - np.mean(x)", "x + np.mean(x)"), "layer_norm").outcome == "wrong"
    )


def test_a_class_of_one_vector_whose_gradients_are_those_of_one_row(tmp_path):
    text = cls(
        FORWARD.replace("axis=-1, keepdims=True", ""),
        BACKWARD.replace(".sum(axis=rows)", "").replace("-1, keepdims=True", ""),
    )
    found = verdict(tmp_path, text, "LayerNorm")
    assert found.outcome == "right" and "several rows at once" in found.not_checked
    wrong = text.replace("self.dbeta = (dout * self.z)", "self.dbeta = (dout * self.std)")
    assert verdict(tmp_path, wrong, "LayerNorm").outcome == "wrong"


def test_gradients_of_gamma_and_beta_alone(tmp_path):
    back = (
        "\ndef {}(self, dout):\n    self.dgamma, self.dbeta = (dout * self.z).sum(axis=0), dout.sum(axis=0)\n"
    )
    found = verdict(tmp_path, cls(FORWARD, back.format("compute_gradients")), "LayerNorm")
    assert found.outcome == "right" and "dx" in found.not_checked
    assert verdict(tmp_path, cls(FORWARD, back.format("backward")), "LayerNorm").outcome == "wrong"


def test_ours_is_called_as_the_book_would():
    import scratchcnn as sc

    assert verify(sc.LayerNorm, "layer_norm", isolated=False).outcome == "right"
    with np.errstate(all="ignore"):
        assert verify(sc.LayerNorm, "layer_norm_options", isolated=False).outcome == "right"
