"""Names as they are meant: with a letter that is wrong, in another language, with words around the kind's."""

import pytest

from parity.kinds.names import kind_by_words
from parity.kinds.spelling import respelled
from parity.verification.listing import listed
from parity.verification.verify import verify

OF_X = {
    "relu_hidden": "relu",
    "logistic_hidden": "sigmoid",
    "sigmoid_fn": "sigmoid",
    "relu_activation": "relu",
    "compute_softmax": "softmax",
    "np_softmax": "softmax",
    "my_relu": "relu",
    "sigmod": "sigmoid",
    "ativacao_relu": "relu",
}
OF_MORE = {
    "my_conv2d": "convolution",
    "convolution_multiple_filters": "convolution",
    "convulution": "convolution",
    "drouput": "dropout",
    "capa_densa": "affine",
    "max_pool_naive": "max_pooling",
}
NEITHER = [
    *("relu_network", "softmax_regression", "plot_sigmoid", "conv_output_size", "pool_threads", "adam_demo"),
    *("load_data", "loss_history", "dropout_rate", "sigmoidp", "softmax1", "relu2", "dsigmoid", "involution"),
    *(
        "get_conv_output",
        "sigmoid_grad",
        "derivative_relu",
        "logistic_map",
        "dense_block",
        "conv_single_step",
    ),
]


@pytest.mark.parametrize(("name", "kind"), OF_X.items())
def test_functions_of_x(tmp_path, name, kind):
    assert _kinds(tmp_path, f"def {name}(x): return x + 1\n") == [(name, kind)]


@pytest.mark.parametrize(("name", "kind"), OF_MORE.items())
def test_functions_of_several_arguments(tmp_path, name, kind):
    assert _kinds(tmp_path, f"def {name}(x, w, b): return x + 1\n") == [(name, kind)]


@pytest.mark.parametrize("name", NEITHER)
@pytest.mark.parametrize("arguments", ["x", "x, w, b"])
def test_names_that_mean_something_else(tmp_path, name, arguments):
    assert not _kinds(tmp_path, f"def {name}({arguments}): return x + 1\n")


def test_a_misspelt_pair_is_one_layer(tmp_path):
    text = "def batch_norm_forword(x, gamma, beta): return x, 0\ndef batch_norm_backword(dout, cache): pass\n"
    text = text.replace("pass", "return dout")
    assert _kinds(tmp_path, text) == [("batch_norm_forword,batch_norm_backword", "batch_norm")]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("CapaDensa", "affine"),
        ("SigmodLayer", "sigmoid"),
        ("PerteMSE", "mean_squared_error"),
        ("AdamOptimiser", "adam"),
        ("CamadaConvolucional", "convolution"),
        ("SoftmaxRegression", None),
        ("SoftmaxClassifier", None),
        ("Involution", None),
        ("Backyard", None),
        ("Schicht", None),
    ],
)
def test_classes(name, kind):
    assert kind_by_words(name) == kind


def test_what_is_spelled_well_stays():
    for name in ("Layer_Dense", "ActivationReLU", "backyard", "polling", "flattened", "sigmoids", "forward"):
        assert respelled(name) == name
    assert respelled("batch_norm_forword") == "batch_norm_forward"
    assert respelled("SoftmxLayer") == "SoftmaxLayer" and respelled("convolução") == "convolution"


def _kinds(folder, text):
    (folder / "mine.py").write_text(text)
    return [(one.name, one.kind) for one in listed(folder / "mine.py")]


METHODS = """
class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(x.shape[0], -1)

    def backwrad(self, dout):
        return dout.reshape(self.shape)

class Relu:
    def forword(self, x):
        self.mask = x > 0
        return x * self.mask

    def bakward(self, dout):
        return dout * 2 * self.mask
"""


@pytest.mark.parametrize(("name", "outcome"), [("Flatten", "right"), ("Relu", "wrong")])
def test_misspelt_methods_are_called(tmp_path, name, outcome):
    (tmp_path / "mine.py").write_text(METHODS)
    verdict = verify(f"{tmp_path / 'mine.py'}:{name}", name.lower(), isolated=False)
    assert verdict.outcome == outcome and "gradients" not in str(verdict.not_checked)
