"""The course's page: it is the committed one, asks for nothing, and shows which cells belong together."""

from pathlib import Path

import numpy as np
import pytest

from scratchcnn import Convolution, LeNet
from scratchcnn.cli import main
from scratchcnn.learn.backward_steps import DOUT, PARTS, B, W, X, backward_steps
from scratchcnn.learn.lenet_script import LENET, WEIGHTS, lenet_script
from scratchcnn.learn.page import LENET_LAYERS, file_name, page
from scratchcnn.learn.texts import languages, lesson_texts, messages
from scratchcnn.weights import load_weights, read_safetensors

COMMITTED = Path(__file__).parents[3] / "reports" / "learn"


@pytest.mark.parametrize("language", languages())
def test_the_committed_page_is_the_lessons(language):
    text = (COMMITTED / file_name(language)).read_text(encoding="utf-8")
    assert text == page(language), "write it anew: python -m scratchcnn learn --page reports/learn"
    assert lesson_texts(15, language)["title"] in text


def test_the_command_writes_every_language(tmp_path, capsys):
    assert main(["learn", "--page", str(tmp_path / "new")]) == 0
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "index.html",
        "index.ko.html",
        "lenet.js",
        "scratchcnn.js",
    ]


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


def test_the_filter_can_be_dragged_over_the_image(open_page):
    shown = open_page(COMMITTED / "index.html", 390, "dark")
    lit = shown.locator("#out .hit")
    for pixel, output in (("1,1", "0,0"), ("3,4", "2,3"), ("6,6", "4,4")):
        shown.locator(f"#image [data-at='{pixel}']").hover()
        shown.mouse.down()
        assert lit.get_attribute("data-at") == output and shown.locator("#image .hit").count() == 9
    shown.mouse.up()
    assert shown.complaints == []


@pytest.fixture(scope="module")
def gradients():
    """What `Convolution.backward` gives for the numbers of the page, in the page's form."""
    layer = Convolution(W, B)
    layer.forward(X)
    dx = layer.backward(DOUT)
    return {"dW": layer.dW.reshape(len(W), -1), "db": layer.db.reshape(1, -1), "dx": dx[0, 0]}


@pytest.mark.parametrize("name", ["dW", "db", "dx"])
def test_the_steps_end_in_what_convolution_computes(gradients, name):
    last = [step for step in backward_steps() if step.part == name][-1]
    np.testing.assert_array_equal(np.array(last.grids[name], dtype=float), gradients[name])


def test_each_calculation_of_a_step_is_right():
    checked = 0
    for step in backward_steps():
        if step.part in ("dW", "db"):
            terms, _, total = step.says.partition(" = ")[2].rpartition(" = ")
            assert eval(terms.replace("·", "*")) == int(total)
            ((row, column),) = step.lit[step.part]
            assert step.grids[step.part][row][column] == int(total)
            checked += 1
    assert checked == W.size + len(B)


def numbers(shown, name):
    """The numbers of a grid of the stepper; NaN where one is not known yet."""
    rows = {}
    for cell in shown.locator(f"#step-{name} g").all():
        text = cell.locator("text").text_content()
        rows.setdefault(cell.get_attribute("data-at").split(",")[0], []).append(
            np.nan if text == "·" else float(text)
        )
    return np.array(list(rows.values()))


@pytest.mark.parametrize("language, width, theme", [("en", 1200, "light"), ("ko", 390, "dark")])
def test_the_page_steps_through_backward(open_page, gradients, language, width, theme):
    shown = open_page(COMMITTED / file_name(language), width, theme)
    for part in PARTS:
        shown.locator(f"#steps [data-part={part}]").click()
        assert shown.locator("#step-says").inner_text().startswith(part)
    for name in ("dW", "db", "dx"):
        shown.locator(f"#steps [data-part={name}]").click()
        for _ in range([step.part for step in backward_steps()].count(name) - 1):
            shown.locator("#step-next").click()
        np.testing.assert_array_equal(numbers(shown, name), gradients[name])
    assert shown.complaints == []
    assert shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_the_stepper_answers_to_the_keyboard(open_page):
    shown = open_page(COMMITTED / "index.html")
    says, steps = shown.locator("#step-says"), [step.says for step in backward_steps()]
    shown.locator("#steps").focus()
    for key, at in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", -1), ("Home", 0)):
        shown.keyboard.press(key)
        assert says.inner_text() == steps[at]
    assert shown.locator("#step-back").is_disabled()


def test_lenets_layers_in_the_page_are_lenets(open_page):
    shown = open_page(COMMITTED / "index.html")
    shown.add_script_tag(path=COMMITTED / LENET)
    picture = np.random.default_rng(0).random((1, 1, 28, 28))
    call = "p => Object.fromEntries(Object.entries(lenetLayers(p, lenetWeights(LENET)))"
    call += ".map(([name, { C, H, W, data }]) => [name, { shape: [1, C, H, W], data: [...data] }]))"
    found = shown.evaluate(call, picture.ravel().tolist())
    network, x, ours = LeNet(dtype=np.float64), picture, {"x": picture}
    load_weights(network, WEIGHTS)
    for name, layer in network.layers.items():
        x = ours[name] = layer.forward(x)
    for name in (*LENET_LAYERS, "affine3"):
        got = np.reshape(found[name]["data"], found[name]["shape"])
        np.testing.assert_allclose(got.reshape(ours[name].shape), ours[name], rtol=1e-12, atol=1e-12)
    assert len(found) == len(LENET_LAYERS) + 1


def test_a_digit_can_be_drawn_by_keyboard(open_page):
    shown = open_page(COMMITTED / "index.ko.html", 390, "dark")
    assert not any(LENET in url for url in shown.asked)
    shown.locator("#digit").focus()
    for key in ("ArrowUp",) * 6 + (" ",) + ("ArrowDown",) * 12 + (" ",):
        shown.keyboard.press(key)
    says = messages("ko")["lenet_says"].partition("{percent}")[2].replace("{digit}", "1")
    shown.wait_for_function(
        "end => document.querySelector('#lenet-says').textContent.endsWith(end)", arg=says
    )
    assert shown.evaluate("document.querySelector('#lenet-pool2').width") == 8 * 6 - 1
    assert shown.locator("#lenet-pen").inner_text().startswith(messages("ko")["lenet_up"])
    assert shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    shown.locator("#lenet-clear").click()
    assert shown.locator("#lenet-says").inner_text() == "" and shown.complaints == []


@pytest.mark.parametrize("language", languages())
def test_lenets_accuracy_is_that_of_its_file(language):
    _, about = read_safetensors(WEIGHTS)
    assert f"{100 * float(about['test_accuracy']):.2f}" in messages(language)["lenet_intro"]
    assert (COMMITTED / LENET).read_text() == lenet_script()
