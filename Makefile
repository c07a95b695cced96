# Two commands: `make run` and `make test`. `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMPS := .setup
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup run dev check unit test bench clean lock

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMPS)/python $(STAMPS)/web $(STAMPS)/browser ## everything the other commands need, into .venv and web/

run: $(STAMPS)/python $(STAMPS)/web ## set up and start Tocsin with demo data on http://127.0.0.1:8080
	$(BIN)/tocsin up --demo

dev: $(STAMPS)/python $(STAMPS)/node ## reloading server on 8080 and Vite on 5173
	./scripts/dev

check: $(STAMPS)/python $(STAMPS)/node ## lint, types, import contracts, the project's own checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd web && npm run --silent check && npm run --silent api:check

unit: $(STAMPS)/python $(STAMPS)/node ## tests without I/O, in under a minute
	$(BIN)/pytest tests/unit tests/cases -n 2
	cd web && npm run --silent test

test: setup ## everything: checks, unit, store, system and browser tests
	$(MAKE) check
	$(MAKE) unit
	$(BIN)/pytest tests/system tests/store -n 2 --dist loadfile --no-loadscope-reorder

bench: setup ## all benchmarks, each against a baseline in the same run
	$(BIN)/python -m bench

lock: ## compile the lock files anew from pyproject.toml
	uv pip compile -q pyproject.toml --override overrides.txt --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	uv pip compile -q pyproject.toml --extra dev --override overrides.txt --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-dev.lock

clean: ## remove what setup made
	rm -rf .venv web/node_modules tocsin/web $(STAMPS)

$(STAMPS)/python: requirements-dev.lock pyproject.toml
	@./scripts/require python
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/node: web/package-lock.json
	@./scripts/require node
	cd web && npm ci --no-audit --no-fund --loglevel=error
	./scripts/geoip
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/web: $(STAMPS)/node $(shell find web/src web/public web/index.html web/vite.config.ts -type f 2>/dev/null)
	cd web && npm run --silent build
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/browser:
	@./scripts/require browser
	@mkdir -p $(STAMPS) && touch $@
