"""How an optimizer's step is called, in the words of a verdict. Needs nothing but Python."""

from __future__ import annotations

from parity.adapters.layers_given import in_words
from parity.adapters.returned_steps import IGNORED

RETURNED = "the step is returned, to be added or taken off as the first one shows"
RULES = {
    "dicts": "dicts of arrays",
    "dicts by letter": "dicts of arrays called W1, W2 and b1",
    "lists": "lists of arrays",
    "arrays": "one array and its gradient",
    "layer": "a layer that has .weights and .dweights",
    "params": "nothing: the parameters come to the constructor",
    "params of pairs": "nothing: pairs of an array and its gradient come to the constructor",
    "params of dicts": "nothing: dicts of an array and its gradient come to the constructor",
    "held": "gradients in a list: the parameters come to the constructor",
    "held two lists": "lists of gradients of weights and of biases, whose lists come to the constructor",
    "two lists": "lists of weights, of biases, and of the gradients of both",
    "lists and pairs": "lists of weights and of biases, and a list of pairs of their gradients",
    "lists of pairs": "a list of pairs of a weight and its bias, and one of their gradients",
    "lists of numbers": "the numbers of all arrays in one list, and one of their gradients",
    "held array": "a gradient: its array comes to the constructor; an optimizer for each",
    "asked": "an array and the gradient as a function; an optimizer for each",
    "run": "the gradient as a function, and the first arrays: all steps in one call",
    "both": "nothing: lists of parameters and gradients come to the constructor",
    "both dicts": "nothing: dicts of parameters and gradients come to the constructor",
    "pairs": "pairs of an array and its gradient",
    "by name": "pairs of an array and its gradient, by name",
    "state": "an array, its gradient and its state, None at first",
    "config": "an array, its gradient and a dict of options",
    "arrays+lr": "an array, its gradient and the learning rate",
    "lists+lr": "lists of arrays and the learning rate",
    "arguments": "each weight, bias and gradient by itself, and the learning rate; each layer in each place",
    "dicts+lr": "dicts of arrays and the learning rate",
    "in order": "an array, its gradient and a name, or a weight and a bias with theirs; moments that it asks "
    "for are 0 at first, t counts from 0 where that gives numbers; without a name, an optimizer for each",
    "given layer": "a layer that has .weights and .bias, and its gradients; where its state is not by "
    "layer, an optimizer for each",
    "given layer of lists": "a layer that has its arrays in a list, and a list of its gradients",
    "dict of a layer": "dicts of the arrays and of the gradients of one layer, and its number",
    "list of a layer": "lists of the arrays and of the gradients of one layer, and its number",
    "held dicts": "gradients in a dict: the dict of parameters comes to the constructor",
    "objects": "a list of parameters that have .data and .grad",
    "numbered": "dicts of W1, b1, W2, b2 and of dW1, db1, dW2, db2",
    "chained": "dicts of W1, b1, W2, b2 and of dW1, db1, dW2, db2, of the sizes that its constructor gets",
    "step of slope": f"a gradient; {RETURNED}; without a name, an optimizer for each",
    "step of dict": f"gradients in a dict; {RETURNED}",
    "step of list": f"gradients in a list; {RETURNED}",
    "held numbered": "a dict of dW1, db1, dW2, db2: one of W1, b1, W2, b2 comes to the constructor",
    "by layer name": "dicts of dicts of arrays, one per layer",
    "in dicts": "lists of dicts of arrays, one per layer",
    "numbered+state": "dicts of W1, b1, ... and of dW1, db1, ..., and its state by the gradients' names",
    "numbered+own state": "dicts of W1, b1, ... and of dW1, db1, ..., and its state by the arrays' names",
    "dicts+state": "dicts of arrays, of gradients and of its state",
    "lists+state": "lists of arrays, of gradients and of its state",
    "arrays+state": "an array, its gradient and its state",
    "arrays+dict state": "an array, its gradient and its state, a dict that has zeros",
    "arrays+pair state": "an array, its gradient and its state, both moments in one",
}
PARAMETERS = {  # the end of a rule of parameters that are objects
    "": "a parameter that has .data and .grad",
    "variables": "a parameter that has .data and .grad.data",
    "weights": "a parameter that has .w and .dw",
    "moments": "a parameter that has .data, .grad and its moments, 0 at first",
    "pairs": "a pair of an array and its gradient",
    "dicts": "a dict of an array and its gradient",
}
HANDED = {
    "params": "nothing: a list comes to the constructor, each is {}",
    "params by name": "nothing: a dict comes to the constructor, each is {}",
    "objects": "a list, each is {}",
    "objects by name": "a dict, each is {}",
    "object": "{}, one at a time",
    "params by layer": "nothing: a list for each layer comes to the constructor, each is {}",
    "objects by layer": "lists, one for each layer, each is {}",
}


def rule_in_words(rule: str, returns: str = "") -> str:
    """What the step of an optimizer is called with, and what becomes of what it returns."""
    if rule in RULES:
        words = RULES[rule]
    else:
        first, _, form = rule.partition(" of ")
        words = HANDED[first].format(PARAMETERS[form]) if first in HANDED else in_words(rule)
    if not returns:
        return words
    if returns == IGNORED:
        return f"{words}; what it returns is {returns}"
    said = f"the step is returned, {returns}"
    return words.replace(RETURNED, said) if RETURNED in words else f"{words}; {said}"
