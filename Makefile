PORT ?= 8080
SIMULATOR_PORT ?= 8090
STATE ?= .sabatina
NATS ?= $(shell cat $(STATE)/nats.url 2>/dev/null)
PYTHON ?= python3
BIN := .venv/bin
MEMBERS := $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml services/*/pyproject.toml simulator/pyproject.toml devstack/pyproject.toml))
PACKAGES := common devstack simulator $(notdir $(patsubst %/pyproject.toml,%,$(wildcard services/*/pyproject.toml)))

.DEFAULT_GOAL := help
.PHONY: help setup run reset test chaos grade-live grade-report bench lint fmt types content-lint contracts webhook-test templates-status templates-push dead-letters lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## Make .venv with everything (the other targets do it by themselves)

.venv/.ready: requirements/dev.txt requirements/uv.txt $(MEMBERS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
	  echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@touch $@

run: setup ## Run the whole product here; Ctrl-C stops it
	@exec $(BIN)/python -m devstack --state $(STATE) --port $(PORT) --simulator-port $(SIMULATOR_PORT)

reset: ## Forget the state of `make run`
	@test ! -e $(STATE)/lock || flock -n $(STATE)/lock true || { \
	  echo "Sabatina is running on $(STATE); stop it first."; exit 1; }
	@rm -rf $(STATE)

test: setup ## Run every test against real servers
	@$(BIN)/python -m pytest --cov --cov-report=term $(TESTS)

chaos: setup ## Kill services and servers while answers are in flight, with 3 seeds (SEED=n repeats one)
	@CHAOS_RUNS=$${CHAOS_RUNS:-3} $(BIN)/python -m pytest -m chaos -o addopts="-ra --import-mode=importlib -p devstack.pytest_plugin -s" tests/chaos

grade-live: ## Test the model behind OPENAI_API_KEY and OPENAI_BASE_URL; it costs a cent
	@test -n "$$OPENAI_API_KEY" || { \
	  echo "Set OPENAI_API_KEY, and OPENAI_BASE_URL for another server than OpenAI's."; exit 1; }
	@$(MAKE) --no-print-directory setup
	@SABATINA_GRADE_LIVE=1 $(BIN)/python -m pytest -m live services/grader/tests/test_live.py

grade-report: setup ## Compare the examiners on one page, build/grading.html (DATA=rows.jsonl, ARGS="--examiner local")
	@$(BIN)/python -m grader.report --out build/grading.html $(if $(DATA),--data $(DATA)) $(ARGS)

bench: setup ## Measure, and write bench/results.json
	@$(BIN)/python -m bench

lint: setup ## ruff, import-linter, content
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m scheduler.packs lint content

fmt: setup ## Format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

types: setup ## mypy --strict over sources and tests
	@$(BIN)/mypy $(PACKAGES:%=-p %)
	@$(BIN)/mypy $(wildcard libs/*/tests services/*/tests) tests bench

content-lint: setup ## Check the questions
	@$(BIN)/python -m scheduler.packs lint content

contracts: setup ## Write the message schemas and the AsyncAPI document again
	@$(BIN)/python -m common.asyncapi docs/contracts

webhook-test: setup ## Send one signed message to the gateway that runs on PORT
	@$(BIN)/python -m devstack.webhook_test --port $(PORT)

templates-status: setup ## Compare the templates of the WhatsApp account with ours
	@$(BIN)/python -m messenger.templates status

templates-push: setup ## Create or edit them where they differ
	@$(BIN)/python -m messenger.templates push

dead-letters: setup ## List the messages that were given up (NATS=nats://...; otherwise of `make run`)
	@test -n "$(NATS)" || { echo "Nothing runs on $(STATE); give NATS=nats://host:port"; exit 1; }
	@$(BIN)/python -m common.bus.dead_letters list $(NATS)

lock: setup ## Lock the dependencies again (ARGS=--upgrade for newer ones)
	@$(BIN)/python requirements/lock.py $(ARGS)

clean: ## Remove .venv and caches
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .hypothesis
