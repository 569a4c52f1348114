"""How one class or function is called, as plain data: what a trial finds, what a verdict prints.

A convention says which parameter gets what, where the weights lie and in which layout, how images and rows
are laid out, and where results are read. It is found by names, shapes and layouts, never by whether numbers
fit.
Needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from parity.adapters.fed import call_in_words
from parity.adapters.laid_out import LAYOUTS, NUMBERS
from parity.adapters.layouts import KEEPS_AXES, NUMBER
from parity.adapters.loss_arguments import order_in_words, said_of
from parity.adapters.reach import parsed, spelled
from parity.adapters.recipe import is_reduced, recipe
from parity.adapters.returned_steps import IGNORED
from parity.adapters.rule_words import rule_in_words
from parity.kinds.probe import Probe
from parity.kinds.same_padding import SAME, is_same, window_of

Pairs = Sequence[Sequence[str]]  # (parameter, meaning)
PLACES = "*"
FLUSH = (
    "flushgradients",
    "flush",
    "clearcache",
    "resetcache",
)  # plain names of what is called before forward
EPS = 1e-5  # PyTorch's, beside the variance in batch normalization
APART = 12.0  # scores in a row; further apart their probabilities come so near to 0 that people cut them off
PADDING = {  # what is not checked
    "words": "padding other than 'valid' and 'same'",
    "valid": "padding other than 'valid'",
    "same": "padding other than 'same'",
    "fixed": "padding other than (k - 1) / 2, even windows, and strides above 1",
}
AS_TENSORFLOW = (
    "padding='same' as TensorFlow has it: the output is ceil(H / stride) high, an odd row or column of "
    "padding is at the bottom or right (PyTorch's at stride 1; a larger one PyTorch refuses)"
)
AT_EVERY_STRIDE = (
    "padding='same' is (k - 1) / 2 at every stride, as PyTorch's padding=(k - 1) // 2 (TensorFlow's differs "
    "at strides above 1)"
)
MOST_NUMBERS = 2000  # that are handed over one by one
LETTERS = {"I": "C", "O": "FN", "H": "FH", "W": "FW"}  # of a layout of weights, as they are printed


@dataclass(frozen=True)
class Place:
    """Where an array lies in what `called.Live` holds, and how its axes are ordered.

    path is a text, `object.grads["W"]`, or the steps of it, [(".", "object"), (".", "grads"), ("[]", "W")].
    """

    path: Any
    layout: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.path, str):  # as an adapter spells it: object.grads["W"]
            object.__setattr__(self, "path", parsed(self.path))

    @classmethod
    def of(cls, given: Any) -> Place:
        return given if isinstance(given, Place) else cls(**given)

    def __str__(self) -> str:
        return _SHOWN(self.path)


def _SHOWN(path: Sequence[Sequence[Any]]) -> str:
    """`.grads["W"]` of the object, `returned[1]`, `x.grad`."""
    (_, root), *rest = path
    names = {"object": "", "out": "returned", "back": "returned", "x": "x", "passed": "", "options": ""}
    return f"{names.get(root, root)}{spelled(rest)}"


@dataclass(frozen=True)
class Convention:
    """How an implementation of a kind is built and called.

    constructor  (parameter, meaning) of the class; None for functions
    setup        methods to be called after it, with their parameters
    stored       weights that are set in the object: name -> every place where the array lies
    passed       weights that are handed over: name -> layout
    ignored      weights that its constructor takes, and makes its own instead: they are set in the object
    lazy         whether the weights are there only after a first forward
    images, rows layouts of x and dx of four and of two axes; *_out of out and dout
    forward      the method or function and its parameters; out is where the result lies
    backward     the same; derivative: what it gives is a derivative, to be multiplied by dout
    softmax_apart  whether its backward, or a derivative in its class, asks for its activation by that word
    jacobian     which matrices of the derivatives of outputs by inputs it gives, of `jacobian`; "" for none
    update       a method called after backward that changes the weights, and its parameters
    dx, grads    where the gradients lie; a change: they are read from what backward does to the weights
    updates      whether backward changes the weights; they are set back after it
    buffers      running statistics
    tensor       the class of an autograd engine in which x and weights are wrapped
    switch       of inference: ("method", "eval", "train"), ("argument", name), or ("setter" or "attribute",
                 name, its value in training, its value in inference)
    zero         a method that sets gradients to zero; PLACES where that is done from outside
    drops        whether a dropout's mask is true where a number is dropped
    rule         how an optimizer is called; see `rules`
    eps          its small constant that is given, since its default is another than PyTorch's; the default
    decay        its weight decay that is given, since its default is another than PyTorch's; the default
    switched     what turns its momentum off, where the kind has none, and Nesterov's on or off: name -> value
    off          a decay of the rate by its own code, and what it is given so that the rate stays
    sized        sizes that its constructor takes: of a batch, which is 1, of layers, or shapes of arrays
    prepare      a method that is shown the arrays, or what holds them, before the first step
    prepared_by  the size that it is shown instead of them: of arrays, or how many numbers they have
    laid         the shapes in which arrays are handed over, of `laid_out`
    apart        whether there is an optimizer for each array, since one takes no arrays of different shapes
    ahead        a method that says where Nesterov's takes the gradient, which is where PyTorch's arrays are
    head         whether the first layer of a list has no arrays, as that of the input
    count        an attribute with the number of the step that another method sets: it is counted up
    then         a method that makes the step of the gradients that the other one was given
    by_rate      whether the steps that it returns are without the rate
    returns      what becomes of what a step returns beside its array, where that is no new array
    average      what it calls the constant of momentum or RMSProp under the name of an average's: beta
    kept         constants of an optimizer or a batch norm that its code sets in an attribute and nothing
                 takes: argument -> attribute
    written      constants of an optimizer, and the momentum of a batch norm, that are numbers in its code:
                 argument -> number
    numbers      what its method is given at each call beside arrays: parameter -> constant, or t for the step
    order        the parameters of that method, or of a function, that get the arrays, where gradients come
                 first or numbers between them
    held         the parameters of the constructor that get the arrays, layers or a model
    stays        whether layers that it holds keep their arrays and gradients, which are written into
    each         whether there is an optimizer for each layer, since one for several mixes them
    rate         what its constructor calls the learning rate, where that is a name of the small constant
    probabilities  of a loss that takes them: "own" where its gradient is theirs, "scores" where it is that of
                 the scores before softmax, "logs" where it takes their logarithms; it is checked together
                 with a softmax before it
                 Of a loss of binary probabilities "logits" where it takes scores and has a sigmoid of its
                 own, "scores" where backward goes through a sigmoid before it
    per_row      whether such a loss gives one number per row, and its gradient is not divided by N either
    total        whether a loss of probabilities of classes is the sum over the rows, and its gradient the
                 sum's; both are divided by their number
    per_class    whether a loss of probabilities of classes is the mean over all numbers, and its gradient
                 that mean's; both are multiplied by the number of classes
    reduction    of a loss per output, what its sum is divided by, where its forward shows it: "mean" (their
                 number), "batchmean" (N), "sum" (1), "none" (it gives each); "" where nothing shows it
    factor       what that loss is multiplied by, 0.5, 1 or 2
    by_delta     whether a Huber loss is divided by its delta as well, which makes it a smooth L1 loss
    as_of        the layers of its file as of which its samples are columns, or the im2col beside a col2im
    inside_log   the small constant that such a loss adds to them inside its logarithm
    log_alone    whether its gradient is without that constant
    logged       the output of a loss, where the logarithm in its source shows it and its name does not
    own          the constant of an activation that cannot be given, as its forward shows it
    flat         the order in which a flatten gives the numbers of an image, where it is not (C, H, W)
    columns      the layout of im2col's columns; see `columns`
    unseen       results that cannot be had
    limits       what it does not take, in words
    """

    kind: str
    name: str = ""
    constructor: Pairs | None = None
    setup: Sequence[Sequence[Any]] = ()
    stored: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    passed: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    lazy: bool = False
    images: str = "NCHW"
    images_out: str = "NCHW"
    rows: str = "NF"
    rows_out: str = "NF"
    forward: str = ""
    forward_args: Pairs = ()
    out: Place = Place(((".", "out"),))
    backward: str = ""
    backward_args: Pairs = ()
    derivative: bool = False
    softmax_apart: bool = False
    jacobian: str = ""
    update: Sequence[Any] = ()
    dx: Place | None = None
    grads: Mapping[str, Place] = field(default_factory=dict)
    change: bool = False
    updates: bool = False
    buffers: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    tensor: str = ""
    parameter: str = ""
    switch: Sequence[Any] = ()
    zero: str = ""
    mean: bool = False
    mask: Place | None = None
    drops: bool = False
    rule: str = ""
    eps: Sequence[str] = ()
    decay: Sequence[str] = ()
    switched: Mapping[str, Any] = field(default_factory=dict)
    off: Mapping[str, float] = field(default_factory=dict)
    sized: Mapping[str, str] = field(default_factory=dict)
    prepare: str = ""
    prepared_by: str = ""
    laid: str = ""
    apart: bool = False
    ahead: str = ""
    head: bool = False
    count: str = ""
    then: str = ""
    by_rate: bool = False
    returns: str = ""
    rate: str = ""
    average: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    order: Sequence[str] = ()
    held: Sequence[str] = ()
    stays: bool = False
    each: bool = False
    probabilities: str = ""
    per_row: bool = False
    total: bool = False
    per_class: bool = False
    reduction: str = ""
    factor: float = 1.0
    by_delta: bool = False
    as_of: str = ""
    inside_log: float = 0.0
    log_alone: bool = False
    logged: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)
    flat: str = ""
    columns: str = ""
    unseen: Sequence[str] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Convention:
        """From what `data()` made, after it has been sent."""
        given = dict(data)
        for name in ("stored", "buffers"):
            given[name] = {k: [Place.of(p) for p in places] for k, places in given[name].items()}
        given["grads"] = {k: Place.of(p) for k, p in given["grads"].items()}
        for name in ("out", "dx", "mask"):
            given[name] = None if given[name] is None else Place.of(given[name])
        return cls(**given)

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def source(self) -> str:
        """An adapter that calls it so, to be kept in a file: `--adapter file.py:Mine`."""
        lines = []
        for one in fields(self):
            value = getattr(self, one.name)
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            if value != default:
                lines.append(f"        {one.name}={_literal(value)},\n")
        return (
            "from parity.adapters import Called, Convention, Place\n\n"
            f"Mine = Called(\n    Convention(\n{''.join(lines)}    )\n)\n"
        )

    def called_like(self, other: Convention) -> bool:
        """Whether an optimizer's arrays are handed over in the same way."""
        same = ("rule", "forward", "order", "numbers", "held")
        return all(getattr(self, name) == getattr(other, name) for name in same)

    @property
    def gives_steps(self) -> bool:
        """Whether an optimizer that is handed arrays returns steps in the place of new ones."""
        return self.returns not in ("", IGNORED) and not self.rule.startswith("step of")

    @property
    def as_in_the_book(self) -> bool:
        """Whether the constructor takes the kind's own arguments."""
        return [list(pair) for pair in self.constructor or ()] == [["*", "book"]]

    @property
    def built_with(self) -> set[str]:
        """Which of x and the labels t the constructor takes."""
        return {"x", "t"} & {meaning for _, meaning in self.constructor or ()}

    @property
    def updates_itself(self) -> bool:
        """Whether backward changes the weights by a rate that nothing gives it."""
        given = [*(self.constructor or ()), *self.backward_args, *(p for _, args in self.setup for p in args)]
        return (
            self.updates and not {"rate", "optimizer"} & {meaning for _, meaning in given} and not self.update
        )

    @property
    def built_for_batch(self) -> bool:
        """Whether the constructor takes the number of images."""
        pairs = [*(self.constructor or ()), *(pair for _, args in self.setup for pair in args)]
        return bool({"N", "(N,C,H,W)", "(N,H,W,C)", "(N,I)", "(N,shape)"} & {meaning for _, meaning in pairs})

    @property
    def x_layouts(self) -> dict[int, str]:
        return _of_numbers() if self.by_number else {4: self.images, 2: self.rows}

    @property
    def out_layouts(self) -> dict[int, str]:
        return _of_numbers() if self.by_number else {4: self.images_out, 2: self.rows_out}

    @property
    def by_number(self) -> bool:
        """Whether it takes one number, and no array."""
        return self.rows == NUMBER

    @property
    def given(self) -> set[str]:
        """The meanings that parameters of the constructor and of forward get, those inside of dicts too."""
        found = {meaning for _, meaning in [*(self.constructor or ()), *self.forward_args]}
        grouped = [meaning[1:-1].split(";") for meaning in found if meaning.startswith("{")]
        return found | {item.partition(":")[2] for group in grouped for item in group}

    @property
    def other_order(self) -> str:
        """The order in which it flattens an image, where that is neither PyTorch's nor that of its images."""
        return "" if self.flat == self.images.replace("N", "") else self.flat

    @property
    def padding(self) -> str:
        """What padding it takes: "" as the kind has it, "words" for 'valid' and 'same', "same" or "valid"
        for that alone, "fixed" for what keeps the size of an image, unasked."""
        if "pad" in self.limits:
            return str(self.limits["pad"])
        used = {meaning for _, meaning in [*(self.constructor or ()), *self.forward_args]}
        return "words" if used & {"valid|same", "VALID|SAME"} else ""

    @property
    def every_stride(self) -> bool:
        """Whether 'same' is (k - 1) / 2 at every stride."""
        return self.limits.get("same") == "every stride"

    @property
    def named_otherwise(self) -> bool:
        """Whether the names of a loss's arguments call its output the target."""
        names = [name.lstrip("*") for name, meaning in self.forward_args if meaning in ("x", "t")]
        return bool(self.logged) and said_of(self.logged, names) == "t"

    def takes(self, probe: Probe) -> bool:
        """Whether the probe asks for nothing that is known to be beyond it."""
        from parity.adapters.meanings import sizes

        known, limits = sizes(probe), self.limits
        window, stride = (known.get("FH"), known.get("FW")), probe.args.get("stride", 1)
        fixed = limits.get("stride")
        if fixed is not None and "FH" in known:
            wanted = window if fixed == "window" else (fixed, fixed)
            if (stride if isinstance(stride, tuple) else (stride, stride)) != wanted:
                return False
        if self.padding and "x" in probe.inputs and not self._takes_padding(probe):
            return False
        infers = probe.args.get("training") is False or (
            self.kind == "dropout" and "mask" not in probe.inputs
        )
        if (self.by_number or self.jacobian not in ("", "row")) and probe.inputs["x"].size > MOST_NUMBERS:
            return False
        if self.laid == NUMBERS and sum(a.size for a in probe.inputs["params"].values()) > MOST_NUMBERS:
            return False
        if limits.get("training") and infers:
            return False
        if limits.get("rows_only") and probe.inputs["x"].ndim == 4:
            return False
        if limits.get("images_only") and probe.inputs["x"].ndim == 2:
            return False
        if self.kind == "layer_norm" and "x" in probe.inputs and not self._takes_axes(probe.inputs["x"].ndim):
            return False
        if limits.get("one_pad") and isinstance(probe.args.get("pad"), tuple):
            return False
        if limits.get("whole_labels") and np.any(probe.inputs["t"] % 1):
            return False
        if limits.get("labels") == "one_hot" and probe.inputs["t"].ndim == 1:
            return False
        if (
            self.probabilities not in ("", "logs")
            and not is_reduced(self.kind)
            and not 0 < np.ptp(probe.inputs["x"], axis=1).max(initial=0) < APART
        ):
            return False
        if self.reduction and probe.needs & {"reduction", "factor"}:
            chosen = self.limits.get("reductions", ())
            if "factor" in probe.needs or probe.args["reduction"] not in chosen:
                return False
        if limits.get("square") and known.get("H") != known.get("W"):
            return False
        return all(known.get(letter, size) == size for letter, size in limits.get("sizes", {}).items())

    def _takes_axes(self, axes: int) -> bool:
        """Whether a layer normalization takes an input of so many axes."""
        if axes == 3:
            return self.rows == "NF" and not self.limits.get("matrices_only")
        return axes != 2 or not self.limits.get("sequences_only")

    def _takes_padding(self, probe: Probe) -> bool:
        pad, args = probe.args.get("pad", 0), probe.args
        if self.padding in ("words", "valid") and pad != SAME and not np.any(pad):
            return True
        if self.padding == "valid":
            return False
        if self.padding == "fixed" and pad == SAME:
            odd = all(size % 2 for size in window_of(args))
            return odd and not np.any(np.not_equal(args.get("stride", 1), 1))
        if pad == SAME and "same_even" in self.limits and not all(size % 2 for size in window_of(args)):
            return False
        if self.every_stride and pad == SAME and np.any(np.not_equal(args.get("stride", 1), 1)):
            return False  # that is TensorFlow's
        return is_same(probe, self.every_stride)

    def fitted(self, probe: Probe) -> Probe:
        """The probe without a bias, where the implementation has none; a pad that is 'same' needs that; a
        loss of outputs with the divisor that its forward shows, and with one-hot targets where it takes
        numbers of classes; an activation with its own constant, an
        optimizer with those that are written in its code."""
        if self.limits.get("class_labels"):
            probe = with_one_hot_targets(probe)
        if self.limits.get("first_slope") and "dout" in probe.inputs:
            probe = with_one_slope(probe)
        if self.reduction:
            own: dict[str, Any] = {"reduction": self.reduction} if self.reduction != "mean" else {}
            factor = self.factor / (self._delta(probe) if self.by_delta else 1)
            own |= {"factor": factor} if factor != 1 else {}
            probe = replace(probe, args={**probe.args, **own})
        if self.padding and "pad" in probe.needs and is_same(probe, self.every_stride):
            pairs = set() if isinstance(probe.args.get("stride"), tuple) else {"pairs"}
            probe = replace(probe, needs=probe.needs - {"pad"} - pairs | {"same"})
        if self.limits.get("stride") == "window" and _moves_by_its_window(probe):
            probe = replace(probe, needs=probe.needs - {"pairs"})  # it is asked for a window alone
        if self.padding == "same" and is_same(probe):
            probe = replace(probe, args={**probe.args, "pad": SAME})
        if self.written:
            return replace(probe, args={**probe.args, **self.written})
        if self.limits.get("no_bias") and probe.args.get("b") is not None:
            return replace(probe, args={**probe.args, "b": None})
        if none := [n for n in ("gamma", "beta") if self.limits.get(f"no_{n}") and n in probe.args]:
            return replace(probe, args={**probe.args, **dict.fromkeys(none)})
        return replace(probe, args={**self.own, **probe.args}) if self.own else probe

    def _delta(self, probe: Probe) -> float:
        """Of a Huber loss, where it is given or its own."""
        usual = self.own.get("delta", recipe(self.kind).optional["delta"])
        return float(probe.args.get("delta", usual))

    def limits_in_words(self) -> list[str]:
        """What it does not take, as the report prints it."""
        found = []
        sizes = dict(self.limits.get("sizes", {}))
        if {"FH", "FW"} <= sizes.keys():
            found.append(f"windows other than {sizes.pop('FH')}x{sizes.pop('FW')}")
        if sizes.get("C") == 1:
            del sizes["C"]
            found.append("several channels")
        if "C" in sizes and self.kind != "batch_norm":
            found.append(f"numbers of channels other than {sizes.pop('C')}")
        if (per_row := sizes.pop("I", 0)) > 0:
            found.append(
                f"numbers of classes other than {per_row}" if per_row > 1 else "several outputs per row"
            )
        if sizes.pop("FN", None) == 1:
            found.append("several filters")
        found += [f"{name} other than {size}" for name, size in [*sizes.items(), *self.written.items()]]
        if (stride := self.limits.get("stride")) is not None:
            found.append(f"strides other than {'the window' if stride == 'window' else stride}")
        found += [PADDING[self.padding]] if self.padding else []
        if pad := self.limits.get("same_even"):
            grows = "larger" if pad == "k // 2" else "smaller"
            found.append(
                f"padding='same' with an even window ({pad} on every side: the result is {grows} by 1)"
            )
        elif self.every_stride:
            found.append("padding='same' with an even window at a stride above 1")
        found += ["images that are not square"] if self.limits.get("square") else []
        found += ["images (4-D input)"] if self.limits.get("rows_only") else []
        found += ["rows (2-D input)"] if self.limits.get("images_only") else []
        found += ["a pad of two numbers"] if self.limits.get("one_pad") else []
        found += ["bias"] if self.limits.get("no_bias") else []
        found += [name for name in ("gamma", "beta") if self.limits.get(f"no_{name}")]
        if self.kind == "layer_norm":
            found += [] if self._takes_axes(3) else ["sequences (3-D input)"]
            found += [] if self._takes_axes(2) else ["rows (2-D input)"]
        if (chosen := self.limits.get("reductions")) is not None:
            usual = " and ".join(map(repr, chosen)) or "its default"
            found.append(f"a reduction other than {usual}")
        found += ["inference"] if self.limits.get("training") else []
        found += ["samples as rows"] if self.limits.get("assumed") else []
        found += ["targets other than one-hot rows"] if self.limits.get("class_labels") else []
        found += ["labels (N, 1)"] if self.limits.get("flat_labels") else []
        found += ["what forward returns"] if self.forward and "loss" in self.unseen else []
        found += ["outputs (N, 1)"] if self.limits.get("flat_outputs") else []
        found += ["labels as numbers of classes"] if self.limits.get("labels") == "one_hot" else []
        found += ["labels (N,)"] if self.limits.get("labels") == "column" else []
        found += ["whole arrays (it takes one number)"] if self.by_number else []
        found += ["several rows at once"] if self.limits.get("one_vector") else []
        found += ["layers with a bias"] if self.rule in ("layer, single", "layers, single") else []
        found += ["arrays of several shapes in one optimizer"] if self.apart else []
        shares = self.probabilities not in ("", "logs") or self.kind == OF_BINARY
        found += ["probabilities next to 0 or 1"] if shares else []
        return found

    def __str__(self) -> str:
        """`called as Conv2D(in_channels, kernel_size); weights in .weight (FN, C, FH, FW)`"""
        names = ["..."] if self.as_in_the_book else [name for name, _ in self.constructor or ()]
        if self.rule:
            eps = f"; {self.eps[0]} is given, its default is {self.eps[1]}" if all(self.eps or [""]) else ""
            eps += f"; {self.rate} is the learning rate" if self.rate else ""
            constant = "decay rate" if self.kind in ("rmsprop", "adadelta") else "momentum"
            eps += f"; {self.average} is the {constant}" if self.average else ""
            eps += "".join(
                f"; {name} is given as {value}" for name, value in {**self.switched, **self.off}.items()
            )
            eps += "".join(f"; .{name} is set" for name in self.kept.values())
            ones = [name for name, what in self.sized.items() if what == "batch_size"]
            eps += f"; {', '.join(ones)} is 1" if ones else ""
            handed = rule_in_words(self.rule, self.returns)
            if self.prepared_by:
                what = "the number of numbers" if self.prepared_by == "count" else "the shape"
                eps += f"; {self.prepare} is given {what} of its array before the first step"
            elif self.prepare and "to the constructor" in handed:
                handed = handed.replace("to the constructor", f"to {self.prepare}")
            elif self.prepare:
                eps += f"; {self.prepare} is given the same before the first step"
            eps += f"; then {self.then}()" if self.then else ""
            eps += "; its steps are multiplied by the rate" if self.by_rate else ""
            eps += f"; given at each call: {', '.join(self.numbers)}" if self.numbers else ""
            if len(self.order) == 2:
                eps += "; {} are the arrays, {} their gradients".format(*self.order)
            eps += "; the arrays stay the same ones" if self.stays else ""
            eps += "; an optimizer for each" if self.each else ""
            eps += f"; {LAYOUTS[self.laid]}" if self.laid else ""
            eps += "; an optimizer for each array" if self.apart else ""
            eps += f"; {self.ahead} says where its gradients are taken" if self.ahead else ""
            eps += "; the first layer has no arrays" if self.head else ""
            eps += f"; .{self.count} is counted up before each step" if self.count else ""
            method = "" if self.forward == self.name else f"; {self.forward}"
            return f"called as {self.name}{method} with {handed}{eps}"
        built, call = self.constructor is not None, self._calls()
        alone = bool(self.backward) and not self.forward  # a gradient without its loss
        first = f"{self.name}({', '.join(names)})" if built else call if self.forward or alone else self.name
        parts = [f"called as {first}"]
        parts += [f"then {name}({', '.join(p for p, _ in args)})" for name, args in self.setup]
        weights = [
            f"{places[0]} {letters(places[0].layout)}".strip() for places in self.stored.values() if places
        ]
        parts += (
            [f"weights in {', '.join(weights)}" + (" after a first forward" if self.lazy else "")]
            if weights
            else []
        )
        odd = [
            f"{name} {letters(layout)}"
            for name, layout in self.passed.items()
            if layout not in ("", "OIHW", "IO", "O")
        ]
        parts += [f"given {', '.join(odd)}"] if odd else []
        kept = self.rows_out in KEEPS_AXES.values()  # the result of images, and no rows
        for what, inner, outer in (
            ("images", self.images, self.rows_out.replace("F", "C") if kept else self.images_out),
            ("rows", self.rows, "NF" if kept else self.rows_out),
        ):
            if (inner, outer) == (NUMBER, NUMBER):
                parts.append("one number at a time")
            elif (inner, outer) not in (("NCHW", "NCHW"), ("NF", "NF")):
                parts.append(f"{what} {_axes(inner)}" + (f", out {_axes(outer)}" if outer != inner else ""))
        if self.limits.get("thin_outputs"):
            parts.append("outputs (N, 1): nothing says that they are (N,)")
        if self.limits.get("rows_of_targets"):
            parts.append("targets (N, F)")
        if self.flat:
            parts.append(f"each is flattened in the order ({', '.join(self.flat)})")
        if self.limits.get("assumed"):
            parts.append(
                "it goes down the columns, which are taken for the samples: nothing says what they are"
            )
        if self.as_of and not self.columns:
            parts.append(f"columns, as the file's other layers ({self.as_of})")
        if self.tensor:
            parts.append(f"in {self.tensor}")
        if self.columns:
            parts.append(
                f"columns {_columns(self.columns)}" + f", as {self.as_of} lays them out" * bool(self.as_of)
            )
        if self.probabilities and is_reduced(self.kind):
            parts.append(THROUGH_SIGMOID[self.probabilities])
        elif self.probabilities:
            own = "with their gradient" if self.probabilities == "own" else "with the gradient of the scores"
            own += " per row" if self.per_row else ""
            taken = "log-probabilities" if self.probabilities == "logs" else "probabilities"
            own = "with their gradient" + " per row" * self.per_row if taken[:3] == "log" else own
            parts.append(f"takes {taken}, {own if self.dx else 'without gradient'}")
        if self.per_row and not self.probabilities and not is_reduced(self.kind):
            parts.append("the loss is that of each row, with its own gradient")
        if "loss" in self.unseen:
            parts.append(self._loss_of_gradient())
        elif self.total:
            parts.append("the loss is the sum over the rows, divided by N here as its gradient is")
        elif self.per_class:
            parts.append("the loss is the mean over all numbers, multiplied by C here as its gradient is")
        if self.limits.get("flat_labels"):
            apart = self.limits.get("sizes", {}).get("I") != 1
            parts.append("labels (N,)" + " where outputs are (N, 1)" * apart)
        if self.limits.get("labels") == "column":
            parts.append("labels (N, 1)")
        if self.limits.get("class_labels"):
            parts.append("labels are given as numbers of classes (N,), the targets are their one-hot rows")
        if self.limits.get("whole_labels"):
            parts.append("labels are given as whole numbers")
        if self.reduction and self.forward:
            parts.append(f"the loss is {reduced_in_words(self)}")
        if self.padding in ("words", "same"):
            parts.append(AT_EVERY_STRIDE if self.every_stride else AS_TENSORFLOW)
        for name, value in self.own.items():
            shown = f"{value:g}" if isinstance(value, float) else repr(value)
            where = "" if is_reduced(self.kind) else " where x < 0"
            said = f"{name} {shown}, read off its forward{where}"
            parts.append(said if name != "at_zero" else f"it gives {shown} at x = 0 (the book's and ours 0)")
        if self.eps:
            parts.append(f".{self.eps[0]} = {self.eps[1]} is set to {EPS:g}, PyTorch's")
        parts += [f".{name} is set" for name in self.kept.values()]
        parts += [f"{name} is always {value:g}" for name, value in self.written.items()]
        parts += [call] if built else []
        if self.logged:
            parts.append(f"{self.logged} is taken for the output: it is what the logarithm is taken of")
        elif is_reduced(self.kind) and (order := order_in_words(self.forward_args)):
            parts.append(order)
        if not self.backward and self.dx is not None:
            parts.append(f"dx in {self.dx}")
        if self.mask is not None:
            dropped = ", true where a number is dropped" * self.drops
            shown = "read off the output" if self.mask == self.out else f"in {self.mask}"
            parts.append(f"mask {shown}{dropped}")
        parts += [
            ("p" if meaning.startswith("{") else name)
            + " is the share that is "
            + ("kept" if "keep" in meaning else "dropped")
            for name, meaning in [*(self.constructor or ()), *self.forward_args]
            if self.kind == "dropout" and (meaning in ("keep", "ratio") or meaning.startswith("{mode"))
        ]
        parts += [f"{name} there is the output" for name, meaning in self.backward_args if meaning == "out"]
        if self.change:
            parts.append("gradients read from the change of its weights")
        elif self.grads:
            adding = ", which add up" if self.zero == PLACES else f", set to zero by {self.zero}()"
            parts.append(
                f"gradients in {', '.join(str(place) for place in self.grads.values())}"
                + adding * bool(self.zero)
            )
        return "; ".join(parts)

    def _loss_of_gradient(self) -> str:
        """Which loss a gradient is taken for the gradient of, where nobody wrote that loss."""
        if self.reduction:
            words = reduced_in_words(self)
        elif is_reduced(self.kind):
            words = REDUCED["mean"]
        else:
            words = "the sum over the rows" if self.total else "the mean over the rows"
            words = "the mean over all numbers" if self.per_class else words
        return f"the loss is taken to be {words}, as nothing but its gradient says"

    def _calls(self) -> str:
        """`forward(x), backward(dout) -> returned[0]`"""
        if not self.forward:
            return f"{call_in_words(self.backward, self.backward_args)}, a gradient alone"
        call = call_in_words(self.forward, self.forward_args)
        call += f" -> {self.out}" if len(self.out.path) > 1 else ""
        if self.backward:
            call += f", {call_in_words(self.backward, self.backward_args)}"
            call += f" -> {self.dx}" if self.dx is not None and len(self.dx.path) > 1 else ""
            call += ", the Jacobian" if self.jacobian else ""
            call += ", times dout" if self.derivative else ""
        return call + (f", {call_in_words(*self.update)}" if self.update else "")


