"""The networks. `NETWORKS` maps the names of the command line to the classes, `CHAPTER` names those of
chapter 7; the others are those that the book goes on to in section 8.2."""

from collections.abc import Callable

from scratchcnn.lookup import Table
from scratchcnn.networks.alexnet import AlexNet
from scratchcnn.networks.alexnet_torchvision import TorchvisionAlexNet
from scratchcnn.networks.base import Network
from scratchcnn.networks.googlenet import GoogLeNet, GoogLeNetBN
from scratchcnn.networks.lenet import LeNet, LeNet5
from scratchcnn.networks.resnet import ResNet, ResNet18, ResNet34, ResNet50, ResNet101
from scratchcnn.networks.simple_conv_net import SimpleConvNet
from scratchcnn.networks.vgg import (
    VGG,
    VGG11,
    VGG11BN,
    VGG13,
    VGG13BN,
    VGG16,
    VGG16BN,
    VGG19,
    VGG19BN,
)

NETWORKS: Table[Callable[..., Network]] = Table(
    "network",
    {
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
    },
)
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
