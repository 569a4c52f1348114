"""The results of one run as tables, figures and one self-contained page; the difference of two runs."""
