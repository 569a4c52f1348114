"""The two types that stand in most signatures."""

import os
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]  # the dtype and the shape are in the docstring
PathLike = str | os.PathLike[str]
