"""JAX's voice: the network of parity/referees/jax_layers.py, differentiated by jax.grad.

64-bit numbers, exact products and the CPU are switched on for the call alone: whoever else uses JAX in the
same process keeps their own settings.
"""

from __future__ import annotations

import numpy as np

from parity.referees.base import Answer, Question, Referee, numbers


class Jax(Referee):
    name = "jax"
    packages = ("jax",)

    def answer(self, question: Question) -> Answer:
        import jax

        with (
            jax.enable_x64(True),
            jax.default_matmul_precision("highest"),
            jax.default_device(jax.devices("cpu")[0]),
        ):
            return _answer(question)


def _answer(question: Question) -> Answer:
    import jax
    import jax.numpy as jnp

    from parity.referees.jax_layers import LOSSES, Run, forward, rule_for

    network, (params, buffers) = question.network, arrays(question)
    criterion, t = rule_for(LOSSES, network.last_layer), jnp.asarray(question.t)
    masks = {path: jnp.asarray(mask) for path, mask in question.masks.items()} if question.training else {}

    def loss(x: jax.Array, params: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        run = Run(question.training, t, masks)
        out = forward(network.layers, params | buffers, x, run)
        return criterion(network.last_layer, out, t) + run.side_loss, out

    x, started = jnp.asarray(question.x), {path: jnp.asarray(a) for path, a in params.items()}
    if not question.gradients:
        value, out = jax.jit(loss)(x, started)
        return {"scores": network.scores(numbers(out)), "loss": numbers(value)}
    both = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))
    (value, out), (dx, grads) = both(x, started)
    named = {name: numbers(grads[path]) for name, path in network._paths.items()}
    return {"scores": network.scores(numbers(out)), "loss": numbers(value), "x": numbers(dx), **named}


def arrays(question: Question) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Parameters and buffers by layer path."""
    layers = question.network.layers
    return dict(layers.params), dict(layers.buffers)
