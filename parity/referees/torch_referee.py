"""PyTorch's voice: the network as a PyTorch user writes it (parity/reference/networks.py)."""

from __future__ import annotations

from functools import partial

import torch

from parity.kinds.kind import to_numpy
from parity.referees.base import Answer, Question, Referee
from parity.reference import trace as tr
from parity.reference.model_pair import torch_like


class Torch(Referee):
    name = "torch"
    packages = ("torch",)

    def answer(self, question: Question) -> Answer:
        module = torch_like(question.name, question.network, "cpu").train(question.training)
        masks = question.masks if question.training else {}
        x = torch.from_numpy(question.x).requires_grad_(question.gradients)
        with tr.torch_injected(module, masks), torch.set_grad_enabled(question.gradients):
            out = module(x)
            loss = module.loss(out, torch.from_numpy(question.t))  # type: ignore[operator]
            if question.gradients:
                loss.backward()
        out = out[0] if isinstance(out, tuple) else out  # the other outputs are the auxiliary heads'
        answer = {"scores": question.network.scores(to_numpy(out)), "loss": to_numpy(loss)}
        if not question.gradients:
            return answer
        zeros = partial(torch.zeros_like, memory_format=torch.contiguous_format)
        for parameter in module.parameters():  # the loss may not depend on some
            if parameter.grad is None:
                parameter.grad = zeros(parameter)
        assert x.grad is not None
        return {**answer, "x": to_numpy(x.grad), **tr.torch_gradients(module, question.network)}
