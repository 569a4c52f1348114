"""`import scratchcnn` needs numpy alone: everything else third-party is refused while it runs."""

import subprocess
import sys

import scratchcnn

BLOCK = """
import sys
allowed = {"numpy", "scratchcnn", *sys.stdlib_module_names}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ImportError(f"{name} is not numpy")

sys.meta_path.insert(0, Refuse())
"""
TRAIN = """
import numpy as np
import scratchcnn as sc
network = sc.SimpleConvNet((1, 6, 6), {"filter_num": 2, "filter_size": 3}, 4, 3, rng=0)
x, t = np.zeros((4, 1, 6, 6), np.float32), np.arange(4) % 3
trainer = sc.Trainer(network, x, t, x, t, epochs=1, mini_batch_size=2, optimizer="Adam")
trainer.train()
from scratchcnn import data, naive, layers, networks
data.load()
print(network.accuracy(x, t))
"""


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCK + code], capture_output=True, text=True, check=False
    )


def test_import_and_training_need_numpy_alone():
    done = run(TRAIN)
    assert (done.returncode, done.stderr) == (0, "")
    assert 0 <= float(done.stdout) <= 1


def test_the_block_blocks():
    done = run("import torch")
    assert done.returncode == 1 and "torch is not numpy" in done.stderr


def test_import_loads_nothing_else():
    others = ("PIL", "matplotlib", "pandas", "pooch", "rich", "safetensors", "torch", "typer")
    code = f"import sys, scratchcnn; print([name for name in {others} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert sorted(scratchcnn.__all__) == sorted(set(scratchcnn.__all__))
    assert [name for name in scratchcnn.__all__ if not hasattr(scratchcnn, name)] == []
