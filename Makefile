# motma: every target sets up what it needs, inside this folder (.venv, .tools), on a machine that has only
# Python >= 3.11, make and a C library. `make` alone lists the targets.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
READY := .venv/.ready
VENDOR := src/motma/web/static/vendor/manifest.json
AXE := .cache/axe.min.js
WORKERS ?= auto
ARGS ?=

.PHONY: help demo test test-python test-scanner check lint fmt bench eval-names fuzz screenshots venv lock wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: venv ## start the demonstration on this machine
	@$(BIN)/motma demo $(ARGS)

test: test-python test-scanner ## run every test (ARGS="-k name" narrows pytest)

test-python: venv
	@MOTMA_CHROMIUM="$$(sh tools/find-chromium.sh)" && export MOTMA_CHROMIUM && \
	MOTMA_SOFTHSM="$$(sh tools/find-softhsm.sh || true)" && export MOTMA_SOFTHSM && \
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-scanner: venv
	@sh tools/test-scanner.sh

check: lint ## the gate: format, lint, types, import contract, then every test
	@$(MAKE) test

lint: venv ## the gate without the tests
	@sh tools/lint.sh

fmt: venv ## format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: venv ## measure against the floors, in one run
	@$(BIN)/python -m bench $(ARGS)

eval-names: venv ## whom the comparison of names turns away, and whom it mistakes (ARGS="--names 20000")
	@$(BIN)/python -m bench.names $(ARGS)

fuzz: venv ## throw nonsense at every decoder for five minutes (ARGS="--seconds 60")
	@$(BIN)/python -m tests.fuzz $(ARGS)

screenshots: venv ## take pictures of the pages
	@MOTMA_CHROMIUM="$$(sh tools/find-chromium.sh)" && export MOTMA_CHROMIUM && \
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

wheel: venv ## build the wheel into dist/
	@.tools/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist .

venv: $(READY) $(VENDOR) $(AXE) ## set up .venv and the front-end parts

lock: ## renew requirements.lock and package-lock.json within the bounds
	@sh tools/lock.sh
	@$(MAKE) venv

clean: ## remove everything that make made
	rm -rf .venv .peers .tools .cache dist src/motma/web/static/vendor
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock requirements-peers.lock pyproject.toml package.json package-lock.json .npmrc hatch_build.py tools/setup.sh tools/bootstrap-uv.sh tools/find-python.sh tools/uv-settings.sh
	@sh tools/setup.sh
	@touch $@

# The build hook makes both with .venv; this rule is for when one was removed, or their inputs moved on.
$(VENDOR) $(AXE) &: hatch_build.py package.json package-lock.json .npmrc | $(READY)
	@$(BIN)/python hatch_build.py
	@touch $(VENDOR) $(AXE)
