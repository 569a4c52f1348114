# make parity    train and compare every network with PyTorch on the bundled images
# make test      lint, types and all tests
# make exhaustive   what the tests take samples of: whole catalogues, a thousand seeds; about an hour
# make audit     whether our own tests notice the known bugs of some layers and of an optimizer
# make coverage  all tests, and how many lines and branches they reach
# make check     lint and types
# make format    mend what the linter can
# make cuda      test, check and time on a GPU in under six minutes, into reports/cuda/; nothing is installed:
#                CUDA_PYTHON names the Python that has PyTorch with CUDA
PYTHON ?= python3
VENV   ?= .venv
RUN     = $(VENV)/bin/python
CUDA_PYTHON ?= $(PYTHON)
READY   = $(VENV)/.ready

.PHONY: setup help parity check test exhaustive audit coverage format cuda clean

setup: $(READY)

help:
	@sed -n 's/^# //p' $(firstword $(MAKEFILE_LIST))

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

exhaustive: $(READY)
	$(RUN) -m pytest -n auto --dist worksteal -m exhaustive

audit: $(READY)
	@for layer in relu:Relu sigmoid:Sigmoid affine:Affine; do \
	  echo "$$layer"; \
	  $(RUN) -m parity audit tests/scratchcnn/test_layers.py -k "probe and $${layer%:*}-float and not leaky" \
	    --of scratchcnn/layers/basic.py:$${layer#*:} --no-source || exit 1; done
	@echo momentum; $(RUN) -m parity audit --no-source --as momentum --of scratchcnn/optim.py:Momentum \
	  tests/scratchcnn/test_optim.py -k "300_steps_are_pytorchs_in_float64 and momentum"

coverage: $(READY)
	@mkdir -p build/coverage && rm -f build/coverage/data*
	$(RUN) -m pytest -n auto --dist worksteal --cov --cov-report=html:build/coverage/html --cov-report=term
	@for package in scratchcnn parity; do \
	  $(RUN) -m coverage json -q --include="$$package/*" -o build/coverage/$$package.json; \
	  $(RUN) -c 'import json, sys; found = json.load(open(sys.argv[2]))["totals"]; \
	    print("%s: %.1f %% of lines, %.1f %% of branches" % (sys.argv[1], \
	    found["percent_statements_covered"], found["percent_branches_covered"]))' \
	    $$package build/coverage/$$package.json; done

format: $(READY)
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

cuda:
	$(CUDA_PYTHON) tools/cuda_report.py

clean:
	rm -rf build dist .venv *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
