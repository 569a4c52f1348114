"""The command run in this process, and a browser.

Tests marked `cuda` run where there is a GPU, pages are opened where there is a chromium. Elsewhere
pytest's summary says that and why they did not run; in CI (the variable CI is set) a missing browser is an
error.
"""

import os
import shutil
from dataclasses import replace
from functools import lru_cache

import pytest
import torch
from helpers import Ended

from parity.cli import main
from parity.kinds import ALL_KINDS
from parity.kinds.real_sizes import real_sizes
from parity.verification import observe

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENT = 600_000  # milliseconds that a busy machine may take for what is there at once on a quiet one
MISSING = "no chromium on this machine; `apt-get install chromium` brings it"


@pytest.fixture
def parity(capsys):
    """Run the command `parity` with these arguments in this process, which is quick."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(a) for a in arguments])
        return Ended(end.value.code, *capsys.readouterr())

    return run


@lru_cache
def cheapest(kind, most=4):
    return real_sizes(kind)[:most]


@pytest.fixture
def few_real_sizes(monkeypatch):
    """Of the inputs of real size only the cheapest are tried, for what shows on small ones."""
    monkeypatch.setattr(observe, "real_sizes", lambda kind: [probe.copy() for probe in cheapest(kind)])


@pytest.fixture
def as_ours(monkeypatch):
    """`as_ours("relu", Wrong)`: for this test ours of that kind is another implementation."""

    def put(kind, factory):
        monkeypatch.setitem(ALL_KINDS, kind, replace(ALL_KINDS[kind], ours=factory))

    return put


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="no CUDA device on this machine"))


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must test the page: {MISSING}")
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        found = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENT)
        yield found
        found.close()


@pytest.fixture
def open_page(browser):
    """open_page(path, width, theme): the page in a window; its `asked` and `complaints` are lists."""
    contexts = []

    def opened(path, width=1200, theme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        context.set_default_timeout(PATIENT)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.route("**/*", lambda route: (page.asked.append(route.request.url), route.continue_()))
        page.on("console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else 0)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
