"""The Trainer: history, the book's arguments, checkpoints that continue bit for bit, Ctrl-C."""

import signal
import threading

import numpy as np
import pytest

from scratchcnn import SGD, Adam, LeNet, Momentum, SimpleConvNet, Trainer
from scratchcnn.data import minibatches
from scratchcnn.images import resize
from scratchcnn.layers import Affine, BatchNormalization, Dropout, Flatten, Relu, Sequential, SoftmaxWithLoss
from scratchcnn.networks import Network
from scratchcnn.weights import read_safetensors, save_weights, write_safetensors

rng = np.random.default_rng(0)
X, T = rng.random((23, 1, 4, 5)), rng.integers(0, 3, 23)


def network(seed=0, dtype=np.float64, dropout_rng=None, hidden=6):
    """Two affine layers with batch normalization and dropout between: buffers and randomness."""
    draw = np.random.default_rng(seed)
    layers = {
        "flatten": Flatten(),
        "affine1": Affine(draw.normal(size=(20, hidden)).astype(dtype), np.zeros(hidden, dtype)),
        "norm": BatchNormalization(np.ones(hidden, dtype), np.zeros(hidden, dtype)),
        "relu": Relu(),
        "dropout": Dropout(0.3, dropout_rng if dropout_rng is not None else seed + 1),
        "affine2": Affine(draw.normal(size=(hidden, 3)).astype(dtype), np.zeros(3, dtype)),
    }
    return Network((1, 4, 5), 3, Sequential(layers))


def trainer(epochs=3, optimizer=None, seed=5, net=None, **options):
    net = network() if net is None else net
    options = {"batch_size": 5, "rng": seed, **options}
    return Trainer(net, X, T, X[:7], T[:7], Adam(0.01) if optimizer is None else optimizer, epochs, **options)


def state(run):
    """Everything that must agree between two runs; wall-clock times cannot."""
    history = [
        {k: v for k, v in row.items() if k not in ("seconds", "images_per_second")} for row in run.history
    ]
    arrays = {**run.network.params, **run.network.buffers, **run.optimizer.state_dict()["arrays"]}
    return history, run.train_loss_list, {name: array.tobytes() for name, array in arrays.items()}


class Stop(Exception):
    pass


def stop_at(step, error):
    def progress(p):
        if p.step == step and p.row is None:
            raise error

    return progress


# -- training ------------------------------------------------------------------------------------
def test_history():
    run = trainer()
    history = run.train()
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert [row["step"] for row in history] == [5, 10, 15]
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["test_accuracy"] == run.network.accuracy(X[:7], T[:7]) == run.test_acc_list[-1]
    assert history[-1]["train_accuracy"] == run.network.accuracy(X, T) == run.train_acc_list[-1]
    assert all(row["seconds"] > 0 and row["images_per_second"] == 23 / row["seconds"] for row in history)


def test_loss_is_the_mean_over_images_though_the_last_batch_is_smaller():
    run = trainer(epochs=1)
    (row,) = run.train()
    losses = run.train_loss_list
    assert row["loss"] == pytest.approx((5 * sum(losses[:4]) + 3 * losses[4]) / 23, rel=1e-15)


def test_training_is_gradient_and_update_over_minibatches():
    run, net = trainer(epochs=1, optimizer=SGD(0.1)), network()
    run.train()
    for batch in minibatches(23, 5, np.random.default_rng(5)):
        for name, grad in net.gradient(X[batch], T[batch]).items():
            net.params[name] -= 0.1 * grad
    assert all(np.allclose(net.params[name], p, rtol=0, atol=1e-14) for name, p in run.network.params.items())


def test_train_switches_dropout_on():
    net = network()
    net.eval()
    trainer(epochs=1, net=net).train()
    assert net.layers["dropout"].mask is not None


def test_progress_is_told_every_step_and_epoch():
    told = []
    run = trainer(epochs=2, progress=told.append)
    run.train()
    assert [(p.epoch, p.step, p.steps) for p in told] == [
        (1 + (i >= 6), s, 10) for i, s in enumerate([1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 10])
    ]
    assert [p.row for p in told if p.row] == run.history
    assert [p.loss for p in told if not p.row] == run.train_loss_list


def test_evaluate_limits_the_images_or_skips_them():
    net = network()
    rows = [trainer(1, net=net, optimizer=SGD(0.0), evaluate=n).train()[0] for n in (4, 0)]
    assert rows[0]["train_accuracy"] == net.accuracy(X[:4], T[:4])
    assert rows[1]["train_accuracy"] is rows[1]["test_accuracy"] is None


