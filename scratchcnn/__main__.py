"""`python -m scratchcnn`."""

import sys

from scratchcnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
