# The few words that people type. The build itself is CMake (CMakePresets.json) and tools/.

PREFIX ?= /usr/local

all: setup
	cmake --preset release
	cmake --build build/release

setup:
	tools/setup

demo:
	tools/demo

test:
	tools/test

lint:
	tools/lint

bench: all
	bench/run

# What is handed out: packages, system extension, tar (tools/dist --help).
dist: setup
	tools/setup dist
	tools/dist

install:
	cmake --install build/release --prefix "$(PREFIX)"

# The outside libraries in build/third_party stay; `rm -r build` takes them too.
clean:
	rm -rf build/dev build/asan build/release build/fuzz build/dev-clang

.PHONY: all setup demo test lint bench dist install clean
