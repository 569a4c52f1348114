"""Downloads, verified by published checksums and kept in a cache, by the package pooch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from scratchcnn.typing import PathLike

CACHE_VARIABLE = "SCRATCHCNN_CACHE"


def cache_folder() -> Path:
    """Where downloads are kept: $SCRATCHCNN_CACHE, or the system's folder for caches."""
    import pooch

    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("scratchcnn")).expanduser()


def fetch(
    name: str, urls: Sequence[str], sha256: Mapping[str, str], cache: PathLike | None = None
) -> list[Path]:
    """The files of a set in the cache, each downloaded from the first of `urls` that has it intact.

    A file that is already in the cache and intact is not downloaded again; one with another checksum is
    never kept.

    Raises OSError with the answer of each address if none has the file, or if the cache cannot be written.
    """
    folder = (Path(cache) if cache is not None else cache_folder()) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"cannot make the cache folder {folder} ({error.strerror}); name another one in {CACHE_VARIABLE}"
        ) from error
    return [_fetch_file(name, file, urls, known, folder, list(sha256)) for file, known in sha256.items()]


def _fetch_file(
    name: str, file: str, urls: Sequence[str], sha256: str, folder: Path, files: list[str]
) -> Path:
    import pooch
    import requests

    answers = []
    for url in urls:
        downloader = pooch.HTTPDownloader(timeout=30)
        try:
            return Path(pooch.retrieve(url + file, f"sha256:{sha256}", file, folder, downloader=downloader))
        except ValueError as error:  # pooch's error for a wrong checksum, or one of requests
            wrong = not isinstance(error, requests.RequestException)
            answers.append(f"{url} has a file with another SHA-256" if wrong else f"{url}: {_short(error)}")
        except (requests.RequestException, OSError) as error:
            answers.append(f"{url}: {_short(error)}")
    raise OSError(
        f"cannot download {file} of {name} ({'; '.join(answers)}); put {', '.join(files)} into a folder and "
        "name it with --data-dir (data_dir=) or in SCRATCHCNN_DATA"
    )


def _short(error: Exception) -> str:
    """The error in a few words; the messages of requests contain object addresses."""
    import requests

    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(getattr(error, "strerror", None) or error)
