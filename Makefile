# Two commands are enough on a fresh machine: `make run` and `make test`. `make` alone lists the others.
# Written for GNU Make 3.81 (macOS) and later. What can go wrong while installing is said by requirements/install.sh.

DIR ?= .
QUERY ?= how are candidates of text and vectors ranked into hits
ARGS ?=
# What compiles llama.cpp and packs codeloupe.
BUILD_REQUIREMENTS := hatchling editables scikit-build-core[pyproject] cmake ninja

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
LOCK := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
# A value as one shell word, taken as typed: make expands no $ in it, the shell nothing at all.
quoted = '$(subst ','\'',$(value $(1)))'

.NOTPARALLEL:
.PHONY: help run test check fix golden docs bench model bundle lock clean

help:
	@echo 'make run [DIR=path] [QUERY="words"]  index a directory and search it (this one, and a question about it)'
	@echo 'make test [ARGS="-k name"]           every test'
	@echo 'make check                           format, lint, types and layers'
	@echo 'make fix                             format, and mend what the linter can'
	@echo 'make golden                          write the ranks of tests/ranking anew; the diff is what changed'
	@echo 'make docs                            write docs/reference and its pictures anew from the code'
	@echo 'make bench [ARGS=...]                measure, each figure beside its limit'
	@echo 'make model                           obtain the embedding model, once'
	@echo 'make bundle                          pack the .mcpb that Claude Desktop installs (needs npx)'
	@echo 'make lock                            write requirements/*.txt anew from pyproject.toml'
	@echo 'make clean                           remove what make installed and what the tools cached'

run: $(VENV)/run.installed
	@$(BIN)/codeloupe models pull || echo 'Going on without a model: words and names are searched, meaning is not.'
	@$(BIN)/codeloupe index -- $(call quoted,DIR)
	@$(BIN)/codeloupe search --root $(call quoted,DIR) -- $(call quoted,QUERY) || [ $$? -eq 1 ]

test: $(VENV)/dev.installed
	@$(BIN)/codeloupe models pull
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/dev.installed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(VENV)/dev.installed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

golden: $(VENV)/dev.installed
	@$(BIN)/python -m tests.ranking.golden

docs: $(VENV)/dev.installed
	@$(BIN)/python -m tests.setup.default_config
	@$(BIN)/python -m tests.setup.client_configs
	@$(BIN)/python -m tests.setup.reference
	@$(BIN)/python -m tests.setup.pictures

bench: $(VENV)/dev.installed
	@$(BIN)/codeloupe models pull
	@$(BIN)/python -m benchmarks $(ARGS)

model: $(VENV)/run.installed
	@$(BIN)/codeloupe models pull

bundle: $(VENV)/dev.installed
	@$(BIN)/python -m tests.setup.bundle

lock: $(VENV)/dev.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(LOCK) pyproject.toml -o requirements/run.txt
	@$(LOCK) pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt
	@printf '%s\n' $(BUILD_REQUIREMENTS) | $(LOCK) - -c requirements/run.txt -o requirements/build.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# dev.txt holds all of run.txt.
$(VENV)/%.installed: requirements/%.txt requirements/build.txt requirements/install.sh pyproject.toml
	@sh requirements/install.sh $*
	@touch $@ $(VENV)/run.installed
