"""What the parameters of somebody's class, function or method stand for, by the names that people give them.

A meaning is a short text that has a value for each probe: `C`, `kernel`, `stride`, `(C,H,W)`, `rate`, ... A
name may have several; they are tried in order. Needs NumPy alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity.adapters.arguments import ALIASES, OF_LAYER_BEFORE, plain
from parity.adapters.constants import CONSTANTS, NAMES
from parity.adapters.layer_steps import RATE, RecordingOptimizer
from parity.adapters.options import ANY, ByName, grouped, holds_sizes, is_group
from parity.adapters.recipe import recipe
from parity.adapters.straight import Straight, ones_like
from parity.kinds.probe import JOINT, Probe
from parity.kinds.same_padding import SAME, is_same

Names = Mapping[str, Sequence[str]]


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """Lines of `meaning meaning: name name name`."""
    found: dict[str, tuple[str, ...]] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        meanings, _, names = line.rpartition(":")
        for name in names.split():
            found[name] = (*found.get(name, ()), *meanings.split())
    return found


# Names in lower case and without underscores.
_IMAGES = _table("""
    (C,H,W) (H,W,C) (N,C,H,W) (N,H,W,C) (H,W): inputshape inshape inputdim imageshape imgshape inputsize
    (C,H,W) (H,W,C) (N,C,H,W) (N,H,W,C) (H,W): insize shapein inputdims xshape xdim prevshape
    H: inputheight inheight height h inh hin imageheight inputh xh xheight imgh imgheight
    width: inputwidth inwidth width w inw win imagewidth inputw xw xwidth imgw imgwidth
    H (H,W): imagesize imgsize imagedim imgdim inputimagesize inputsidelength imagewidthheight
    N: batchsize batch n nbatch
""")
_CHANNELS = _table("""
    C: inchannels inputchannels inch inchannel channelsin cin inc nin ninchannels ninputchannels
    C: inputdepth indepth depthin kerneldepth filterdepth imagedepth imagechannels imgchannels imgdepth
    C: numchannels nchannels channels channel c ncprev numinchannels ninputs indim infeatures
    C: numinputchannels inplanes
    C: numinputs infilters prevchannels inputfilters ninput inchans ich xch xchannels xchannel
    FN: outchannels numfilters nfilters outch outchannel channelsout cout outc nout noutchannels
    FN: outputchannels numkernels
    FN: nkernels fn k nc depth filternum numfilter nbfilters outdepth nf numoutputchannels outputdepth
    FN: filternumber
    FN: kernelnum noutputs outdim outfeatures numoutputs numoutchannels outplanes filterscount nfilter
    FN: outfilters
    FN: outchans och noutput filtercount kernels filters nflt nflts numflt fltnum
""")
_WINDOW = """
    kernel {pair}: kernelsize filtersize f ksize size kernel k kernsize fsize kernellength window
    kernel {pair}: windowsize field ks flt fltsize convolutionsize convsize
    kernel {pair}: poolsize pool filter kernelwidth filterwidth p poolingsize
    {pair} kernel {full}: kernelshape filtershape poolshape windowshape poolsize filterdim kerneldim
    {pair} kernel {full}: poolingshape kernelsizes
    FH: kernelh filterh kh fh kernelheight filterheight poolh ph poolheight windowheight hh hf fieldheight
    FH: flth fltheight
    FW: kernelw filterw kw fw kernelwidth filterwidth poolw pw poolwidth windowwidth ww wf fieldwidth
    FW: fltw fltwidth
    OH: outh outheight outputh outputheight oh hout
    OW: outw outwidth outputw outputwidth ow wout
    stride: stride strides s step stepsize poolstride
    stride_h: strideh sh strideheight stridey
    stride_w: stridew sw stridewidth stridex
"""
_PADDING = """
    pad valid|same VALID|SAME: padding pad paddings margin zeropadding padsize
    pad: p paddingsize
    pad_h: padh padheight paddingh paddingheight pady hpad
    pad_w: padw padwidth paddingw paddingwidth padx wpad
    valid|same VALID|SAME: bordermode padmode paddingmode padtype paddingtype convmode
    dilation: dilation dilations dilate
    groups: groups numgroups
    bias: bias usebias hasbias withbias addbias includebias
