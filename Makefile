# make run   the main job on the shipped data: matrix, 512 clusters, choice of k, figures, one page
# make test  every test
# make lab   the workbook in JupyterLab
# make report DATA=my.csv K=200 TITLE="..."  one page about a file of yours (K left out: a scan shows the choice)
# make slides the cells for a talk, with their stored outputs: results/slides.html, one file without a network
# make check lint, types, examples and a test of each module, in a minute
# make attack  some 20,000 cases at random, each right or refused clearly; about 15 minutes
# make bench simlib beside its peers: results/BENCH.md, about 12 minutes, best on a quiet machine
# make test PYTHON=python3.13  the same with another Python: .venv is made anew whenever the version changes
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# What a person types reaches the shell through the environment, as it was typed: make expands none of it.
override DATA := $(value DATA)
override K := $(value K)
override TITLE := $(value TITLE)
override METRIC := $(value METRIC)
override OUT := $(value OUT)
override PDF := $(value PDF)
override STORE := $(value STORE)
export DATA K TITLE METRIC OUT PDF

.PHONY: run test attack check lab report slides bench notebooks exercises data clean

run: $(READY)
	$(BIN)/python notebooks/run.py

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest -o addopts= -q -p tests.nbval_guard --nbval --nbval-current-env \
		--nbval-sanitize-with tests/sanitize.cfg --nbval-cell-timeout 300 notebooks/[0-9]*.ipynb

attack: $(READY)
	$(BIN)/python -m tests.attack

# Names of quick tests, at least one a module.
SMALL := by_hand or step_by_step or imports_go_down or one_row_of_the_table or words_are_what or every_picture_of_fifty or \
	starts_in_the_middle or no_report_is_refused or same_bits_as_one_machine or numbered_without_a_gap or \
	environment_yml or widened_exactly or nothing_but_zeros or without_values

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest simlib
	$(BIN)/python -m pytest tests -k "$(SMALL)"

lab: $(READY)
	$(BIN)/jupyter lab notebooks

report: $(READY)  ## DATA=my.csv K=200 TITLE="..." METRIC=correlation OUT=page.html PDF=1; without DATA the shipped words
	@mkdir -p results
	$(BIN)/python -m simlib.report "--out=$${OUT:-results/report.html}" $${K:+"--k=$$K"} $${TITLE:+"--title=$$TITLE"} \
		$${METRIC:+"--metric=$$METRIC"} $${PDF:+--pdf} $${DATA:+-- "$$DATA"}

slides: $(READY)  ## from the cells tagged `demo`, as they are stored
	$(BIN)/python notebooks/slides.py

bench: $(READY)  ## to results/BENCH.md; STORE=1 stores benchmarks/RESULTS.md instead, whose rows the README quotes
	$(BIN)/python benchmarks/bench.py $(if $(filter 1,$(value STORE)),--store)

notebooks: $(READY)  ## execute in place and store the outputs, then write the exercises anew
	$(BIN)/python notebooks/run.py --store
	$(BIN)/python notebooks/make_exercises.py

exercises: $(READY)  ## from the solutions in the notebooks
	$(BIN)/python notebooks/make_exercises.py

# Exactly the versions of constraints.txt; not done again unless they, the project's needs or the Python change.
$(READY): constraints.txt pyproject.toml
	$(PYTHON) -m venv $(if $(wildcard $(READY)),--upgrade,--clear) .venv
	$(BIN)/python -m pip install --quiet --progress-bar off --constraint constraints.txt --editable ".[workbook,dask,test]"
	touch $@

data:  ## rebuild data/vectors.npy from its sources and compare (about 10 minutes, Debian, current apt lists)
	$(PYTHON) -m venv .venv-data
	.venv-data/bin/pip install -q -r data/rebuild-requirements.txt
	rm -rf data/_rebuild && mkdir -p data/_rebuild
	cd data/_rebuild && apt-get download wordnet-base && dpkg -x wordnet-base_*.deb wordnet
	.venv-data/bin/python data/rebuild_vectors.py --wordnet data/_rebuild/wordnet/usr/share/wordnet

clean:
	rm -rf .venv .venv-data results data/_rebuild
