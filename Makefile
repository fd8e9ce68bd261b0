# pult: `make` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.9

.PHONY: help setup demo demo-headless test lint bench docs clean lock monitoring recording catalogue next changelog rehearse
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with pult and everything it needs

$(STAMP): pyproject.toml requirements/dev.txt Makefile
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: setup ## the simulated department and pult against it, in your browser
	@$(BIN)/pult demo

demo-headless: setup
	@$(BIN)/pult demo --headless

test: export PYTHONDONTWRITEBYTECODE := # the tests start pult hundreds of times: compiled once, not each time
test: setup lint ## lint, types, layers, and every test
	@$(BIN)/pytest -n auto --maxschedchunk 1 -m 'not alone'
	@$(BIN)/pytest -m alone

lint: setup ## format, ruff, mypy, import contracts
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && $(BIN)/mypy --no-error-summary && $(BIN)/lint-imports --no-logo

bench: setup ## speed and memory beside bare floors, in one run
	@$(BIN)/python -m tests.bench

rehearse: setup ## play the ten steps of the pipeline here, against the simulated department
	@$(BIN)/python deploy/pipeline/rehearse.py

docs: setup ## regenerate what docs/ takes from the code
	@$(BIN)/python -m tests.docs

lock: setup ## resolve dependencies anew into requirements/
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header pyproject.toml -o requirements/run.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --group build -o requirements/build.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --group dev pyproject.toml -o requirements/dev.txt

monitoring: setup ## write dashboards and PrometheusRules of deploy/monitoring anew
	@$(BIN)/python -m deploy.monitoring.generate

recording: setup ## record what this build asks of a store, after a change of statements or of what documents hold
	@$(BIN)/python -m tests.recording

catalogue: setup ## bring the translation catalogues in line with the code
	@$(BIN)/python -m bot.adapters.words

next: setup ## the next version and its notes, from the commits since the last one
	@$(BIN)/git-cliff --bumped-version 2>/dev/null; echo; $(BIN)/git-cliff --unreleased --bump --strip header 2>/dev/null

changelog: setup ## write CHANGELOG.md from the commits
	@$(BIN)/git-cliff --output CHANGELOG.md 2>/dev/null

clean: ## remove what was built
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
