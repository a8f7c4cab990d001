# SPDX-License-Identifier: Apache-2.0
# The front door; `make help` lists what is behind it. Meson builds, scripts/ holds what is longer
# than a line.

PREFIX ?= /usr/local
DESTDIR ?=

# What a goal needs installed beside the build's own packages: groups of scripts/setup.
needs_check := check
needs_test := check demo test container
needs_test-full := $(needs_test) bench arm64 kubernetes
needs_e2e-kubernetes := kubernetes
needs_static-arm64 := arm64
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
	@install -D build/static/erlclu build/image/$(shell dpkg --print-architecture)/erlclu

static-arm64: build/static-arm64/build.ninja ## build/static-arm64/erlclu, cross-built: the other image
	@scripts/sysroot-arm64 >/dev/null # new when this machine's libraries are
	ninja -C build/static-arm64 erlclu
	@install -D build/static-arm64/erlclu build/image/arm64/erlclu

check: all ## layers, unit tests, simulation, corpora: under 2 minutes, no network
	@scripts/test check

test: all static ## check, and fuzzing, real Erlang nodes, DNS, browser, containers: under 20 minutes
	@scripts/test test

test-full: all static static-arm64 ## test, and the long runs
	@scripts/test full

e2e-kubernetes: static ## the manifests on a real control plane; part of test-full, 35 minutes
	@tests/kubernetes/run.py

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
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 16

# Before anything else all packages of the goals, in one transaction; later runs ask dpkg only.
build/build.ninja: | setup
	meson setup build -Dtests=false

static_options := -Dtests=false -Dstatic_program=true --default-library=static --buildtype=minsize

build/static/build.ninja: | setup
	meson setup build/static $(static_options)

build/static-arm64/build.ninja: | setup
	@mkdir -p build
	sysroot=$$(scripts/sysroot-arm64) && printf "[constants]\nsysroot = '%s'\n" "$$sysroot" >build/sysroot-arm64.ini
	meson setup build/static-arm64 --cross-file build/sysroot-arm64.ini --cross-file scripts/arm64.ini $(static_options)

setup:
	@scripts/setup $(needs)

.PHONY: all static static-arm64 check test test-full e2e-kubernetes bench demo install format tidy coverage clean help setup
