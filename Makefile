# The one interface to this tree: `make help` says what there is.
# Needs make and Python 3.11 or newer, with its venv module; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := src tests docs/examples/copy_store.py $(wildcard benchmarks tools)
# Two processes leave two cores room for others; four end sooner, since tests also wait. 0: in one.
WORKERS ?= 2
PYTEST_ARGS ?=
PORT ?= 8000
# Tests start the command some hundred times: what Python compiles of it is kept, whoever says otherwise.
unexport PYTHONDONTWRITEBYTECODE

# A stamp says that a step of the set-up came to its end; an interrupted one has none and runs again.
STAMPS := $(VENV)/.stamps
BENCH_VENV := .venv-bench
PIP_OPTIONS := --quiet --disable-pip-version-check --no-input
INSTALL := $(BIN)/python -m pip install $(PIP_OPTIONS)
PROJECT_FILES := pyproject.toml src/commonwatt/__init__.py

COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-header

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-all check format docs bench requirements wheel setup clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(STAMPS)/server ## install what is needed and serve a seeded building on 127.0.0.1:$PORT
	$(BIN)/commonwatt demo --port $(PORT)

test: $(STAMPS)/test ## run the tests but for the slow ones (PYTEST_ARGS, WORKERS)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow" $(PYTEST_ARGS)

test-all: export HYPOTHESIS_PROFILE ?= deep
test-all: $(STAMPS)/test ## run all tests this machine allows (PYTEST_ARGS, WORKERS)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

check: $(STAMPS)/test ## formatting, lint, types and import directions
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pip check

format: $(STAMPS)/test ## format the sources and mend what can be mended
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

docs: $(STAMPS)/test ## write what pages take from the code: the keys of declarations, and their JSON Schema
	$(BIN)/python tools/write_declaration_docs.py

bench: $(STAMPS)/test $(STAMPS)/bench ## run commonwatt beside the yardsticks and print the table of ratios
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

wheel: $(STAMPS)/server ## build a wheel into dist/, to install where there is no checkout
	$(BIN)/python -m pip wheel $(PIP_OPTIONS) --no-deps --no-build-isolation --wheel-dir dist .

setup: $(STAMPS)/test ## install everything for development, run nothing

requirements: $(STAMPS)/test ## pin again what requirements/*.in and pyproject.toml ask for (UPGRADE=--upgrade)
	$(COMPILE) $(UPGRADE) requirements/build.in -o requirements/build.txt
	$(COMPILE) $(UPGRADE) pyproject.toml --all-extras -c requirements/build.txt -o requirements/server.txt
	$(COMPILE) $(UPGRADE) requirements/test.in -o requirements/test.txt
	$(COMPILE) requirements/bench.in -o requirements/bench.txt

clean: ## remove the environment and what tools leave behind
	rm -rf $(VENV) $(BENCH_VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .schemathesis
	find src tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "commonwatt needs Python 3.11 or newer; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	mkdir -p $(STAMPS)
	touch $@

$(STAMPS)/server: $(STAMPS)/venv requirements/build.txt requirements/server.txt $(PROJECT_FILES)
	$(INSTALL) --require-hashes -r requirements/build.txt -r requirements/server.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

$(STAMPS)/test: $(STAMPS)/server requirements/test.txt
	$(INSTALL) --require-hashes -r requirements/test.txt
	touch $@

# The yardsticks keep their own pinned versions, so that they do not move with ours.
$(STAMPS)/bench: $(STAMPS)/venv requirements/bench.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install $(PIP_OPTIONS) --require-hashes -r requirements/bench.txt
	touch $@