def _moves_by_its_window(probe: Probe) -> bool:
    """Whether a window of two sizes moves by them, and the padding is one number."""
    args = probe.args
    return not isinstance(args.get("pad"), tuple) and args.get("stride") == (
        args.get("pool_h"),
        args.get("pool_w"),
    )


def with_one_hot_targets(probe: Probe) -> Probe:
    """The probe with targets (N, C) that are one-hot rows, of the class with the largest number each."""
    t = probe.inputs["t"]
    hot = np.zeros_like(t)
    hot[np.arange(len(t)), t.argmax(axis=1)] = 1
    return replace(probe, inputs={**probe.inputs, "t": hot})


def has_one_slope(probe: Probe) -> bool:
    """Whether no row of dout has several numbers other than 0."""
    dout = probe.inputs.get("dout")
    return dout is None or not np.any(np.count_nonzero(dout, axis=1) > 1)


def with_one_slope(probe: Probe) -> Probe:
    """The probe with a dout that has one number other than 0 per row, its largest."""
    dout = probe.inputs["dout"]
    one = np.zeros_like(dout)
    at = np.arange(len(dout)), np.abs(dout).argmax(axis=1)
    one[at] = dout[at]
    return replace(probe, inputs={**probe.inputs, "dout": one})


OF_BINARY = "binary_cross_entropy"
THROUGH_SIGMOID = {
    "logits": "takes scores, of which it takes the sigmoid itself; checked on the scores of probabilities",
    "scores": "dx is the gradient of the scores before the sigmoid",
}
REDUCED = {
    "mean": "the mean over all outputs",
    "batchmean": "the sum divided by N",
    "sum": "the sum over all outputs",
    "none": "that of each output",
}


