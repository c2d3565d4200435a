.PHONY: demo up test check bench lock

VENV := .venv
BIN  := $(VENV)/bin

demo: $(VENV)/.run
	$(BIN)/hl7ops demo

up: $(VENV)/.run
	$(BIN)/hl7ops up

test: $(VENV)/.dev
	.ci/programs
	.ci/in-memory $(BIN)/pytest -n 3 $(PYTEST)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/contract

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

$(VENV)/.run: requirements.txt pyproject.toml
	.ci/install $(VENV) requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml
	.ci/install $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.run

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-annotate --no-header

lock:
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
