"""What a result was made on is written beside it."""

import json

import numpy as np
import torch

from parity.reference.environment import environment, write_environment


def test_versions_threads_and_seed_are_named():
    found = environment("cpu", seed=3)
    assert found["numpy"] == np.__version__ and found["torch"] == torch.__version__
    assert found["seed"] == 3 and found["cores"] >= 1 and found["threads"] == torch.get_num_threads()
    assert found["command"].startswith("python -m parity") and found["blas"] and found["cpu"]
    assert found["torch_simd"] in torch.__config__.show() or found["torch_simd"] == "DEFAULT"


def test_it_is_written_as_json_and_replaced(tmp_path):
    write_environment(tmp_path / "new", seed=1)
    path = write_environment(tmp_path / "new", seed=2)
    assert json.loads(path.read_text(encoding="utf-8"))["seed"] == 2
    assert [file.name for file in path.parent.iterdir()] == ["environment.json"]
