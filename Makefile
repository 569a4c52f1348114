# make parity   train and compare every network with PyTorch on the bundled images
# make test     lint, types and all tests
PYTHON ?= python3
VENV   ?= .venv
RUN     = $(VENV)/bin/python
READY   = $(VENV)/.ready

.PHONY: setup parity check test format clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: scratchcnn needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

parity: $(READY)
	$(RUN) -m parity check simple_conv_net lenet lenet5 alexnet --train --out build/parity

check: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

test: check
	$(RUN) -m pytest -n auto --dist worksteal

format: $(READY)
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean:
	rm -rf build dist .venv *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
