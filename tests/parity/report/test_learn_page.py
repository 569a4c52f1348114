"""The course's page: it is the committed one, asks for nothing, and shows which cells belong together."""

from pathlib import Path

import pytest

from scratchcnn.cli import main
from scratchcnn.learn.page import file_name, page
from scratchcnn.learn.texts import languages, lesson_texts

COMMITTED = Path(__file__).parents[3] / "reports" / "learn"


@pytest.mark.parametrize("language", languages())
def test_the_committed_page_is_the_lessons(language):
    text = (COMMITTED / file_name(language)).read_text(encoding="utf-8")
    assert text == page(language), "write it anew: python -m scratchcnn learn --page reports/learn"
    assert lesson_texts(15, language)["title"] in text


def test_the_command_writes_every_language(tmp_path, capsys):
    assert main(["learn", "--page", str(tmp_path / "new")]) == 0
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["index.html", "index.ko.html"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language, width", [("en", 1200), ("ko", 390)])
def test_an_output_lights_its_window(open_page, language, width, theme):
    shown = open_page(COMMITTED / file_name(language), width, theme)
    shown.locator("#out [data-at='1,2']").hover()
    assert shown.locator("#image .hit").count() == 9 and shown.locator("#col .hit").count() == 9
    total = int(shown.locator("#sum").inner_text().rpartition("= ")[2])
    assert total == int(shown.locator("#out .hit text").text_content())
    assert (
        shown.complaints == []
        and [url for url in shown.asked if not url.startswith(("file:", "data:"))] == []
    )
    assert shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_stride_and_dilation_change_the_size_and_a_pixel_its_places(open_page):
    shown = open_page(COMMITTED / "index.html", 1200, "light")
    shown.locator("#pad").fill("0")
    shown.locator("#dilation").fill("2")
    assert shown.locator("#out g").count() == 1 and shown.locator("#formula").inner_text().endswith("→ 1")
    shown.locator("#dilation").fill("1")
    shown.locator("#image [data-at='2,2']").hover()
    assert shown.locator("#col .hit").count() == 9  # the middle is in all nine windows
    shown.locator("#out [data-at='0,0']").focus()
    shown.keyboard.press("ArrowRight")
    assert shown.locator("#out .hit").get_attribute("data-at") == "0,1"
