"""The book's own modules, so that its scripts run unchanged.

    python -m scratchcnn book ch07/train_convnet.py         from the command line
    import scratchcnn.book                                  or as the first line of a script

After that import, `common.layers`, `common.functions`, `common.util`, `common.optimizer`, `common.trainer`,
`common.gradient`, `common.multi_layer_net`, `dataset.mnist`, `simple_convnet` and `deep_convnet` are found in
this package. A `simple_convnet.py` or `deep_convnet.py` of the reader's own goes first, as does everything
else that lies beside the script; what the reader's `common` folder has and this one lacks is found there.
"""

from scratchcnn.book.finder import install

install()
