"""Our networks and their twins held to torchvision's: names, shapes, dropout, and the scores of images.

Only torchvision's Python part is needed, which runs beside the CPU build of PyTorch:
`pip install --no-deps torchvision`.
"""

from contextlib import suppress

import numpy as np
import pytest
import torch
from torch import nn

from parity.reference.model_pair import torch_like
from parity.reference.networks import TORCH_NETWORKS
from scratchcnn.networks import NETWORKS

THEIRS = {
    "alexnet_torchvision": "alexnet",
    "googlenet_bn": "googlenet",
    **{f"vgg{depth}{bn}": f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn")},
    **{f"resnet{depth}": f"resnet{depth}" for depth in (18, 34, 50, 101)},
}
MISSING = "torchvision is not installed: no network was compared with its own"


@pytest.fixture(scope="module")
def models():
    """torchvision.models; operators that its import names are declared if its compiled ones do not fit."""
    for operator in ("nms", "qnms"):
        with suppress(RuntimeError):  # it is there
            torch.library.define(
                f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou) -> Tensor"
            )
    pytest.importorskip("torchvision", reason=MISSING)
    return pytest.importorskip("torchvision.models", reason=MISSING)


def theirs(models, name, **options):
    if name == "googlenet_bn":
        options |= {"aux_logits": True, "init_weights": False}
    return getattr(models, THEIRS[name])(weights=None, **options)


def drop_rates(module):
    return sorted(m.p for m in module.modules() if isinstance(m, nn.Dropout) and m.p)


@pytest.mark.parametrize("name", THEIRS)
def test_names_shapes_and_dropout_are_torchvisions(models, name):
    with torch.device("meta"):
        module, twin = theirs(models, name), TORCH_NETWORKS[name]()
    shapes = {key: tuple(a.shape) for key, a in module.state_dict().items()}
    assert {key: tuple(a.shape) for key, a in twin.state_dict().items()} == shapes
    assert drop_rates(module) == drop_rates(twin)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alexnet_torchvision", "resnet18", "resnet50", "googlenet_bn"])
def test_scores_are_torchvisions(models, name):
    network = NETWORKS[name](rng=0)
    module = theirs(models, name).eval()
    module.load_state_dict(torch_like(name, network, "cpu").state_dict())
    x = np.random.default_rng(0).standard_normal((2, 3, 224, 224), dtype=np.float32)
    with torch.no_grad():
        scores = module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(network.predict(x), scores, rtol=1e-3, atol=1e-4 * np.abs(scores).max())
