"""Wrong answers that learners write, beside the known ones: what the third hint says of each."""

import json

import pytest

from scratchcnn.learn import browser, texts
from scratchcnn.learn.exercises import EXERCISES
from scratchcnn.learn.judge import Answer, judge_answer
from scratchcnn.learn.texts import lesson_texts, messages

SUM, SIZE = "np.sum(x[i:i + FH, j:j + FW] * w)", "(input_size + 2 * pad - filter_size) // stride + 1"
BACK, LOSS = "dout = layer.backward(dout)", "return self.last_layer.forward(self.predict(x), t)"
DW, DCOL = "(self.col.T @ dout).T.reshape(FN, C, FH, FW)", "dcol = dout @ self.W.reshape(FN, -1)"
WINNER, SHARES = "self.arg_max] = dout.flatten()", "np.repeat(dout / size, size, axis=1)"
MASK = "(np.random.rand(*x.shape) > self.dropout_ratio) / (1 - self.dropout_ratio)"
DX, CLOSE = "np.broadcast_to(dout[:, :, None, None] / (H * W), self.x_shape).copy()", "return bool(np.abs("
BOUND = "np.sqrt(K) * u * (np.abs(a) @ np.abs(b))"

# lesson, what is replaced, by what, the clue or the known mistake
ANSWERS = (
    (1, "out[i, j] =", "out[j, i] =", "places"),
    (1, SUM, SUM.removeprefix("np.sum"), "sequence"),
    (1, SUM, f"1 + {SUM}", "offset"),
    (1, "    return out", "    return", "none"),
    (1, "j + FW]", "j + FW - 1]", "shapes"),
    (2, SIZE, "(input_size + 2 * pad - filter_size + 1) // stride", "too_small"),
    (2, SIZE, "round((input_size + 2 * pad - filter_size) / stride) + 1", "too_large"),
    (2, SIZE, "input_size + 2 * pad - filter_size // stride + 1", "too_large"),
    (2, f"return {SIZE}", SIZE, "none"),
    (2, SIZE, f"float({SIZE})", "fraction"),
    (3, "np.sum(", "np.mean(", "factor_but_bias"),
    (3, "+ b[f]", "- b[f]", "channels"),
    (3, "+ b[f]", "+ b", "shapes"),
    (3, ", axis=(1, 2, 3)", ", axis=(2, 3)", "shapes"),
    (3, "f, i, j] =", "f, j, i] =", "shapes"),
    (4, "(0, 4, 5, 1, 2, 3)", "(0, 5, 4, 1, 2, 3)", "places"),
    (4, "(0, 4, 5, 1, 2, 3)", "(0, 4, 5, 1, 3, 2)", "places"),
    (4, "reshape(N * OH * OW, -1)", "reshape(N, OH * OW, -1)", "ones"),
    (4, "(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, -1)", "(1, 2, 3, 0, 4, 5).reshape(-1, N * OH * OW)", "axes"),
    (4, "= img[", "= input_data[", "shapes"),
    (4, "    return col", "    col", "none"),
    (5, ".transpose(0, 3, 1, 2)", "", "axes"),
    (5, ".transpose(0, 3, 1, 2)", ".transpose(0, 3, 2, 1)", "axes"),
    (5, "reshape(FN, -1).T", "reshape(FN, -1)", "shapes"),
    (5, "+ self.b", "- self.b", "channels"),
    (5, "return out.reshape", "out.reshape", "none"),
    (5, "self.stride, self.pad)  #", "self.stride)  #", "shapes"),
    (6, "np.sum(dout, axis=0)", "np.sum(dout, axis=1)", "size"),
    (6, "np.sum(dout, axis=0)", "np.sum(dout)", "one_number"),
    (6, "np.sum(dout, axis=0)", "np.sum(dout, axis=0, keepdims=True)", "ones"),
    (6, "self.db = np", "db = np", "unset"),
    (6, DW, "dout.T @ self.col", "dimensions"),
    (6, DW, f"{DW} / self.x_shape[0]", "factor"),
    (6, DCOL, DCOL.replace("dout", "-dout"), "sign"),
    (6, DCOL, f"{DCOL}.T", "shapes"),
    (6, "return col2im", "col2im", "none"),
    (7, "col.max(axis=1)", "col.argmax(axis=1)", "whole"),
    (7, "col.max(axis=1)", "np.abs(col).max(axis=1)", "scattered"),
    (7, "col.max(axis=1)", "col.max(axis=0)", "shapes"),
    (7, WINNER, f"{WINNER} / dcol.shape[1]", "factor"),
    (7, WINNER, WINNER.replace("dout", "dout.transpose(0, 3, 1, 2)"), "places"),
    (7, "-np.inf", "0", "right_on"),
    (8, BACK, "dout = layer.forward(dout)", "shapes"),
    (8, BACK, "return layer.backward(dout)", "line"),
    (8, "reversed(self.layers.values())", "list(self.layers.values())[:0:-1]", "not_reached"),
    (8, LOSS, f"{LOSS} * len(x)", "factor_one"),
    (8, LOSS, LOSS.removeprefix("return "), "none"),
    (8, LOSS, "return self.predict(x)", "one_answer"),
    (9, "-= self.lr * self.v[key]", "-= self.v[key]", "factor"),
    (9, "+ grads[key]", "- grads[key]", "uphill"),
    (9, "self.v[key] = self", "v = self", "zeros"),
    (9, "-= self.lr * self.v[key]", "-= self.lr * grads[key]", "not_kept"),
    (9, "self.momentum * self.v[key] + grads[key]", "self.momentum * (self.v[key] + grads[key])", "factor"),
    (10, "col.mean(axis=1)", "col.sum(axis=1) / self.pool_h", "factor"),
    (10, SHARES, "np.tile(dout / size, size).T", "places"),
    (10, SHARES, "np.repeat(dout // size, size, axis=1)", "whole"),
    (10, SHARES, "dout / size", "shapes"),
    (10, SHARES, "np.ones((len(dout), size)) / size", "same"),
    (11, MASK, f"{MASK} * 2", "factor"),
    (11, "self.mask = (", "mask = (", "none_inside"),
    (11, "*x.shape", "x.shape", "line"),
    (11, "return x * 1", "return x * self.mask", "factor"),
    (11, "return (dout * self.mask)", "return (dout * 1)", "factor"),
    (12, "axis=(2, 3)", "axis=(1, 2, 3)", "dimensions"),
    (12, "axis=(2, 3)", "axis=(0, 1)", "size"),
    (12, "x.mean(axis", "x.sum(axis", "factor"),
    (12, DX, "np.resize(dout / (H * W), self.x_shape)", "places"),
    (12, DX, "dout / (H * W)", "dimensions"),
    (12, DX, "np.ones(self.x_shape) / (H * W)", "same"),
    (13, "(above - below)", "(below - above)", "sign"),
    (13, "/ (2 * h)", "/ 2 * h", "factor"),
    (13, "grad[index] = (", "grad = (", "one_number"),
    (13, "        x[index] = value\n    return", "        x[index] = 0\n    return", "some"),
    (13, "    return grad", "    return", "none"),
    (14, "not (np.isfinite(ours).all() and np.isfinite(theirs).all())", "False", "answer"),
    (14, ".max() <= rtol", ".mean() <= rtol", "answer"),
    (14, "np.abs(theirs).max()", "np.abs(theirs).min()", "answer"),
    (14, "np.abs(theirs).max()", "theirs.max()", "answer"),
    (14, "return bool(np.abs(ours - theirs).max() <=", "return (np.abs(ours - theirs) <=", "one_answer"),
    (14, CLOSE, CLOSE.removeprefix("return "), "none"),
    (15, BOUND, "np.sqrt(K) * u", "one_number"),
    (15, BOUND, BOUND.replace("@", "*"), "shapes"),
    (15, "np.sqrt(K)", "np.sqrt(a.shape[0])", "factor"),
    (15, "factor * allowed(a, b)", "allowed(a, b)", "answer"),
    (15, f"return {BOUND}", BOUND, "none"),
)


