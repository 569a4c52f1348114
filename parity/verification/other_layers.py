"""Layers and losses that are well known and are none of the kinds, by their names."""

from __future__ import annotations

import re

from parity.adapters.arguments import plain

NO_KIND = "not one of the kinds"
IS_NONE = f" is {NO_KIND}"  # after the name of what is known
THINGS = {  # a pattern of the plain name, without what stands around it
    "RMS normalization": "rmsnorm(alization)?",
    "instance normalization": "instancenorm(alization)?",
    "group normalization": "groupnorm(alization)?",
    "attention": "((multi|scaled|self|causal|cross)?(head|dotproduct)?)*(self|causal|cross)?attention",
    "an embedding": "(token|position|positional|word)?embeddings?",
    "a recurrent layer": "(simple|vanilla|elman|bi|time)?(rnn|lstm|gru)",
    "a depthwise convolution": "(depthwise|separable|depthwiseseparable|pointwise)conv(olution)?(al)?",
    "a convolution of one axis": "conv(olution)?(al)?1d",
    "a convolution of three axes": "conv(olution)?(al)?3d",
    "a pooling of one axis": "(max|min|avg|average|mean)?pool(ing)?1d",
    "a pooling of three axes": "(max|min|avg|average|mean)?pool(ing)?3d",
    "a maximum over whole images": "globalmaxpool(ing)?",
    "a dropout of whole channels": "spatialdropout|dropout2d",
    "weight normalization": "weightnorm(alization)?",
    "spectral normalization": "spectralnorm(alization)?",
    "layer normalization of images": "layernorm(alization)?2d",
    "a transposed convolution": "(transposed?|de)conv(olution)?|conv(olution)?(2d)?transposed?",
    "upsampling": "upsampl(e|ing)|unpool(ing)?",
    "a step of -1 and 1": "(bipolar|sign)?(step|threshold)(activation)?(function|func|fn)?|sign(um)?",
    "a Huber loss of a residual": "(huber|smoothl1)(loss|error|gradient|grad|derivative)?",
    "a hinge loss of this form": "(svm|(multiclass|squared|categorical|binary)?hinge)(loss)?",
}
AROUND = re.compile(
    "^my|layer$|cell$|class$|block$|forward|backward|grad(ient)?$|[123]d$|(naive|manual|numpy)$"
)


def reason_for(name: str) -> str:
    """Why what has that name has no verdict: `layer normalization is not one of the kinds`, else NO_KIND."""
    word, before, thing = plain(name.rpartition(".")[2]), "", ""
    while word != before and not thing:
        thing = next((thing for thing, pattern in THINGS.items() if re.fullmatch(pattern, word)), "")
        word, before = AROUND.sub("", word, count=1), word
    return f"{thing}{IS_NONE}" if thing else NO_KIND
