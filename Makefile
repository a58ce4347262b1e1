# make setup   virtual environment, packages, and (where allowed) a browser and Chinese fonts
# make demo    the embedded demo county, from its files to maps, gaps, proposals and a settlement check
# make app     the browser app on the demo county
# make test    the default tests; make check adds lint, types, layers and the slow tests; make bounds runs the compiled
#              loops with their bounds checked; make browser drives the app; make bench measures
# make bundle  folders that install the planner on machines without internet
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= demo-out

# Assertions are rewritten, and modules compiled, once and not by every process.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo app test slow browser bounds lint check bench bundle clean

setup: $(READY)

$(READY): pyproject.toml scripts/setup.sh
	sh scripts/setup.sh "$(PYTHON)" "$(VENV)"
	@touch $(READY)

demo: $(READY)
	$(BIN)/planner demo --out $(OUT)

app: $(READY)
	$(BIN)/planner app $(wildcard $(OUT)/county.gpkg)

# Neighbours stay on one core, so that what they share is made once; a core with nothing left takes from another.
test: $(READY)
	$(BIN)/python -m pytest -q -m "not slow and not network" -n 2 --dist worksteal

slow: $(READY)
	$(BIN)/python -m pytest -q -m "slow and not network" -n 3 --dist worksteal --timeout 1200

# The app in a real browser alone, one reader after the other (the slow tests hold these too).
browser: $(READY)
	$(BIN)/python -m pytest -q -m browser

# Compiled loops read whatever lies beside an array: here they stop at its end, as Python does.
bounds: $(READY)
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(VENV)/bounds $(BIN)/python -m pytest -q -m "not slow and not network" -n 2 \
		--timeout 600 tests/reach tests/siting
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(VENV)/bounds $(BIN)/python -m pytest -q --timeout 600 \
		tests/siting/test_blocks.py tests/siting/test_branch.py

lint: $(READY)
	$(BIN)/ruff check planner tests benchmarks app.py
	$(BIN)/ruff format --check planner tests benchmarks app.py
	$(BIN)/mypy planner
	$(BIN)/lint-imports

check: lint test slow

bench: $(READY)
	$(BIN)/python -m benchmarks

bundle: $(READY)
	$(BIN)/python scripts/bundle.py $(if $(TARGET_PYTHON),--python $(TARGET_PYTHON))

clean:
	rm -rf $(VENV) $(OUT) artefacts build dist
