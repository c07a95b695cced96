# Two commands: `make run` and `make test`. `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell ./scripts/python)
BIN := .venv/bin
STAMPS := .setup
SIDE_BY_SIDE := +$(MAKE) --no-print-directory --jobs $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# A worker more than cores; tests of servers and databases also wait, so one more for them. Four at most, of 2 GB each.
WORKERS := $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$(( cores < 4 ? cores + 1 : 4 )))
GB := $(shell echo $$(( $$(getconf _PHYS_PAGES) / 1024 * $$(getconf PAGESIZE) / 1048576 )))
WAITING := $(shell echo $$(( $(WORKERS) < 4 && $(GB) > 9 ? $(WORKERS) + 1 : $(WORKERS) )))
# The tests start a hundred processes: each would compile Tocsin anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup compiled run dev check check-python check-web check-api unit test bench clean lock

SET_UP := compiled $(STAMPS)/web $(STAMPS)/browser $(STAMPS)/engine
CHECKS := check-python check-web check-api

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## everything the other commands need, into .venv and web/
	@$(SIDE_BY_SIDE) $(SET_UP)

# Who tries it for the first time need not wait for the compiler (decision 0209).
run: ## set up and start Tocsin with demo data on http://127.0.0.1:8080
	@$(SIDE_BY_SIDE) $(STAMPS)/python $(STAMPS)/web
	@nice $(BIN)/python scripts/compile.py for-the-next-start &
	$(BIN)/tocsin up --demo

dev: $(STAMPS)/python $(STAMPS)/node ## reloading server on 8080 and Vite on 5173
	./scripts/dev

check: ## lint, types, import contracts, the project's own checks
	@$(SIDE_BY_SIDE) $(CHECKS)

check-python: $(STAMPS)/python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-web: $(STAMPS)/web
	cd web && npm run --silent check

check-api: $(STAMPS)/python $(STAMPS)/node
	cd web && npm run --silent api:check

unit: $(STAMPS)/python $(STAMPS)/node ## tests without I/O, in under a minute
	$(BIN)/pytest tests/unit tests/cases -n $(WORKERS)
	cd web && npm run --silent test

# With the same examples each time (tests/conftest.py). What is set up is checked while the rest is still being set up.
test: export CI := true
test: ## everything: checks, unit, store, system and browser tests
	@$(SIDE_BY_SIDE) $(SET_UP) $(CHECKS)
	$(MAKE) unit
	$(BIN)/pytest tests/system tests/store -n $(WAITING) --dist loadfile --no-loadscope-reorder

bench: setup ## all benchmarks, each against a baseline in the same run
	$(BIN)/python -m bench

lock: ## compile the lock files anew from pyproject.toml
	uv pip compile -q pyproject.toml --override overrides.txt --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	uv pip compile -q pyproject.toml --extra dev --override overrides.txt --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-dev.lock

clean: ## remove what setup made
	rm -rf .venv web/node_modules tocsin/web build $(STAMPS)

$(STAMPS)/python: requirements-dev.lock pyproject.toml
	@PYTHON="$(PYTHON)" ./scripts/require python
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -c 'import tocsin.workers.up' # compiles what a server needs; of 15,000 files few are ever used
	@mkdir -p $(STAMPS) && touch $@

# It knows itself whether anything has changed, and without a C compiler makes nothing (docs/decisions/0194).
compiled: $(STAMPS)/python
	@$(BIN)/python scripts/compile.py

$(STAMPS)/node: web/package-lock.json
	@./scripts/require node
	cd web && npm ci --no-audit --no-fund --loglevel=error
	./scripts/geoip
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/web: $(STAMPS)/node $(shell find web/src web/public web/index.html web/vite.config.ts -type f 2>/dev/null)
	cd web && npm run --silent build
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/engine: tests/cluster.py
	@PYTHON="$(PYTHON)" ./scripts/require python
	$(PYTHON) tests/cluster.py --fetch
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/browser:
	@./scripts/require browser
	@mkdir -p $(STAMPS) && touch $@
