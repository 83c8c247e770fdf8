# Every target is one command that also works without make; the first use makes the environment, once.
PYTHON ?= python3
# An interpreter is there when it runs; a name on the path may be a shim without one behind it.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
# An environment for each interpreter that is asked for, made again when its version has changed.
VENV := .venv$(if $(filter-out file,$(origin PYTHON)),-$(VERSION))
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(VERSION)
LOWEST := .venv-lowest$(if $(filter-out file,$(origin PYTHON)),-$(VERSION))
PAGES ?= pages

define need_python
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "cozekit needs Python 3.11 or newer, and \`$(PYTHON)\` is not one: make … PYTHON=python3.11" >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-faults test-lowest generate check lint-spec lint-mutants drift adopt adopt-trial build bench record clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml requirements-dev.txt constraints.txt
	$(need_python)
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r requirements-dev.txt -e '.[ws,jwt,emulator,fast]'
	@touch $@

setup: $(READY) ## Make the environment in .venv

demo: $(READY) ## Stream a chat, poll a chat, run a workflow: on a local Coze, or on the real one with COZE_API_TOKEN and COZE_BOT_ID
	@$(BIN)/python examples/demo.py

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -n 2

test-faults: $(READY) ## Run the long form of the fault suite: every byte, every fault, 20,000 calls
	FAULTS=full $(BIN)/python -m pytest tests/faults -n 2

$(LOWEST)/.ready-$(VERSION): pyproject.toml constraints-lowest.txt
	$(need_python)
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt \
		pytest pytest-xdist anyio trio hypothesis pyyaml vcrpy -e '.[ws,jwt,emulator,fast]'
	@touch $@

test-lowest: $(LOWEST)/.ready-$(VERSION) ## Run the tests of the client on the lowest versions of what it needs
	$(LOWEST)/bin/python -m pytest tests/overlays tests/auth tests/websockets tests/contract/test_models.py -n 2

generate: $(READY) ## Compile spec/ into generated/
	$(BIN)/python -m generator

lint-spec: $(READY) ## Check the description against docs/description.md
	$(BIN)/python -m generator lint

lint-mutants: $(READY) ## Make every mistake in the description, and see that the linter notices it
	$(BIN)/python -m tests.generator.mutants

check: $(READY) ## Lint, types, layers, dependencies, and no drift between spec/ and generated/
	$(BIN)/python -m generator lint
	$(BIN)/python -m generator --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright --level error
	PYTHONPATH=generated:overlays:. $(BIN)/lint-imports --no-cache
	$(BIN)/deptry generated overlays

drift: $(READY) ## Compare the official pages in PAGES with the description
	$(BIN)/python -m generator drift --pages $(PAGES)

adopt: $(READY) ## Draft the operation of an official page: PAGE=file, or a slug in PAGES; OPERATION=bots_list names it
	$(BIN)/python -m generator adopt $(PAGE) --pages $(PAGES) $(if $(OPERATION),--operation $(OPERATION))

adopt-trial: $(READY) ## Adopt ten pages in PAGES whose operations are taken out, and report how much comes out
	$(BIN)/python -m tests.adopt.trial $(PAGES)

build: $(READY) ## Make wheel and sdist in dist/ and check them
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

bench: $(READY) ## Compare with the official SDK, which gets its own environment
	$(BIN)/python -m benchmarks --write

record: $(READY) ## Record live answers: OPERATION=bots_list or a tag, ARGUMENTS=file, BASE_URL=server; needs COZE_API_TOKEN
	$(BIN)/python -m tests.record $(OPERATION) $(if $(BASE_URL),--base-url $(BASE_URL)) $(if $(ARGUMENTS),--arguments $(ARGUMENTS))

clean: ## Remove the environments and everything else that was created
	rm -rf .venv .venv-* dist benchmarks/.venv-* .pytest_cache .mypy_cache .ruff_cache
