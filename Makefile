# make demo: try it; make train: the classifier on real data; make test: everything that is checked.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo train test test-slow lint bench tensorboard clean

install: .venv/.installed

# Compiled on all cores, which pip does on one, in a minute; tests of packages are left out, and so is a file of one that
# is no Python of this version.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -W ignore -m compileall -qq -j 0 -x '/tests?/' .venv/lib || true
	touch $@

# Both tasks on data that is drawn by code: nothing is downloaded.
demo: install
	$(BIN)/python -m fashseg.train model=cnn data=synthetic_fashion epochs=5
	$(BIN)/python -m fashseg.train model=segnet data=synthetic_facade epochs=8

train: install
	$(BIN)/python -m fashseg.train model=cnn

# Types are looked at beside the tests: one after the other, a processor would be idle for a minute. One worker more than
# there are processors, for tests that start processes wait for them.
WORKERS = $$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)')
test: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy & types=$$!; $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'not alone'; tests=$$?; \
		wait $$types && test $$tests = 0
	$(BIN)/python -m pytest -m alone $$(grep -rl --include='*.py' mark.alone tests)

# What `make test` tries a sample of, all of it: kills, loads, random input. Half an hour; writes docs/reliability.md.
FIGURES := build/figures.jsonl
test-slow: install
	mkdir -p build
	rm -f $(FIGURES)
	FASHSEG_SLOW=1 FASHSEG_FIGURES=$(CURDIR)/$(FIGURES) $(BIN)/python -m pytest -n auto --dist worksteal -m 'sampled and not alone'
	FASHSEG_SLOW=1 FASHSEG_FIGURES=$(CURDIR)/$(FIGURES) $(BIN)/python -m pytest -m 'sampled and alone'
	$(BIN)/python tests/reliability/page.py $(FIGURES) docs/reliability.md

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Speed, side by side with plain loops; QUICK=1 is a rough look. Needs the real data: see bench/README.md.
bench: install
	$(BIN)/python -m bench $(if $(QUICK),--quick)

tensorboard: install
	$(BIN)/tensorboard --logdir outputs

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
