"""Bring your own: a class, a network, a test file, two files of arrays -> a Verdict."""