"""
_DENSE = _table("""
    I (I,): nin ninputs ninput inputsize infeatures inputdim indim insize numinputs fanin inputs din
    I (I,): inputfeatures numin noinputs inputcount incount sizeinput
    I (I,): channelsin nchannelsin inchannels
    I (I,): numinput sizein inunits inputunits innodes inputnodes inputlength inneurons nfeatures
    I (I,): numfeatures infeature indims inputdims inputneurons numinputneurons
    I (I,) (N,I): inputshape inshape inputlen featuresin dimin nfeaturesin
    I (I,): nupper nupstream nprev nprevious prevsize previoussize prevneurons prevunits prevnodes nfrom
    O: nlower ndownstream nnext nextsize ncurrent nto
    O: nout noutputs noutput outputsize outfeatures outputdim outdim outsize numoutputs fanout outputs
    O: dout units nunits
    O: neurons nneurons numneurons outputfeatures numout numoutput sizeout outunits outputunits hiddensize
    O: hiddenunits
    O: nooutputs outputcount outcount
    O: outnodes outputnodes outneurons numunits nodes nnodes numnodes hiddendim size outputshape
    O: outshape featuresout dimout channelsout nchannelsout outchannels
    O: length outfeature outputlength nhidden numhidden width hidden
    I (I,): nentradas numentradas entradas nentrada numentrada tamanoentrada tamanhoentrada nentrees entrees
    O: nsalidas numsalidas salidas nneuronas numneuronas neuronas nneuronios numneuronios neuronios
    O: saidas nsaidas numsaidas tamanosalida tamanhosaida nsorties sorties neurones nneurones unidades
    O: outdims outputdims outputneurons numoutputneurons neuronsnum neuroncount unitsnum numneuron
    I O: d n
    O I: m h k c
    N: batchsize
    bias: bias usebias hasbias withbias
    (I,O) (O,I): shape wshape weightshape weightsshape layerdims layerdim dims layersizes layersize
""")
_NORM = _table("""
    C (C,) (1,C): numfeatures nfeatures features dim channels inputdim inputsize numchannels d c size nin
    C (C,) (1,C): insize indim inputcount incount count inputfeatures numneurons
    C (C,) (1,C): infeature numfeature nfeature feature fanin hiddensize hiddendim nhidden outputsize
    C (C,) (1,C): infeatures inchannels ninputs inputchannels nchannels nc units nunits neurons nneurons
    C (C,) (1,C): dims dimension dimensions ndim inputdims layersize layerdim
    C (C,) (1,C): numinputs inputnode inputnodes inputunits nchannel numchannel inputchannel
    shape (C,) (1,C) C (C,1,1): inputshape inshape shape xdim xshape prevshape
    momentum: momentum decay rho mu alpha
    eps: eps epsilon
""")
_LAYER_NORM = _table("""
    (C,) C (1,C): normalizedshape shape paramshape paramsshape inputshape inshape normshape normalizeshape
    C (C,) (1,C): dim dmodel modeldim dimmodel features numfeatures nfeatures size hiddensize hiddendim ndim
    C (C,) (1,C): embdim embeddim embeddingdim embedsize embeddingsize nembd nembed dembed demb emb embed
    C (C,) (1,C): inputdim inputsize indim insize infeatures nin numunits units nunits d c h n width channels
    C (C,) (1,C): numhidden nhidden hidden nfeature numfeature feature featuredim featuresize dims layersize
    C (C,) (1,C): numneurons neurons nneurons length dimension dimensions outputdim outputsize outfeatures
    C (C,) (1,C): numchannels nchannels hid hiddenunits lastdim axisdim normalizeddim normdim ninputs inputs
    C (C,) (1,C): inputd
    gamma: weight weights w
    beta: bias biases
    =-1: axis axes
    eps: eps epsilon e varianceepsilon layernormeps normeps
