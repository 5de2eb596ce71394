# Two commands are all one needs: `make run` and `make test`. Both set up what they need.

DATA ?= data
LISTEN ?= 127.0.0.1:8470

.PHONY: run test test-long check bench web setup setup-test codegen

run: setup web ## Build everything and run the server with its web client on http://127.0.0.1:8470
	cargo run --release --package klatch-node -- run --data $(DATA) --listen $(LISTEN)

test: setup-test ## All tests: Rust, TypeScript, browser, lints, tidy, audits
	scripts/test

test-long: setup-test ## What takes hours: 1,000 rounds of losing power, and more
	KLATCH_ROUNDS=1000 cargo test --package klatch-tests -- --include-ignored recovery

check: setup ## What is quick: formatting, lints, types, unit tests
	scripts/check

bench: setup ## Figures, each beside its raw baseline; IMPORT=FILE also imports that log of IRC
	cargo build --release --package klatch-node
	cargo run --release --package klatch-bench -- $(if $(IMPORT),--import $(IMPORT))

web: setup ## The web client, into web/app/dist
	npm --prefix web run build

codegen: setup ## Everything that is generated: api/ and the web client's types
	cargo run --package xtask -- codegen
	KLATCH_FIXTURES=write cargo test --package klatch-tests --quiet fixtures

setup:
	scripts/setup

setup-test:
	scripts/setup --test