@pytest.mark.parametrize("number, old, new, hint", ANSWERS, ids=[f"{n}-{new}" for n, _, new, _ in ANSWERS])
def test_the_hint_points_at_the_mistake(number, old, new, hint, tmp_path, monkeypatch):
    exercise = EXERCISES[number - 1]
    monkeypatch.setattr("scratchcnn.learn.judge._verified", lambda exercise, *_: (Answer(True), False))
    assert exercise.solution.count(old) == 1
    path = tmp_path / f"{exercise.name}.py"
    path.write_text(exercise.solution.replace(old, new))
    answer = judge_answer(exercise, path)
    assert not answer.right and hint in (
        answer.mistake,
        *(key.removeprefix("clue_") for key, _ in answer.clues),
    )
    for language in texts.languages():
        told = [answer.hint(exercise, stage, language) for stage in (1, 2, 3)]
        assert messages(language)["diagnosis_none"] not in told[2] and "{" not in told[2]


def test_four_wrong_answers_of_each():
    numbers = [number for number, *_ in ANSWERS]
    assert all(numbers.count(exercise.number) >= 4 for exercise in EXERCISES)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_each_input_and_result_has_a_name_in_each_language(exercise):
    found = exercise.results(exercise.object_of(exercise.solution))
    named = {*found, *(tensor for results in found.values() for tensor in results if " " in tensor)}
    for language in texts.languages()[1:]:
        assert lesson_texts(exercise.number, language)["names"].keys() == named


def test_an_error_names_its_line(tmp_path):
    exercise = EXERCISES[4]
    path = tmp_path / "convolution.py"
    path.write_text(exercise.solution.replace("out = col @", "out = 1 / 0 + col @"))
    hint = judge_answer(exercise, path, isolated=False).hint(exercise, 2, "en")
    assert hint.endswith(
        f"in line {exercise.solution[: exercise.solution.index('out = col')].count(chr(10)) + 1}."
    )


def test_the_page_judges_once_while_it_loads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checked = []
    real = browser.check
    monkeypatch.setattr(browser, "check", lambda *args: checked.append(json.loads(real(*args))))
    browser.prepare()
    assert [one["right"] for one in checked] == [True]


def test_a_file_that_changed_is_judged_as_it_is_now(tmp_path):
    exercise = EXERCISES[11]
    path = tmp_path / "residual.py"
    for divisor, right in (("(W * W)", False), ("(H * W)", True), ("(H * H)", False)):
        path.write_text(exercise.solution.replace("(H * W)", divisor))
        assert judge_answer(exercise, path, isolated=False).right == right
