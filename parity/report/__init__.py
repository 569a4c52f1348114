"""What the harness found, as tables, pictures and one self-contained page."""
