"""Words of a name as they are meant: `forword`, `sigmod` and `convulution`, and those of other languages.

One letter that is wrong, too much, missing or exchanged with the next is mended in long words alone, and
never where a word of its own comes out: `backyard` and `involution` stay what they are.
"""

from __future__ import annotations

import re
import unicodedata

WORDS = (
    *("forward", "forwards", "backward", "backwards", "sigmoid", "softmax", "dropout", "flatten", "pooling"),
    *(
        "convolution",
        "normalization",
        "connected",
        "momentum",
        "entropy",
        "derivative",
        "softplus",
        "softsign",
    ),
)
OF_THEIR_OWN = {"backyard", "cooling", "polling", "pouring", "fooling", "flattened", "flattens", "softmin"}
OF_THEIR_OWN |= {"denormalization", "renormalization", "unconnected", "involution", "deconvolution"}
OTHERWISE = {  # two letters off, and what other languages call it
    **dict.fromkeys(("bacth", "btach", "bacht"), "batch"),
    **dict.fromkeys(("drouput", "droupout", "dropuot"), "dropout"),
    **dict.fromkeys(("backwards", "bakwards", "backwars", "backwrods"), "backward"),
    **dict.fromkeys(("forwards", "forwrads"), "forward"),
    **dict.fromkeys(("sigmoide", "sigmoidea", "sigmoidal", "sigmoidfunktion"), "sigmoid"),
    **dict.fromkeys(("derivada", "derivee", "derivata", "ableitung"), "derivative"),
    **dict.fromkeys(("frente", "adelante", "avanti", "vorwarts", "vorwaerts"), "forward"),
    **dict.fromkeys(("tras", "atras", "indietro", "ruckwarts", "rueckwaerts"), "backward"),
    **dict.fromkeys(("densa", "denso", "densas", "dicht"), "dense"),
    **dict.fromkeys(("capa", "camada", "couche", "schicht"), "layer"),
    **dict.fromkeys(("ativacao", "activacion", "attivazione", "aktivierung"), "activation"),
    **dict.fromkeys(("funcao", "funcion", "fonction", "funktion", "funzione"), "function"),
    **dict.fromkeys(("perte", "perda", "perdida", "verlust", "perdita"), "loss"),
    **dict.fromkeys(("custo", "costo", "cout", "kosten"), "cost"),
    **dict.fromkeys(("optimiser", "otimizador", "optimizador", "optimiseur", "optimierer"), "optimizer"),
    **dict.fromkeys(("convolucion", "convolucao", "convolucional", "faltung", "convoluzione"), "convolution"),
}


def spelled(word: str) -> str:
    """The word that a word in lower case is meant to be; itself where that does not show."""
    word = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    if word in OTHERWISE or word in OF_THEIR_OWN or word in WORDS:
        return OTHERWISE.get(word, word)
    near = [known for known in WORDS if word.isalpha() and _one_off(word, known)]
    return OTHERWISE.get(near[0], near[0]) if near else word


def _one_off(word: str, known: str) -> bool:
    """Whether one letter is wrong, too much or missing, or two neighbours are exchanged; not the first."""
    if word[:1] != known[:1] or abs(len(word) - len(known)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), None)
    if at is None:
        return len(word) < len(known)  # sigmoidp and softmax1 are something else
    rest, whole = word[at:], known[at:]
    if len(word) == len(known):
        return rest[1:] == whole[1:] or (rest[:2] == whole[1::-1] and rest[2:] == whole[2:])
    return rest[1:] == whole or rest == whole[1:]


def respelled(name: str) -> str:
    """A name with each of its words spelled: `batch_norm_forword` -> `batch_norm_forward`."""
    name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parts = re.split(r"(?<=[a-z0-9])(?=[A-Z])|(_)", name)
    return "".join(_in_its_case(part) for part in parts if part)


def _in_its_case(part: str) -> str:
    meant = spelled(part.lower())
    if meant == part.lower():
        return part
    return meant.capitalize() if part[0].isupper() else meant
