"""The style of the book's common/: its names and signatures, and its habits, in words of our own."""
