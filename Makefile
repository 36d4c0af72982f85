# What CI does is `scripts/check`, which makes run-lint and run-test here when what they need is installed.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c

GOLANGCI_VERSION := v2.15.0
LINT             := bin/golangci-lint-$(GOLANGCI_VERSION)

# How long the tests of a package may take: they are to pass on a busy machine as well.
TIMEOUT   ?= 40m
FUZZTIME  ?= 60s
COUNT     ?= 1
MIN_COVER := 90
COVERED   := paseto paseto/live paseto/httpauth wsauth denylist denylist/bolt denylist/redis config config/bolt config/redis internal/settings cmd/pasetokit

# Where packages and tests have to compile, besides here. Tests that need Linux have a build
# constraint.
PLATFORMS := linux/386 darwin/arm64 windows/amd64 freebsd/amd64

# Every Go module of the tree; what compares us with peers is a module of its own.
MODULES    := $(shell find . -name go.mod -not -path '*/node_modules/*' -exec dirname {} \; | sort)
NODECLIENT := internal/nodeclient/node_modules/.package-lock.json

# What writes files of the tree; with -check it says whether they are stale.
GENERATORS := config/internal/meaning/generate internal/costs

# What the steps of scripts/check need besides Go modules.
NEEDS_lint := $(LINT) costs-modules
NEEDS_test := $(NODECLIENT)

.DEFAULT_GOAL := help
.PHONY: help lint test run-lint run-test cover fuzz bench bench-idle tools costs-modules

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

test: ## Run every test with the race detector; a missing program is installed, or is a failure
	@scripts/check test

lint: ## Run golangci-lint (formatting included), vet for PLATFORMS, check go.mod and generated files
	@scripts/check lint

run-test:
	@for m in $(MODULES); do (cd "$$m" && NO_SKIP=1 go test -race -count=1 -timeout $(TIMEOUT) ./...); done

run-lint:
	@for g in $(GENERATORS); do go run "./$$g" -check; done
	@for m in $(MODULES); do (cd "$$m" && "$(CURDIR)/$(LINT)" run ./... && go mod tidy -diff); done
	@for p in $(PLATFORMS); do for m in $(MODULES); do \
		(cd "$$m" && CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} go vet ./...); done; done

fetch-%: # downloads and builds what a step needs; tries three times
	@for delay in 5 20 0; do \
		if said=$$( { for m in $(MODULES); do (cd "$$m" && go mod download) || exit; done; \
			$(MAKE) --no-print-directory $(NEEDS_$*); } 2>&1); then exit 0; fi; \
		sleep "$$delay"; \
	done; printf '%s\n' "$$said" >&2; exit 1

cover: tools $(NODECLIENT) ## Show statement coverage; fail if a main package is under 90 %
	@NO_SKIP=1 go test -count=1 -coverprofile=cover.out ./...
	@awk -F '[: ]' -v packages='$(COVERED)' -v module="$$(go list -m)" -v min=$(MIN_COVER) ' \
		{ sub("/[^/]*$$", "", $$1); all[$$1] += $$3; if ($$4) hit[$$1] += $$3 } \
		END { for (n = split(packages, p); n; n--) { \
			k = module "/" p[n]; c = all[k] ? 100 * hit[k] / all[k] : 0; \
			if (c < min) { printf "%s: %.1f %% of statements covered, want %d %%\n", p[n], c, min; low = 1 } \
		} exit low }' cover.out

fuzz: ## Run every fuzz target for FUZZTIME (60s) each
	@grep -rHo --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]*' . | sort | \
	while IFS=: read -r file target; do \
		echo "$${target#func } in $${file%/*}"; \
		(cd "$${file%/*}" && go test -run='^$$' -fuzz="^$${target#func }\$$" -fuzztime=$(FUZZTIME) . </dev/null); \
	done

bench: ## Run every benchmark COUNT (1) times
	@for m in $(MODULES); do (cd "$$m" && go test -run='^$$' -bench=. -benchmem -count=$(COUNT) ./...); done

bench-idle: ## Measure what idle connections take; fail if a guarded one takes over 0.35 of a plain one
	@go run ./internal/idlebench -max 0.35

costs-modules: # what measuring needs of the modules of small programs
	@go run ./internal/costs -download

tools: # what the tests need from the system
	@scripts/install-test-tools

$(NODECLIENT): internal/nodeclient/package-lock.json | tools
	@cd internal/nodeclient && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error

$(LINT):
	@GOBIN="$(CURDIR)/bin" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv bin/golangci-lint $@
