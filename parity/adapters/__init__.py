"""How somebody's code is loaded, built, called and kept in a process of its own.

An adapter of your own is a subclass of `BookAdapter`, or of `Adapter` where nothing is as in the book; or
`Called` with a `Convention`, as `verify --called` prints it.
"""

from parity.adapters.book import Adapter, BookAdapter
from parity.adapters.called import Called
from parity.adapters.convention import Convention, Place

__all__ = ["Adapter", "BookAdapter", "Called", "Convention", "Place"]
