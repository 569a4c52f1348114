"""The same network as a PyTorch user writes it."""

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
