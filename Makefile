# `make check` sets up a virtual environment and runs every quality gate; it needs Python 3.11 or newer and a package index.

PYTHON ?= python3
VENV ?= .venv
# `make check EXTRAS=dev,encoder,images` also tests what needs torch; without it those tests are skipped.
EXTRAS ?= dev
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: check setup format lint types layers test docs bench bench-files bench-tui thorough pictures clean

check: lint types layers test ## everything that must pass

setup: $(STAMP) ## a virtual environment with the project and its development tools

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

format: $(STAMP) ## rewrite the code as ruff formats it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP) ## imports point one way
	$(BIN)/lint-imports

test: $(STAMP)
	$(BIN)/pytest -n auto

thorough: $(STAMP) ## the invariants on 20,000 texts for each host and tokenizer build; takes an hour
	HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -n auto tests/test_invariants.py

docs: $(STAMP) ## the generated parts of README and docs/
	$(BIN)/python docs/generate.py

pictures: $(STAMP) ## of README and docs/; those of influence need EXTRAS=dev,encoder
	$(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/make_tui_pictures.py

bench: $(STAMP) ## against tokenizers, and transformers and instant-clip-tokenizer where installed
	$(BIN)/python benchmarks/vocabulary.py
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/throughput.py

bench-files: $(STAMP) ## files on disk through `check`, against a script with transformers' CLIPTokenizer; needs EXTRAS=dev,encoder
	$(BIN)/python benchmarks/files.py

bench-tui: $(STAMP) ## the terminal UI: key to repaint, start to first screen, longest gap while the encoder works
	$(BIN)/python benchmarks/tui.py

bench-influence: $(STAMP) ## against transformers and captum at the size of real text encoders; about 8 minutes, needs EXTRAS=dev,encoder
	$(BIN)/python benchmarks/influence.py --write

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
