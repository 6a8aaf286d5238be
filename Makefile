# make demo: try it; make train: the classifier on real data; make test: everything that is checked.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo train test lint bench tensorboard clean

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

# Both tasks on data that is drawn by code: nothing is downloaded.
demo: install
	$(BIN)/python -m fashseg.train model=cnn data=synthetic_fashion epochs=5
	$(BIN)/python -m fashseg.train model=segnet data=synthetic_facade epochs=8

train: install
	$(BIN)/python -m fashseg.train model=cnn

test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not alone'
	$(BIN)/python -m pytest -m alone

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
