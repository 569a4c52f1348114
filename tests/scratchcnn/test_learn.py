"""The course: every lesson runs, gap files fail, solutions pass, every usual mistake is recognised."""

import json
import sys
import tomllib
from functools import partial

import matplotlib as mpl
import pytest

from scratchcnn.cli import main
from scratchcnn.learn import answer_source, judge, texts
from scratchcnn.learn.exercise import alike, first_difference
from scratchcnn.learn.exercises import EXERCISES
from scratchcnn.learn.judge import judge_answer, mistake_of
from scratchcnn.learn.lessons import lesson, notebook
from scratchcnn.learn.texts import lesson_texts, messages

NUMBERS = [exercise.number for exercise in EXERCISES]
each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
MISTAKES = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def here(monkeypatch):
    """Answers are judged in this process, which is quicker."""
    real = judge.judge_answer
    monkeypatch.setattr("scratchcnn.learn_command.judge_answer", partial(real, isolated=False))


# -- texts ------------------------------------------------------------------------------------------
def keys(text):
    parts = {key: value if isinstance(value, dict) else [""] for key, value in text.items()}
    return {(key, inner) for key, inside in parts.items() for inner in inside if key != "names"}


def code_lines(source):
    return [line for line in source.splitlines() if line and not line.startswith("#")]


def test_there_are_fifteen_lessons():
    assert list(range(1, 16)) == NUMBERS and texts.languages() == ["en", "ko"]


@pytest.mark.parametrize("language", texts.languages())
@each
def test_no_language_lacks_a_passage(exercise, language):
    text = lesson_texts(exercise.number, language)
    assert keys(text) == keys(lesson_texts(exercise.number, "en"))
    assert list(text["gaps"]) == exercise.gaps
    assert list(text["mistakes"]) == [mistake.key for mistake in exercise.mistakes]
    assert all(str(value).strip() for value in text.values())


@pytest.mark.parametrize("language", texts.languages())
def test_no_language_lacks_a_message(language):
    english, other = messages("en"), messages(language)
    assert english.keys() == other.keys()
    fields = {key: sorted(part for part in english[key].split("{")[1:]) for key in english}
    assert all(
        sorted(p.split("}")[0] for p in other[k].split("{")[1:]) == sorted(p.split("}")[0] for p in fields[k])
        for k in english
    )


def test_korean_is_korean():
    for number in NUMBERS:
        english, korean = lesson_texts(number, "en"), lesson_texts(number, "ko")
        for key in ("title", "idea", "picture", "experiment", "exercise"):
            assert english[key] != korean[key] or key == "title"
        assert any("가" <= letter <= "힣" for letter in korean["idea"])


def test_a_text_file_is_toml_and_an_unknown_language_is_refused():
    assert tomllib.loads((texts.FOLDER / "ko" / "lesson05.toml").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match="there is no language 'fr'; there are en, ko"):
        lesson_texts(5, "fr")


# -- lessons ----------------------------------------------------------------------------------------
@pytest.fixture
def plt(monkeypatch):
    mpl.use("Agg")
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "show", lambda: None)  # the test looks at the figures itself
    yield pyplot
    pyplot.close("all")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_runs_and_draws(number, plt, capsys):
    exec(compile(lesson(number), f"lesson{number}.py", "exec"), {})
    assert plt.get_fignums() and all(plt.figure(n).axes for n in plt.get_fignums())


@pytest.mark.parametrize("language", texts.languages())
@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_is_a_notebook_with_the_same_cells(number, language):
    page, cells = lesson(number, language), json.loads(notebook(number, language))["cells"]
    kinds = [cell["cell_type"] for cell in cells]
    assert kinds == ["markdown"] * 3 + ["code", "markdown", "code", "markdown"]
    assert lesson_texts(number, language)["title"] in "".join(cells[0]["source"])
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert code_lines(page) == code_lines("\n".join(code)) == code_lines(lesson(number, "en"))


# -- exercises --------------------------------------------------------------------------------------
@each
def test_a_file_with_gaps_fails_and_names_the_first(exercise, folder):
    path = folder / f"{exercise.name}.py"
    path.write_text(exercise.with_gaps(lesson_texts(exercise.number, "ko")["gaps"]), encoding="utf-8")
    answer = judge_answer(exercise, path, isolated=False)
    assert not answer.right and answer.gap == exercise.gaps[0]


@each
def test_a_gap_that_is_left_raises(exercise):
    source = exercise.with_gaps(lesson_texts(exercise.number)["gaps"])
    found = exercise.results(exercise.object_of(source))
    first = first_difference(found, exercise.results(exercise.object_of(exercise.solution)))
    assert isinstance(first.error, NotImplementedError)


