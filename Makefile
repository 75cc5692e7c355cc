# Two commands do everything on a fresh machine: `make demo` and `make test`. Each installs what it needs into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
QNN := .venv/.installed-qnn
.DEFAULT_GOAL := help
.PHONY: help install demo test test-again test-compose lint format bench clean check-deploy

help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

install: $(INSTALLED) ## install everything into .venv

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "paretofarm needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python has no venv module: apt-get install python3-venv"; exit 1; }
	@echo "Installing into .venv (a minute or two the first time) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev]'
	@touch $@

# Apart, since it is Qualcomm's, under Qualcomm's terms, and `make demo` does not need it.
$(QNN): $(INSTALLED)
	@echo "Installing Qualcomm's compiler and simulator (onnxruntime-qnn, 99 MB) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[qnn]'
	@touch $@

demo: $(INSTALLED) ## the whole main job on this machine: no Docker, no GPU, no phone
	$(BIN)/paretofarm data faces --count 1200 --size 64 --seed 7 --out data/faces
	$(BIN)/paretofarm search start examples/faces_demo.yaml --wait --plot faces-demo.png

test: $(INSTALLED) $(QNN) ## all tests
	@tests/tools/chromium.sh
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test-again: $(INSTALLED) ## what failed in the last `make test`, alone; at most three tests
	$(BIN)/python tests/tools/again.py

test-compose: ## the whole deployment in containers; needs Docker, about 10 minutes. CASES="restarts demo tls s3 phones observability": more
	$(PYTHON) tests/compose/run.py $(CASES) $(if $(STAND_INS),--stand-ins)

lint: $(INSTALLED) ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-deploy: ## Prometheus' configuration and alerts, with Prometheus' own tool
	deploy/prometheus/promtool.sh check config deploy/prometheus/prometheus.yml
	deploy/prometheus/promtool.sh test rules deploy/prometheus/rules_test.yml

format: $(INSTALLED) ## apply the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED) ## measure; results and method are in benchmarks/README.md
	$(BIN)/python -m benchmarks.proposals
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.tick
	$(BIN)/python -m benchmarks.multi_fidelity --promote 0.08
	$(BIN)/python -m benchmarks.leases
	$(BIN)/python -m benchmarks.metrics
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.recipes
	$(BIN)/python -m benchmarks.dashboard_queries
	$(BIN)/python -m benchmarks.measurement_protocol
	$(BIN)/python -m benchmarks.link

clean: ## remove .venv, caches and the local stack's data (asks nothing)
	rm -rf .venv .paretofarm data .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
