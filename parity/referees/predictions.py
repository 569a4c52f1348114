"""Predictions of the same network by ONNX Runtime and by JAX (jit): what a user could run instead.

ONNX Runtime runs the file that `scratchcnn.export_onnx` writes, JAX the network of its referee. Both get
NumPy's arrays and return them, as our `predict` does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from parity.comparison.gates import logic_gate
from parity.cores import cores
from parity.referees.base import to_numpy
from parity.timing.clock import Contestant
from parity.timing.costs import PREDICT
from scratchcnn.networks import Network
from scratchcnn.typing import Array

ROUNDS = 5  # they are compared with PyTorch, not closely
CLOSE = 1e-3  # of the largest score: both round differently, and nothing is proved here
Predict = Callable[[], Array]


def other_frameworks(
    network: Network, x: Array, t: Array, threads: int
) -> tuple[list[Contestant], dict[str, bool | None], dict[str, str]]:
    """The contestants, their verdicts by name, and by name why one is not timed."""
    contestants: list[Contestant] = []
    verdicts: dict[str, bool | None] = {}
    notes: dict[str, str] = {}
    wanted = network.predict(x)
    for name, make in (("onnxruntime", _onnx_runtime), ("jax", _jax)):
        try:
            predict = make(network, x, t, threads)
            found = predict()
        except ImportError as error:
            notes[name] = f"not run: {error.name or name} is not installed"
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            notes[name] = f"not run: {type(error).__name__}: {reason}"
        else:
            verdicts[name] = logic_gate(found, wanted, rtol=CLOSE).ok
            contestants.append(Contestant(name, [[(PREDICT, predict)]], most=ROUNDS))
    return contestants, verdicts, notes


def _onnx_runtime(network: Network, x: Array, t: Array, threads: int) -> Predict:
    import onnxruntime

    from scratchcnn.onnx_export import export_onnx

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export_onnx(network, path)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: np.asarray(session.run(["scores"], {"x": x})[0])


def _jax(network: Network, x: Array, t: Array, threads: int) -> Predict:
    import jax
    import jax.numpy as jnp

    from parity.referees.jax_layers import Mode, forward

    if threads != cores():
        raise ValueError(f"JAX uses all {cores()} cores, here {threads} are used")
    layers, mode = network.layers, Mode(False, jnp.asarray(t))
    cpu = jax.devices("cpu")[0]
    arrays = {name: jax.device_put(a, cpu) for name, a in (layers.params | layers.buffers).items()}
    run = jax.jit(lambda arrays, x: forward(layers, arrays, x, mode))
    return lambda: np.asarray(network.scores(to_numpy(run(arrays, jax.device_put(x, cpu)))))
