"""The same networks as a PyTorch user writes them, to be read beside scratchcnn/networks.

They are written from the papers, not derived from ours: that is what makes agreement mean something.
The modules carry the names of our layers, or those that
`torch_path` of our network says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from parity.reference.googlenet import GoogLeNet
from parity.reference.modules import RBF, PartialConv2d, PenaltyLoss, ScaledTanh, Subsampling
from parity.reference.vgg_resnet import VGG, ResNet, TorchvisionAlexNet


class SimpleConvNet(nn.Module):
    def __init__(
        self,
        input_dim: tuple[int, int, int] = (1, 28, 28),
        filter_num: int = 30,
        filter_size: int = 5,
        hidden_size: int = 100,
        output_size: int = 10,
    ):
        super().__init__()
        C, H, W = input_dim
        pooled = filter_num * ((H - filter_size + 1) // 2) * ((W - filter_size + 1) // 2)
        self.conv1 = nn.Conv2d(C, filter_num, filter_size)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.affine1 = nn.Linear(pooled, hidden_size)
        self.relu2 = nn.ReLU()
        self.affine2 = nn.Linear(hidden_size, output_size)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.relu2(self.affine1(x.flatten(1)))
        return self.affine2(x)


class LeNet(nn.Module):
    def __init__(self, output_size: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.sigmoid1 = nn.Sigmoid()
        self.pool1 = nn.AvgPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.sigmoid2 = nn.Sigmoid()
        self.pool2 = nn.AvgPool2d(2)
        self.flatten = nn.Flatten()
        self.affine1 = nn.Linear(16 * 5 * 5, 120)
        self.sigmoid3 = nn.Sigmoid()
        self.affine2 = nn.Linear(120, 84)
        self.sigmoid4 = nn.Sigmoid()
        self.affine3 = nn.Linear(84, output_size)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.sigmoid1(self.conv1(x)))
        x = self.pool2(self.sigmoid2(self.conv2(x)))
        x = self.flatten(x)
        x = self.sigmoid3(self.affine1(x))
        x = self.sigmoid4(self.affine2(x))
        return self.affine3(x)


# LeCun et al. 1998, table I, as the paper prints it: a row for each of S2's maps, a column for each of C3's.
C3_CONNECTIONS = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""


class LeNet5(nn.Module):
    def __init__(self, output_size: int = 10):
        super().__init__()
        by_row = [[mark == "X" for mark in line.split()] for line in C3_CONNECTIONS.strip().splitlines()]
        connections = [list(column) for column in zip(*by_row, strict=True)]  # (16, 6)
        self.c1 = nn.Conv2d(1, 6, 5, padding=2)
        self.squash1 = ScaledTanh()
        self.s2 = Subsampling(6)
        self.squash2 = ScaledTanh()
        self.c3 = PartialConv2d(6, 16, 5, connections)
        self.squash3 = ScaledTanh()
        self.s4 = Subsampling(16)
        self.squash4 = ScaledTanh()
        self.c5 = nn.Conv2d(16, 120, 5)
        self.squash5 = ScaledTanh()
        self.flatten = nn.Flatten()
        self.f6 = nn.Linear(120, 84)
        self.squash6 = ScaledTanh()
        self.rbf = RBF(84, output_size)
        self.loss = PenaltyLoss(j=10.0)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squash2(self.s2(self.squash1(self.c1(x))))
        x = self.squash4(self.s4(self.squash3(self.c3(x))))
        x = self.flatten(self.squash5(self.c5(x)))
        return self.rbf(self.squash6(self.f6(x)))


class AlexNet(nn.Module):
    def __init__(
        self,
        input_size: int = 227,
        output_size: int = 1000,
        groups: int = 2,
        dropout: float = 0.5,
        hidden_size: int = 4096,
    ):
        super().__init__()
        size = ((((input_size - 11) // 4 + 1 - 3) // 2 + 1 - 3) // 2 + 1 - 3) // 2 + 1  # 6 for 227
        # PyTorch divides alpha by the window's size; the paper does not: 5e-4 / 5 = 1e-4.
        lrn: dict[str, Any] = {"size": 5, "alpha": 5e-4, "beta": 0.75, "k": 2.0}
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.relu1 = nn.ReLU()
        self.lrn1 = nn.LocalResponseNorm(**lrn)
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=groups)
        self.relu2 = nn.ReLU()
        self.lrn2 = nn.LocalResponseNorm(**lrn)
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.relu3 = nn.ReLU()
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=groups)
        self.relu4 = nn.ReLU()
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=groups)
        self.relu5 = nn.ReLU()
        self.pool5 = nn.MaxPool2d(3, stride=2)
        self.flatten = nn.Flatten()
        self.fc6 = nn.Linear(256 * size * size, hidden_size)
        self.relu6 = nn.ReLU()
        self.dropout6 = nn.Dropout(dropout)
        self.fc7 = nn.Linear(hidden_size, hidden_size)
        self.relu7 = nn.ReLU()
        self.dropout7 = nn.Dropout(dropout)
        self.fc8 = nn.Linear(hidden_size, output_size)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.lrn1(self.relu1(self.conv1(x))))
        x = self.pool2(self.lrn2(self.relu2(self.conv2(x))))
        x = self.relu3(self.conv3(x))
        x = self.relu4(self.conv4(x))
        x = self.pool5(self.relu5(self.conv5(x)))
        x = self.flatten(x)
        x = self.dropout6(self.relu6(self.fc6(x)))
        x = self.dropout7(self.relu7(self.fc7(x)))
        return self.fc8(x)


TORCH_NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "simple_conv_net": SimpleConvNet,
    "lenet": LeNet,
    "lenet5": LeNet5,
    "alexnet": AlexNet,
    "alexnet_torchvision": TorchvisionAlexNet,
    **{f"vgg{depth}": partial(VGG, depth) for depth in (11, 13, 16, 19)},
    **{f"vgg{depth}_bn": partial(VGG, depth, True) for depth in (11, 13, 16, 19)},
    "googlenet": GoogLeNet,
    "googlenet_bn": partial(GoogLeNet, True),
    **{f"resnet{depth}": partial(ResNet, depth) for depth in (18, 34, 50, 101)},
}
