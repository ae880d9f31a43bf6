# What one does with this project. `make` alone lists it.

CARGO ?= cargo

# Lambda's runtime interface emulator, part of the SAM CLI that tests/setup.sh installs.
TOOLS = $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/test-tools/venv
RIE = $$(ls $(TOOLS)/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-$$(uname -m | sed s/aarch64/arm64/) 2>/dev/null)

# Which programs the deployed registry on this machine is made of: `SLIPWAY_PROFILE=release make cloud`.
PROFILE = $(or $(SLIPWAY_PROFILE),debug)
BUILT = $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/$(PROFILE)

RELEASED = $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/release

# What Lambda gets, built as `sam build` does: each by itself, since programs built together share what their libraries can.
ALONE = $(foreach function,api events scheduled,$(CARGO) build --release -p $(function) &&) true

.DEFAULT_GOAL := help
.PHONY: help run everything test check fmt fmt-check clippy doc deny unit functions has-emulator edge sam-local sam-build cloud clients conformance hostile bench fuzz \
	bench-functions install-tools released deployable model soak nightly

help: ## List the targets
	@grep -E '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed 's/:.* ## /\t/' | expand -t 16

run: ## Start the registry on 127.0.0.1:5000
	$(CARGO) run --release

# Built with the features that the tests have, so that nothing is compiled twice.
everything:
	$(CARGO) build --workspace --all-targets

test: install-tools everything released edge ## Install what the tests use, and run all tests
	SLIPWAY_PROFILE=release SLIPWAY_RIE="$(RIE)" $(CARGO) test --workspace
	FUNCTIONS_DIR=$(RELEASED) tests/aws/suites.sh
	EXAMPLES=8 tests/openapi/run.sh
	FUNCTIONS_DIR=$(RELEASED) tests/aws/sam/run.sh

check: fmt-check clippy doc deny test ## Everything a change has to pass

fmt: ## Format the code
	$(CARGO) fmt --all

fmt-check: ## Check that the code is formatted
	$(CARGO) fmt --all --check

clippy: ## Lint all targets, warnings as errors
	$(CARGO) clippy --workspace --all-targets -- -D warnings

doc: ## Build the documentation, warnings as errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items

deny: install-tools ## Check licences, sources, bans and known vulnerabilities of the dependencies
	.ci/deny

# The emulator runs what Lambda would run; stand-ins and tests are not optimised.
released:
	$(CARGO) build --release -p api -p events -p scheduled -p relay

functions: ## Build the functions and the cloud on one machine, for tests
	$(CARGO) build $(if $(filter release,$(PROFILE)),--release) -p slipway -p api -p events -p scheduled -p relay -p cloud -p stand-ins

deployable: install-tools everything ## Build the functions as Lambda gets them, and run the suites against these
	$(ALONE)
	tests/aws/size.sh $(foreach function,api events scheduled,$(RELEASED)/$(function))
	FUNCTIONS_DIR=$(RELEASED) tests/aws/suites.sh

edge: ## Test the edge's function
	tests/aws/edge/run.sh

has-emulator:
	@test -n "$(RIE)" || { echo "the SAM CLI is missing: make install-tools" >&2; exit 1; }

sam-build: install-tools ## Build the stack with `sam build` as users do: half an hour
	nice tests/aws/sam/sam-build.sh

cloud: has-emulator functions ## Run the deployed registry on this machine until Ctrl-C; CLOUD=--with-relay, CLOUD=--help
	$(BUILT)/cloud --functions $(BUILT) $(CLOUD)

sam-local: install-tools released ## Push and pull through `sam local` with the stack's template
	$(CARGO) build -p stand-ins
	FUNCTIONS_DIR=$(RELEASED) tests/aws/sam/run.sh

unit: ## Run the tests that need nothing but the code
	$(CARGO) test --workspace --exclude slipway --exclude cloud
	$(CARGO) test -p slipway --bins

clients: install-tools ## Push and pull with real clients
	$(CARGO) test --test clients

conformance: ## Check every MUST and SHOULD of the distribution specification
	$(CARGO) test --test conformance

hostile: functions ## Send what no client should send
	SLIPWAY_RIE="$(RIE)" $(CARGO) test --test hostile

bench: install-tools ## Measure beside Debian's docker-registry
	$(CARGO) build --release -p slipway -p slipway-bench --bin slipway --bin bench
	target/release/bench

bench-functions: install-tools ## Measure the functions beside one that does nothing
	$(ALONE)
	$(CARGO) build --release -p relay
	$(CARGO) build --release -p noop
	$(CARGO) build --release -p functions-bench
	$(or $(CARGO_TARGET_DIR),target)/release/functions --functions $(or $(CARGO_TARGET_DIR),target)/release

model: ## Search the big plans of the storage model
	$(CARGO) run --release -p model -- big

soak: ## A million seeds of the simulation, and the long runs of clients beside collections and kills: hours
	$(CARGO) run --release -p simulation -- 0..1000000
	SLIPWAY_SOAK_EVENTS=104135 SLIPWAY_SOAK_COLLECTIONS=481 SLIPWAY_SOAK_KILLS=5000 $(CARGO) test --release --test soak -- --nocapture --test-threads 1

nightly: install-tools everything released deployable model soak ## Run what is too long for every run: a night
	SLIPWAY_FAULTS=all $(CARGO) test --workspace --test faults
	SLIPWAY_PROFILE=release SLIPWAY_HUGE=all SLIPWAY_RIE="$(RIE)" $(CARGO) test --workspace --test clients cloud

fuzz: ## Feed the parsers a fixed number of invented inputs
	tests/fuzz/run.sh

install-tools: ## Install the clients and tools that the tests use
	tests/setup.sh
