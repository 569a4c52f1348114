"""What the parameters of a layer mean that is none of the kinds, by their names; needs Python alone."""

from __future__ import annotations

import re

from parity.adapters.arguments import plain
from parity.adapters.network_words import DOUTS
from parity.adapters.optimizer_names import RATES
from parity.adapters.training_flag import meaning_of

FORWARDS = (  # of methods, those that come first in this order; in lower case and without underscores
    *("forward", "call", "fprop", "forwardpass", "forwardprop", "forwardpropagation", "forwardpropagate"),
    *("feedforward", "fwd", "propagate", "apply", "activate", "activation", "function", "func", "fn", "f"),
    *(
        "compute",
        "calculate",
        "evaluate",
        "loss",
        "calc",
        "value",
        "run",
        "cost",
        "error",
        "activationfunction",
    ),
)
BACKWARDS = (
    *(
        "backward",
        "backprop",
        "bprop",
        "backwardpass",
        "backwardprop",
        "backwardpropagation",
        "backpropagation",
    ),
    *("backpropagate", "backwardpropagate", "bwd", "back", "propagateback"),
)
SLOPES = (  # of methods that may give the slope where they are asked, and take no gradient
    *("gradient", "grad", "derivative", "deriv", "derivate", "prime", "der", "df", "fprime", "dfunc", "diff"),
    *("gradients", "delta", "dactivation", "activationderivative", "activationprime", "derivativefunction"),
    *(
        "lossgradient",
        "lossgrad",
        "lossderivative",
        "lossprime",
        "d",
        "dfn",
        "activategradient",
        "gradientfunction",
    ),
    *("backwardderivative", "dloss", "dx", "jacobian", "backwardgradient", "inputgradient"),
)
GRADIENTS = DOUTS | {  # of the loss by the output, as a backward takes it
    *("dy", "da", "dz", "dh", "do", "d", "g", "grad", "gradient", "grads", "delta", "deltas", "error", "err"),
    *(
        "gy",
        "gout",
        "dvalues",
        "dvalue",
        "dnext",
        "nextgrad",
        "nextgradient",
        "gradnext",
        "outputerror",
        "dL",
    ),
    *(
        "dl",
        "outputgradients",
        "outgrad",
        "outgradient",
        "gradients",
        "gradoutput",
        "errorout",
        "douty",
        "topdiff",
    ),
    *("chain", "chaingradient", "chaingrad", "incominggrad", "incominggradient", "previousgrad", "prevgrad"),
    *("outerror", "accumgrad", "accumulatedgradient", "backgrad", "backpropgrad", "gradientoutput", "dldy"),
    *(
        "dldz",
        "dlda",
        "dldo",
        "dedy",
        "deltanext",
        "nextdelta",
        "sensitivity",
        "lossgrads",
        "gradinput",
    ),
    *(
        "loss",
        "dactivation",
        "dactivations",
        "gradin",
        "ingrad",
        "upstreamgradients",
        "djdout",
        "gradofoutput",
    ),
}
OUTS = {
    *(
        "y",
        "out",
        "output",
        "outputs",
        "a",
        "s",
        "act",
        "activated",
        "activation",
        "activations",
        "fx",
        "result",
    ),
    *("h", "value", "yhat", "sigx", "tanhx", "softmaxoutput", "activatedoutput", "layeroutput", "res"),
}
CACHES = {"cache", "caches", "activationcache", "saved", "ctx", "memory", "context", "stored", "tape"}
NUMBERS = {  # parameters that are a number between 0 and 1, or about that
    *("alpha", "slope", "negativeslope", "beta", "lam", "lamb", "lambd", "lambda", "lmbda", "lamda", "eps"),
    *("epsilon", "delta", "tau", "temperature", "temp", "threshold", "theta", "margin", "reg", "strength"),
    *(
        "weightdecay",
        "l1",
        "l2",
        "l1ratio",
        "c",
        "k",
        "scale",
        "factor",
        "scalar",
        "p",
        "rate",
        "ratio",
        "coef",
    ),
    *("coefficient", "leak", "leakage", "gain", "lower", "low", "sigma", "std", "mu", "momentum", "power"),
    *(
        "rho",
        "regularization",
        "reglambda",
        "lambdareg",
        "regstrength",
        "droprate",
        "dropoutrate",
        "prob",
        "keepprob",
        "dropprob",
        "keep",
        "pdrop",
        "dropout",
        "keepratio",
    ),
    *(
        "lambdaval",
        "decay",
        "regrate",
        "penalty",
        "l2lambda",
        "lambdal2",
        "lambda1",
        "lambda2",
        "const",
        "gamma",
    ),
}
WHOLE = {  # that are a whole number
    *(
        "groups",
        "numgroups",
        "g",
        "group",
        "ngroups",
        "factor",
        "scalefactor",
        "size",
        "upsample",
        "heads",
        "r",
    ),
    *("numheads", "nheads", "h", "stride", "pad", "padding", "upscalefactor", "blocksize", "n", "repeat"),
    *("upsamplefactor", "poolsize", "kernelsize", "k", "sizefactor", "padsize", "scale", "nhead", "upscale"),
    *("padwidth", "headcount", "width"),
}
CHANNELS = {
    *(
        "gamma",
        "beta",
        "scale",
        "shift",
        "bias",
        "b",
        "weight",
        "g",
        "gain",
        "alpha",
        "slope",
        "a",
        "weights",
    ),
}
DICTS = re.compile("(.*(param|config|cfg|option|opts|kwargs|setting)s?)")
FUNCTIONS = re.compile(
    "(the)?(act|activation|f|func|function|fn|phi|nonlinearity|sigma|g)(fn|func|function|f)?"
)
DERIVATIVES = re.compile(
    "(the)?(d|df|dfunc|dfn|derivative|deriv|prime|grad|gradient|dact|dactivation|fp|dg|dphi)"
    "|.*(prime|derivative|deriv|grad|gradient|der|back|backward)|(d|deriv|derivative)(of)?"
    "(f|func|function|activation|act|fn)"
)
FLAGS = ("training", "inference", "mode")
NO_OWN = re.compile(  # whose backward is another gradient on purpose
    "revers|straight|^ste$|ste(layer|quant)|stop|detach|quanti[sz]|binar|^sign|round|surrogate|spik|guided|gradclip|clipgrad"
    "|^(unit|binary|bipolar|hard)?step(function|activation)?$|heaviside|^lif|fake|gradientscal|gradscal"
)


