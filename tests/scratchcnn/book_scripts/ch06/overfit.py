"""Like the book's ch06 scripts on weight decay, dropout and batch normalization."""

import os
import sys

sys.path.append(os.pardir)
from common.multi_layer_net import MultiLayerNet
from common.multi_layer_net_extend import MultiLayerNetExtend
from common.optimizer import SGD
from common.trainer import Trainer
from common.util import shuffle_dataset, smooth_curve
from dataset.mnist import load_mnist

(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True)
x_train, t_train = shuffle_dataset(x_train[:300], t_train[:300])

decayed = MultiLayerNet(784, [30, 30], 10, weight_decay_lambda=0.1)
optimizer, losses = SGD(lr=0.1), []
for i in range(20):
    optimizer.update(decayed.params, decayed.gradient(x_train[:100], t_train[:100]))
    losses.append(decayed.loss(x_train[:100], t_train[:100]))
smooth = smooth_curve(losses)

network = MultiLayerNetExtend(784, [30, 30], 10, use_dropout=True, dropout_ration=0.2, use_batchnorm=True)
trainer = Trainer(
    network,
    x_train,
    t_train,
    x_test[:100],
    t_test[:100],
    epochs=5,
    mini_batch_size=50,
    optimizer="sgd",
    optimizer_param={"lr": 0.1},
    verbose=True,
)
trainer.train()
