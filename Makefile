# Two commands are all one needs: `make run` and `make test`. Both set up what they need.

DATA ?= data
LISTEN ?= 127.0.0.1:8470
STACK ?= kafka-cassandra-postgresql
BALANCER ?=
ROUNDS ?= 20

.PHONY: run test test-long check bench bench-cluster cluster cluster-status cluster-logs cluster-stop web setup setup-test codegen

run: setup web ## Build everything and run the server with its web client on http://127.0.0.1:8470
	cargo run --release --package klatch-node -- run --data $(DATA) --listen $(LISTEN)

test: setup-test ## All tests: Rust, TypeScript, browser, lints, tidy, audits
	scripts/test

test-long: setup-test ## What takes hours: 1,000 rounds of losing power, ROUNDS (20) of everything dying and being cut off in a cluster, moves to the large mixture, all browser tests through HAProxy
	scripts/test-long $(ROUNDS)

check: setup ## What is quick: formatting, lints, types
	scripts/check

bench: setup ## Figures, each beside its raw baseline; IMPORT=FILE also imports that log of IRC
	cargo build --release --package klatch-node
	cargo run --release --package klatch-bench -- $(if $(IMPORT),--import $(IMPORT))

bench-cluster: setup-test ## One, two and four of each process of a cluster beside one node: CPU and calls a message
	cargo build --release --package klatch-node
	JIT=full cargo run --release --package klatch-bench -- cluster

cluster: setup web ## A cluster on this machine, with real servers; STACK=rabbitmq-postgresql is the smaller one, BALANCER=nginx the other balancer
	cargo build --release --package klatch-node
	LISTEN=$(LISTEN) BALANCER=$(BALANCER) deploy/local/cluster.sh start $(STACK)

cluster-status cluster-logs cluster-stop: ## What runs there; what it says; its end
	deploy/local/cluster.sh $(@:cluster-%=%)

web: setup ## The web client, into web/app/dist
	npm --prefix web run build

codegen: setup ## Everything that is generated: api/ and the web client's types
	cargo run --package xtask -- codegen
	KLATCH_FIXTURES=write cargo test --package klatch-tests --quiet fixtures

setup:
	scripts/setup

setup-test:
	scripts/setup --test