def role_in_backward(name: str, inputs: list[str]) -> str:
    """What a parameter of a backward is given: "in:NAME", "dout", "out", "cache", "rate", "flag" or ""."""
    word = plain(name)
    same = next((one for one in inputs if plain(one) == word), "")
    if same:
        return f"in:{same}"
    if word in CACHES or word.endswith("cache"):
        return "cache"
    if word in RATES and word != "alpha":
        return "rate"
    if word in GRADIENTS or re.match("(d|grad|gradient)(out|l|loss|y|a|z|h|o|e|j)[a-z0-9]*$", word):
        return "dout"
    if word in OUTS or word.endswith(("output", "activated")):
        return "out"
    return "flag" if meaning_of(word) in FLAGS else ""


def base_of_gradient(name: str) -> str:
    """`x` of dx, grad_x, x_grad and dLdx; "" where the name is none of a gradient."""
    word = plain(name)
    for pattern in (
        "d(?:l|loss|j|e|out|y|z)?d(.+)",
        "(?:gradients?|grads?|deriv|derivative|delta)(?:of|wrt|input)?(.+)",
        "(.+?)(?:gradients?|grads?|deriv|derivative|delta|prime)",
        "d(.+)",
        "g(.+)",
    ):
        if match := re.fullmatch(pattern, word):
            return match[1]
    return ""
