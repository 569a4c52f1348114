"""The page in a real browser, Debian's chromium, without a network."""

import json
import math
import re
from functools import partial
from itertools import pairwise

import pytest


@pytest.fixture
def open_page(open_page, folder):
    """open_page(width, theme): the report's page."""
    return partial(open_page, folder / "index.html")


def table_of(page, title):
    return page.locator(".data", has=page.get_by_label(f"Table: {title}", exact=True))


def column(table, name):
    names = [text.split(" ")[0] for text in table.locator("th").all_inner_texts()]
    return table.locator(f"tbody td:nth-child({names.index(name) + 1})").all_inner_texts()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200], ids=["phone", "desktop"])
def test_it_opens_without_errors_and_asks_for_nothing(open_page, width, theme):
    page = open_page(width, theme)
    for details in page.locator("details").all():
        details.evaluate("d => d.open = true")
    page.wait_for_function("[...document.querySelectorAll('.data')].every(d => d.childElementCount)")
    assert page.complaints == []
    outside = [url for url in page.asked if not url.startswith(("file:", "data:"))]
    assert outside == [] and len([url for url in page.asked if url.startswith("file:")]) == 1
    across = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert across == 0, "the page scrolls sideways"


def test_a_filter_shows_only_what_it_names(open_page, found):
    page = open_page()
    table = table_of(page, "Error against allowance")
    table.get_by_label("dtype in the table").select_option("float64")
    assert set(column(table, "dtype")) == {"float64"}
    table.get_by_label("Filter the table").fill("conv1 alone")
    rows = found.tables["accuracy"].query("dtype == 'float64' and layer == 'conv1' and phase == 'alone'")
    assert set(column(table, "layer")) == {"conv1"} and set(column(table, "phase")) == {"alone"}
    assert table.locator(".count").inner_text().startswith(f"{len(rows)} of ")
    table.get_by_label("Filter the table").fill("nothing is called so")
    assert table.locator("tbody tr").count() == 0


def test_a_click_sorts_and_another_turns_it_round(open_page, found):
    page = open_page()
    table = table_of(page, "Error against allowance")
    assert table.locator("th[aria-sort]").inner_text().startswith("margin")  # worst first
    margins = found.tables["accuracy"]["margin"].sort_values(ascending=False)
    assert float(column(table, "margin")[0]) == pytest.approx(margins.iloc[0], rel=1e-2)
    table.get_by_role("button", name="allowed").click()
    shown = [float(v) for v in column(table, "allowed")]
    assert shown == sorted(shown, reverse=True) and len(set(shown)) > 1
    table.get_by_role("button", name="allowed").click()
    shown = [float(v) for v in column(table, "allowed")]
    assert shown == sorted(shown)
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("allowed")


def test_more_rows_on_demand(open_page, found):
    page = open_page()
    table = table_of(page, "Error against allowance")
    assert table.locator("tbody tr").count() == 12
    table.get_by_role("button", name="more").click()
    assert table.locator("tbody tr").count() == 62