""")
_FLATTEN = {
    **_IMAGES,
    **_table(
        "CHW (CHW,) (CHW,1): outshape outputshape outsize outputsize outfeatures outdim outputdim shapeout"
    ),
    **_table(
        "C: channels nchannels numchannels inchannels inputchannels channelsin depth indepth c nc cin inc"
    ),
}
_DROPOUT = _table("""
    ratio: p rate ratio dropoutrate prob probability dropprob droprate dropout dropoutprob pdrop dropoutp q
    ratio: threshold pdropout
    keep: keepprob keep pkeep keeprate retain retainprob keepprobability keepratio
""")
_ANY = _table("""
    rate: lr learningrate learnrate alpha eta lrate stepsize
    optimizer: optimizer optim opt updater
    =True: trainable training train istraining isfirst requiresgrad
    =None ='linear' ='identity' ='none' =False straight: activation act activationfn activationfunction
    =None ='linear' ='identity' ='none' =False straight: nonlinearity actfn activationfunc actfunc activator
    =None ='linear' ='identity' ='none' =False straight: transferfunction activacion activación ativacao
    =None ='linear' ='identity' ='none' =False straight: ativação funcionactivacion funcaoativacao aktivierung
    ones: activationprime activationderivative activationgrad activationgradient activationfnprime dactivation
    ones: activationfunctionprime activationfunctionderivative activationfnderivative actprime actderivative
    ones: activationfuncprime activationfuncderivative actfnprime activationderiv activationder actderiv
    ones: activationdiff activationdash activationbackward actgrad activationfunctiongradient activationslope
    ='layer': name layername label tag
    =0: index idx layerid layerindex layeridx layernumber layernum
    =0.01: weightscale weightinitstd initstd std stddev weightstd initscale weightinitscale gain
    =False: verbose debug adam useadam usemomentum
    dtype: dtype
    seed: seed randomseed
    seed legacy_rng rng: randomstate rs
    rng legacy_rng: rng generator randomgenerator numbergenerator randomnumbergenerator randgenerator gen
    rng legacy_rng: prng nprng numpyrng randgen rnggenerator npgenerator nprandom nrng rgen
    model =None: model network net
    ='channels_first' ='NCHW' ='channels_last' ='NHWC': dataformat
    =None: initializer init weightinit weightinitializer kernelinitializer biasinitializer regularizer
    =None: initialiser weightinitialiser kernelinitialiser biasinitialiser initmethod initialization inittype
    =None: initialisation initscheme initmode weightinitialization initializationmethod lossfunc lossfunction
    =None: prevlayer previouslayer
""") | dict.fromkeys(OF_LAYER_BEFORE, ("=None",))
_SOFTMAX = _table("""
    I: inputsize insize size n ninputs numinputs inputdim indim dim classes nclasses numclasses units nunits
    I: outputsize outsize noutputs numoutputs features infeatures length inputs nin nodes neurons
    I (I,): inputshape inshape
""")
_SCORES = _table("""
    (N,I) (I,): shape inputshape inshape outputshape outshape
    I: numclasses nclasses classes nclass numlabels nlabels noutputs outputsize inputsize size
    N: batchsize batch nbatch
""")
_LRN = _table("""
    size: n size localsize windowsize window depth nsize kernelsize neighbours
    alpha: alpha
    beta: beta
    k: k bias kappa
