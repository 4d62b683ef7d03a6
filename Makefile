# Short names for the commands that the README and the docs use. start.py does the work, also where there is no make.
PYTHON ?= python3
VENV_PYTHON = .venv/bin/python

.PHONY: help course test setup notebooks site lint

help:            ## show this list
	@grep -E '^[a-z]+: ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/'

course:          ## set up, then open the course in JupyterLab
	$(PYTHON) start.py

test:            ## set up, then run all tests
	$(PYTHON) start.py test

setup:           ## set up only
	$(PYTHON) start.py setup

notebooks: $(VENV_PYTHON)  ## run all notebooks afresh and write them with their outputs
	$(VENV_PYTHON) tools/build_notebooks.py

site: $(VENV_PYTHON)       ## build the web site and the slides into build/site
	$(VENV_PYTHON) tools/build_site.py

lint: $(VENV_PYTHON)       ## run the linter alone
	$(VENV_PYTHON) -m ruff check .

$(VENV_PYTHON):
	@echo "The folder .venv is missing. Set it up first: $(PYTHON) start.py test" >&2; exit 1
