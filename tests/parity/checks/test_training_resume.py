"""`parity train` interrupted and resumed: the same numbers as without it, and clear refusals."""

import re
import signal
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from parity.checks import training, training_checkpoint
from parity.checks.training import Plan, Training, uninterrupted
from scratchcnn.data import load
from scratchcnn.weights import read_safetensors, write_safetensors

ENDED = (0, 1, 2)  # in ten steps a network may learn nothing, which proves nothing
PLAN = Plan("simple_conv_net", "float32", epochs=2, batch_size=50)


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    data = load()
    few = replace(
        data,
        x_train=data.x_train[:230],
        t_train=data.t_train[:230],
        x_test=data.x_test[:50],
        t_test=data.t_test[:50],
    )
    monkeypatch.setattr(training, "load", lambda *args, **options: few)


def stop_after(steps):
    def progress(done, total):
        if done == steps:
            raise KeyboardInterrupt

    return progress


def without_times(rows):
    return [{k: v for k, v in row.items() if not k.endswith("images_per_s")} for row in rows]


@pytest.mark.parametrize("steps", [1, 4, 5, 7], ids=lambda n: f"after step {n} of 10")
@pytest.mark.parametrize("network", ["simple_conv_net", "lenet5"])
def test_a_resumed_run_is_the_same_run(tmp_path, steps, network):
    plan, path = replace(PLAN, network=network), tmp_path / "run.safetensors"
    whole = Training(plan)
    whole.run()
    first = Training(plan)
    with pytest.raises(KeyboardInterrupt):
        first.run(stop_after(steps))
    training_checkpoint.save(first, path)
    second = Training(plan)
    training_checkpoint.load(second, path)
    assert len(second.losses) == steps
    second.run()
    assert second.losses == whole.losses
    assert without_times(second.rows) == without_times(whole.rows)
    for name, p in whole.network.params.items():
        assert np.array_equal(p, second.network.params[name]), name
    for name, p in whole.module.state_dict().items():
        assert p.equal(second.module.state_dict()[name]), name


def test_masks_are_drawn_on_from_where_they_were(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(training, "draw_masks", lambda shapes, n, rng: drawn.append(rng.random()) or {})
    path = tmp_path / "run.safetensors"
    Training(PLAN).run()
    whole = drawn.copy()
    drawn.clear()
    half, second = Training(PLAN), Training(PLAN)
    with pytest.raises(KeyboardInterrupt):
        half.run(stop_after(3))
    training_checkpoint.save(half, path)
    training_checkpoint.load(second, path)
    second.run()
    assert drawn == whole and len(set(whole)) == 10


@pytest.mark.parametrize(
    ("change", "said"),
    [({"seed": 1}, "seed: 0 there, 1 here"), ({"lr": 0.1}, "lr: 0.003 there, 0.1 here")],
    ids=["another seed", "another rate"],
)
def test_another_run_is_refused(tmp_path, change, said):
    path = tmp_path / "run.safetensors"
    training_checkpoint.save(Training(PLAN), path)
    with pytest.raises(ValueError, match="belongs to another run") as error:
        training_checkpoint.load(Training(replace(PLAN, **change)), path)
    assert said in str(error.value)


@pytest.fixture
def stopped(tmp_path):
    """A run after two steps, and its file."""
    run = Training(PLAN)
    with pytest.raises(KeyboardInterrupt):
        run.run(stop_after(2))
    training_checkpoint.save(run, tmp_path / "run.safetensors")
    return run, tmp_path / "run.safetensors"


def changed(name, array):
    """The file with another array of that name, or with none."""

    def change(tensors, metadata):
        tensors.pop(name)
        return tensors | ({} if array is None else {name: array}), metadata

    return change


def without(key):
    return lambda tensors, metadata: (tensors, {k: v for k, v in metadata.items() if k != key})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed("ours.W3", np.ones((2, 2), np.float32)), r"ours.W3: expected float32 of shape \(100, 10\)"),
        (changed("torch.conv1.bias", None), "torch.conv1.bias: missing from the file"),
        (changed("optim.m.W1", np.ones(3, np.float32)), "damaged checkpoint"),
        (changed("adam.conv1.bias/exp_avg", np.ones(3, np.float32)), "Adam is of another shape"),
        (changed("adam.conv1.bias/step", None), "Adam is of other parameters"),
        (changed("left", np.array([999])), "not training images"),
        (changed("losses", np.ones(3)), "the losses of two sides"),
        (without("rng"), "damaged checkpoint .KeyError: 'rng'"),
        (without("plan"), "damaged checkpoint .KeyError: 'plan'"),
    ],
    ids=["weight", "twin", "moment", "twin's moment", "twin's step", "image", "losses", "generator", "plan"],
)
def test_a_file_that_does_not_fit_changes_nothing(tmp_path, stopped, change, said):
    _, path = stopped
    write_safetensors(path, *change(*read_safetensors(path)))
    fresh = Training(PLAN)
    before = written(fresh, tmp_path)
    with pytest.raises(ValueError, match=said):
        training_checkpoint.load(fresh, path)
    assert written(fresh, tmp_path) == before


