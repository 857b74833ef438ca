# Each target sets up .venv from the lock file first if need be; nothing but Python 3.11+, git and make is needed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.PHONY: packs test lint lab bench golden clean

packs: $(STAMP)  ## the demo packs of the newest quarter, into output/
	@$(BIN)/pbr build

test: $(STAMP)  ## all tests
	@# The cells of a notebook share a kernel, so notebooks run in one process.
	@$(BIN)/python -m pytest -q notebooks
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup tests

lint: $(STAMP)  ## style, types, layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

lab: $(STAMP)  ## JupyterLab on the notebooks
	@$(BIN)/pbr lab

bench: $(STAMP)  ## the benchmarks, as ratios
	@$(BIN)/python tests/bench.py

golden: $(STAMP)  ## write the golden files again, to be looked at before they are committed
	@$(BIN)/python -m pytest -q tests/test_golden.py --update-golden

clean:
	rm -rf $(VENV) output

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("pbr needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Setting up $(VENV) from requirements.lock (once; a few minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
