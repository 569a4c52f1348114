"""The networks. `NETWORKS` maps the names of the command line to the classes, `CHAPTER` names those of
chapter 7; the others are those that the book goes on to in section 8.2."""

import inspect
from collections.abc import Callable
from typing import Any

from scratchcnn.networks.alexnet import AlexNet
from scratchcnn.networks.alexnet_torchvision import TorchvisionAlexNet
from scratchcnn.networks.base import Network
from scratchcnn.networks.googlenet import GoogLeNet
from scratchcnn.networks.lenet import LeNet, LeNet5
from scratchcnn.networks.resnet import ResNet
from scratchcnn.networks.simple_conv_net import SimpleConvNet
from scratchcnn.networks.vgg import VGG


def _published(name: str, base: type[Network], what: str, **fixed: Any) -> type[Network]:
    """The class of one row of a paper's table: `base` with some arguments fixed."""

    def __init__(self: Any, **options: Any) -> None:
        base.__init__(self, **fixed, **options)

    left = [p for p in inspect.signature(base.__init__).parameters.values() if p.name not in fixed]
    told = [left[0], *(p.replace(kind=p.KEYWORD_ONLY) for p in left[1:])]
    __init__.__signature__ = inspect.Signature(told)  # type: ignore[attr-defined]
    return type(name, (base,), {"__init__": __init__, "__doc__": what, "__module__": __name__})


VGG11 = _published("VGG11", VGG, "Column A of VGG's table 1.", depth=11)
VGG13 = _published("VGG13", VGG, "Column B of VGG's table 1.", depth=13)
VGG16 = _published("VGG16", VGG, "Column D of VGG's table 1.", depth=16)
VGG19 = _published("VGG19", VGG, "Column E of VGG's table 1.", depth=19)
VGG11BN = _published("VGG11BN", VGG, "VGG11 with batch normalization.", depth=11, batch_norm=True)
VGG13BN = _published("VGG13BN", VGG, "VGG13 with batch normalization.", depth=13, batch_norm=True)
VGG16BN = _published("VGG16BN", VGG, "VGG16 with batch normalization.", depth=16, batch_norm=True)
VGG19BN = _published("VGG19BN", VGG, "VGG19 with batch normalization.", depth=19, batch_norm=True)
GoogLeNetBN = _published(
    "GoogLeNetBN", GoogLeNet, "torchvision's GoogLeNet, with batch normalization.", batch_norm=True
)
ResNet18 = _published("ResNet18", ResNet, "The 18-layer column of ResNet's table 1.", depth=18)
ResNet34 = _published("ResNet34", ResNet, "The 34-layer column of ResNet's table 1.", depth=34)
ResNet50 = _published("ResNet50", ResNet, "The 50-layer column of ResNet's table 1.", depth=50)
ResNet101 = _published("ResNet101", ResNet, "The 101-layer column of ResNet's table 1.", depth=101)

NETWORKS: dict[str, Callable[..., Network]] = {
    "simple_conv_net": SimpleConvNet,
    "lenet": LeNet,
    "lenet5": LeNet5,
    "alexnet": AlexNet,
    "alexnet_torchvision": TorchvisionAlexNet,
    "vgg11": VGG11,
    "vgg13": VGG13,
    "vgg16": VGG16,
    "vgg19": VGG19,
    "vgg11_bn": VGG11BN,
    "vgg13_bn": VGG13BN,
    "vgg16_bn": VGG16BN,
    "vgg19_bn": VGG19BN,
    "googlenet": GoogLeNet,
    "googlenet_bn": GoogLeNetBN,
    "resnet18": ResNet18,
    "resnet34": ResNet34,
    "resnet50": ResNet50,
    "resnet101": ResNet101,
}
CHAPTER = ("simple_conv_net", "lenet", "lenet5", "alexnet")

__all__ = [
    "CHAPTER",
    "NETWORKS",
    "VGG",
    "VGG11",
    "VGG11BN",
    "VGG13",
    "VGG13BN",
    "VGG16",
    "VGG16BN",
    "VGG19",
    "VGG19BN",
    "AlexNet",
    "GoogLeNet",
    "GoogLeNetBN",
    "LeNet",
    "LeNet5",
    "Network",
    "ResNet",
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "ResNet101",
    "SimpleConvNet",
    "TorchvisionAlexNet",
]
