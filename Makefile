# `make run` serves the app, `make test` runs every check and test. Each creates the environment it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait much for processes and browsers, so several files at once; each file as a whole, in its order.
WORKERS := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Where Python keeps nothing that it compiled, each of the many processes compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check clean

run: $(VENV)/run-ready
	$(BIN)/python app.py

test: check
	$(BIN)/python -m pytest $(WORKERS)

check: $(VENV)/test-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

$(VENV)/run-ready: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# What runs it is among what tests it: one installation, not two.
$(VENV)/test-ready: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(VENV)/run-ready $@

clean:
	rm -rf $(VENV) build *.egg-info
