"""What README prints is produced: every marked block is run in a fresh folder and compared.

    <!-- file: layers.py -->      the block behind it is a file of that name
    <!-- run -->                  commands behind `$ `, each followed by what it prints
    <!-- run: exit status 1 -->   the same, where the commands leave with that status

To write the outputs anew: README=write python -m pytest tests/test_readme.py -n 0
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.M | re.S)
BLOCK = re.compile(r"<!-- (file|run)(?:: (.+?))? -->\n```\w*\n(.*?)```", re.S)
ROUNDING = re.compile(
    r"\b\d+(?:\.\d+)?e-\d+\b|\bexactly\b|to 0e\+00"
)  # how well, which depends on the machine


def sections():
    """The sections that have something to run: title and text."""
    found = SECTION.findall(README.read_text())
    return {title: text for title, text in found if "<!-- run" in text}


def produced(text, folder):
    """The section as it reads with the outputs that its commands give in this folder."""

    def block(match):
        what, detail, body = match.groups()
        if what == "file":
            (folder / detail).write_text(body)
            return match[0]
        commands = [line[2:] for line in body.splitlines() if line.startswith("$ ")]
        status = int(detail.removeprefix("exit status ")) if detail else 0
        ran = "".join(f"$ {command}\n{output(command, folder, status)}" for command in commands)
        return match[0].replace(body, ran)

    return BLOCK.sub(block, text)


def output(command, folder, status):
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    words = command.split()
    assert words[0] == "python", command
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("title", sections())
def test_a_section_prints_what_its_commands_give(title, tmp_path):
    text = sections()[title]
    now = produced(text, tmp_path)
    if os.environ.get("README") == "write":
        README.write_text(README.read_text().replace(text, now))
    else:
        assert ROUNDING.sub("~", now) == ROUNDING.sub("~", text)


def test_the_section_on_ones_own_layer_is_among_them():
    assert sections()["Check your own layer"].count("\n$ python") == 2
