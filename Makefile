# Every target makes or refreshes .venv by itself; nothing is installed outside it.
.DEFAULT_GOAL := help
.PHONY: help book test prove serve lab gpu release grade formgrader format check bench results lock clean
SHELL := /bin/bash

PY := .venv/bin/python
STAMP := .venv/.installed
EXTRAS := .[book,grading,dev]
PORT ?= 8000
# Two processes with one thread each beat one with two on these small networks, and give the same digits everywhere.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

FIND_PYTHON = python=python3; python3.11 -c '' 2>/dev/null && python=python3.11; \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo "The locked versions need Python 3.11 or newer, found: $$($$python --version 2>&1). Install python3.11 and run make again."; exit 1; }

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml requirements.lock
	@$(FIND_PYTHON); \
	[ -x $(PY) ] || { echo "environment: making .venv with $$python (the first time takes minutes)"; $$python -m venv .venv; }
	@echo "environment: installing the locked versions into .venv"
	@$(PY) -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '$(EXTRAS)'
	@touch $@

book: $(STAMP)  ## execute the chapters and build the book
	@$(PY) -m tools.build_book
	@echo "book: open _build/html/index.html, or run: make serve"

# A file's tests go to one worker, so that what they share is made once; in the order of the files, since those with
# the fewest tests, which xdist would leave to the end, are the longest. (Marks that group tests do nothing: xdist 3.8
# writes them where pytest 9.2 no longer reads them.)
TWO := -n 2 --dist loadfile --no-loadscope-reorder
test: $(STAMP)  ## every test; then each chapter from top to bottom at the smoke scale
	@echo "test, 1 of 3: the chapters, as far as something changed"
	@$(PY) -m tools.build_book --execute-only
	@echo "test, 2 of 3: every test"
	@$(PY) -m pytest $(TWO) --durations=10
	@echo "test, 3 of 3: each chapter at the smoke scale, and the outputs that are stored"
	@if compgen -G 'book/*/*.ipynb' >/dev/null; then \
		LLLCOURSE_SCALE=smoke $(PY) -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=300 \
			--durations=10 $(TWO) book/*/*.ipynb; fi
	@echo "test: all of it passed (the executed chapters are in _build/executed)"

prove: $(STAMP)  ## what is too long for make test, where the code has changed since it last passed (FORCE=1: all of it)
	@$(PY) -m tools.build_book --execute-only
	@$(PY) -m pytest -m prove $(if $(FORCE),,--stale) $(TWO) --durations=10 || [ $$? = 5 ]
	@echo "prove: all of it passed, and is noted in tests/proofs.json; make test fails where a note is stale"

serve:  ## show the built book on localhost
	@[ -f _build/html/index.html ] || { echo "There is no book yet: run make book first."; exit 1; }
	@echo "serve: http://localhost:$(PORT)/ (Ctrl-C ends it)"
	@python3 -m http.server $(PORT) --bind localhost --directory _build/html

lab: $(STAMP)  ## open JupyterLab here
	@.venv/bin/jupyter lab

gpu: $(STAMP)  ## on a machine with a GPU: measure methods, seeds at once, chapters and full data sets, into lllcourse/results/
	@$(PY) -m tools.gpu && $(PY) -m tools.full_size

release: $(STAMP)  ## make the students' notebooks, assignments/, from solutions/
	@$(PY) -m grader release
	@echo "release: what students get is in assignments/; nothing was executed"

# A class has a folder of its own, here or elsewhere: make grade CLASS=../autumn ASSIGNMENT=ewc. FORCE=1 grades all again.
CLASS ?= class
ASSIGNMENT ?= ewc
grade: $(STAMP)  ## grade a class: CLASS=folder ASSIGNMENT=ewc
	@$(PY) -m grader grade "$(CLASS)" "$(ASSIGNMENT)" $(if $(FORCE),--force)

formgrader: $(STAMP)  ## grade by hand in the browser: CLASS=folder
	@[ -d "$(CLASS)/autograded" ] || { echo "There is no graded class in $(CLASS): run make grade CLASS=$(CLASS) first."; exit 1; }
	@bin="$(CURDIR)/.venv/bin"; cd "$(CLASS)" && PATH="$$bin:$$PATH" jupyter lab --LabApp.default_url=/formgrader

format: $(STAMP)  ## write code and notebooks in their one form
	@$(PY) -m ruff check --quiet --fix --exit-zero .
	@$(PY) -m ruff format --quiet .
	@$(PY) -m tools.notebooks format
	@echo "format: done, see git diff"

check: $(STAMP)  ## verify form, lint and lay-out without changing anything
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m tools.notebooks check
	@$(PY) -m tools.layout
	@echo "check: all of it holds"

bench: $(STAMP)  ## the comparisons with peers, one table each
	@for script in benchmarks/*.py; do echo "== $$script"; PYTHONPATH=. $(PY) $$script || exit 1; done

results: $(STAMP)  ## record the results that are too long for a page (minutes; goes on where it stopped)
	@$(PY) -m tools.results
	@echo "results: recorded in lllcourse/results/"

# The newest versions that pyproject.toml allows, but torch as it is locked: it sets the course's numbers. For another,
# make lock TORCH=2.14.0, then make book and make test before committing it. What torch brings for a GPU is left out:
# it depends on the platform, and torch itself names the exact versions.
TORCH ?= $(shell sed -n 's/^torch==//p' requirements.lock)
lock:  ## renew requirements.lock from a fresh environment
	@$(FIND_PYTHON); rm -rf _build/lock && $$python -m venv _build/lock && echo "torch==$(TORCH)" > _build/torch.txt
	@_build/lock/bin/python -m pip install --quiet --disable-pip-version-check -c _build/torch.txt -e '$(EXTRAS)'
	@{ echo "# The versions the book and its numbers were made with. Renewed by: make lock"; \
		_build/lock/bin/python -m pip freeze --exclude-editable --exclude setuptools \
		| grep -vE '^(nvidia-|cuda-|triton)' | sed 's/^\(torch==[^+]*\)+.*/\1/' | LC_ALL=C sort -f; } > _build/lock.txt
	@mv _build/lock.txt requirements.lock && rm -rf _build/lock _build/torch.txt
	@echo "lock: requirements.lock is new; see git diff requirements.lock"

clean:  ## remove what was built (not .venv)
	@rm -rf _build .pytest_cache .ruff_cache *.egg-info
	@echo "clean: done (rm -r .venv removes the environment too)"
