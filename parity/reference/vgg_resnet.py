"""The networks that the chapter goes on to, as a PyTorch user writes them: AlexNet of 2014, VGG, ResNet.

Written from the papers and from torchvision's documented key names, so that a state dict of one of these
modules is what a torchvision file holds. Every activation is a module of its own, so that it can be
watched by itself.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn


class TorchvisionAlexNet(nn.Module):
    def __init__(self, output_size: int = 1000, dropout: float = 0.5, hidden_size: int = 4096):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, hidden_size),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, output_size),
        )
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.flatten(self.avgpool(self.features(x))))


# Simonyan and Zisserman 2014, table 1: filters of each 3x3 convolution, "/" a max pooling.
VGG_COLUMNS = {
    11: "64 / 128 / 256 256 / 512 512 / 512 512 /",
    13: "64 64 / 128 128 / 256 256 / 512 512 / 512 512 /",
    16: "64 64 / 128 128 / 256 256 256 / 512 512 512 / 512 512 512 /",
    19: "64 64 / 128 128 / 256 256 256 256 / 512 512 512 512 / 512 512 512 512 /",
}


class VGG(nn.Module):
    def __init__(
        self,
        depth: int = 16,
        batch_norm: bool = False,
        output_size: int = 1000,
        dropout: float = 0.5,
        width: int = 64,
        hidden_size: int = 4096,
    ):
        super().__init__()
        self.features = nn.Sequential()
        channels = 3
        for entry in VGG_COLUMNS[depth].split():
            if entry == "/":
                self.features.append(nn.MaxPool2d(2, 2))
                continue
            filters = int(entry) * width // 64
            self.features.append(nn.Conv2d(channels, filters, 3, padding=1))
            if batch_norm:
                self.features.append(nn.BatchNorm2d(filters))
            self.features.append(nn.ReLU())
            channels = filters
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Linear(channels * 49, hidden_size),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, output_size),
        )
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.flatten(self.avgpool(self.features(x))))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions (He et al. 2015, figure 5, left)."""

    expansion = 1

    def __init__(self, inputs: int, filters: int, stride: int, stride_first: bool):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = _downsample(inputs, filters, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions (He et al. 2015, figure 5, right)."""

    expansion = 4

    def __init__(self, inputs: int, filters: int, stride: int, stride_first: bool):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 1, stride if stride_first else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(filters, filters, 3, 1 if stride_first else stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(filters, 4 * filters, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * filters)
        self.downsample = _downsample(inputs, 4 * filters, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


def _downsample(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    def __init__(self, depth: int = 50, output_size: int = 1000, stride_first: bool = False, width: int = 64):
        super().__init__()
        kinds: dict[int, tuple[type[BasicBlock | Bottleneck], list[int]]]
        kinds = {
            18: (BasicBlock, [2, 2, 2, 2]),
            34: (BasicBlock, [3, 4, 6, 3]),
            50: (Bottleneck, [3, 4, 6, 3]),
            101: (Bottleneck, [3, 4, 23, 3]),
        }
        block, counts = kinds[depth]
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs, stages = width, OrderedDict()
        for k, count in enumerate(counts):
            stages[f"layer{k + 1}"] = row = nn.Sequential()
            for i in range(count):
                row.append(block(inputs, width << k, 2 if k and i == 0 else 1, stride_first))
                inputs = (width << k) * block.expansion
        for name, row in stages.items():
            self.add_module(name, row)
        self.avgpool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(inputs, output_size)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for k in range(1, 5):
            x = self.get_submodule(f"layer{k}")(x)
        return self.fc(self.avgpool(x))
