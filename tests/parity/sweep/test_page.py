"""The page of 5,700 cells in a real browser, without a network."""

import pytest

from parity.sweep.report import write_report
from parity.sweep.store import Store
from parity.sweep.summary import summarize


@pytest.fixture(scope="module")
def page_file(undisturbed, tmp_path_factory):
    return write_report(summarize(Store(undisturbed)), tmp_path_factory.mktemp("page") / "report.html")


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1200, "light")], ids=["phone", "desktop"])
def test_it_opens_fits_and_asks_for_nothing(page_file, open_page, width, theme):
    page = open_page(page_file, width, theme)
    assert page.complaints == [] and page.asked == [page_file.as_uri()]
    assert page.locator("h1").inner_text() == "All 5,700 cells match PyTorch"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    totals = page.locator("#totals tbody tr")
    cells = [row.locator("td").nth(4).inner_text() for row in totals.all()]
    assert sum(int(text.replace(",", "")) for text in cells) == 5_700
    for name in ("failures", "margins", "throughput"):
        assert page.locator(f"#{name} h2").is_visible()
