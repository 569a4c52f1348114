"""How somebody's code is loaded, built, called and kept in a process of its own.

An adapter of your own is a subclass of `BookAdapter`, or of `Adapter` where nothing is as in the book.
"""

from parity.adapters.book import Adapter, BookAdapter

__all__ = ["Adapter", "BookAdapter"]
