# The two commands are `make demo` and `make test`; `make help` lists the others.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo serve twelve reindex-demo test test-all lint bench soak chaos backlog fuzz wheel clean \
	environment

BIN := .venv/bin
PYTEST_ARGS ?=
# Most tests wait for processes. Each of these has servers of its own, and takes whole files.
WORKERS ?= 2
HOURS ?= 1
RUNS ?= 20
FIRST ?= 1
DOCUMENTS ?=
SEED ?=
SECONDS ?= 60

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: environment ## start servers, follow 7,900 airports into two indices, compare them
	@$(BIN)/python -m dev.demo

twelve: environment ## the same with twelve pillows on the database, which share its feed
	@$(BIN)/python -m dev.demo --settings project.twelve

serve: environment ## serve the statistics that make demo has left, at 127.0.0.1:8000
	@test -f build/demo/demo.sqlite3 || { echo "make serve: run make demo first" >&2; exit 1; }
	@EXAMPLE_SQLITE=build/demo/demo.sqlite3 $(BIN)/python example/manage.py runserver --noreload 127.0.0.1:8000

reindex-demo: environment ## move DOCUMENTS=100000 airports to a new index while they are written and read
	@$(BIN)/python -m dev.reindex_demo $(if $(DOCUMENTS),--documents $(DOCUMENTS))

test: environment ## run all tests, those against real servers too, with branch coverage
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term $(PYTEST_ARGS)

test-all: export SEARCH_KINDS = es8,es9,os2,os3
test-all: test ## the same on Elasticsearch 8 and 9 and on OpenSearch 2 and 3

lint: environment ## ruff, mypy, and the rooms' contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: environment ## measure speed and memory, into build/bench.json
	@$(BIN)/python -m dev.bench

soak: environment ## write for HOURS=1 while worker and servers are killed, and compare
	@$(BIN)/python -m dev.soak --hours $(HOURS)

chaos: environment ## RUNS=20 short runs full of faults, from number FIRST=1 on, chosen by SEED
	@$(BIN)/python -m dev.chaos --runs $(RUNS) --first $(FIRST) $(if $(SEED),--seed $(SEED))

backlog: environment ## DOCUMENTS=1000000 changes for a worker with 200 MB, killed meanwhile
	@$(BIN)/python -m dev.chaos.backlog $(if $(DOCUMENTS),--documents $(DOCUMENTS))

fuzz: environment ## for SECONDS=60, feed the parser of feeds what a fuzzer makes of it
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	@$(BIN)/python -m dev.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

wheel: environment ## build the distributions into dist/
	@rm -rf dist build/lib build/bdist.*
	@$(BIN)/python -m build --quiet

clean: ## remove all that these targets have made
	@rm -rf .venv build dist .tox *.egg-info .coverage .coverage.* .hypothesis \
		.mypy_cache .pytest_cache .ruff_cache .import_linter_cache example/*.sqlite3
	@find . -name node_modules -prune -exec rm -rf {} +
	@find . -name __pycache__ -prune -exec rm -rf {} +

environment:
	@dev/install/environment.sh
