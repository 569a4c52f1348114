"""The networks beyond the chapter, narrow and on small images: ours, and PyTorch's of the same names."""

from torch import nn

import scratchcnn as sc
from parity.reference.googlenet import GoogLeNet
from parity.reference.vgg_resnet import VGG, ResNet, TorchvisionAlexNet


def torch_googlenet():
    """For images of 127x79, where the heads' average leaves 2x1 of 8x5, and not 4x4 of 14x14."""
    module = GoogLeNet(False, True, 10, width=8, hidden_size=16)
    for head in (module.aux1, module.aux2):
        head.fc1 = nn.Linear(16 * 2 * 1, 16)
    return module


SMALL = {  # name: (ours, theirs)
    "alexnet_torchvision": (
        lambda rng: sc.TorchvisionAlexNet((3, 67, 63), 10, hidden_size=16, rng=rng),
        lambda: TorchvisionAlexNet(10, hidden_size=16),
    ),
    "vgg11": (
        lambda rng: sc.VGG(11, False, (3, 33, 40), 10, width=8, hidden_size=16, rng=rng),
        lambda: VGG(11, False, 10, width=8, hidden_size=16),
    ),
    "vgg11_bn": (
        lambda rng: sc.VGG(11, True, (3, 48, 40), 10, width=8, hidden_size=16, rng=rng),
        lambda: VGG(11, True, 10, width=8, hidden_size=16),
    ),
    "googlenet": (
        lambda rng: sc.GoogLeNet(False, True, (3, 127, 79), 10, width=8, hidden_size=16, rng=rng),
        torch_googlenet,
    ),
    "googlenet_bn": (
        lambda rng: sc.GoogLeNet(True, True, (3, 65, 76), 10, width=8, hidden_size=16, rng=rng),
        lambda: GoogLeNet(True, True, 10, width=8, hidden_size=16),
    ),
    "googlenet_bn without heads": (
        lambda rng: sc.GoogLeNet(True, False, (3, 65, 76), 10, width=8, rng=rng),
        lambda: GoogLeNet(True, False, 10, width=8),
    ),
    "resnet18": (
        lambda rng: sc.ResNet(18, (3, 61, 50), 10, width=8, rng=rng),
        lambda: ResNet(18, 10, width=8),
    ),
    "resnet50": (
        lambda rng: sc.ResNet(50, (3, 61, 50), 10, width=4, rng=rng),
        lambda: ResNet(50, 10, width=4),
    ),
    "resnet50, stride in the 1x1": (
        lambda rng: sc.ResNet(50, (3, 61, 50), 10, "1x1", width=4, rng=rng),
        lambda: ResNet(50, 10, True, width=4),
    ),
}
