# The tasks of smearlab. Needs make and Python 3.11 or newer, nothing else: everything is installed
# into .venv, with the versions and hashes of constraints/. `make help` lists the tasks.

VENV ?= .venv
# the newest Python that is at least 3.11 and can make environments; or say make PYTHON=…
PYTHON = $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	if $$name -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1; then command -v $$name; break; fi; done)

RUN = $(VENV)/bin
PIP = $(RUN)/python -m pip --disable-pip-version-check --quiet
LOCKED = $(PIP) install --no-deps --require-hashes
CHECKED = src tests benchmarks docs constraints/compile.py Makefile README.md CHANGELOG.md \
	CONTRIBUTING.md CITATION.cff pyproject.toml mkdocs.yml

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench docs constraints clean

help: ## list the tasks
	@grep -E '^[a-z]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/bench.stamp ## analyse three simulated fields: table of counts, report
	@rm -rf demo
	@$(RUN)/smearlab simulate --out demo/fields --n 3 --seed 1 --wbc 4
	@$(RUN)/smearlab analyze demo/fields/images --out demo/report --simulated

test: $(VENV)/test.stamp lint ## check style, spelling, types and layers, then run the tests
	$(RUN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/test.stamp ## check style, spelling, types and layers
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/codespell $(CHECKED)
	$(RUN)/mypy
	$(RUN)/lint-imports --no-logo

bench: $(VENV)/test.stamp ## measure speed, overhead and memory; prints JSON
	@$(RUN)/python benchmarks/run.py

docs: $(VENV)/test.stamp ## build the documentation into site/
	$(RUN)/mkdocs build --strict --quiet
	@echo "documentation: site/index.html"

# Versions already written are kept; UPGRADE=--upgrade takes the newest.
constraints: ## write the constraints files anew (needs the network)
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip --disable-pip-version-check --quiet install uv
	PATH="$(CURDIR)/build/uv/bin:$$PATH" build/uv/bin/python constraints/compile.py $(UPGRADE)

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) build demo dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment whose making was interrupted has no stamp and is made anew.
$(VENV)/created.stamp:
	@test -n "$(PYTHON)" || { echo "smearlab needs Python 3.11 or newer with its venv module;" \
		"found none. Install one (on Debian: apt-get install python3 python3-venv)" \
		"or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "environment: $(VENV), $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# The bench wing: no torch.
$(VENV)/bench.stamp: $(VENV)/created.stamp constraints/bench.txt pyproject.toml
	@echo "installing what the bench needs (about 150 MB, once)"
	@$(LOCKED) -r constraints/bench.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# torch comes first: where pip finds its CPU build (a folder in PIP_FIND_LINKS, say) that is taken,
# elsewhere the index's build with the CUDA libraries it needs.
$(VENV)/test.stamp: $(VENV)/bench.stamp constraints/test.txt constraints/torch.txt \
		constraints/torch-cpu.txt
	@echo "installing what training and tests need, torch among it (large, once)"
	@$(LOCKED) -r constraints/torch-cpu.txt 2>/dev/null || $(LOCKED) -r constraints/torch.txt
	@$(LOCKED) -r constraints/test.txt
	@$(PIP) check
	@touch $@
