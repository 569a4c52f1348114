"""The book's `dataset` folder."""
