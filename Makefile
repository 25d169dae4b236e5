# Everything that people and CI do with this tree; .ci/run calls the same targets.
# A target is worth its place only while it works: make help lists them all.

SHELL := bash
.DEFAULT_GOAL := help

# Pinned, and built from source into a folder that bears the version: a new pin is a new build.
GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(CURDIR)/.cache/bin-$(GOLANGCI_VERSION)/golangci-lint

# Likewise; scripts/vuln builds it.
GOVULNCHECK_VERSION := v1.9.0

# How much each fuzz target runs: some seconds on two cores. A count and no time, because up to
# Go 1.26 the end of the time can look like a failure (go.dev/issue/75804).
FUZZTIME ?= 50000x
# What bounds the tests of one package.
TEST_TIMEOUT ?= 40m
# What to test, and how. More flags of go test fit in: make test TEST='-run Join ./service'
TEST ?= $$(go list ./... | grep -vE '/test/(chaos|system|browser|kubernetes)$$')
TEST_FLAGS ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## three nodes in this terminal, embedded storage, state in ./data
	go run .

.PHONY: build
build: ## the program as bin/versiond
	CGO_ENABLED=0 go build -tags nomsgpack -o bin/versiond .

# What every run of tests has in common: servers may not be missing, nothing may be left out, and no result is remembered,
# as go does not see that a server or the program under test has changed.
RUN_TESTS = VERSIOND_REQUIRE_SERVERS=1 go run ./test/noskip -count=1 -timeout $(TEST_TIMEOUT)

# Most packages wait for elections and timers more than they compute: twice as many as two cores. With the race detector
# they compute.
PACKAGES_AT_ONCE = -p 4

.PHONY: test
test: servers ## what a change needs, on real servers, in ten minutes on two cores; a skip is a failure
	$(RUN_TESTS) $(PACKAGES_AT_ONCE) $(TEST_FLAGS) $(TEST)
	@# test/system has many clusters of processes: with another package beside it they would lose their lead for want of a processor.
	$(if $(filter file,$(origin TEST)),$(RUN_TESTS) $(TEST_FLAGS) ./test/system)
	$(if $(filter file,$(origin TEST)),$(RUN_TESTS) $(if $(findstring -race,$(TEST_FLAGS)),-p 1) $(TEST_FLAGS) ./test/browser ./test/kubernetes)

.PHONY: test-all
test-all: servers ## make test with the race detector and the long tests, the chaos run and fuzzing: what CI runs
	@$(MAKE) --no-print-directory test TEST_FLAGS='-race -tags long' PACKAGES_AT_ONCE=
	@# The bounds on time that the faults have are those of the program as it ships, without the race detector.
	$(RUN_TESTS) ./test/chaos
	@$(MAKE) --no-print-directory fuzz

# Where make release puts what it builds.
DIST ?= dist

.PHONY: release
release: ## programs for five systems, Debian packages, a bill of materials and checksums, into dist
	scripts/release $(DIST)

# docker-compose 1.29, or where that is missing Compose v2.
DOCKER_COMPOSE ?= $(if $(shell command -v docker-compose),docker-compose,docker compose)

.PHONY: cluster-up
cluster-up: ## three nodes, MySQL and Redis in containers; nodes on ports 8081 to 8083
	$(DOCKER_COMPOSE) up -d $(if $(VERSIOND_IMAGE),,--build)

.PHONY: cluster-down
cluster-down: ## take these containers away; what they hold stays in volumes
	$(DOCKER_COMPOSE) --profile node4 down

.PHONY: compose-test
compose-test: ## run docker-compose.yml and .env.example; needs Docker, and ports 8081 to 8084
	DOCKER_COMPOSE="$(DOCKER_COMPOSE)" go test -tags compose -count=1 -v -timeout 30m ./test/compose

# What make chaos does: at least each fault once, then more until DURATION is over, on each of the modes
# (embedded, mysql or both). A SEED that a run has printed repeats its order, and FAULT, a regular expression,
# picks faults by their names. REPORT=1 writes the table into docs/reliability.md.
DURATION ?= 2m
MODE ?= both
export SEED REPORT

.PHONY: chaos
chaos: servers ## faults on three nodes under load, over and over: make chaos DURATION=30m MODE=both
	DURATION=$(DURATION) MODE=$(MODE) go test -count=1 -v -timeout 0 -run '^TestChaos$$' ./test/chaos

.PHONY: servers
servers: ## get MySQL, MariaDB, Redis, nginx, HAProxy and Chromium for the tests, as root on Debian or in CI; else say how
	@scripts/install-servers

.PHONY: pictures
pictures: servers ## the pictures of the console in docs/pictures, taken in a browser from real nodes
	go test -count=1 -tags pictures -run '^TestPictures$$' ./test/browser

.PHONY: docs
docs: ## the table of settings in docs/configuration.md, from the settings
	go test -count=1 -run '^TestSettingsPage$$' ./docs -write

.PHONY: fuzz
fuzz: ## every fuzz target, FUZZTIME=50000x
	@scripts/fuzz $(FUZZTIME)

.PHONY: bench
bench: bench-go bench-cluster ## both of the following

.PHONY: bench-go
bench-go: ## the Go benchmarks of every package, with allocations
	go test -run '^$$' -bench . -benchmem ./...

# How long each load takes, and in how many rounds; the whole takes about six minutes with these. OLD, the path of
# another versiond, compares each row with it instead of writing the page, and takes half as long again.
BENCH ?= -duration 2s -rounds 3
OLD ?=

.PHONY: bench-cluster
bench-cluster: ## three nodes in each mode against etcd 3.7, as far as installed; writes docs/benchmarks.md
	@mkdir -p .cache
	@# Without them the run goes on: with the etcd on the PATH, or without MySQL, and the document says so.
	-[ -n "$$VERSIOND_BENCH_ETCD" ] || CGO_ENABLED=0 go -C test/bench/etcd build -o $(CURDIR)/.cache/etcd go.etcd.io/etcd/server/v3
	-[ -n "$$VERSIOND_TEST_MYSQLD" ] || scripts/install-mysql .cache/mysql
	go run ./test/bench $(BENCH) -json .cache/bench.json $(if $(OLD),-versiond old=$(OLD),-write docs/benchmarks.md)

.PHONY: scale
scale: ## one million records in each mode: start, memory, snapshots, reload; writes docs/benchmarks.md; and in a browser
	go run ./test/scale -write docs/benchmarks.md
	go test -count=1 -v -tags million -run '^TestAMillionRecords$$' ./test/browser

.PHONY: lint
lint: $(GOLANGCI) ## formatting, vet, golangci-lint, go.mod, and a build without cgo
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt'ed (make fmt):"; echo "$$unformatted"; exit 1; fi
	go vet -tags compose,long,million,pictures ./...
	$(GOLANGCI) run --allow-serial-runners --build-tags compose,long,million,pictures ./...
	go mod tidy -diff
	CGO_ENABLED=0 go build ./...

$(GOLANGCI):
	GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

.PHONY: manifests
manifests: ## hold deploy/kubernetes against the types of the Kubernetes API
	go -C deploy/kubernetes/check test -count=1 ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what the program calls; GOVULNDB names a mirror of the database
	@scripts/vuln $(GOVULNCHECK_VERSION)

.PHONY: fmt
fmt: ## format the Go files
	gofmt -w .

.PHONY: tidy
tidy: ## bring go.mod and go.sum in line with the imports
	go mod tidy

.PHONY: clean
clean: ## remove what was built; the nodes' state in ./data stays
	rm -rf bin .cache
