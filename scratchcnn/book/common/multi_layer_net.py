"""The book's common/multi_layer_net.py (chapter 6)."""

from __future__ import annotations

from collections.abc import Sequence

from scratchcnn.book.common.multi_layer_net_extend import MultiLayerNetExtend


class MultiLayerNet(MultiLayerNetExtend):
    """`MultiLayerNetExtend` without dropout and batch normalization."""

    def __init__(
        self,
        input_size: int,
        hidden_size_list: Sequence[int],
        output_size: int,
        activation: str = "relu",
        weight_init_std: float | str = "relu",
        weight_decay_lambda: float = 0,
    ):
        super().__init__(
            input_size, hidden_size_list, output_size, activation, weight_init_std, weight_decay_lambda
        )
