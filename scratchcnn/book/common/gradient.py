"""The book's common/gradient.py (section 4.4)."""

from scratchcnn import numerical_gradient

__all__ = ["numerical_gradient"]
