"""The networks of chapter 7. `NETWORKS` maps the names of the command line to the classes."""

from collections.abc import Callable

from scratchcnn.networks.alexnet import AlexNet
from scratchcnn.networks.base import Network
from scratchcnn.networks.lenet import LeNet, LeNet5
from scratchcnn.networks.simple_conv_net import SimpleConvNet

NETWORKS: dict[str, Callable[..., Network]] = {
    "simple_conv_net": SimpleConvNet,
    "lenet": LeNet,
    "lenet5": LeNet5,
    "alexnet": AlexNet,
}

__all__ = ["NETWORKS", "AlexNet", "LeNet", "LeNet5", "Network", "SimpleConvNet"]
