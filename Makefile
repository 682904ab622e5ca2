# Targets for users: install, demo. For developers: the others.
# All are safe to repeat; the first run also fetches what it needs.

MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
# The tests start many processes, each of which would compile all modules if Python may not keep them.
COMPILE := $(BIN)/python -m compileall -q telealarm tests
PACKAGING := setup.py pyproject.toml tests/lab/venv.sh

.PHONY: help install install-hooks demo demo-stop unit test test-long test-containers lock lint docs coverage clean
.DELETE_ON_ERROR:

help:
	@echo "make install   the command telealarm, in $(VENV)/bin"
	@echo "make demo      a clinic's morning on a real Asterisk; KEEP=1 leaves it running"
	@echo "make demo-stop ends what KEEP=1 left running"
	@echo "make unit      the unit tests alone: seconds"
	@echo "make test      ruff, mypy, then unit, integration and acceptance tests"
	@echo "make test-long the tests that take their time: crashes, clocks, containers, sweeps"
	@echo "make test-containers  of those, the ones on a Docker engine"
	@echo "make lock      pin the libraries of the image of TeleAlarm, with their hashes"
	@echo "make lint      ruff and mypy alone"
	@echo "make docs      write the generated pages, and build all pages into site/"
	@echo "make coverage  the unit and integration tests, and what they did not run, in htmlcov/"
	@echo "make install-hooks  run the linters before each commit"
	@echo "make clean     remove $(VENV) and the tools' caches"

install: $(INSTALLED)

demo: $(INSTALLED)
	@tests/lab/setup.sh $(BIN)/python
	@$(BIN)/python -m tests.lab.demo $(if $(KEEP),--keep)

demo-stop: $(INSTALLED)
	@$(BIN)/python -m tests.lab.demo --stop

unit: $(INSTALLED_TEST)
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not long" tests/unit

# What waits for phones needs no processor, so there are more processes than processors.
test: lint
	@tests/lab/setup.sh $(BIN)/python tests
	@$(COMPILE)
	$(BIN)/python -m pytest -n 6 --dist worksteal -m "not long" tests

test-long: $(INSTALLED_TEST)
	@tests/lab/setup.sh $(BIN)/python tests long
	@$(COMPILE)
	$(BIN)/python -m pytest -n 6 --dist worksteal -m long tests

test-containers: $(INSTALLED_TEST)
	@tests/lab/setup.sh $(BIN)/python tests
	$(BIN)/python -m pytest -m long tests/acceptance/test_containers.py

# For the Python of the image; the index that they came from is not named.
lock: $(INSTALLED_TEST)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	echo 'setuptools>=68' | $(BIN)/uv pip compile --quiet --universal --python-version 3.13 --upgrade \
		--generate-hashes --no-annotate --custom-compile-command 'make lock' setup.py - \
		--output-file config/docker/requirements.txt

install-hooks: $(INSTALLED_TEST)
	$(BIN)/pip install --quiet --disable-pip-version-check pre-commit
	$(BIN)/pre-commit install

lint: $(INSTALLED_TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy -p tests.lab
	$(BIN)/mypy -p docs._generate

docs: $(INSTALLED_TEST)
	$(BIN)/python -m docs._generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

coverage: $(INSTALLED_TEST)
	@tests/lab/setup.sh $(BIN)/python tests
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 6 --dist worksteal tests/unit tests/integration
	$(BIN)/coverage combine
	$(BIN)/coverage html
	$(BIN)/coverage report

$(INSTALLED): $(PACKAGING)
	@tests/lab/venv.sh $(VENV) .
	@touch $@

$(INSTALLED_TEST): $(INSTALLED)
	@tests/lab/venv.sh $(VENV) '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) build site htmlcov .coverage .coverage.* *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
