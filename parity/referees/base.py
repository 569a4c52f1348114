"""The interface of every referee: it answers the same question as ours, on the same weights and images."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from parity.reference.trace import Masks
from scratchcnn.networks import Network
from scratchcnn.typing import Array

OURS = "ours"


class Question(NamedTuple):
    """A batch for the network `network`, with its weights and in its dtype.

    name       the network's name on the command line
    training   True for training mode, with these dropout masks; False for inference
    gradients  whether the gradients of the loss are asked for as well
    """

    name: str
    network: Network
    x: Array
    t: Array
    masks: Masks
    training: bool = False
    gradients: bool = True

    @property
    def tensors(self) -> list[str]:
        """The names in a full answer: "scores", "loss", "x" and the parameters."""
        return ["scores", "loss", *(["x", *self.network.params] if self.gradients else [])]

    def with_network(self, network: Network, gradients: bool) -> Question:
        """The same images for other weights or another dtype."""
        return self._replace(network=network, x=self.x.astype(network.dtype), gradients=gradients)


Answer = Mapping[str, Array]  # by tensor; a gradient has the name of what it belongs to


class NoAnswer(Exception):
    """A referee cannot answer this question; the message says why."""


class Referee:
    """A reference to compare with.

    name        on the command line
    packages    what must be installed for it
    gradients   whether it computes gradients
    trains      whether it can run a network in training mode
    """

    name = ""
    packages: Sequence[str] = ()
    gradients = True
    trains = True

    def answer(self, question: Question) -> Answer:
        """The requested tensors, in the network's dtype. Raises NoAnswer when it cannot compute them."""
        raise NotImplementedError

    def answers(self, question: Question, networks: Sequence[Network]) -> list[Answer]:
        """One answer for each of several networks that differ only in their weights."""
        return [self.answer(question._replace(network=network)) for network in networks]

    def lacks(self, dtype: str, question: Question) -> str:
        """Why it cannot answer in that dtype, or an empty string."""
        return ""

    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name in self.packages if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def to_numpy(array: object) -> Array:
    """A framework's array as a NumPy array that owns its memory."""
    return np.array(array)