""")
FAMILIES: dict[str, dict[str, tuple[str, ...]]] = {
    "convolution": _CHANNELS
    | {
        k: (*_CHANNELS.get(k, ()), *v)
        for k, v in _table(_WINDOW.format(pair="(FH,FW)", full="(FN,C,FH,FW)") + _PADDING).items()
    }
    | _IMAGES
    | dict.fromkeys(
        ("shape", "wshape", "weightshape", "weightsshape"),
        ("(FN,C,FH,FW)", "(FN,FH,FW,C)", "(FH,FW,C,FN)"),
    )
    | {"shape": ("(FN,C,FH,FW)", "(FN,FH,FW,C)", "(FH,FW,C,FN)", *_IMAGES["inputshape"])}
    | {
        "filters": ("FN", "W"),
        "kernels": ("FN", "W"),
        "kernel": ("kernel", "(FH,FW)", "W"),
        "k": ("kernel", "(FH,FW)", "FN"),
    }
    | {"filter": ("kernel", "(FH,FW)", "W"), "w": ("W",), "p": ("pad",), "depth": ("FN", "C")},
    "pooling": _table(_WINDOW.format(pair="(FH,FW)", full="(FH,FW)") + _PADDING)
    | _IMAGES
    | {"p": ("pad", "kernel"), "shape": ("(FH,FW)", *_IMAGES["inputshape"])}
    | dict.fromkeys(("inchannels", "channels"), ("C", "(C,H,W)"))
    | dict.fromkeys(("flatten", "flattens", "flattenoutput", "toflatten"), ("=False",))
    | dict.fromkeys(("xch", "xchannels", "nch", "inch", "inputchannels"), ("C",)),
    "affine": _DENSE,
    "affine_last_axis": _DENSE,
    "lrn": _LRN,
    "batch_norm": _NORM,
    "layer_norm": _LAYER_NORM,
    **{key: {"margin": ("=1.0",), "delta": ("=1.0",)} for key in ("hinge_loss", "multiclass_hinge_loss")},
    "weighted_cross_entropy": _table("label_smoothing: smoothing labelsmoothing smooth epsilon eps alpha"),
    "softmax": _SOFTMAX,
    "softmax_with_loss": _SCORES,
    "dropout": _DROPOUT,
    "flatten": _FLATTEN,
    **{kind: dict.fromkeys(names, (CONSTANTS[kind],)) for kind, names in NAMES.items()},
}
_FAMILY_OF = {
    "max_pooling": "pooling",
    "average_pooling": "pooling",
    "min_pooling": "pooling",
    "max_pooling_options": "pooling",
    "average_pooling_options": "pooling",
    "im2col": "pooling",
    "col2im": "pooling",
    "global_average_pooling": "pooling",
}
MODES = {"max_pooling": ("max",), "average_pooling": ("average", "avg", "mean"), "min_pooling": ("min",)}
MODES |= {f"{kind}_options": MODES[kind] for kind in ("max_pooling", "average_pooling")}
MODE_NAMES = ("mode", "pooltype", "poolmode", "type", "method", "poolingtype", "poolingmode", "pooling")


INITIALIZERS = ("initfn", "initializer", "init", "initfunc", "initfunction")


SIDES = ("stride_h", "stride_w", "pad_h", "pad_w")  # of one axis each
BOTH_SIDES = "((PH,PH),(PW,PW))"  # as np.pad takes it
PADS = ("pad", "(PH,PW)", BOTH_SIDES, "pad_h", "pad_w")  # padding given by numbers
ARRAY, FILTERS = "array", 5  # an array that is handed over for its shape alone, and how many filters it has

WORDED = ("convolution", "max_pooling", "average_pooling", "min_pooling")  # kinds checked under 'same'
STRINGS = ("valid|same", "VALID|SAME")  # padding given as a word
WORD = re.compile(r"""["'](valid|same|full)["']$""", re.IGNORECASE)


def padding_word(default: str, kind: str) -> str:
    """The meaning of a parameter whose default is 'valid' or 'same' where there is padding; else "".

    Kinds that are not checked under 'same' are given 'valid'.
    """
    found = WORD.match(default) if FAMILIES.get(_FAMILY_OF.get(kind, kind), {}).get("padding") else None
    if found is None:
        return ""
    word = STRINGS[found[1].isupper()]
    return word if kind in WORDED else f"={word.partition('|')[0]!r}"


def meanings(name: str, kind: str) -> tuple[str, ...]:
    """What a parameter of that name may stand for in an implementation of that kind, the likeliest first."""
    word, how = plain(name), recipe(kind)
    own = tuple(
        argument
        for argument in dict.fromkeys([*how.order, *how.params, *how.buffers, *how.optional])
        if word == plain(argument) or word in ALIASES.get(argument, ())
    )
    family = FAMILIES.get(_FAMILY_OF.get(kind, kind), {})
    if word in MODE_NAMES and kind in MODES:
        return tuple(f"={mode!r}" for mode in MODES[kind])
    if name in ("C", "D", "F", "K", "H", "N") and kind == "convolution":
        found = {
            "C": ("C",),
            "D": ("C", "FN"),
            "F": ("FN", "kernel"),
            "K": ("kernel", "FN", "W"),
            "H": ("H",),
            "N": ("N", "FN"),
        }[name]
        return found
    named = family.get(word, ())
    if kind not in WORDED and STRINGS[0] in named:
        named = (*(meaning for meaning in named if meaning not in STRINGS), "='valid'")
    if not (named or own or word in _ANY) and is_group(word):
        return grouped(kind)
    if not (named or own or word in _ANY) and holds_sizes(word):
        return (ANY,)
    if not (named or own or word in _ANY) and word.endswith(INITIALIZERS):
        return ("=None", "zeros")
    if word == "alpha" and not (named or how.params):
        return own  # a constant of an activation; what has no weights has no learning rate
    return tuple(
        dict.fromkeys([*(own if not named or word in ("w", "b") else ()), *named, *own])
    ) or _ANY.get(word, ())


def share_of_old(default: str) -> tuple[str, ...]:
    """What a momentum of running statistics is by its default: PyTorch's is the share of what is new."""
    try:
        return ("left",) if float(default) < 0.5 else ("momentum",)
    except ValueError:
        return ()


def sizes(probe: Probe) -> dict[str, int]:
    """The letters of the probe: N, C, H, W of images, I, O of a dense layer, FN, FH, FW of a window, OH, OW
    of its result."""
    args, found = probe.args, {}
    x = probe.inputs.get("x", probe.inputs.get("input_data"))
    if isinstance(x, np.ndarray):
        names = {4: "NCHW", 2: "NI"}.get(x.ndim, "N")
        found = dict(zip(names, x.shape, strict=False))
        found |= {"CHW": int(np.prod(x.shape[1:]))}  # of one image
    weights = args.get("W")
    if isinstance(weights, np.ndarray) and weights.ndim == 4:
        found |= dict(zip(("FN", "CG", "FH", "FW"), weights.shape, strict=True))
    elif isinstance(weights, np.ndarray) and weights.ndim == 2:
        found |= dict(zip("IO", weights.shape, strict=True))
    if "pool_h" in args:
        found |= {"FH": args["pool_h"], "FW": args["pool_w"]}
    if "filter_h" in args:
        found |= {"FH": args["filter_h"], "FW": args["filter_w"]}
        found |= dict(zip("NCHW", args.get("input_shape", ()), strict=False))
    if isinstance(args.get("gamma"), np.ndarray):
        found["C"] = len(args["gamma"])
    elif probe.kind == "layer_norm" and isinstance(x, np.ndarray):
        found["C"] = x.shape[-1]
    for letter, name, default in (("S", "stride", 1), ("P", "pad", 0)):
        given = args.get(name, default)
        if isinstance(given, (int, tuple)):
            found |= dict(
                zip(
                    (f"{letter}H", f"{letter}W"), given if type(given) is tuple else (given,) * 2, strict=True
                )
            )
    for side, axis in enumerate("HW"):
        if found.keys() >= {axis, f"F{axis}", f"S{axis}", f"P{axis}"}:
            apart = args.get("dilation", 1)
            apart = apart[side] if isinstance(apart, tuple) else apart
            room = found[axis] + 2 * found[f"P{axis}"] - apart * (found[f"F{axis}"] - 1) - 1
            found[f"O{axis}"] = room // found[f"S{axis}"] + 1
    return {k: int(v) for k, v in found.items()}


class TakesGradient:
    """For losses that hand their gradient on to the model: what backward was given is in `grad`."""

    def __init__(self) -> None:
        self.layers: list[Any] = []
        self.grad: Any = None

    def backward(self, grad: Any, *_: Any) -> None:
        self.grad = grad

    backprop = backward_pass = backward


def value(meaning: str, probe: Probe) -> Any:
    """What a parameter of that meaning gets. Raises NotImplementedError where it cannot have it."""
    args, known = probe.args, sizes(probe)
    if meaning.startswith("="):
        return ast.literal_eval(meaning[1:])
    if meaning.startswith("(") and meaning not in _OTHERS:
        return tuple(known[c] if c in known else int(c) for c in meaning[1:-1].split(",") if c)
    if meaning == ANY:
        return ByName(lambda key: _of_key(key, probe))
    if meaning.startswith("{"):
        pairs = (item.split(":") for item in meaning[1:-1].split(";"))
        return {key: value(inner, probe) for key, inner in pairs}
    if meaning in STRINGS:
        return _padding_word(probe, *meaning.split("|"))
    if meaning == "kernel":
        if known["FH"] != known["FW"]:
            raise NotImplementedError("one number for both axes of the window")
        return known["FH"]
    if meaning == "kernel|(FH,FW)":
        return known["FH"] if known["FH"] == known["FW"] else (known["FH"], known["FW"])
    if meaning in _OTHERS:
        return _OTHERS[meaning](probe)
    if meaning in known:
        return known[meaning]
    if meaning in SIDES:
        name, side = meaning.split("_")
        given = args.get(name, recipe(probe.kind).optional[name])
        if given == SAME:
            raise NotImplementedError("pad is a number")
        return given if isinstance(given, int) else given[side == "w"]
    if meaning.startswith(ARRAY):
        letters = meaning.removeprefix(ARRAY)
        return np.ones([{"FN": FILTERS, **known}[c] for c in letters[1:-1].split(",")], probe.dtype)
    if meaning in args:
        if meaning == "pad" and args["pad"] == SAME:
            raise NotImplementedError("pad is a number")
        return args[meaning]
    return recipe(probe.kind).optional[meaning]


def of_option(key: str, probe: Probe) -> Any:
    """What a dict of options has under that key; of its window, where that is its height or width."""
    return _of_key(f"kernel_{key}" if key in ("height", "width", "h", "w") else key, probe)


def _of_key(key: str, probe: Probe) -> Any:
    """What a dict of sizes has under that key. Raises KeyError where its name is not known."""
    for meaning in meanings(key, probe.kind.partition(JOINT)[0]):
        return value(meaning, probe)
    word = plain(key)
    if word.startswith(("activation", "nonlinearity")):
        return None
    raise KeyError(key)


def _padding_word(probe: Probe, valid: str, same: str) -> str:
    pad = probe.args.get("pad", 0)
    if pad != SAME and not np.any(pad):
        return valid
    if not is_same(probe, every_stride=True):  # what the convention takes was asked before
        raise NotImplementedError(f"padding is {valid!r} or {same!r}")
    return same


def _zeros(*shape: Any) -> Any:
    """Where a function that makes weights is asked for."""
    return np.zeros(shape[0] if len(shape) == 1 else shape)


_OTHERS: dict[str, Any] = {
    "width": lambda probe: sizes(probe)["W"],  # of images; W alone is the weights
    "rate": lambda probe: RATE,
    "optimizer": lambda probe: RecordingOptimizer(),
    BOTH_SIDES: lambda probe: tuple((sizes(probe)[side],) * 2 for side in ("PH", "PW")),
    "zeros": lambda probe: _zeros,
    "straight": lambda probe: Straight(),
    "ones": lambda probe: ones_like,
    "rng": lambda probe: np.random.default_rng(0),
    "legacy_rng": lambda probe: np.random.RandomState(0),
    "model": lambda probe: TakesGradient(),
    "seed": lambda probe: 0,
    "dtype": lambda probe: probe.dtype,
    "bias": lambda probe: probe.args.get("b", 0) is not None,
    "ratio": lambda probe: probe.args["dropout_ratio"],
    "keep": lambda probe: 1 - probe.args["dropout_ratio"],
    "left": lambda probe: 1 - probe.args.get("momentum", 0.9),
    "shape": lambda probe: probe.inputs["x"].shape[1:],
    "numbers": lambda probe: int(np.prod(probe.inputs["x"].shape[1:])),  # of one sample
    "(N,shape)": lambda probe: probe.inputs["x"].shape,
    "normalized_shape": lambda probe: probe.inputs["x"].shape[-1:],
    "mode": lambda probe: "test" if probe.args.get("training") is False else "train",
    "training": lambda probe: probe.args.get("training", True),
}