def reduced_in_words(c: Convention) -> str:
    """`half the sum divided by N`, and whose gradient backward gives where the loss is an array."""
    half = {0.5: "half ", 2.0: "twice "}.get(c.factor, "")
    samples = "the number of columns, the samples" if c.rows == "FN" else "N"
    words = half + REDUCED[c.reduction].replace("N", samples)
    words += ", divided by delta (a smooth L1 loss)" * c.by_delta
    if c.mean and c.reduction != "none":
        words += " as one number per row" + ", each with its own gradient" * c.per_row
    return words


def _literal(value: Any) -> str:
    if isinstance(value, Place):
        path = spelled(value.path).removeprefix(".")
        return f"Place({path!r}{f', {value.layout!r}' if value.layout else ''})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k!r}: {_literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        items = [_literal(v) for v in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    return repr(value)


def letters(layout: str) -> str:
    """`(FN, C, FH, FW)` for `OIHW`."""
    from parity.adapters.layouts import tokens

    if not layout:
        return ""
    if "H" not in layout and "I" in layout:
        names = {"I": "in", "O": "out"}
    else:
        names = LETTERS
    axes = ["*".join(names.get(c, c) for c in axis) for axis in tokens(layout)]
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"


def _columns(layout: str) -> str:
    """`(C*FH*FW, OH*OW*N)` for `K(PN)`."""
    from parity.adapters.layouts import tokens

    names = {"N": "N", "P": "OH*OW", "K": "C*FH*FW", "L": "FH*FW*C", "S": "FH*FW"}
    names |= {"H": "OH", "W": "OW", "C": "C", "F": "FH", "G": "FW"}
    axes = ["*".join(names[c] for c in axis) for axis in tokens(layout)]
    return f"({', '.join(axes)})" + ("" if "N" in layout else ", one image at a time")


def _of_numbers() -> dict[int, str]:
    return dict.fromkeys(range(32), NUMBER)  # whatever the shape


def _axes(layout: str) -> str:
    return f"({', '.join(layout)})" if "N" in layout else f"({', '.join(layout)}), one at a time"
