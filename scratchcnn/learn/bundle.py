"""The code that runs in the course's page: scratchcnn and the part of parity that needs NumPy alone.

It lies beside the page as a script that holds a zip archive in base64: a page that was opened from a file may
load scripts and fetch nothing.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

BUNDLE = "scratchcnn.js"
LEFT_OUT = {  # what neither the exercises nor their judge import
    "scratchcnn": {"book", "data/fashion_mnist_sample", "data/trained", "learn/cells", "learn/page_files"},
    "parity": {"audit", "cli", "grading", "referees", "report", "sweep", "timing"},
}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same archive for the same code


def bundle() -> str:
    """The script: `SCRATCHCNN = "..."`, a zip archive in base64."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as unfinished:
        for name, path in _sources():
            unfinished.writestr(
                zipfile.ZipInfo(name, EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9
            )
    return f'SCRATCHCNN = "{base64.b64encode(archive.getvalue()).decode()}";\n'


def _sources() -> Iterator[tuple[str, Path]]:
    """(name in the archive, file) of every file of the two packages that is not left out."""
    for package, left_out in LEFT_OUT.items():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"there is no package {package} to put beside the page", name=package)
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            outside = any(name.startswith(f"{folder}/") for folder in left_out)
            if path.is_file() and "__pycache__" not in path.parts and not outside:
                yield f"{package}/{name}", path
