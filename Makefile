# One command runs the whole pipeline:   make run [CSV=path] [ONCE=1]
# One command runs all tests:            make test

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
UV := uv==0.13.9
# Use the machine's certificate store: a proxy's certificate is there, and not in uv's own list.
export UV_SYSTEM_CERTS := true
# If it is set, every process compiles again what it imports, which takes seconds. The planted defects set it themselves.
unexport PYTHONDONTWRITEBYTECODE
ROWS ?= 20000
SEEDS ?= 20
FIRST_SEED ?= 1
OUT ?= .local/sample-$(ROWS).csv

# Lambda's Python version compiles the artifacts; src/Makefile stops with a message if it is not installed.
LAMBDA_PYTHON ?= $(firstword $(foreach each,python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13),\
	$(shell $(each) -c 'print("$(each)")' 2>/dev/null)) python3.13)
ARCHITECTURE ?= arm64
SAM = PATH="$(CURDIR)/.venv-sam/bin:$$PATH" SAM_CLI_TELEMETRY=0 LAMBDA_PYTHON="$(LAMBDA_PYTHON)" ARCHITECTURE="$(ARCHITECTURE)" sam

.DEFAULT_GOAL := help
.PHONY: help run serve query test test-fast coverage check chaos seeds defects docs screenshots lint bench cost prove build deploy smoke destroy sample lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 19

run: $(READY) ## start everything, stream a sample or CSV=path (DATES=dmy: day first), report, keep serving (ONCE=1: stop after the report)
	@$(BIN)/python -m local_runtime run $(if $(CSV),--csv "$(CSV)") $(if $(DATES),--dates "$(DATES)") $(if $(filter 1,$(ONCE)),--once)

serve: $(READY) ## start everything without an upload, on stores that stay in .local/data
	@$(BIN)/python -m local_runtime serve

test: $(READY) ## run all tests, which start processes of their own
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not chaos"

test-fast: $(READY) ## run the tests that start no process: the quicker ones
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not chaos and not end_to_end and not slow" --hypothesis-profile fast

coverage: $(READY) ## run all tests and report the line coverage of src and client
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not chaos" --cov --cov-report term:skip-covered

prove: $(READY) .venv-sam/.ready .venv-lambda/.ready .venv-third-party/.ready acceptance/third_party_clients/node_modules ## test what can be tested of a deployment without an AWS account
	@$(BIN)/python -m pytest -n 2 --dist loadfile -rP --timeout 600 acceptance

# The real data set if it is there, else the generated sample.
BENCH_CSV = $(or $(CSV),$(wildcard ../shared/data/online_retail_2010-12.csv.gz),.local/bench/sample.csv)
BENCH_FUNCTIONS := ApiFunction ToS3Function ToDynamodbFunction

bench: $(READY) .local/bench/sample.csv ## measure side by side with other designs and write docs/benchmarks.md (ten minutes)
	@for each in $(BENCH_FUNCTIONS); do rm -rf ".local/bench/functions/$$each" && mkdir -p ".local/bench/functions/$$each" && \
		$(MAKE) -s --no-print-directory -C src build-$$each ARTIFACTS_DIR="$(CURDIR)/.local/bench/functions/$$each" \
		ARCHITECTURE=$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64) LAMBDA_PYTHON="$(LAMBDA_PYTHON)" || exit 1; done
	@$(BIN)/python -m bench run --csv "$(BENCH_CSV)" --artifacts .local/bench/functions --lambda-python "$(LAMBDA_PYTHON)"

cost: $(READY) .local/bench/sample.csv ## compute the monthly bill for a file: CSV=path ROWS_PER_MONTH=n
	@$(BIN)/python -m bench cost --csv "$(BENCH_CSV)" $(if $(ROWS_PER_MONTH),--rows-per-month "$(ROWS_PER_MONTH)")

.local/bench/sample.csv: | $(READY)
	@mkdir -p $(@D)
	@$(BIN)/python -m local_runtime sample --rows 42000 --out $@

chaos: $(READY) ## inject faults by seed and account for every row: SEEDS=n FIRST_SEED=k
	@$(BIN)/python -m chaos run --seeds "$(SEEDS)" --first-seed "$(FIRST_SEED)"

seeds: $(READY) ## run the twenty fault seeds of `make check`, and the tests of their accounting
	@$(BIN)/python -m pytest -n auto --dist worksteal -m chaos

defects: $(READY) ## plant known defects and check that the tests catch each one
	@$(BIN)/python -m chaos defects

check: lint test seeds prove ## run everything that CI runs

docs: $(READY) acceptance/third_party_clients/node_modules ## rewrite docs/openapi.json and docs/postman_collection.json
	@$(BIN)/python -m acceptance.documents

screenshots: $(READY) acceptance/third_party_clients/node_modules ## take docs/console-*.png of the page of the running local stack, while rows arrive
	@set -a && . .local/env && set +a && node acceptance/third_party_clients/screenshots.cjs "$(or $(URL),http://127.0.0.1:8000)" "$$INVOICE_API_KEY" docs

lint: $(READY) ## check style, types, imports and the template
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint --non-zero-exit-code informational template.yaml

build: $(READY) .venv-sam/.ready ## build the Lambda artifacts (ARCHITECTURE=arm64 or x86_64)
	@$(SAM) build --parameter-overrides "Architecture=$(ARCHITECTURE)"

deploy: build ## deploy into your AWS account; asks for each parameter, and again before it changes anything
	@$(SAM) deploy --guided --parameter-overrides "Architecture=$(ARCHITECTURE)"

smoke: $(READY) ## test a deployment with a small file: URL=… KEY=…
	@$(BIN)/python deployment/smoke.py --url "$(URL)" $(if $(KEY),--api-key "$(KEY)")

destroy: .venv-sam/.ready ## delete the stack; the bucket and the tables stay
	@echo "This deletes the API, the functions, the stream with every record that is not yet consumed, logs, alarms and dashboard."
	@echo "The bucket and the tables stay, with all rows, and you go on paying for their storage. To delete them by hand:"
	@echo "empty and delete the bucket; switch off deletion protection and delete the tables."
	@$(SAM) delete

query: $(READY) ## ask the lake of the running local stack: SQL="SELECT …"
	@test -f .local/env || { echo "No pipeline runs here: start one with make run or make serve." >&2; exit 1; }
	@test -n "$$SQL" || { echo 'Give a question: make query SQL="SELECT COUNT(*) FROM lines"' >&2; exit 1; }
	@set -a && . .local/env && set +a && $(BIN)/python -m pipeline_ops lake refresh >&2 && $(BIN)/python -m pipeline_ops query "$$SQL"

sample: $(READY) ## write ROWS=n generated rows to OUT=path
	@mkdir -p "$(dir $(OUT))"
	@$(BIN)/python -m local_runtime sample --rows "$(ROWS)" --out "$(OUT)"

lock: $(READY) ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --upgrade --extra api --extra consumers --extra lake --extra client --extra ops --extra local \
		--group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--quiet --output-file requirements.txt

	for tool in sam lambda third-party; do $(BIN)/uv pip compile deployment/requirements-$$tool.in --upgrade --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --quiet \
		--output-file deployment/requirements-$$tool.txt; done

clean: ## delete the environments and everything that runs and builds wrote
	rm -rf .venv .venv-* .local .aws-sam

# uv installs in seconds. If it fails (only pip is configured for a mirror), pip does the same more slowly.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=…")'
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check "$(UV)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt \
		|| $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --no-index --editable .
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