def written(run, folder):
    training_checkpoint.save(run, folder / "copy.safetensors")
    tensors, metadata = read_safetensors(folder / "copy.safetensors")
    return {name: array.tobytes() for name, array in tensors.items()}, metadata


def test_weights_alone_are_refused(tmp_path):
    from scratchcnn.weights import save_weights

    save_weights(Training(PLAN).network, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="is not a checkpoint of `parity train`"):
        training_checkpoint.load(Training(PLAN), tmp_path / "w.safetensors")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_a_step(number):
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(number)
        done.append("both sides stepped")
    assert done == ["both sides stepped"]


# -- the command ----------------------------------------------------------------------------------
def test_ctrl_c_keeps_what_was_done_and_resume_goes_on(tmp_path, monkeypatch, parity):
    options = ("train", "simple_conv_net", "--epochs", 2, "--batch-size", 50, "--out", tmp_path)
    step, taken = Training._step, []

    def interrupted_step(self, batch):
        taken.append(1)
        if len(taken) == 8:
            raise KeyboardInterrupt
        step(self, batch)

    monkeypatch.setattr(Training, "_step", interrupted_step)
    status, _, err = parity(*options)
    assert status == 130 and "interrupted after 7 of 10 steps" in err and "--resume continues" in err
    assert pd.read_parquet(tmp_path / "training.parquet")["epoch"].tolist() == [1]
    assert pd.read_parquet(tmp_path / "training_steps.parquet")["step"].tolist() == list(range(1, 8))
    assert (tmp_path / "simple_conv_net-float32.safetensors").exists()

    monkeypatch.setattr(Training, "_step", step)
    monkeypatch.setattr("parity.timing.clock.others_seconds", lambda: 0.0)
    status, out, _ = parity(*options, "--resume")
    assert status in ENDED
    speeds = pd.read_parquet(tmp_path / "training.parquet")[["images_per_s", "torch_images_per_s"]].median()
    assert f"{speeds.iloc[0]:,.0f} images/s (NumPy) and {speeds.iloc[1]:,.0f} (PyTorch)" in out
    assert "resuming after 7 of 10 steps" in out and "images/s (NumPy / PyTorch)" in out
    assert pd.read_parquet(tmp_path / "training_steps.parquet")["step"].tolist() == list(range(1, 11))
    assert not list(tmp_path.glob("*.safetensors"))  # it came to its end


def test_speeds_are_not_reported_where_others_used_the_cores(tmp_path, monkeypatch, parity):
    growing = iter(range(0, 10**12, 10**6))
    monkeypatch.setattr("parity.timing.clock.others_seconds", lambda: float(next(growing)))
    status, out, _ = parity("train", "simple_conv_net", "--epochs", 1, "--out", tmp_path)
    assert status in ENDED and "images/s" not in out
    assert "speed not comparable: others use" in out and "the speeds are not comparable, since other" in out


def test_a_run_that_would_replace_an_interrupted_one_says_so(tmp_path, monkeypatch, parity):
    monkeypatch.setattr("parity.timing.clock.others_seconds", lambda: 0.0)
    (tmp_path / "simple_conv_net-float32.safetensors").write_bytes(b"of an earlier run")
    status, said, _ = parity("train", "simple_conv_net", "--epochs", 1, "--out", tmp_path)
    assert status in ENDED and "holds an interrupted run, which this new run will replace" in said
    assert "one epoch" in said


def test_a_full_disk_is_one_sentence_and_the_run_is_kept(tmp_path, monkeypatch, parity):
    options = ("train", "simple_conv_net", "--epochs", 2, "--batch-size", 50, "--out")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "full").mkdir()
    write = training_checkpoint.write_safetensors

    def refuse(path, *arguments):
        if path.parent.name == "full":
            raise OSError(f"cannot write {path}: No space left on device")
        write(path, *arguments)

    monkeypatch.setattr(training_checkpoint, "write_safetensors", refuse)
    status, _, err = parity(*options, tmp_path / "full")
    found = re.fullmatch(
        r"error: cannot write .*; the run after \d+ of 10 steps is in (.*); --resume .* continues it\n", err
    )
    assert status == 2 and found, err
    status, out, _ = parity(*options, found[1], "--resume")
    assert status in ENDED and "resuming after" in out


def test_interrupted_before_the_first_step(tmp_path, monkeypatch, parity):
    def stop(self, batch):
        raise KeyboardInterrupt

    monkeypatch.setattr(Training, "_step", stop)
    status, _, err = parity("train", "lenet", "--out", tmp_path)
    assert status == 130 and "interrupted after 0 of" in err
