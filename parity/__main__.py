"""`python -m parity`.

Python looks for modules in the current folder first when it is started like this. There a student's
`typer.py` or `random.py` may lie, so the folder is looked in last, unless it is the one that parity is in.
"""

import os
import sys

here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if not sys.flags.safe_path and sys.path and os.path.abspath(sys.path[0]) != here:
    sys.path.append(sys.path.pop(0))

from parity.cli import main  # noqa: E402

main()
