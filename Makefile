# gatekeeper: `make run` starts the demo site, `make test` proves everything. Both set up what they need.

PYTHON ?= python3
BIN := .venv/bin
# Tests mostly wait, for processes and for time: three files at once are no more than two cores can do.
WORKERS ?= 3
NPM := npm --no-audit --no-fund --no-update-notifier --loglevel=error

# What a checkout needs once; the stamps are made again when what they were made of changes.
VENV_READY := .venv/.ready
NODE_READY := web/node_modules/.package-lock.json
CLIENTS_READY := tests/clients/node_modules/.package-lock.json
PAGES_READY := gatekeeper/http/dashboard/index.html
PAGES_SOURCES := $(shell find web/src -type f) web/index.html web/package-lock.json web/vite.config.ts

.DEFAULT_GOAL := help
.PHONY: help run test lint types layers unit pages browser firmware devices chromium postgresql rtsp build wheel bench docs crossbar clients clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: build ## Start the demo site (or ./gatekeeper.toml) at http://127.0.0.1:8000
	$(BIN)/twistd -n --pidfile= gatekeeper $(ARGS)

test: build chromium postgresql rtsp devices ## Run everything: ruff, mypy, import-linter, firmware, vitest, the browser tests, pytest
	@echo "== ruff, biome, tsc"; $(MAKE) -s lint
	@echo "== mypy, strict"; $(MAKE) -s types
	@echo "== import-linter"; $(MAKE) -s layers
	@mkdir -p artefacts; nice -n 19 $(MAKE) -s firmware >artefacts/firmware.log 2>&1 & firmware=$$!; failed=; \
	echo "== vitest"; $(MAKE) -s pages || failed=yes; \
	[ -n "$$failed" ] || { echo "== the dashboard in Chromium"; $(MAKE) -s browser; } || failed=yes; \
	[ -n "$$failed" ] || { echo "== pytest"; $(MAKE) -s unit; } || failed=yes; \
	echo "== the firmware, beside the others in what they left of the processor"; \
	wait $$firmware || failed=yes; cat artefacts/firmware.log; [ -z "$$failed" ]

lint: $(VENV_READY) $(NODE_READY) ## Check form: ruff, biome, tsc
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd web && $(NPM) run lint

types: $(VENV_READY) ## Check types: mypy, strict
	$(BIN)/mypy

layers: $(VENV_READY) ## Check that dependencies point down
	$(BIN)/lint-imports --no-logo

unit: build postgresql rtsp $(CLIENTS_READY) ## Run pytest: units, and processes on loopback
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

pages: $(NODE_READY) ## Run vitest
	cd web && $(NPM) test

browser: build chromium ## Drive the dashboard in headless Chromium
	cd web && GATEKEEPER_BIN=../$(BIN) $(NPM) run e2e

firmware: devices ## Check the devices: form, tests at 64 and 32 bits, clang-tidy, fuzzing, cross compilers
	firmware/check

# Compilers and libraries for the devices' code, Debian's; without them its tests are skipped, and fail under CI.
devices:
	@if ! { command -v cmake && command -v ninja && command -v clang-tidy && command -v clang-format && \
	  command -v xtensa-lx106-elf-g++ && command -v riscv64-unknown-elf-g++ && \
	  ls /usr/include/doctest/doctest.h /usr/include/newlib/c++ /usr/lib/i386-linux-gnu/libmbedcrypto.so.7; } >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    dpkg --add-architecture i386 && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends cmake ninja-build g++ g++-multilib \
	      clang clang-tidy clang-format libclang-rt-14-dev doctest-dev libmbedtls-dev libmbedcrypto7:i386 \
	      gcc-xtensa-lx106 gcc-riscv64-unknown-elf libnewlib-dev libstdc++-arm-none-eabi-dev >/dev/null; \
	  else echo "The devices are not checked: install what firmware/README.md names" >&2; fi; fi

# Debian's Chromium, installed where that is possible; elsewhere CHROMIUM names one.
chromium:
	@if [ -z "$(CHROMIUM)" ] && ! command -v chromium >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium >/dev/null; \
	  else echo "Install chromium, or name one: make test CHROMIUM=/path/to/chrome" >&2; exit 1; fi; fi

# Debian's PostgreSQL, for the tests that start a server of their own; without one they are skipped, and fail under CI.
postgresql:
	@if ! command -v initdb >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y postgresql >/dev/null; \
	  else echo "PostgreSQL's tests are skipped: install its server programs to run them" >&2; fi; fi

# GStreamer's RTSP server with its Python bindings, for the tests of RTSP cameras; without it they are skipped, and fail under CI.
rtsp:
	@if ! /usr/bin/python3 tests/rtsp_server.py --check 2>/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	      gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	      gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly >/dev/null; \
	  else echo "The tests of RTSP cameras are skipped: install GStreamer's RTSP server to run them" >&2; fi; fi

build: $(VENV_READY) $(PAGES_READY) ## Set up the virtual environment and build the dashboard

$(VENV_READY): setup.cfg pyproject.toml web/build_backend.py | $(PAGES_READY)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gatekeeper needs Python 3.11 or later")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@

$(NODE_READY): web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo "gatekeeper's pages are built with Node.js 20 or later: install it with npm" >&2; exit 1; }
	cd web && $(NPM) ci
	@touch $@

$(PAGES_READY): $(NODE_READY) $(PAGES_SOURCES)
	cd web && $(NPM) run build
	@touch $@

wheel: build ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

bench: build postgresql ## Compare the media path with C; measure doors, the idle site and the storage (minutes)
	$(BIN)/python -m tests.bench

docs: $(VENV_READY) ## Write the generated pages: docs/configuration.md, docs/wamp-conformance.md
	$(BIN)/python -m gatekeeper.config_page > docs/configuration.md
	$(BIN)/python -m tests.conformance > docs/wamp-conformance.md

clients: $(CLIENTS_READY) ## Install the other WAMP clients that the tests drive the router with

$(CLIENTS_READY): tests/clients/package.json tests/clients/package-lock.json
	cd tests/clients && $(NPM) ci
	@touch $@

# The other router, in an environment of its own: it brings some 140 packages.
crossbar: .crossbar/bin/crossbar ## Install Crossbar.io 26.10 into .crossbar/, for the tests and benches that need it

.crossbar/bin/crossbar:
	$(PYTHON) -m venv .crossbar
	.crossbar/bin/python -m pip install -q --disable-pip-version-check 'crossbar==26.10.*'

clean: ## Remove what was built
	rm -rf .venv .crossbar build dist artefacts web/node_modules tests/clients/node_modules gatekeeper/http/dashboard *.egg-info