def test_transform_sees_every_batch():
    small, big = X[:, :, ::2, ::2], resize(X[:, :, ::2, ::2], (1, 4, 5))
    shrunk = Trainer(
        network(), small, T, small, T, Adam(), 2, 5, rng=1, transform=lambda x: resize(x, (1, 4, 5))
    )
    plain = Trainer(network(), big, T, big, T, Adam(), 2, 5, rng=1)
    shrunk.train(), plain.train()
    assert state(shrunk) == state(plain)


def test_the_books_call_runs(capsys):
    run = Trainer(
        network(),
        X,
        T,
        X,
        T,
        epochs=2,
        mini_batch_size=10,
        optimizer="Adam",
        optimizer_param={"lr": 0.01},
        evaluate_sample_num_per_epoch=7,
        verbose=True,
    )
    run.train()
    assert (run.optimizer.lr, run.batch_size, run.evaluate) == (0.01, 10, 7)
    assert len(run.train_loss_list) == 6 and len(run.train_acc_list) == len(run.test_acc_list) == 2
    assert capsys.readouterr().out.startswith("epoch=1 step=3 loss=")


@pytest.mark.parametrize(
    "form", [np.eye(3)[T], T[:, None], T.astype(np.uint8)], ids=["one-hot", "column", "bytes"]
)
def test_labels_in_every_form_count_the_same(form):
    runs = [Trainer(network(), X, t, X, t, Adam(), 2, 5, rng=0) for t in (T, form)]
    first, second = (run.train() for run in runs)
    assert first[-1]["test_accuracy"] == second[-1]["test_accuracy"] == runs[1].network.accuracy(X, form)


class OfTheBook:
    """A network as the book's first ones: no layers of ours, no modes, no last_loss."""

    def __init__(self):
        draw = np.random.default_rng(0)
        self.params = {"W": draw.normal(size=(20, 3)), "b": np.zeros(3)}

    def predict(self, x):
        return x.reshape(len(x), -1) @ self.params["W"] + self.params["b"]

    def loss(self, x, t):
        return SoftmaxWithLoss().forward(self.predict(x), t)

    def gradient(self, x, t):
        loss = SoftmaxWithLoss()
        loss.forward(self.predict(x), t)
        dout = loss.backward()
        return {"W": x.reshape(len(x), -1).T @ dout, "b": dout.sum(axis=0)}


def test_a_network_of_ones_own_trains_and_resumes(tmp_path):
    def run(**options):
        return Trainer(OfTheBook(), X, T, X[:7], T[:7], Adam(0.01), 3, 5, rng=5, **options)

    whole, broken = run(), run(checkpoint=tmp_path / "run", progress=stop_at(7, KeyboardInterrupt))
    history = whole.train()
    assert history[-1]["loss"] < history[0]["loss"]
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    resumed = run().resume(tmp_path / "run")
    resumed.train()
    assert resumed.train_loss_list == whole.train_loss_list


def test_what_a_network_of_ones_own_lacks_is_named():
    with pytest.raises(
        TypeError, match=r"Trainer: Sequential has no predict, loss, gradient; a network needs"
    ):
        trainer(net=Sequential({}))


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"epochs": -1}, ValueError, "epochs must be at least 0, got -1"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": 2.5}, TypeError, r"batch_size must be a whole number, got 2\.5"),
        ({"evaluate": -1}, ValueError, "evaluate must be at least 0, got -1"),
        ({"optimizer": "Adm"}, ValueError, "no optimizer 'Adm'; there are sgd, momentum"),
        ({"optimizer": Adam}, TypeError, r"optimizer is the class Adam; pass an object: Adam\(\)"),
        ({"optimizer_param": {"lr": 1}}, TypeError, "optimizer_param is for an optimizer given by name"),
    ],
    ids=lambda v: str(v) if isinstance(v, dict) else None,
)
def test_wrong_arguments(change, error, sentence):
    with pytest.raises(error, match=sentence):
        trainer(**change)


