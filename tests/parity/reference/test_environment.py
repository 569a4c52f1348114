"""What a result was made on is written beside it."""

import json
import re
import subprocess

import numpy as np
import torch

import scratchcnn
from parity.reference.environment import commit, environment, write_environment


def test_versions_threads_and_seed_are_named():
    found = environment("cpu", seed=3)
    assert found["numpy"] == np.__version__ and found["torch"] == torch.__version__
    assert found["seed"] == 3 and found["cores"] >= 1 and found["threads"] == torch.get_num_threads()
    assert found["command"].startswith("python -m parity") and found["blas"] and found["cpu"]
    assert found["torch_simd"] in torch.__config__.show() or found["torch_simd"] == "DEFAULT"


def test_date_version_and_commit_are_named(tmp_path, monkeypatch):
    found = environment("cpu")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", found["date"])
    assert found["version"] == scratchcnn.__version__
    file = tmp_path / "scratchcnn" / "__init__.py"
    file.parent.mkdir()
    file.write_text("")
    monkeypatch.setattr(scratchcnn, "__file__", str(file))
    assert commit() == ""  # no clone
    me = ["-c", "user.name=a", "-c", "user.email=a"]
    for words in (["init", "-q"], ["add", "."], [*me, "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    assert re.fullmatch(r"[0-9a-f]{7,}", commit())
    file.write_text("changed")
    assert commit().endswith(" with changes")


def test_it_is_written_as_json_and_replaced(tmp_path):
    write_environment(tmp_path / "new", seed=1)
    path = write_environment(tmp_path / "new", seed=2)
    assert json.loads(path.read_text(encoding="utf-8"))["seed"] == 2
    assert [file.name for file in path.parent.iterdir()] == ["environment.json"]
