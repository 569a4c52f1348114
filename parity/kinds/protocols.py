"""What the harness needs of a network, a layer, a loss or an optimizer, whoever wrote it.

`scratchcnn`'s classes satisfy these protocols without knowing of them, and so do the book's. What only our
own classes have (a layer's `leaves`, masks that can be injected) is asked of them by their classes' names.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, Protocol, runtime_checkable

from scratchcnn.typing import Array


class LayerLike(Protocol):
    """forward(x) -> out, then backward(dout) -> dx; what it learnt about its parameters it keeps itself."""

    def forward(self, x: Array, /) -> Array: ...

    def backward(self, dout: Array, /) -> Array: ...


class LossLike(Protocol):
    """forward(scores, t) -> the mean loss, then backward() -> its gradient for the scores."""

    def forward(self, x: Array, t: Array, /) -> Any: ...

    def backward(self, dout: Any = 1, /) -> Array: ...


@runtime_checkable
class NetworkLike(Protocol):
    """The book's network: `params` by name, the mean loss of a batch, and its gradient for each of params.

    `params` holds the very arrays that the network computes with: writing into them changes the network.
    Optional are `predict(x) -> scores`, `layers` (a dict or a list of `LayerLike`), the loss as `last_layer`,
    and one image's shape as `input_dim`.
    """

    @property
    def params(self) -> MutableMapping[str, Array]: ...

    def loss(self, x: Array, t: Array, /) -> Any: ...

    def gradient(self, x: Array, t: Array, /) -> Mapping[str, Array]: ...


class OptimizerLike(Protocol):
    """update(params, grads) changes the arrays of params in place."""

    def update(self, params: Any, grads: Any, /) -> None: ...