def test_labels_and_images_must_agree():
    with pytest.raises(ValueError, match="at least one, got 23 in x_train and 22 in t_train"):
        Trainer(network(), X, T[1:], X, T)
    with pytest.raises(ValueError, match="at least one, got 0 in x_test and 0 in t_test"):
        Trainer(network(), X, T, X[:0], T[:0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_images_that_are_not_finite_are_named(value):
    run = trainer()
    run.x_train = np.full_like(run.x_train, value)
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match="the images hold NaN"),
    ):
        run.train()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_not_finite_stops_the_run():
    net = network()
    net.params["affine2.b"][0] = np.inf
    run = trainer(net=net)
    with pytest.raises(
        FloatingPointError,
        match=r"the loss is \w+ at step 1 .epoch 1.; the weights hold NaN or infinity in affine2\.b",
    ):
        run.train()
    assert np.isinf(net.params["affine2.b"][0]) and run.history == []


# -- checkpoints ---------------------------------------------------------------------------------
@pytest.mark.parametrize("optimizer", [Momentum, Adam], ids=["Momentum", "Adam"])
@pytest.mark.parametrize("step", [2, 5, 9], ids=["mid-epoch", "before evaluation", "second epoch"])
def test_resumed_run_is_bit_identical(tmp_path, step, optimizer):
    whole = trainer(optimizer=optimizer(0.01))
    whole.train()
    broken = trainer(optimizer=optimizer(0.01), progress=stop_at(step, Stop))
    with pytest.raises(Stop):
        broken.train()
    broken.save_checkpoint(tmp_path / "run")
    resumed = trainer(optimizer=optimizer(0.5), seed=77, net=network(seed=9)).resume(tmp_path / "run")
    assert resumed.step == step and resumed.optimizer.lr == 0.01
    resumed.train()
    assert state(resumed) == state(whole)
    assert state(whole)[2] != state(broken)[2]


@pytest.mark.parametrize("step", [2, 7])
def test_a_generator_shared_with_dropout_resumes_too(tmp_path, step):
    def shared(**options):
        one = np.random.Generator(np.random.MT19937(3))  # its state holds an array
        return trainer(net=network(dropout_rng=one), rng=one, **options)

    whole, broken = shared(), shared(progress=stop_at(step, Stop))
    whole.train()
    with pytest.raises(Stop):
        broken.train()
    broken.save_checkpoint(tmp_path / "run")
    resumed = shared().resume(tmp_path / "run")
    resumed.train()
    assert state(resumed) == state(whole)


@pytest.mark.parametrize("kind", [SimpleConvNet, LeNet], ids=lambda k: k.__name__)
def test_real_networks_resume_bit_for_bit(tmp_path, kind):
    x, t = rng.random((30, 1, 28, 28), dtype=np.float32), rng.integers(0, 10, 30)

    def run(seed=0, **options):
        return Trainer(kind(rng=seed), x, t, x, t, Adam(), 2, 8, rng=seed, **options)

    whole, broken = run(), run(progress=stop_at(3, KeyboardInterrupt), checkpoint=tmp_path / "run")
    whole.train()
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    resumed = run(seed=1).resume(tmp_path / "run")
    resumed.train()
    assert state(resumed) == state(whole)


def test_a_finished_run_can_be_trained_further(tmp_path):
    run, longer = trainer(epochs=2, checkpoint=tmp_path / "run"), trainer(epochs=3)
    run.train(), longer.train()
    more = trainer(epochs=3).resume(tmp_path / "run")
    assert more.epoch == 2 and len(more.history) == 2
    more.train()
    assert state(more) == state(longer)


def test_checkpoint_is_written_after_every_epoch(tmp_path):
    steps = []

    def progress(p):
        if (tmp_path / "run").exists():
            steps.append((p.step, len(read_safetensors(tmp_path / "run")[0]["losses"])))

    trainer(epochs=2, checkpoint=tmp_path / "run", progress=progress).train()
    assert steps == [(5, 5), (6, 5), (7, 5), (8, 5), (9, 5), (10, 5), (10, 10)]


ANOTHER_RUN = {
    "optimizer": ({"optimizer": SGD()}, "optimizer: Adam in the file, SGD here"),
    "batch size": ({"batch_size": 4}, "batch_size: 5 in the file, 4 here"),
    "network": (
        {"net": SimpleConvNet((1, 4, 5), {"filter_size": 2})},
        "Network in the file, SimpleConvNet here; dtype: ",
    ),
    "shapes": (
        {"net": network(hidden=7)},
        r"does not fit Network, .*:\n +param.affine1.W: expected shape \(20, 7\)",
    ),
}


