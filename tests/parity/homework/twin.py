"""The same network as a PyTorch user writes it."""

import torch
import torch.nn.functional as F
from torch import nn


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3, padding=1)
        self.hidden, self.out = nn.Linear(27, 5), nn.Linear(5, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 3, 2)
        return self.out(F.relu(self.hidden(x.flatten(1))))


class DroppingTwin(Twin):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)


class SoftmaxTwin(Twin):
    """Ends in softmax, and cross entropy would take that for scores."""

    def forward(self, x):
        return F.softmax(super().forward(x), 1)


class FunctionalDropoutTwin(Twin):
    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 3, 2)
        return self.out(F.dropout(F.relu(self.hidden(x.flatten(1))), 0.5, self.training))


class ChannelsTwin(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(2, 3, 3), nn.Linear(48, 5)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).flatten(1))


class LogSoftmaxTwin(Twin):
    """Ends in log_softmax, which cross entropy does not notice."""

    def forward(self, x):
        return F.log_softmax(super().forward(x), 1)


class LeakyTwin(Twin):
    def forward(self, x):
        x = F.max_pool2d(F.leaky_relu(self.conv(x), 0.1), 3, 2)
        return self.out(F.leaky_relu(self.hidden(x.flatten(1)), 0.1))


class TwinOfParameters(nn.Module):
    """Parameters and functions, no modules."""

    def __init__(self):
        super().__init__()
        shapes = {"W1": (3, 1, 3, 3), "b1": 3, "W2": (27, 5), "b2": 5, "W3": (5, 4), "b3": 4}
        for name, shape in shapes.items():
            setattr(self, name, nn.Parameter(torch.zeros(shape)))

    def forward(self, x):
        x = F.max_pool2d(F.relu(F.conv2d(x, self.W1, self.b1, padding=1)), 3, 2)
        return F.relu(x.flatten(1) @ self.W2 + self.b2) @ self.W3 + self.b3


class MaskedConv2d(nn.Conv2d):
    """Its weights without a connection are 0."""

    def forward(self, x):
        connections = torch.tensor([[1, 0, 1], [0, 1, 1], [1, 1, 0]])
        W = self.weight * connections[:, :, None, None]
        return F.conv2d(x, W, self.bias, self.stride, self.padding)


class MaskedTwin(Twin):
    def __init__(self):
        super().__init__()
        self.conv = MaskedConv2d(3, 3, 3, padding=1)


class BatchNormTwin(Twin):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn(self.conv(x))), 3, 2)
        return self.out(F.relu(self.hidden(x.flatten(1))))


class ResidualTwin(Twin):
    def __init__(self):
        super().__init__()
        self.second = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = F.max_pool2d(x + self.second(x), 3, 2)
        return self.out(F.relu(self.hidden(x.flatten(1))))


# -- twins of other ways ------------------------------------------------------------------------------
class InPlaceTwin(Twin):
    """As torchvision's networks do; and it starts by changing its images."""

    def forward(self, x):
        x = F.max_pool2d(F.relu_(self.conv(x.mul_(1.0))), 3, 2)
        return self.out(F.relu_(self.hidden(x.flatten(1))))


class FrozenTwin(Twin):
    def __init__(self):
        super().__init__()
        self.conv.requires_grad_(False)


class TwinOfSums(Twin):
    def loss(self, scores, t):
        return F.cross_entropy(scores, t, reduction="sum")


class TwinThatNeedsMore(Twin):
    def __init__(self, hidden):
        super().__init__()


class TwinThatRaises(Twin):
    def forward(self, x):
        raise TypeError("no way")


class TwinOfTwoOutputs(Twin):
    def forward(self, x):
        return super().forward(x), x


class TwinWithoutClasses(Twin):
    def forward(self, x):
        return super().forward(x)[:, 0]


class TwinOfNaN(Twin):
    def forward(self, x):
        return super().forward(x) * float("nan")


class TwinOfManyLosses(Twin):
    def loss(self, scores, t):
        return F.cross_entropy(scores, t, reduction="none")


class TwinOfOneScore(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(12, 1)

    def forward(self, x):
        return self.out(x.flatten(1))

    def loss(self, scores, t):
        return F.binary_cross_entropy_with_logits(scores[:, 0], t.to(scores.dtype))
