# The commands of this project. `make demo` and `make test` set everything up on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed

.PHONY: demo test up lint types check torture lock clean install bench-store bench-extract bench-records bench-quality bench-quality-faults bench-orchestration bench-query bench-lock

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml setup.cfg
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)))' \
	  || { echo "Python 3.11 to 3.13 is needed; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)   ## install, start the embedded default, run the main job, show what came of it
	$(BIN)/data-platform demo

up: $(STAMP)     ## serve the Dagster UI on 127.0.0.1:3000 until Ctrl-C
	$(BIN)/data-platform up

test: $(STAMP)   ## the tests, each file in one of as many processes as there are cores; ARGS="-k name"
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/pyright

check: test lint types

torture: $(STAMP)   ## the fault tests and the query fuzzer at length: half an hour for platform and fuzzer, longer for the warehouse; root, strace and mkfs.xfs add the most; ARGS="-k power"
	$(BIN)/python -m pytest data_platform_tests/warehouse/faults data_platform_tests/orchestration/faults \
	  data_platform_tests/governance/corpus/test_fuzz.py --torture $(ARGS)

bench-store: $(STAMP) $(BENCH_STAMP)   ## the warehouse beside other stores, about ten minutes; ARGS="--quick" for a look
	$(BIN)/python -m benchmarks.store $(ARGS)

bench-extract: $(STAMP) $(BENCH_STAMP)   ## WRDS transport beside other ways, about twenty-five minutes; ARGS="--quick" for a look
	$(BIN)/python -m benchmarks.extract $(ARGS)

bench-records: $(STAMP)   ## the operational records as they grow, about two minutes; ARGS="--quick" for a look
	$(BIN)/python -m benchmarks.records $(ARGS)

bench-quality: $(STAMP)   ## all checks of a large year beside its extraction, about four minutes; ARGS="--quick" for a look
	$(BIN)/python -m benchmarks.quality $(ARGS)

bench-quality-faults: $(STAMP)   ## injected faults found and false alarms, some minutes; ARGS="--quick" for a look
	$(BIN)/python -m benchmarks.quality_faults $(ARGS)

bench-orchestration: $(STAMP)   ## runs, backfills and requests beside bare Dagster, about six minutes; ARGS="--quick" for a look
	$(BIN)/python -m benchmarks.orchestration $(ARGS)

bench-query: $(STAMP) $(BENCH_STAMP)   ## queries through the door beside plain DuckDB, and attacks, some minutes; ARGS="--quick" for a look
	$(BIN)/python -m benchmarks.query $(ARGS)

# Peers live apart, so that what they pin never decides what the platform runs with.
$(BENCH_STAMP): benchmarks/requirements.lock
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.lock
	@touch $(BENCH_STAMP)

lock:            ## resolve the ranges of pyproject.toml again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-strip-extras \
	  --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

bench-lock:      ## resolve benchmarks/requirements.in again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras \
	  --custom-compile-command "make bench-lock" benchmarks/requirements.in --output-file benchmarks/requirements.lock

clean:
	rm -rf $(VENV) $(BENCH) build *.egg-info .pytest_cache .ruff_cache
