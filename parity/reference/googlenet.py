"""GoogLeNet as a PyTorch user writes it, in the published form and in torchvision's, with its key names."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Szegedy et al. 2014, table 1, a row a module.
TABLE = """
3a  64  96 128 16  32  32
3b 128 128 192 32  96  64
4a 192  96 208 16  48  64
4b 160 112 224 24  64  64
4c 128 128 256 24  64  64
4d 112 144 288 32  64  64
4e 256 160 320 32 128 128
5a 256 160 320 32 128 128
5b 384 192 384 48 128 128
"""


class BasicConv2d(nn.Module):
    def __init__(self, inputs: int, filters: int, batch_norm: bool, kernel: int = 1, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, kernel, stride, padding=kernel // 2, bias=not batch_norm)
        self.bn = nn.BatchNorm2d(filters, eps=0.001) if batch_norm else None
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.relu(x if self.bn is None else self.bn(x))


class Inception(nn.Module):
    def __init__(self, inputs: int, columns: list[int], batch_norm: bool):
        super().__init__()
        one, reduce3, three, reduce5, five, projection = columns
        self.branch1 = BasicConv2d(inputs, one, batch_norm)
        self.branch2 = nn.Sequential(
            BasicConv2d(inputs, reduce3, batch_norm), BasicConv2d(reduce3, three, batch_norm, 3)
        )
        # torchvision's "5x5" has 3x3 filters, a slip that its weights have kept
        self.branch3 = nn.Sequential(
            BasicConv2d(inputs, reduce5, batch_norm),
            BasicConv2d(reduce5, five, batch_norm, 3 if batch_norm else 5),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), BasicConv2d(inputs, projection, batch_norm)
        )
        self.channels = one + three + five + projection

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class Auxiliary(nn.Module):
    def __init__(
        self, inputs: int, filters: int, hidden_size: int, output_size: int, batch_norm: bool, cells: int
    ):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d((4, 4)) if batch_norm else nn.AvgPool2d(5, stride=3)
        self.conv = BasicConv2d(inputs, filters, batch_norm)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(filters * cells, hidden_size)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor) -> Tensor:
        x = self.flatten(self.conv(self.pool(x)))
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNetLoss(nn.Module):
    """Cross entropy, and 0.3 times that of each auxiliary classifier where there are any."""

    def forward(self, scores: Tensor | tuple[Tensor, ...], t: Tensor) -> Tensor:
        if isinstance(scores, Tensor):
            return nn.functional.cross_entropy(scores, t)
        main, *others = (nn.functional.cross_entropy(s, t) for s in scores)
        return main + 0.3 * sum(others)


class GoogLeNet(nn.Module):
    """Scores; in training with auxiliary heads a tuple of the main scores and theirs."""

    def __init__(
        self,
        batch_norm: bool = False,
        aux: bool = True,
        output_size: int = 1000,
        width: int = 64,
        hidden_size: int = 1024,
    ):
        super().__init__()

        def size(filters: int) -> int:
            return filters * width // 64

        self.conv1 = BasicConv2d(3, width, batch_norm, 7, 2)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.norm1 = nn.Identity() if batch_norm else nn.LocalResponseNorm(5)
        self.conv2 = BasicConv2d(width, width, batch_norm)
        self.conv3 = BasicConv2d(width, size(192), batch_norm, 3)
        self.norm2 = nn.Identity() if batch_norm else nn.LocalResponseNorm(5)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        channels = {"": size(192)}
        for line in TABLE.split("\n")[1:-1]:
            name, *columns = line.split()
            module = Inception(list(channels.values())[-1], [size(int(c)) for c in columns], batch_norm)
            self.add_module(f"inception{name}", module)
            channels[name] = module.channels
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(2 if batch_norm else 3, stride=2, ceil_mode=True)
        self.aux1 = self.aux2 = None
        if aux:
            self.aux1 = Auxiliary(channels["4a"], size(128), hidden_size, output_size, batch_norm, 16)
            self.aux2 = Auxiliary(channels["4d"], size(128), hidden_size, output_size, batch_norm, 16)
        self.avgpool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(0.2 if batch_norm else 0.4)
        self.fc = nn.Linear(channels["5b"], output_size)
        self.loss = GoogLeNetLoss()

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        heads = []
        x = self.norm1(self.maxpool1(self.conv1(x)))
        x = self.maxpool2(self.norm2(self.conv3(self.conv2(x))))
        x = self.maxpool3(self.inception("3b", self.inception("3a", x)))
        x = self.inception("4a", x)
        if self.training and self.aux1 is not None:
            heads.append(self.aux1(x))
        x = self.inception("4d", self.inception("4c", self.inception("4b", x)))
        if self.training and self.aux2 is not None:
            heads.append(self.aux2(x))
        x = self.maxpool4(self.inception("4e", x))
        x = self.inception("5b", self.inception("5a", x))
        x = self.fc(self.dropout(self.avgpool(x)))
        return (x, *heads) if heads else x

    def inception(self, name: str, x: Tensor) -> Tensor:
        return self.get_submodule(f"inception{name}")(x)
