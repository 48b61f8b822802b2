# Every target is one line in `make help`. Go is all that most of them need.

PLUGINS := $(patsubst cmd/kubectl-%,%,$(wildcard cmd/kubectl-*))
PREFIX  ?= $(or $(shell go env GOBIN),$(shell go env GOPATH)/bin)
RELEASE ?=
PODS    ?= 10000
HUGE    ?=

# The tag keeps plugin loading, and with it cgo's linker, out of the binary.
TAGS    := -tags kustomize_disable_go_plugin_support
# The code of Kubernetes, most of it generated, and protobuf, which only the
# schema of kubectl's flags uses, are not inlined into themselves: that takes a
# fifteenth off each binary. Labels are, for selectors are compared often.
FLAGS   := $(TAGS) -gcflags=k8s.io/...=-l -gcflags=k8s.io/apimachinery/pkg/labels= -gcflags=google.golang.org/protobuf/...=-l
LDFLAGS := -s -w$(if $(RELEASE), -X github.com/leadsman-dev/leadsman/pkg/cli.release=$(RELEASE))
GOTOOL  := go tool -modfile=tools/go.mod

# The folders with a go.mod of their own. kube and dns only pin what the test
# cluster is built from; tools only pins the linters.
PRODUCT := ./cmd/... ./pkg/... ./plugins/...
NESTED  := $(filter-out test/cluster/kube test/cluster/dns,$(patsubst %/go.mod,%,$(wildcard test/*/go.mod test/*/*/go.mod)))

export CGO_ENABLED := 0

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help build install demo test vet unit arch script e2e faults accuracy lint bench docs docs-check cluster-up cluster-down cluster-status clean

help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS="$$(printf '\t')" read -r target what; do printf '  make %-16s %s\n' "$$target" "$$what"; done

build: $(PLUGINS:%=bin/kubectl-%) ## Build the plugins into bin/

bin/kubectl-%: FORCE
	go build -trimpath $(FLAGS) -ldflags '$(LDFLAGS)' -o $@ ./cmd/kubectl-$*

FORCE:

install: build ## Install the plugins and their completion for kubectl (PREFIX=where, default GOBIN)
	@mkdir -p '$(PREFIX)'
	@for p in $(PLUGINS); do \
		install -m 755 bin/kubectl-$$p '$(PREFIX)/' && ln -sf kubectl-$$p "$(PREFIX)/kubectl_complete-$$p" && \
		echo "installed $(PREFIX)/kubectl-$$p"; \
	done

demo: build ## Show the stories on recorded clusters; needs nothing but Go
	@go run $(FLAGS) ./test/demo -bin bin

test: vet unit race-core arch script docs-check browser e2e ## Run every test; as root on Linux on a real two-node cluster too

vet: ## go vet in every module
	go vet $(FLAGS) ./...
	@for m in $(NESTED); do echo "(cd $$m && go vet ./...)"; (cd $$m && go vet ./...) || exit 1; done

unit: ## Unit tests; no root, no cluster
	go test $(FLAGS) $(PRODUCT)
	go test $(FLAGS) ./test/demo/... ./test/docs ./test/faults/... ./test/secrets ./test/hostile ./test/world ./krew ./test/release/...
	cd test/cluster && go test ./...

# What starts goroutines, and what it runs in.
RACY := ./pkg/source/... ./pkg/collect ./pkg/probe ./pkg/act ./pkg/cli/... ./pkg/render/live ./pkg/render/screen ./plugins/... ./test/secrets

.PHONY: race race-core fuzz
race: ## Unit tests under the race detector (needs gcc)
	@test/race $(PRODUCT) ./test/secrets

race-core:
	@OPTIONAL=1 test/race $(RACY)

fuzz: ## Every fuzz test, one after the other (FUZZTIME=30s each, ONLY=regexp)
	@FUZZTIME='$(FUZZTIME)' ONLY='$(ONLY)' test/fuzz

arch: ## The rules of the house, each with its reason
	go test $(FLAGS) ./test/arch

script: ## Golden sessions of the real command (UPDATE=1 rewrites their expected output)
	go test $(FLAGS) ./test/script $(if $(UPDATE),-update)

