# SPDX-License-Identifier: Apache-2.0
# The front door; `make help` lists what is behind it. Meson builds, scripts/ holds what is longer
# than a line.

PREFIX ?= /usr/local
DESTDIR ?=

# What a goal needs installed beside the build's own packages: groups of scripts/setup.
needs_check := check
needs_test := check demo test container
needs_test-full := $(needs_test) bench
needs_bench := demo bench
needs_demo := demo
needs_format := check
needs_tidy := check
needs_coverage := check
needs = build $(foreach goal,$(MAKECMDGOALS),$(needs_$(goal)))

all: build/build.ninja ## build/erlclu and build/liberlclu.{a,so}
	ninja -C build

static: build/static/build.ninja ## build/static/erlclu, the binary of the image
	ninja -C build/static erlclu

check: all ## layers, unit tests, simulation, corpora: under 2 minutes, no network
	@scripts/test check

test: all static ## check, and fuzzing, real Erlang nodes, DNS, browser, containers: under 20 minutes
	@scripts/test test

test-full: all static ## test, and the long runs
	@scripts/test full

bench: all static ## measure beside the BEAM and ei in one run
	@bench/run

demo: all ## four nodes on this machine, one of them Erlang's, until Ctrl-C (DEMO_SECONDS=N ends it)
	@exec build/erlclu demo

install: all ## into $(DESTDIR)$(PREFIX)
	meson configure build --prefix '$(PREFIX)'
	meson install -C build --quiet --destdir '$(DESTDIR)'

format: setup ## clang-format over all C
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format-14 -i

tidy: all ## clang-tidy over all C
	git ls-files -co --exclude-standard 'src/*.c' | xargs clang-tidy-14 -p build --quiet

coverage: setup ## line coverage of the unit tests, per file
	@scripts/coverage

clean: ## remove all that was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 12

# Before anything else all packages of the goals, in one transaction; later runs ask dpkg only.
build/build.ninja: | setup
	meson setup build -Dtests=false

build/static/build.ninja: | setup
	meson setup build/static -Dtests=false -Dstatic_program=true --default-library=static --buildtype=minsize

setup:
	@scripts/setup $(needs)

.PHONY: all static check test test-full bench demo install format tidy coverage clean help setup
