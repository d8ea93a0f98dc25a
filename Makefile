# Few verbs. `make test` sets up what it needs; PYTHON=python3.13 chooses another interpreter.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test slow lint docs site schema bench campaign clean

$(BIN)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@

demo: $(BIN)/.ready      ## the whole story on embedded upstreams, in a temporary place
	$(BIN)/pollctl demo

test: $(BIN)/.ready      ## the tests that are quick: some minutes
	$(BIN)/pytest --quiet --numprocesses auto -m "not slow"

slow: $(BIN)/.ready      ## the others, among them the reliability campaign in bounded size
	$(BIN)/pytest --quiet --numprocesses auto --dist loadfile -m slow

lint: $(BIN)/.ready      ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(BIN)/.ready      ## what the manual takes from the code
	$(BIN)/python docs/generate.py

site: $(BIN)/.ready      ## the manual as a site, in dist/site
	$(BIN)/python docs/site.py

schema: $(BIN)/.ready    ## the picture of what the migrations produce, and the crontab
	$(BIN)/pollctl db schema > schema.sql
	$(BIN)/pollctl crontab --example > crontab.example

bench: $(BIN)/.ready     ## all figures
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

campaign: $(BIN)/.ready  ## the reliability campaign in full size, hours of it, or PART=NAME; PART=list names the parts
	$(BIN)/python tests/harness/parts.py $(or $(PART),all)

clean:
	rm -rf $(VENV) dist
