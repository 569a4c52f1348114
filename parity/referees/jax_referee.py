"""JAX's voice: the network of parity/referees/jax_layers.py, differentiated by jax.grad.

64-bit numbers, exact products and the CPU are enabled only during the call, so other users of JAX in the same
process keep their own settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from parity.referees.base import Answer, Question, Referee, to_numpy
from scratchcnn.networks import Network


class Jax(Referee):
    name = "jax"
    packages = ("jax",)

    def answer(self, question: Question) -> Answer:
        return self.answers(question, [question.network])[0]

    def answers(self, question: Question, networks: Sequence[Network]) -> list[Answer]:
        import jax

        with (
            jax.enable_x64(True),
            jax.default_matmul_precision("highest"),
            jax.default_device(jax.devices("cpu")[0]),
        ):
            run = compiled(question)
            return [run(network) for network in networks]


def compiled(question: Question) -> Callable[[Network], Answer]:
    """The question as a function of a network with other weights, compiled once for all of them."""
    import jax
    import jax.numpy as jnp

    from parity.referees.jax_layers import LOSSES, Mode, forward, rule_for

    structure = question.network
    criterion, t = rule_for(LOSSES, structure.last_layer), jnp.asarray(question.t)
    masks = {path: jnp.asarray(mask) for path, mask in question.masks.items()} if question.training else {}

    def loss(
        x: jax.Array, params: dict[str, jax.Array], buffers: dict[str, jax.Array]
    ) -> tuple[jax.Array, jax.Array]:
        mode = Mode(question.training, t, masks)
        out = forward(structure.layers, params | buffers, x, mode)
        return criterion(structure.last_layer, out, t) + mode.side_loss, out

    with_gradients = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
    function = jax.jit(with_gradients if question.gradients else loss)

    def run(network: Network) -> Answer:
        layers = network.layers
        found = function(jnp.asarray(question.x), dict(layers.params), dict(layers.buffers))
        (value, out), (dx, grads) = found if question.gradients else (found, (None, {}))
        answer = {"scores": network.scores(to_numpy(out)), "loss": to_numpy(value)}
        if not question.gradients:
            return answer
        return {**answer, "x": to_numpy(dx)} | {
            name: to_numpy(grads[path]) for name, path in network._paths.items()
        }

    return run