@each
def test_a_solution_passes(exercise, folder):
    path = folder / f"{exercise.name}.py"
    path.write_text(exercise.solution)
    answer = judge_answer(exercise, path, isolated=False)
    assert answer.right and answer.judge == ("PyTorch" if exercise.kind else "the textbook")


@pytest.mark.parametrize("exercise, mistake", MISTAKES, ids=lambda x: getattr(x, "key", None) or x.name)
def test_a_usual_mistake_is_recognised(exercise, mistake):
    found = exercise.results(exercise.object_of(exercise.wrong(mistake)))
    right = exercise.results(exercise.object_of(exercise.solution))
    assert first_difference(found, right) is not None and not alike(found, right)
    assert mistake_of(exercise, found) == mistake.key
    assert mistake_of(exercise, right) == ""


@each
def test_three_mistakes_of_each(exercise):
    assert len(exercise.mistakes) >= 3


# -- the command ------------------------------------------------------------------------------------
def test_the_way_through_a_lesson(folder, here, capsys):
    assert main(["learn", "1", "--lang", "ko"]) == 0
    assert "빈칸을 채울" in capsys.readouterr().out
    path = folder / "lesson1" / "filter.py"
    assert main(["learn", "1", "--check"]) == 1
    assert '빈칸 "cell"' in capsys.readouterr().out
    exercise = EXERCISES[0]
    path.write_text(exercise.wrong(exercise.mistakes[2]))
    said = []
    for stage in ("1", "2", "3"):
        assert main(["learn", "1", "--check", "--hint", stage, "--lang", "en"]) == 1
        said.append(capsys.readouterr().out)
    assert "Which: out is wrong." in said[0] and "a 4x4 image" in said[1]
    assert lesson_texts(1)["mistakes"]["mean"] in said[2] and exercise.solution not in "".join(said)
    path.write_text(exercise.solution)
    assert main(["learn", "1", "--check", "--lang", "ko"]) == 0
    assert json.loads((folder / "learn.json").read_text()) == {"lang": "ko", "lessons": {"1": "done"}}
    assert main(["learn"]) == 0
    printed = capsys.readouterr().out
    assert "필터란 무엇인가  [완료]" in printed and printed.endswith("python -m scratchcnn learn 2\n")


def test_each_answer_says_what_to_type_next(folder, here, capsys, monkeypatch):
    monkeypatch.setattr("scratchcnn.learn_command.importlib.util.find_spec", lambda name: None)
    assert main(["learn", "--lang", "ko"]) == 0  # the language is remembered from the list on
    assert main(["learn", "2"]) == 0
    printed = capsys.readouterr().out
    assert "python lesson2/lesson.py" in printed and "pip install matplotlib" in printed
    assert printed.endswith("다 채웠으면 실행하세요: python -m scratchcnn learn 2 --check\n")
    (folder / "lesson2" / "output_size.py").write_text(EXERCISES[1].wrong(EXERCISES[1].mistakes[0]))
    for hint, then in (("0", "--check --hint 1"), ("1", "--check --hint 2"), ("3", "--solution")):
        assert main(["learn", "2", "--check", "--hint", hint]) == 1
        assert capsys.readouterr().out.endswith(f"learn 2 {then}\n")


def test_a_lesson_keeps_what_was_written(folder, capsys):
    assert main(["learn", "2"]) == 0
    path = folder / "lesson2" / "output_size.py"
    path.write_text("mine")
    assert main(["learn", "2"]) == 0
    assert path.read_text() == "mine" and "was left as it is" in capsys.readouterr().out


def test_the_list_needs_no_writable_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["learn", "--lang", "ko", "--folder", str(tmp_path / "file" / "none")]) == 0
    assert "필터란 무엇인가" in capsys.readouterr().out


def test_what_is_typed_next_is_for_the_same_folder(folder, here, capsys):
    assert main(["learn", "2", "--folder", "my course"]) == 0
    assert capsys.readouterr().out.endswith("learn --folder 'my course' 2 --check\n")
    assert main(["learn", "--folder", "my course"]) == 0
    assert capsys.readouterr().out.endswith("learn --folder 'my course' 1\n")


def test_the_next_lesson_is_the_one_after(folder, here, capsys):
    assert main(["learn", "2"]) == 0
    (folder / "lesson2" / "output_size.py").write_text(EXERCISES[1].solution)
    assert main(["learn", "2", "--check"]) == 0
    assert capsys.readouterr().out.endswith("python -m scratchcnn learn 3\n")


@pytest.mark.parametrize("text", ['{"a"', "[]", '{"lessons": 3}'])
def test_a_damaged_record_of_what_is_done_is_kept(folder, capsys, text):
    (folder / "learn.json").write_text(text)
    assert main(["learn", "2"]) == 2
    assert "learn.json, which says what is done, is damaged" in capsys.readouterr().err
    assert (folder / "learn.json").read_text() == text


