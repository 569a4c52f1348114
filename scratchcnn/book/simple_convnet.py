"""The book's ch07/simple_convnet.py (section 7.5): our SimpleConvNet, with float32 weights that follow
`np.random.seed`."""

from __future__ import annotations

from typing import Any

import scratchcnn as sc
from scratchcnn.book.seeded import generator


class SimpleConvNet(sc.SimpleConvNet):
    def __init__(
        self,
        input_dim: tuple[int, int, int] = (1, 28, 28),
        conv_param: Any = None,
        hidden_size: int = 100,
        output_size: int = 10,
        weight_init_std: float | str = 0.01,
    ):
        super().__init__(input_dim, conv_param, hidden_size, output_size, weight_init_std, rng=generator())
