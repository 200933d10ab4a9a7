# One command runs the whole pipeline:   make run [CSV=path] [ONCE=1]
# One command runs all tests:            make test

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
UV := uv==0.13.9
ROWS ?= 20000
OUT ?= .local/sample-$(ROWS).csv

.DEFAULT_GOAL := help
.PHONY: help run test check lint sample lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: $(READY) ## set up, start everything, stream the sample (or CSV=path), report, keep serving (ONCE=1: end there)
	@$(BIN)/python -m local_runtime run $(if $(CSV),--csv "$(CSV)") $(if $(filter 1,$(ONCE)),--once)

test: $(READY) ## set up and run all tests
	@$(BIN)/python -m pytest

check: lint test ## everything CI runs

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint --non-zero-exit-code informational template.yaml

sample: $(READY) ## write ROWS=n generated rows to OUT=path
	@$(BIN)/python -m local_runtime sample --rows "$(ROWS)" --out "$(OUT)"

lock: $(READY) ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --upgrade --extra api --extra consumers --extra client --extra local \
		--group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--quiet --output-file requirements.txt

clean: ## remove the environment and everything a run left
	rm -rf .venv .local

# uv installs in seconds; where it cannot (a mirror that only pip is told of), pip does the same more slowly.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=…")'
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --no-index --editable .
	@touch $@
