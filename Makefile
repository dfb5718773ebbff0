# Two commands on a fresh machine with Python 3.11+ and make:
#   make study   environment, install, the study on bundled data, its report
#   make test    environment, install, style, types, tests
PYTHON ?= python3
VENV ?= .venv
LOWEST ?= .venv-lowest
EXTRAS ?= .venv-extras
PIP_ARGS ?=
JOBS ?= auto
OUT ?= study-report
bin = $(VENV)/bin

# the tests run one process a core: threads of numpy's within each would fight for them
test test-all test-lowest: export OPENBLAS_NUM_THREADS = 1
test test-all test-lowest: export OMP_NUM_THREADS = 1

.PHONY: study test test-all test-lowest test-extras lint bench notebooks student clean

study: $(VENV)/.study
	$(bin)/treeprune study --out $(OUT) --force

test: $(VENV)/.dev lint
	$(bin)/python -m pytest -n $(JOBS) --durations=5

# all tests, and every branch of treeprune/tree covered, which measuring makes half as slow again
test-all: $(VENV)/.dev lint $(VENV)/.browser
	$(bin)/python -m pytest -n $(JOBS) -m 'not extras' --cov --cov-report=term:skip-covered --durations=5
	$(bin)/python -m coverage report --include='treeprune/tree/*' --fail-under=100

# the oldest versions that are supported, in an environment of their own; they use what newer libraries
# below them call deprecated, and grow some trees otherwise than the README shows
test-lowest: $(LOWEST)/.test
	$(LOWEST)/bin/python -m pytest -n $(JOBS) -W ignore::DeprecationWarning --deselect README.md

# every floor that pyproject.toml declares, as the version to install: numpy>=1.24 becomes numpy==1.24.*
define floors
import tomllib
project = tomllib.load(open('pyproject.toml', 'rb'))['project']
for floor in project['dependencies'] + project['optional-dependencies']['cli']:
    print(floor.replace('>=', '==') + '.*')
endef
export floors

# what needs PyTorch, LightGBM, XGBoost or GOSDT, in an environment of its own; PIP_ARGS goes to pip
test-extras: $(EXTRAS)/.test
	$(EXTRAS)/bin/python -m pytest -m extras tests/extras

lint: $(VENV)/.dev
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy

bench: $(VENV)/.study
	for script in benchmarks/bench_*.py; do $(bin)/python $$script || exit 1; done

notebooks: $(VENV)/.dev
	$(bin)/jupytext --to ipynb --update notebooks/[0-9]*.py

# the notebooks without their solutions, in notebooks/student
student: $(VENV)/.dev
	$(bin)/python notebooks/make_student_copies.py

clean:
	rm -rf $(VENV) $(LOWEST) $(EXTRAS) $(OUT) notebooks/student .pytest_cache .mypy_cache .ruff_cache .coverage

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.study: $(VENV)/bin/python pyproject.toml
	$(bin)/python -m pip install --quiet --disable-pip-version-check -e '.[cli,stats,report]'
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	$(bin)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/.study

# the page of the explorer is driven in a browser: one that is there, or Playwright's own; without either it is skipped
$(VENV)/.browser: $(VENV)/.dev
	$(bin)/python -m pip install --quiet --disable-pip-version-check -e '.[browser]'
	command -v chromium chromium-browser google-chrome || $(bin)/python -m playwright install chromium || true
	touch $@

$(LOWEST)/.test: pyproject.toml
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -c "$$floors" > $(LOWEST)/floors.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' 'pytest<9' -r $(LOWEST)/floors.txt
	touch $@

$(EXTRAS)/.test: pyproject.toml
	$(PYTHON) -m venv $(EXTRAS)
	$(EXTRAS)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test,torch,boosters,optimal]' $(PIP_ARGS)
	touch $@
