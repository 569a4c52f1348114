"""What the parameters of a network's constructor and methods mean, by the names that people give them.

    x, t, out    the rows that go in, their labels or targets, what comes out
    dout         the gradient of a loss by `out`
    lr, decay    the rate of a step, the strength of a weight decay
    epochs, batch, quiet   how long a training lasts, how many rows a step takes, whether it prints
    sizes, I, H, O         the widths of all layers in a list, of the input, of what is hidden, of the output

Needs nothing but Python.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from parity.adapters.arguments import plain
from parity.adapters.loss_arguments import OUTPUTS, TARGETS
from parity.adapters.members import is_derivative
from parity.adapters.optimizer_names import DECAYS, RATES
from parity.adapters.training_flag import meaning_of

INPUTS = {
    *(
        "x",
        "row",
        "xs",
        "xi",
        "xb",
        "xbatch",
        "batchx",
        "xtrain",
        "trainx",
        "xtr",
        "input",
        "inputs",
        "inputdata",
        "data",
    ),
    *("inputlist", "inputslist", "inputvector", "inputarray", "inputbatch", "features", "samples", "sample"),
    *("image", "images", "traininputs", "traininginputs", "trainset", "a0", "inp", "inputlayer", "xdata"),
    *("im", "img", "imgs", "pixels"),
    *("tx", "xvectorized", "trainingx", "batchdata", "xarr", "xmat"),
    *("trainingsetinputs", "trainimages", "trainfeatures", "inputfeatures", "traindata", "trainingdata"),
}
LABELS = TARGETS | {
    *("y", "ys", "ytrue", "ybatch", "batchy", "ytrain", "trainy", "ytr", "trainlabels", "yonehot", "ylabel"),
    *("targetlist", "targetslist", "targetvector", "expectedoutputs", "trainingoutputs", "trainoutputs"),
    *("trainingsetoutputs", "tbatch", "traintargets", "ttrain", "ytarget", "ydata", "desiredoutputs", "ygt"),
    *("actualoutput", "actualoutputs", "ytrues", "alltrues", "allytrues", "trueoutputs", "trueys"),
    *("trainingy", "yvec", "batchlabels", "yarr"),
    *("yreal", "yactual", "outputstrue", "traintarget", "labelsonehot"),
}
OUTS = OUTPUTS | {
    *("ypred", "ypreds", "o", "pred", "preds", "prediction", "a4", "aout", "outputlayer", "probas", "a", "p"),
    *("finaloutput", "finaloutputs", "outputactivations", "predictedoutput", "predy", "predicts", "ycap"),
    *("probabilities", "hx", "finalactivation", "outputlayeroutput", "predictedoutputs", "ao", "yproba"),
}
DOUTS = {
    *("dout", "gradoutput", "gradoutputs", "upstream", "upstreamgrad", "gradout", "doutput", "dloss"),
    *("lossgrad", "lossgradient", "dlossdout", "doutputs", "outputgradient", "outputgrad", "gradloss"),
    *("upstreamgradient", "dupstream", "dldout", "dldoutput"),
}
REGULARIZED = {
    *DECAYS,
    *("reg", "lambda", "lambd", "lmbda", "lmb", "lam", "lamda", "l2", "regularization", "regstrength"),
    *(
        "l2reg",
        "l2lambda",
        "lambda2",
        "regrate",
        "reglambda",
        "lambdareg",
        "weightdecaylambda",
        "l2regularization",
    ),
    *(
        "regularizationstrength",
        "regularizationrate",
        "regularisation",
        "lambdal2",
        "l2penalty",
        "l2strength",
    ),
}
LASTS = {
    *(
        "epochs",
        "nepochs",
        "nepoch",
        "numepoch",
        "numepochs",
        "epoch",
        "iterations",
        "niter",
        "numiters",
        "maxiter",
        "niterations",
    ),
    *("iters", "numiterations", "maxiters", "niters", "steps", "numsteps", "maxepochs", "maxiterations"),
    *("trainingiterations", "numberofepochs", "numberofiterations", "numberoftrainingiterations", "its"),
    *("numberofiteration", "epochsnumber", "nsteps", "numberofsteps", "itr", "iteration", "trainingepochs"),
}
INPUT = re.compile(
    "(train(ing)?|batch|mini)?(set|feature)?(inputs?|samples?|images?|xs?)(list|array|batch|vector|matrix|values?|data)?"
)
LABEL = re.compile(
    "(train(ing)?|y)?(set)?(desired|target|answers?|expected|correct|true)(output|label|value|answer)?s?(list|array|vector)?|train(ing)?(set)?outputs?"
)
LAST = re.compile(
    "(n|num|number|max|no|of|total|train(ing)?)*(epochs?|epoches|iterations?|iters?|itrs?|its)(count|n|num)?"
)
BATCHES = {"batchsize", "minibatchsize", "batch", "batchsz", "bs", "sizebatch"}
PRINTS = {
    "verbose",
    "printevery",
    "printcost",
    "plot",
    "debug",
    "graph",
    "showplot",
    "log",
    "printloss",
    "display",
}

SIZES = {
    *("nouts", "layerouts"),
    *("sizes", "layers", "layersizes", "layerdims", "layersdims", "architecture", "topology", "structure"),
    *(
        "dims",
        "neurons",
        "nodes",
        "shape",
        "layerdimensions",
        "units",
        "layersize",
        "layernodes",
        "nodesperlayer",
    ),
    *("netsize", "networksize", "sizelist", "layout", "layersizeslist", "dimensions", "layersnodes", "size"),
    *(
        "layersneurons",
        "neuronsperlayer",
        "layerneurons",
        "numneurons",
        "nns",
        "networkstructure",
        "arch",
        "config",
    ),
    *("layersshape", "layerslist", "layersstructure", "dim", "layerslengths", "layernums", "unitsperlayer"),
}
BEFORE = "(nn|num(ber)?(of)?|n|no|nb|size|dim)?"
AFTER = (
    "(size|sizes|sizelist|sizeslist|list|dim|dims|num|nodes?|neurons?|units?|layers?|features?|channels?|count|shape"
    "|n|length|layersizes?|layerdims?|layernodes?|layerneurons?|layerunits?)?"
)
WIDTH = BEFORE + "{}" + AFTER
IN = re.compile(WIDTH.format("(inputs?|in|x|i|features?|visible|inp)"))
HIDDEN = re.compile(
    WIDTH.format("(hiddens?[1-9]?|hid|h|nodes|middle|mid|neurons)") + "[12]?|numneurons|layer1|nodes"
)
OUT = re.compile(WIDTH.format("(outputs?|out|y|o|class(es)?|labels?|c|k)"))

LOSS = re.compile("loss|cost|error|objective|mse|crossentropy|xent|nll|likelihood|entropy|^bce$|^cce$|^mae$")
NO_LOSS = re.compile(
    "history|histories|plot|layer|accuracy|rate|grad|print|log$|delta|backprop|test|val(?!ue)|save|curve|msg"
)
GRADIENTS = re.compile(
    "grad|backprop|backward|backpropagat|bprop|backpass|propagateback|backprog|^back$|nabla"
)
STEPS = re.compile(
    "^_*(train|fit|step|update|learn|partial|optimi[sz]e|descent|sgd)|gradientdescent|update|trainstep"
)
NO_GRADIENTS = re.compile(
    "numeric|check|clip|zero|apply|plot|reset|history|norm|test|approx|vanish|clear|init"
)
FORWARDS = (
    *(
        "forward",
        "forwardpass",
        "forwardpropagation",
        "forwardprop",
        "feedforward",
        "propagate",
        "forwardpropagate",
    ),
    *(
        "predict",
        "forwardfeed",
        "think",
        "call",
        "computeoutput",
        "run",
        "query",
        "output",
        "scores",
        "predictproba",
    ),
    *("propagateforward", "fprop", "modelforward", "feed", "activate", "inference", "compute", "getoutput"),
)


def meanings_of_call(names: Sequence[str]) -> list[str]:
    """What each parameter of a method means; "" where its name does not tell."""
    words = [plain(name) for name in names]
    found = [_of_call(word) for word in words]
    if "t" in found and words.count("y") and len([m for m in found if m == "t"]) > 1:
        found[words.index("y")] = "out"  # beside a target
    return found


def _of_call(word: str) -> str:
    for meaning, known in (
        *(
            ("lr", RATES),
            ("x", INPUTS),
            ("t", LABELS),
            ("out", OUTS),
            ("dout", DOUTS),
            ("decay", REGULARIZED),
        ),
        *(("epochs", LASTS), ("batch", BATCHES), ("quiet", PRINTS)),
    ):
        if word in known:
            return meaning
    flag = meaning_of(word)
    if flag in ("training", "inference"):
        return flag
    for meaning, pattern in (("t", LABEL), ("epochs", LAST), ("x", INPUT)):
        if pattern.fullmatch(word):
            return meaning
    return ""


def meaning_of_built(name: str) -> str:
    """What a parameter of a constructor means; "" where its name does not tell."""
    word = plain(name)
    if word in SIZES:
        return "sizes"
    for meaning, pattern in (("I", IN), ("H", HIDDEN), ("O", OUT)):
        if pattern.fullmatch(word) and word not in ("x", "y", "inputs", "input", "output"):
            return meaning
    if word in ("output", "outputs"):
        return "O"
    if word in ("input", "inputs"):
        return "I"
    found = "t" if word == "d" else _of_call(word)
    return found if found in ("lr", "decay", "epochs", "batch", "quiet", "x", "t") else ""


def is_loss(name: str) -> bool:
    """Whether a function of that name gives a loss: `compute_cost`, and no derivative or record of one."""
    word = plain(name)
    return bool(LOSS.search(word)) and not NO_LOSS.search(word) and not is_derivative(name)


def gives_gradients(name: str) -> bool:
    if is_derivative(name) and LOSS.search(plain(name)) and "prime" in plain(name):  # costFunctionPrime
        return True
    return bool(GRADIENTS.search(plain(name))) and not NO_GRADIENTS.search(plain(name))


def is_step(name: str) -> bool:
    """Whether a method of that name changes the weights: `train`, `fit`, `update`."""
    return bool(STEPS.search(plain(name))) and not NO_GRADIENTS.search(plain(name))


def base_of(name: str) -> str:
    """`W1` of W1, dW1, grad_W1, W1_grad and nabla_W1; weights are w and biases are b."""
    word = plain(name)
    word = re.sub("^d(j|l|e|c|cost|loss|err|error)d(?=[wb]|theta|bias|weight)", "", word)  # dJ_dw
    word = re.sub("^(gradients?of|gradients?|grads?|nabla|delta|deriv|derivative)(?=.)", "", word)
    word = re.sub("(gradients?|grads?|deriv|derivatives?|delta)$", "", word) or word
    word = re.sub("^(d|g)(?=(w|b|gamma|beta|theta|kernel|wh|filter|u|v|bias|weight)[a-z0-9]*$)", "", word)
    word = re.sub("weights?|kernels?|^wts?", "w", word)
    return re.sub("bias(es)?", "b", word)


def is_gradient(name: str) -> bool:
    """Whether an array of that name is a gradient: its name says more than the parameter's."""
    word = plain(name)
    return base_of(name) != re.sub(
        "bias(es)?", "b", re.sub("weights?|kernels?|^wts?", "w", word)
    ) or word in (*("grads", "gradients", "grad", "gradient", "nablaw", "nablab"),)


NOT_TRAINED = re.compile(
    "running|moving|mean|var$|^std|veloc|moment|^[vm](w|b|dw|db)?[0-9]*$|^[vs]d|^mask|cache|history|^prev|"
    "^(z|a|h|o|out|output|hidden|delta|error|input|target|x|y|t)s?[0-9]*$|activation|learningrate|^lr$|best"
)


def may_be_trained(name: str) -> bool:
    """Whether an array of that name may be a parameter: no state, and nothing that is kept for backward."""
    word = plain(name)
    return not NOT_TRAINED.search(word) and not is_gradient(name)