def test_a_lesson_is_written_as_a_notebook_too(folder, capsys):
    assert main(["learn", "2", "--lang", "ko"]) == 0
    assert "lesson2/lesson.ipynb" in capsys.readouterr().out
    cells = json.loads((folder / "lesson2" / "lesson.ipynb").read_text(encoding="utf-8"))["cells"]
    assert lesson_texts(2, "ko")["title"] in "".join(cells[0]["source"])


def test_the_solution_stands_beside_yours(folder, capsys):
    main(["learn", "2"])
    capsys.readouterr()
    assert main(["learn", "2", "--solution"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index(" | ") for line in lines if " | " in line}) == 1
    assert lines[0].split() == ["yours", "|", "textbook"]
    assert any("NotImplementedError" in a for a in lines) and any("// stride + 1" in a for a in lines)


def test_a_layer_is_judged_without_pytorch(folder, here, capsys, monkeypatch):
    monkeypatch.setattr(judge.importlib.util, "find_spec", lambda name: None)
    main(["learn", "12"])
    (folder / "lesson12" / "residual.py").write_text(EXERCISES[11].solution)
    assert main(["learn", "12", "--check"]) == 0
    assert "judged by NumPy" in capsys.readouterr().out


@pytest.mark.parametrize(
    "args, sentence",
    [
        (["16"], "there is no lesson 16; there are 1 to 15"),
        (["3", "--check"], "there is no lesson3/channels.py; write it with: python -m scratchcnn learn 3"),
        (["3", "--lang", "fr"], "there is no language 'fr'"),
    ],
)
def test_the_command_refuses(args, sentence, folder, capsys):
    assert main(["learn", *args]) == 2
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_not_python(folder, capsys):
    main(["learn", "2"])
    (folder / "lesson2" / "output_size.py").write_text("def output_size(:\n")
    assert main(["learn", "2", "--check"]) == 2
    assert "output_size.py" in capsys.readouterr().err


def test_another_mistake_gets_the_numbers(folder, here, capsys):
    main(["learn", "2"])
    answer = "def output_size(n, f, stride=1, pad=0):\n    return 4\n"
    (folder / "lesson2" / "output_size.py").write_text(answer)
    assert main(["learn", "2", "--check", "--hint", "3"]) == 1
    printed = capsys.readouterr().out
    assert "none of the usual mistakes. It is too small by 1." in printed


def test_writing_a_lesson_needs_no_matplotlib(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "jupytext", None)
    assert main(["learn", "4"]) == 0


# -- answers that are none ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line",
    ["from scratchcnn import Pooling as P", "import torch.nn", "import scratchcnn.layers", "import parity"],
)
def test_an_answer_that_imports_the_layer_is_refused(line, folder):
    path = folder / "pooling.py"
    path.write_text(f"{EXERCISES[6].solution}\n{line}\n")
    number = len(path.read_text().splitlines())
    with pytest.raises(ValueError, match=f"pooling.py, line {number}, imports .* written with NumPy"):
        judge_answer(EXERCISES[6], path)


@each
def test_what_the_file_of_the_lesson_imports_may_be_imported(exercise):
    answer_source.refuse_imports(exercise, exercise.solution, exercise.name)


def test_an_endless_loop_is_told_with_its_line(folder, monkeypatch):
    monkeypatch.setattr(answer_source, "HANGS", 0.5)
    head, body = "def forward(self, x):", "\n        while True: pass"
    source = EXERCISES[6].solution.replace(head, head + body)
    line = 1 + next(i for i, text in enumerate(source.splitlines(), 1) if head in text)
    assert answer_source.endless_line(EXERCISES[6], source) == line
    assert answer_source.endless_line(EXERCISES[6], EXERCISES[6].solution) == 0
    answer = judge.Answer(False, endless=True, line=line)
    assert f"stopped in line {line}. Look" in answer.hint(EXERCISES[6], 1, "en")


def test_a_hang_that_the_checker_saw_is_looked_at(folder, monkeypatch, scratchcnn):
    hung = judge.Answer(False, says="hung: no answer within 10 s"), True
    monkeypatch.setattr(judge, "_verified", lambda *_: hung)
    monkeypatch.setattr(judge, "endless_line", lambda *_: 12)
    (folder / "lesson7").mkdir()
    (folder / "lesson7" / "pooling.py").write_text(EXERCISES[6].solution)
    status, out, _ = scratchcnn("learn", "7", "--check")
    assert status == 1 and out.startswith("Not right yet. It did not end and was stopped in line 12.")
