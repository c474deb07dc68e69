# Two commands matter: `make demo` (see it run) and `make test` (see it proven). `make help` lists the others.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PORT ?= 8000
PY := .venv/bin/python
DEVELOP := GONGCHUANG_DEMO=1 $(PY)
TESTS := $(PY) -m pytest -q

.PHONY: help demo demo-reset demo-sqlite demo-postgres install install-dev install-browser test test-slow test-postgres test-races test-access test-brokers test-kills test-browser screenshots \
        check lint format types contracts migrations machines machines-check messages messages-check start-check bench bench-pages bench-ledger bench-assign bench-sign assets requirements clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 18

demo: install ## load five sample calls and serve them on http://127.0.0.1:$(PORT); data stay in var/
	@$(PY) manage.py demo --port $(PORT)

demo-reset: install ## the same, from an empty data folder
	@$(PY) manage.py demo --reset --port $(PORT)

demo-sqlite: install ## load the demonstration into a throw-away folder on SQLite and check its invariants
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && GONGCHUANG_HOME=$$folder $(PY) manage.py demo --no-serve

demo-postgres: install ## the same on PostgreSQL
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && GONGCHUANG_HOME=$$folder .ci/postgres $(PY) manage.py demo --no-serve

install: ## system libraries, .venv and pinned packages
	@.ci/bootstrap run

install-dev:
	@.ci/bootstrap dev

# A file stays with one process: what its tests share is built once.
test: install-dev ## every default test, two at a time
	@$(TESTS) -n 2 --dist loadfile

test-slow: install-dev ## tests of more than ten seconds
	@$(TESTS) -m slow

# --database-only leaves out tests that ask for no database: pytest-django refuses them every query, so they cannot depend on which one it is.
test-postgres: install-dev ## the default tests on PostgreSQL, but those that know no database
	@.ci/postgres $(TESTS) -n 2 --dist loadfile --database-only

test-races: install-dev ## two people, one button: on PostgreSQL
	@.ci/postgres $(TESTS) -m races tests/races

test-access: install-dev ## every address as every role in every stage, against tests/access/matrix.txt
	@$(TESTS) -m access -n 2 --dist loadgroup tests/access

test-brokers: install-dev ## Celery workers on a real Redis and a real RabbitMQ, killed in their midst
	@.ci/postgres .ci/brokers $(TESTS) -m brokers tests/brokers

test-kills: install-dev ## 400 payment orders under 200 kills of workers, connections and the database, on a private PostgreSQL
	@$(TESTS) -m kills -s tests/kills

.PHONY: open-data-check
SCHEMA ?=
open-data-check: install-dev ## everything the demonstration publishes against SCHEMA, an official 360-giving-schema.json that you have
	@$(PY) -m tests.world.giving360 "$(SCHEMA)" && GIVING360_SCHEMA="$(abspath $(SCHEMA))" $(TESTS) -m slow tests/stages/test_demo_validated.py -k open_to_everybody

install-browser:
	@.ci/bootstrap browser

test-browser: ## journeys in the system's chromium, two at a time
	@.ci/bootstrap browser
	@$(TESTS) -m browser -n 2 --dist loadfile tests/browser

FOLDER ?= var/screenshots
screenshots: ## every page of the loaded demonstration, desktop and telephone, both languages, as a contact sheet in FOLDER
	@.ci/bootstrap browser
	@$(DEVELOP) -m tests.browser.contact_sheet $(FOLDER)

check: lint types contracts migrations machines-check messages-check start-check ## everything but tests

lint: install-dev ## ruff
	@$(PY) -m ruff check .

format: install-dev ## let ruff mend what it can
	@$(PY) -m ruff check --fix . ; $(PY) -m ruff format .

types: install-dev ## mypy: strict for the engine and the arithmetic
	@GONGCHUANG_DEMO=1 $(PY) -m mypy

contracts: install-dev ## import-linter: layers, single importers, pure arithmetic
	@.venv/bin/lint-imports

migrations: install-dev ## no model without its migration
	@$(DEVELOP) manage.py makemigrations --check --dry-run

machines: install-dev ## write the diagrams and who-may tables into the documents
	@$(DEVELOP) manage.py machines

machines-check: install-dev
	@$(DEVELOP) manage.py machines --check

messages: install-dev ## collect sentences to translate and compile
	@.ci/messages update

messages-check: install-dev
	@.ci/messages check

start-check: install-dev
	@.ci/start-check

bench: install-dev ## transitions and contracts per second, on SQLite and PostgreSQL
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && export GONGCHUANG_HOME=$$folder GONGCHUANG_DEMO=1 && \
	    $(PY) -m tests.bench && .ci/postgres $(PY) -m tests.bench --contracts 2

.PHONY: bench-review
bench-review: install-dev ## corrupt and honest panels, recall, alarms, speed of the review arithmetic, beside the documented values
	@$(PY) -m tests.bench.review_simulation

bench-pages: install-dev ## statements, CPU and growth of the busiest pages with 1,000 and 100,000 bids, on PostgreSQL
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && GONGCHUANG_HOME=$$folder GONGCHUANG_DEMO=1 .ci/postgres $(PY) -m tests.bench.pages

bench-ledger: install-dev ## the ledger beside bare inserts with eight writers, checkpoints as it grows, a million events verified offline
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && GONGCHUANG_HOME=$$folder GONGCHUANG_DEMO=1 .ci/postgres $(PY) -m tests.bench.ledger

bench-assign: install-dev ## who reviews which bid: time, memory, optimum and proof from 200 × 40 to 20,000 × 5,000
	@$(PY) -m tests.bench.assign

bench-sign: install-dev ## a hundred contracts signed by two parties, beside bare renders: CPU, sizes, memory
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && GONGCHUANG_HOME=$$folder GONGCHUANG_DEMO=1 $(PY) -m tests.bench.signing

.PHONY: bench-seal
bench-seal: install-dev ## sealed bids: CPU to seal, to hand in, to open, and how an opening grows from 30 to 300 bids
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && GONGCHUANG_HOME=$$folder GONGCHUANG_DEMO=1 $(PY) -m tests.bench.sealing

bench-package: install-dev ## an audit package of 2 GB: memory and time to make it, to send it, to check it
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && GONGCHUANG_HOME=$$folder GONGCHUANG_DEMO=1 $(PY) -m tests.bench.package

assets: ## compile the vendored styles and the sealing bundle again (needs Node; the result is committed, nobody else does)
	@cd grants/web/assets && npm install --no-package-lock --no-audit --no-fund && npm run build
	@cd bidding/assets && npm install --no-package-lock --no-audit --no-fund && npm run build

requirements: install-dev ## pin every package again from pyproject.toml, with hashes and without addresses
	@$(PY) -m pip install --quiet --disable-pip-version-check pip-tools
	@.ci/pin

clean: ## remove caches; data in var/ and .venv stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find grants bidding review tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: bench-rush
bench-rush: install-dev ## the last hour of a call: everybody hands in at once, on PostgreSQL behind gunicorn (and nginx when there is one)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && GONGCHUANG_HOME=$$folder GONGCHUANG_DEMO=1 .ci/postgres $(PY) -m tests.bench.rush

.PHONY: audit
audit: install-dev ## known vulnerabilities of every pinned package and vendored script; fails too when the advisory database cannot be asked
	@AUDIT_REQUIRED=$${AUDIT_REQUIRED-1} .ci/audit