# Of the corpus the walkthroughs; all of it is make faults.
e2e: build ## End to end on a real cluster (LEADSMAN_E2E_EXTERNAL=1: the one of KUBECONFIG)
	@test/with-cluster sh -ec '(cd test/e2e && go test -count=1 -p 1 -timeout 40m ./...) && test/faults/live -again -only "(explain-tree|check-endpoints|trace-dns)/walk-"'

lint: ## gofmt, go vet, staticcheck, govulncheck
	@unformatted="$$(gofmt -l .)"; \
		[ -z "$$unformatted" ] || { echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; }
	@$(MAKE) --no-print-directory vet
	$(GOTOOL) staticcheck $(TAGS) ./...
	@tool="$$($(GOTOOL) -n staticcheck)"; for m in $(NESTED); do \
		echo "(cd $$m && staticcheck ./...)"; (cd $$m && "$$tool" ./...) || exit 1; done
	@test/vulnerabilities $(GOTOOL) govulncheck $(TAGS) $(PRODUCT)

faults: build ## Provoke the corpus of faults on the real cluster (RUN=plugin/name, RECORD=1 keeps what is read)
	@test/with-cluster test/faults/live $(if $(RUN),-only '$(RUN)') $(if $(RECORD),-record)

accuracy: build ## The same with every printed fix; writes docs/accuracy.md
	@test/with-cluster test/faults/live -every-fix -again -doc docs/accuracy.md

bench: build ## Measure the plugins beside the raw limit on the test cluster (PODS=10000, HUGE=100000 for a third size, ONLY=huge for one part)
	@test/with-cluster sh -ec '[ "$$LEADSMAN_E2E_EXTERNAL" = 1 ] || eval "$$(cd test/cluster && go run ./cmd/cluster up | grep ^export)"; \
		go run ./test/bench -pods $(PODS) $(if $(HUGE),-huge $(HUGE)) $(if $(ONLY),-only $(ONLY)) -doc docs/performance.md'

docs: ## Write docs/ from the code
	go run $(FLAGS) ./test/docs docs
	go test $(FLAGS) ./test/world -update

docs-check: ## Fail when docs/ is not what the code says
	go run $(FLAGS) ./test/docs -check docs

cluster-up: ## Start the real two-node test cluster (root, Linux)
	cd test/cluster && go run ./cmd/cluster up

cluster-down: ## Stop it
	cd test/cluster && go run ./cmd/cluster down

cluster-status: ## How its components are
	cd test/cluster && go run ./cmd/cluster status

clean: ## Remove what was built
	rm -rf bin dist

.PHONY: krew-check krew-index krew-test release-check release-snapshot release-test release

krew-check: ## The krew manifests keep krew's rules
	go test ./krew

krew-index: ## Make krew's index of the archives in dist/, in dist/krew-index
	go run ./krew -dist dist -out dist/krew-index

krew-test: ## Install the plugins with the real krew, in every way
	go test -count=1 ./test/release -run TestEachWayToInstall

release-check: krew-check ## Check the release's configuration, the workflows and the Action
	$(GOTOOL:tools/go.mod=tools/goreleaser/go.mod) goreleaser check
	go test -count=1 ./test/release -run 'WellFormed|Recipe'

release-snapshot: ## Build a release of HEAD twice into dist/, compare, look inside, install it
	test/release/snapshot
	@$(MAKE) --no-print-directory release-test

release-test: ## Look into the release in dist/, and install it
	LEADSMAN_DIST='$(CURDIR)/dist' go test -count=1 ./test/release

release: ## Release the tag that is checked out: build, sign, draft (in the release workflow)
	$(GOTOOL:tools/go.mod=tools/goreleaser/go.mod) goreleaser release --clean

.PHONY: web browser
web: ## Build what the pages of -o html embed, from web/ (npm)
	cd web && npm ci --ignore-scripts --silent && npm run --silent build

browser: build ## Open the pages of -o html in a real Chromium (installs it as root; SHOTS=folder keeps pictures)
	@test/browser/run
