# bangjiao 帮缴. Needs python3 (3.11 or newer, with venv) and make. Everything else comes from PyPI.
PYTHON ?= python3
TOOLS  := .tools
UV     := $(TOOLS)/bin/uv
# For `make rasa`: light or diet, and a Python before 3.11 where none is found.
PIPELINE ?= light
PYTHON_RASA ?=
VENV   := .venv
PY     := $(VENV)/bin/python
export UV_PYTHON_DOWNLOADS = never
export UV_PROJECT_ENVIRONMENT = $(VENV)
# Compiled once at install time: a start is three times slower otherwise.
export UV_COMPILE_BYTECODE = 1

.PHONY: help demo test prove check bench rasa lock clean
help: ## what can be made here
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.core .cache/nlu.stamp ## the demo town: installs what is needed, prints one address
	$(PY) -m bot demo

test: $(VENV)/.dev .cache/nlu.stamp ## all tests with real PostgreSQL and Redis; about 15 minutes
	$(PY) -m pytest -q -m "not prove" -n 3 --dist worksteal

prove: $(VENV)/.dev .cache/nlu.stamp ## the long proofs at full figures; up to 60 minutes
	$(PY) -m pytest -q -m "prove" --timeout 3500 -n 3 --dist worksteal

check: $(VENV)/.dev ## format, lint, types, layers, flows
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m bot lint

bench: $(VENV)/.dev .cache/nlu.stamp ## the benchmarks, with their peers in the same run
	$(PY) -m benchmarks

rasa: .rasa/venv/.ready $(VENV)/.core ## Rasa models from our training sentences, in an environment of their own (2.7 GB)
	$(PY) -m nlu.engines.rasa_building --pipeline $(PIPELINE)

lock: pyproject.toml | $(UV) ## renew the host-free list of pinned dependencies
	$(UV) lock --quiet
	$(UV) export --quiet --frozen --no-emit-project --no-header --no-annotate --no-default-groups --group build > requirements.lock
	$(UV) export --quiet --frozen --no-emit-project --no-header --no-annotate --all-groups > requirements-dev.lock

clean: ## remove what was installed and trained
	rm -rf $(VENV) $(TOOLS) .cache

$(UV):
	@echo "Preparing the installer (uv) ..."
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'

$(VENV)/.core: requirements.lock pyproject.toml | $(UV)
	@echo "Installing what the program needs (a minute or two the first time) ..."
	@test -x $(PY) || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip install --python $(PY) --quiet --require-hashes -r requirements.lock
	$(UV) pip install --python $(PY) --quiet --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.core | $(UV)
	@echo "Installing the test tools ..."
	$(UV) pip install --python $(PY) --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.rasa/venv/.ready: requirements-rasa.lock | $(UV)
	@echo "Installing Rasa (2.7 GB; once) ..."
	@for candidate in $(PYTHON_RASA) python3.10 python3.9 python3.8 $$(ls -d $$HOME/.pyenv/versions/3.10.*/bin/python $$HOME/.pyenv/versions/3.9.*/bin/python $$HOME/.pyenv/versions/3.8.*/bin/python 2>/dev/null); do \
		if $$candidate -c 'import sys; sys.exit(not (3, 8) <= sys.version_info < (3, 11))' 2>/dev/null; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "Rasa needs Python 3.8, 3.9 or 3.10, and none was found. Name one: make rasa PYTHON_RASA=/path/to/python3.10"; exit 1; fi; \
	$(UV) venv --quiet --clear --python $$($$found -c 'import sys; print(sys.executable)') .rasa/venv
	$(UV) pip install --python .rasa/venv/bin/python --quiet --require-hashes -r requirements-rasa.lock
	@touch $@

.cache/nlu.stamp: $(wildcard data/nlu/*/*.yml) $(VENV)/.core
	@echo "Training the understanding (once) ..."
	@mkdir -p .cache
	$(PY) -m bot nlu train
	@touch $@
