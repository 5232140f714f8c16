# make run · make test · make check. Everything that is made lies in .venv and build; `make clean` takes it away.

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
HOST ?= 127.0.0.1
PORT ?= 8000
FIXTURE ?= fixtures/requests/01-clopidogrel-acs-poor-metaboliser.json

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := $(PIP) install --quiet --require-hashes --requirement
COMPILE = $(BIN)/python -m piptools compile pyproject.toml --quiet --no-strip-extras --generate-hashes \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --allow-unsafe

.PHONY: run test check coverage fixtures lock wheel-test docker-test clean

run: .venv/run.stamp
	$(BIN)/cds-service answer $(FIXTURE) --pretty --today $$(cat fixtures/TODAY)
	CDS_DEVELOPMENT=true $(BIN)/cds-service serve --host $(HOST) --port $(PORT) --workers 1

test: .venv/test.stamp
	$(BIN)/python -m pytest

check: .venv/check.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml cds_service
	$(BIN)/cds-service knowledge check

coverage: .venv/test.stamp
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

fixtures: .venv/test.stamp
	$(BIN)/python -m tools.build_fixtures

wheel-test: .venv/test.stamp
	rm -rf build/wheel build/empty
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir build/wheel .
	$(PYTHON) -m venv build/empty/venv
	build/empty/venv/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --requirement requirements/run.txt
	build/empty/venv/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --no-index build/wheel/*.whl
	$(BIN)/python -m tools.check_installed build/empty/venv/bin/cds-service

docker-test: .venv/test.stamp
	@docker info >/dev/null 2>&1 || { echo 'make docker-test needs a running Docker: install docker with its compose plugin' >&2; exit 1; }
	docker build $(DOCKER_BUILD) --file docker/Dockerfile --tag cds-service:test .
	$(BIN)/python -m tools.check_installed docker run --rm --interactive --network none --volume $(CURDIR)/fixtures:/fixtures:ro --workdir / cds-service:test
	$(BIN)/python -m tools.check_container cds-service:test

lock: .venv/run.stamp
	$(PIP) install --quiet pip-tools
	$(COMPILE) --output-file requirements/run.txt
	$(COMPILE) --extra postgres --output-file requirements/image.txt
	$(COMPILE) --extra test --output-file requirements/test.txt
	$(COMPILE) --extra test --extra check --output-file requirements/check.txt
	$(COMPILE) --extra test --extra fuzz --output-file requirements/fuzz.txt
	$(COMPILE) --extra test --extra postgres --extra postgres-test --output-file requirements/postgres.txt
	$(COMPILE) --extra audit --output-file requirements/audit.txt
	$(COMPILE) --build-deps-for wheel --build-deps-for editable --only-build-deps --output-file requirements/build.txt

clean:
	rm -rf .venv build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Each stamp says that the environment holds what its lock file names. The project itself is installed from this
# folder, editable, with the locked build tools in place of an isolated build.
.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed: install it, or name it with PYTHON=...' >&2; exit 1; }
	$(PYTHON) -m venv .venv || { echo 'On Debian and Ubuntu: apt-get install python3-venv' >&2; rm -rf .venv; exit 1; }

.venv/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml | .venv/pyvenv.cfg
	$(LOCKED) requirements/run.txt
	$(LOCKED) requirements/build.txt
	$(PIP) install --quiet --no-deps --no-index --no-build-isolation --editable .
	@touch $@

.venv/test.stamp: requirements/test.txt .venv/run.stamp
	$(LOCKED) requirements/test.txt
	@touch $@

.venv/check.stamp: requirements/check.txt .venv/test.stamp
	$(LOCKED) requirements/check.txt
	@touch $@

# FHIR servers that others wrote: Medplum's router (Node 20 and npm) and HAPI's JPA server (JDK 17 and Maven). Each is
# installed into build/fhir-servers and started on the loopback address; FHIR_SERVERS=medplum takes one of them.
FHIR_SERVERS ?= medplum,hapi

.PHONY: test-fhir
test-fhir: .venv/test.stamp
	FHIR_SERVERS=$(FHIR_SERVERS) $(BIN)/python -m pytest tests/fhir_servers

# The store on a PostgreSQL of its own, with both drivers: needs `initdb` and `postgres` (apt-get install postgresql).
.PHONY: test-postgres
test-postgres: .venv/postgres.stamp
	POSTGRES_TESTS=1 $(BIN)/python -m pytest tests/postgres

.venv/postgres.stamp: requirements/postgres.txt .venv/test.stamp
	$(LOCKED) requirements/postgres.txt
	@touch $@

# How often the service speaks on 10,000 made-up medication orders (docs/order-stream.md).
ORDERS ?= 10000
SEED ?= 1

.PHONY: stream
stream: .venv/test.stamp
	$(BIN)/python -m tools.order_stream $(ORDERS) --seed $(SEED)

# Speed and load (docs/performance.md): wrk and nginx are used where they are installed. WRITE=--write puts the tables of
# the benchmark into the page; the loads do so themselves.
WRITE ?=

.PHONY: bench bench-full load
bench: .venv/run.stamp
	$(BIN)/python -m benchmarks.bench $(WRITE)

bench-full: .venv/run.stamp
	$(BIN)/python -m benchmarks.bench --full $(WRITE)

load: .venv/run.stamp
	$(BIN)/python -m benchmarks.load --write

# 50,000 mutated requests and 10,000 drawn from the OpenAPI document; no answer may be a 5xx or break its schema.
MUTATIONS ?= 50000
DRAWN ?= 10000

.PHONY: fuzz
fuzz: .venv/fuzz.stamp
	$(BIN)/python -m tools.fuzz --seed $(SEED) --mutations $(MUTATIONS) --schema $(DRAWN)

.venv/fuzz.stamp: requirements/fuzz.txt .venv/test.stamp
	$(LOCKED) requirements/fuzz.txt
	@touch $@

# Known faults of what we depend on, asked of the Python Package Index's advisories: needs the internet.
.PHONY: audit
audit: .venv/audit.stamp
	$(BIN)/pip-audit --disable-pip --require-hashes --requirement requirements/run.txt

.venv/audit.stamp: requirements/audit.txt .venv/run.stamp
	$(LOCKED) requirements/audit.txt
	@touch $@
