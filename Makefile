# Every entry point of the house. `make` alone prints this list.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PROTO_TOOLS := $(VENV)/proto-tools
# Most tests wait for processes: two at a time keep two cores busy. WORKERS=0 runs one after the other.
WORKERS ?= 2
PYTEST  := $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check unit integration e2e looks fault soak laws fuzz bench bench-dashboard proto proto-check fmt docs clean

help:  ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@

setup: $(STAMP)  ## make .venv and install Weir with everything

demo: $(STAMP)  ## set up, start Weir and watch a real four-rank training job in the browser
	$(BIN)/python examples/demo.py

up: $(STAMP)  ## start Weir on this machine (Ctrl-C stops it)
	$(BIN)/weir up

test: $(STAMP)  ## set up and run every test but the long ones: check, unit, contract, integration, e2e, fault
	$(MAKE) check
	$(PYTEST) tests

check: $(STAMP)  ## format, lint, types, import contracts, spelling, generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(MAKE) proto-check

unit: $(STAMP)  ## the fast tests
	$(PYTEST) tests/unit

integration: $(STAMP)  ## contract and integration tests on real engines
	$(PYTEST) tests/contract tests/integration

e2e: $(STAMP)  ## processes and a real browser
	$(PYTEST) tests/e2e

looks: $(STAMP)  ## renew the small pictures that the dashboard's pages are held against; look at the pages first
	WEIR_LOOKS=renew $(BIN)/python -m pytest -q tests/e2e/test_dashboard_looks.py

fault: $(STAMP)  ## kill things, then count the points
	$(PYTEST) tests/fault

SOAK_MINUTES ?= 5
soak: $(STAMP)  ## load, random kills and counting for minutes on end: SOAK_MINUTES=5 SOAK="--kills 500 --seed 7"
	$(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES) $(SOAK)

laws: $(STAMP)  ## the laws of delivery as properties, forty times as many interleavings as in `make test`
	WEIR_LAWS=long $(BIN)/python -m pytest -q tests/laws

fuzz: $(STAMP)  ## a hundred thousand bad frames, and a whole Weir under attack: FUZZ="--frames 1000 --seed 7"
	$(BIN)/python -m tests.fuzz.session $(FUZZ)

bench: $(STAMP)  ## measure speed and memory as ratios; writes bench-results/*.json and a table
	test -x .venv-peers/bin/mlflow || { $(PYTHON) -m venv .venv-peers && .venv-peers/bin/python -m pip install -q -r benchmarks/peers/requirements.txt; }
	$(BIN)/python -m benchmarks

bench-dashboard: $(STAMP)  ## measure the dashboard in a real browser, MLflow's and TensorBoard's beside it
	test -x .venv-peers/bin/tensorboard || { $(PYTHON) -m venv .venv-peers && .venv-peers/bin/python -m pip install -q -r benchmarks/peers/requirements.txt; }
	$(BIN)/python -m benchmarks dashboard

fmt: $(STAMP)  ## format and fix what can be fixed
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .

# The oldest grpcio-tools we support writes code that every later runtime reads.
$(PROTO_TOOLS): | $(STAMP)
	$(BIN)/python -m pip install -q --target $(PROTO_TOOLS) 'grpcio-tools==1.63.2'

proto: $(PROTO_TOOLS)  ## regenerate the code beside proto/**/*.proto
	PYTHONPATH=$(PROTO_TOOLS) $(BIN)/python -m grpc_tools.protoc -I proto \
	  --python_out=proto --pyi_out=proto --grpc_python_out=proto proto/weir_proto/v1/*.proto

proto-check: $(PROTO_TOOLS)
	@out=$$(mktemp -d) && PYTHONPATH=$(PROTO_TOOLS) $(BIN)/python -m grpc_tools.protoc -I proto \
	  --python_out=$$out --pyi_out=$$out --grpc_python_out=$$out proto/weir_proto/v1/*.proto \
	  && for f in $$(cd $$out && find . -name '*_pb2*'); do cmp -s $$out/$$f proto/$$f \
	    || { echo "generated code has drifted: $$f; run 'make proto'"; rm -rf $$out; exit 1; }; done; rm -rf $$out

clean:  ## remove what `make` made (not your data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache bench-results soak-results
