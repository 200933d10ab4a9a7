# One command runs the whole pipeline:   make run [CSV=path] [ONCE=1]
# One command runs all tests:            make test

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
UV := uv==0.13.9
# Behind a proxy the machine knows its certificate, and uv by itself does not.
export UV_SYSTEM_CERTS := true
ROWS ?= 20000
SEEDS ?= 20
FIRST_SEED ?= 1
OUT ?= .local/sample-$(ROWS).csv

# Lambda's own Python, which compiles the artifacts; src/Makefile says so where there is none.
LAMBDA_PYTHON ?= $(firstword $(foreach each,python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13),\
	$(shell $(each) -c 'print("$(each)")' 2>/dev/null)) python3.13)
ARCHITECTURE ?= arm64
SAM = PATH="$(CURDIR)/.venv-sam/bin:$$PATH" SAM_CLI_TELEMETRY=0 LAMBDA_PYTHON="$(LAMBDA_PYTHON)" ARCHITECTURE="$(ARCHITECTURE)" sam

.DEFAULT_GOAL := help
.PHONY: help run test check chaos seeds defects docs lint bench cost prove build deploy smoke destroy sample lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: $(READY) ## set up, start everything, stream the sample (or CSV=path), report, keep serving (ONCE=1: end there)
	@$(BIN)/python -m local_runtime run $(if $(CSV),--csv "$(CSV)") $(if $(filter 1,$(ONCE)),--once)

test: $(READY) ## set up and run all tests
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not chaos"

prove: $(READY) .venv-sam/.ready .venv-lambda/.ready .venv-third-party/.ready acceptance/third_party_clients/node_modules ## what can be proven of a deployment without AWS
	@$(BIN)/python -m pytest -s --timeout 600 acceptance

# The real data where it is at hand, the generated sample elsewhere.
BENCH_CSV = $(or $(CSV),$(wildcard ../shared/data/online_retail_2010-12.csv.gz),.local/bench/sample.csv)
BENCH_FUNCTIONS := ApiFunction ToS3Function ToDynamodbFunction

bench: .venv-bench/.ready .local/bench/sample.csv ## measure beside the rivals, some ten minutes: docs/benchmarks.md
	@for each in $(BENCH_FUNCTIONS); do rm -rf ".local/bench/functions/$$each" && mkdir -p ".local/bench/functions/$$each" && \
		$(MAKE) -s --no-print-directory -C src build-$$each ARTIFACTS_DIR="$(CURDIR)/.local/bench/functions/$$each" \
		ARCHITECTURE=$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64) LAMBDA_PYTHON="$(LAMBDA_PYTHON)" || exit 1; done
	@.venv-bench/bin/python -m bench run --csv "$(BENCH_CSV)" --artifacts .local/bench/functions --lambda-python "$(LAMBDA_PYTHON)"

cost: $(READY) .local/bench/sample.csv ## the monthly bill of a file's rows: CSV=path ROWS_PER_MONTH=n
	@$(BIN)/python -m bench cost --csv "$(BENCH_CSV)" $(if $(ROWS_PER_MONTH),--rows-per-month "$(ROWS_PER_MONTH)")

.local/bench/sample.csv: | $(READY)
	@mkdir -p $(@D)
	@$(BIN)/python -m local_runtime sample --rows 42000 --out $@

chaos: $(READY) ## break things by seed and account for every row: SEEDS=n
	@$(BIN)/python -m chaos run --seeds "$(SEEDS)" --first-seed "$(FIRST_SEED)"

seeds: $(READY) ## the twenty seeds of `make check`, and what proves their accounting
	@$(BIN)/python -m pytest -m chaos

defects: $(READY) ## plant known defects and see that the tests catch each
	@$(BIN)/python -m chaos defects

check: lint test seeds prove ## everything CI runs

docs: $(READY) acceptance/third_party_clients/node_modules ## write the OpenAPI document and the Postman collection in docs/ anew
	@$(BIN)/python -m acceptance.documents

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint --non-zero-exit-code informational template.yaml

build: $(READY) .venv-sam/.ready ## build what Lambda gets (ARCHITECTURE=arm64 or x86_64)
	@$(SAM) build --parameter-overrides "Architecture=$(ARCHITECTURE)"

deploy: build ## put it into your AWS account; asks for everything, and asks again before it changes anything
	@$(SAM) deploy --guided --parameter-overrides "Architecture=$(ARCHITECTURE)"

smoke: $(READY) ## try a deployment: URL=… KEY=…
	@$(BIN)/python deployment/smoke.py --url "$(URL)" $(if $(KEY),--api-key "$(KEY)")

destroy: .venv-sam/.ready ## delete the stack; the bucket and the tables stay
	@echo "The stack goes: API, functions, stream with every record not yet consumed, logs, alarms, dashboard."
	@echo "The bucket and both tables stay, with all rows, and go on costing their storage:"
	@echo "empty and delete the bucket; switch off deletion protection and delete the tables - by hand, if you mean it."
	@$(SAM) delete

sample: $(READY) ## write ROWS=n generated rows to OUT=path
	@$(BIN)/python -m local_runtime sample --rows "$(ROWS)" --out "$(OUT)"

lock: $(READY) ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --upgrade --extra api --extra consumers --extra client --extra local \
		--group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--quiet --output-file requirements.txt

	for tool in sam lambda third-party; do $(BIN)/uv pip compile deployment/requirements-$$tool.in --upgrade --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --quiet \
		--output-file deployment/requirements-$$tool.txt; done
	grep -E '^[a-z0-9.-]+==' requirements.txt | sed 's/ .*//' > .local/constraints.txt
	$(BIN)/uv pip compile pyproject.toml --upgrade --group bench --constraints .local/constraints.txt --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --quiet \
		--output-file bench/requirements.txt

clean: ## remove the environments and everything a run or a build left
	rm -rf .venv .venv-* .local .aws-sam

# uv installs in seconds; where it cannot (a mirror that only pip is told of), pip does the same more slowly.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=…")'
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check "$(UV)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt \
		|| $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --no-index --editable .
	@touch $@

.venv-bench/.ready: requirements.txt bench/requirements.txt | $(READY)
	@echo "Setting up .venv-bench (once) …"
	@$(BIN)/python -m venv .venv-bench
	@for each in $^; do $(BIN)/uv pip install --quiet --python .venv-bench/bin/python --require-hashes -r $$each \
		|| .venv-bench/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r $$each; done
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --no-deps --no-build-isolation --no-index --editable .
	@touch $@

acceptance/third_party_clients/node_modules: acceptance/third_party_clients/package-lock.json
	@cd $(@D) && npm ci --silent
	@touch $@

# Tools with dependencies that do not fit ours: SAM's command line, third-party API clients, and Lambda's runtime
# client, which runs in Lambda's Python or, where there is none, in ours.
.venv-%/.ready: deployment/requirements-%.txt | $(READY)
	@echo "Setting up .venv-$* (once) …"
	@$(if $(filter lambda,$*),$(LAMBDA_PYTHON) -m venv .venv-$* 2>/dev/null ||) $(BIN)/python -m venv .venv-$*
	@$(BIN)/uv pip sync --quiet --python .venv-$*/bin/python --require-hashes $< \
		|| .venv-$*/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r $<
	@touch $@
