"""What every referee is: one that answers the question that ours answers, on the same weights and images."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity.reference.trace import Masks
from scratchcnn.networks import Network

OURS = "ours"


class Question(NamedTuple):
    """A batch for a network whose weights `network` holds, in whose dtype the answer is to be.

    name       the network's name on the command line
    training   as in training, with these dropout masks; else as in inference
    gradients  whether those of the loss are wanted as well
    """

    name: str
    network: Network
    x: NDArray
    t: NDArray
    masks: Masks
    training: bool = False
    gradients: bool = True

    @property
    def tensors(self) -> list[str]:
        """What a full answer holds: "scores", "loss", "x" and the parameters."""
        return ["scores", "loss", *(["x", *self.network.params] if self.gradients else [])]

    def reworded(self, network: Network, gradients: bool) -> Question:
        """The same images for other weights or another dtype."""
        return self._replace(network=network, x=self.x.astype(network.dtype), gradients=gradients)


Answer = Mapping[str, NDArray]  # a tensor's name -> it; the gradients carry the names of what they belong to


class Silent(Exception):
    """A referee has no answer to this question; the message says why."""


class Referee:
    """A reference to compare with.

    name        on the command line
    packages    what has to be installed for it
    gradients   whether it answers with gradients
    trains      whether it runs networks as in training
    """

    name = ""
    packages: Sequence[str] = ()
    gradients = True
    trains = True

    def answer(self, question: Question) -> Answer:
        """The tensors that were asked for, of the network's dtype. Raises Silent when it cannot."""
        raise NotImplementedError

    def answers(self, question: Question, networks: Sequence[Network]) -> list[Answer]:
        """The same of several networks, which differ in their weights alone."""
        return [self.answer(question._replace(network=network)) for network in networks]

    def lacks(self, dtype: str, question: Question) -> str:
        """Why it cannot answer in that dtype, or an empty string."""
        return ""

    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name in self.packages if not _there(name)]


def _there(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def numbers(array: object) -> NDArray:
    """An array of a framework as NumPy's, memory of its own."""
    return np.array(array)