@pytest.mark.parametrize(("options", "sentence"), ANOTHER_RUN.values(), ids=ANOTHER_RUN)
def test_resuming_another_run_is_refused(tmp_path, options, sentence):
    trainer(epochs=1, checkpoint=tmp_path / "run").train()
    other = trainer(**options)
    before = state(other)
    with pytest.raises(ValueError, match=sentence):
        other.resume(tmp_path / "run")
    assert state(other) == before


def test_resuming_with_other_images_is_refused(tmp_path):
    trainer(epochs=1, checkpoint=tmp_path / "run").train()
    other = Trainer(network(), X, T[::-1].copy(), X, T, Adam(), 3, 5)
    with pytest.raises(
        ValueError, match=r"belongs to another run .checksum of their labels: \d+ in the file, \d+ here"
    ):
        other.resume(tmp_path / "run")


def test_resuming_what_is_no_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        trainer().resume(tmp_path / "nothing")
    save_weights(network(), tmp_path / "weights")
    with pytest.raises(
        ValueError, match="weights is not a checkpoint of scratchcnn; weights alone cannot be resumed"
    ):
        trainer().resume(tmp_path / "weights")


DAMAGED = {
    "config": {"config": "[1]"},
    "place": {"place": '{"epoch": "one", "begun": true, "seconds": 1}'},
    "no place": {"place": "null"},
    "optimizer": {"optimizer": '{"lr": "fast"}'},
    "generators": {"rngs": "{}"},
    "a generator": {"rngs": '{"order of the images": {"bit_generator": "PCG64"}, "dropout": 3}'},
    "history": {"history": "[1, 2]"},
    "no JSON": {"history": "{"},
    "order": {"order": np.array([22, 23])},
    "losses": {"losses": np.zeros((2, 2))},
    "moments": {"optim.m.affine1.W": np.zeros((2, 2))},
    "moments missing": {"optim.m.affine1.W": None},
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_checkpoint_changes_nothing(change, tmp_path):
    trainer(epochs=1, checkpoint=tmp_path / "run").train()
    tensors, metadata = read_safetensors(tmp_path / "run")
    for key, value in change.items():
        (metadata if isinstance(value, str) else tensors)[key] = value
    tensors = {key: value for key, value in tensors.items() if value is not None}
    write_safetensors(tmp_path / "run", tensors, metadata)
    other = trainer()
    before, order = state(other), other.rng.bit_generator.state
    with pytest.raises(ValueError, match="run is a damaged checkpoint") as caught:
        other.resume(tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert state(other) == before and other.rng.bit_generator.state == order and other.epoch == 0


# -- Ctrl-C --------------------------------------------------------------------------------------
def test_ctrl_c_keeps_history_and_checkpoint(tmp_path):
    run = trainer(progress=stop_at(7, KeyboardInterrupt), checkpoint=tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert [row["epoch"] for row in run.history] == [1]
    assert len(read_safetensors(tmp_path / "run")[0]["losses"]) == 7
    whole = trainer()
    whole.train()
    run.progress = None
    run.train()  # the same object goes on, too
    assert state(run) == state(whole)


def interrupting(net, times):
    """A network in whose second gradient Ctrl-C is pressed, once or twice."""
    gradient, calls = net.gradient, []

    def pressed(x, t):
        calls.append(1)
        grads = gradient(x, t)
        if len(calls) == 2:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return grads

    net.gradient = pressed
    return net


def test_a_real_ctrl_c_waits_for_the_step(tmp_path):
    run = trainer(net=interrupting(network(), 1), checkpoint=tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert run.step == 2 and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    whole, resumed = trainer(), trainer().resume(tmp_path / "run")
    whole.train(), resumed.train()
    assert state(resumed) == state(whole)


def test_a_second_ctrl_c_leaves_the_checkpoint_alone(tmp_path):
    trainer(epochs=1, checkpoint=tmp_path / "run").train()
    before = (tmp_path / "run").read_bytes()
    run = trainer(net=interrupting(network(), 2), checkpoint=tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert (tmp_path / "run").read_bytes() == before
    for refused in (run.train, lambda: run.save_checkpoint(tmp_path / "run")):
        with pytest.raises(
            RuntimeError, match="stopped in the middle of a step; resume it from a checkpoint"
        ):
            refused()
    assert run.resume(tmp_path / "run").train()


def test_training_in_a_thread():
    run = trainer()
    thread = threading.Thread(target=run.train)
    thread.start()
    thread.join()
    assert len(run.history) == 3