def test_the_theme_can_be_switched(open_page):
    page = open_page(theme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_label("Switch between light and dark").click()
    dark = page.evaluate(paper)
    assert light != dark
    page.get_by_label("Switch between light and dark").click()
    assert page.evaluate(paper) == light


CONTRAST = """() => {
  const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
  const paint = canvas.getContext('2d', {willReadFrequently: true});
  const rgba = (color, under) => {
    paint.fillStyle = `rgb(${under.join(',')})`; paint.fillRect(0, 0, 1, 1);
    paint.fillStyle = color; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = (v) => v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (e) => { const chain = []; for (; e; e = e.parentElement) chain.unshift(e);
    return chain.reduce((under, e) => rgba(getComputedStyle(e).backgroundColor, under), [255, 255, 255]); };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest('script, noscript')) continue;
    const style = getComputedStyle(e), svg = e instanceof SVGElement;
    let under = behind(e);
    if (svg && e.previousElementSibling && e.previousElementSibling.tagName === 'rect')
      under = rgba(getComputedStyle(e.previousElementSibling).fill, under);
    const over = rgba(svg ? style.fill : style.color, under);
    const [a, b] = [light(over), light(under)].sort((x, y) => y - x);
    const what = `${e.tagName}.${e.getAttribute('class')} ${e.textContent.trim().slice(0, 30)}`;
    found.push([(a + 0.05) / (b + 0.05), what]);
  }
  return found;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(open_page, theme):
    page = open_page(theme=theme)
    for details in page.locator("details").all():
        details.evaluate("d => d.open = true")
    page.wait_for_function("[...document.querySelectorAll('.data')].every(d => d.childElementCount)")
    measured = page.evaluate(CONTRAST)
    assert len(measured) > 500
    weak = [(round(contrast, 2), what) for contrast, what in measured if contrast < 4.5]
    assert weak == []


def test_pictures_are_described_and_controls_are_named(open_page):
    page = open_page()
    for details in page.locator("details").all():
        details.evaluate("d => d.open = true")
    alts = page.eval_on_selector_all("img", "all => all.map((i) => i.alt)")
    assert len(alts) > 10 and all(alts)
    unnamed = page.evaluate(
        """[...document.querySelectorAll('svg, [role=img]')].filter((e) => !e.closest('[aria-hidden=true]')
             && !e.getAttribute('aria-label')).map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    controls = page.eval_on_selector_all(
        "button, input, select", "all => all.map((e) => e.getAttribute('aria-label') || e.textContent)"
    )
    assert len(controls) > 20 and all(text.strip() for text in controls)
    assert page.get_attribute("html", "lang") == "en"


def test_headings_do_not_skip_a_level(open_page):
    levels = open_page().eval_on_selector_all("h1, h2, h3, h4", "all => all.map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


OVERLAPS = """() => [...document.querySelectorAll('.panel svg, .rows')].flatMap((chart) => {
  const labels = 'text.tick:not([transform]), text.name, .ticks span, .ticks em';
  const boxes = [...chart.querySelectorAll(labels)]
    .map((e) => [e.textContent, e.getBoundingClientRect()]).filter(([, box]) => box.width);
  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2
    && b.top < a.bottom - 2;
  return boxes.flatMap(([said, a], k) => boxes.slice(k + 1).filter(([, b]) => over(a, b))
    .map(([other]) => `${said} | ${other}`));
})"""


def test_axis_labels_do_not_overlap(open_page):
    page = open_page(390)
    overlaps = page.evaluate(OVERLAPS)
    assert overlaps == []


def test_it_can_be_printed(open_page, tmp_path):
    pdf = open_page().pdf(path=str(tmp_path / "report.pdf"), format="A4")
    assert pdf.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", pdf)) > 3


def test_on_paper_all_layers_stand_open_and_no_controls(open_page):
    page = open_page()
    opened = "[...document.querySelectorAll('details.layer')].map((d) => d.open)"
    before = page.evaluate(opened)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(before) > 5 and not all(before) and all(page.evaluate(opened))
    page.emulate_media(media="print")
    assert not page.locator(".data .controls").first.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).printColorAdjust") == "exact"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(opened) == before


@pytest.mark.parametrize("width", [390, 760, 1200], ids=["phone", "tablet", "desktop"])
def test_the_large_figures_fit_their_columns(open_page, width):
    figures = open_page(width).evaluate(
        "[...document.querySelectorAll('.big')].map((e) => [e.scrollWidth - e.clientWidth, e.textContent])"
    )
    assert len(figures) == 4 and [text for over, text in figures if over > 0] == []


@pytest.mark.parametrize("width", [390, 1200], ids=["phone", "desktop"])
def test_the_rows_of_a_chart_share_one_axis(open_page, width):
    charts = open_page(width).evaluate(
        """[...document.querySelectorAll('.rows')].map((chart) =>
             [...chart.querySelectorAll('.track')].map((t) => t.getBoundingClientRect())
               .map((box) => `${box.left.toFixed(1)} ${box.width.toFixed(1)}`))"""
    )
    assert len(charts) >= 5 and all(len(set(places)) == 1 for places in charts)
    assert min(float(places[0].split()[1]) for places in charts) >= 60  # a bar needs room


def test_a_tick_answers_to_the_pointer(open_page, found):
    page = open_page()
    track = page.locator("[data-ticks]").last
    where = json.loads(track.get_attribute("data-ticks"))
    rows = found.tables["accuracy"].query("network == @where['network'] and dtype == @where['dtype']")
    worst = rows.loc[rows.loc[~rows["exact"], "margin"].idxmax()]
    low, high = math.log10(where["low"]), math.log10(where["high"])
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    page.mouse.move(
        box["x"] + box["width"] * (math.log10(worst["margin"]) - low) / (high - low), box["y"] + 9
    )
    text = page.locator(".tip").inner_text()
    assert text.startswith(str(worst["layer"])) and "% of what is allowed" in text
    page.mouse.move(5, 5)
    assert page.locator(".tip").is_hidden()


@pytest.mark.parametrize(
    ("width", "tables"),
    [(1280, ".plain, .data table"), (390, ".heat, .files, .demo .scroll > *")],
    ids=["desktop", "phone"],
)
def test_nothing_that_should_be_whole_is_cut_off(open_page, width, tables):
    page = open_page(width)
    cut = """found => found.filter(e => e.scrollWidth > e.closest('.scroll, .figure').clientWidth + 1)
        .map(e => e.textContent.slice(0, 60))"""
    assert page.locator(tables).evaluate_all(cut) == []
