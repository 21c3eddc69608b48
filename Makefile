# `make demo` and `make test` work on a bare machine with Rust, a C++ compiler, Node 20, Python 3 and
# apt. They install what is missing, say what they do, and stop with one sentence when they can't.

CALL ?= tests/calls/billing-double-charge.wav
PORT ?= 8080
BIN  := target/release/backchannel
export CARGO_TERM_PROGRESS_WHEN ?= auto

.PHONY: demo test ui binary models lint supply advisories peers unit e2e bench clean help

help: ## show this
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: ## play a recorded call into the running service (CALL=file.wav for your own)
	@# Before the long build, not after it.
	@[ -r "$(CALL)" ] && [ -f "$(CALL)" ] || { echo "there is no recording $(CALL) to be read: give one as make demo CALL=recording.wav" >&2; exit 2; }
	@.ci/need cargo c++ node npm python3 pip cmake
	@$(MAKE) --no-print-directory ui binary models
	@.ci/demo "$(CALL)" "$(PORT)"

test: ## everything that CI checks
	@.ci/need cargo c++ node npm python3 pip cmake chromium sipp ffmpeg postgres prompts-fr prompts-es
	@$(MAKE) --no-print-directory ui binary models lint supply peers unit e2e

ui: ## build the pages into ui/dist
	@.ci/step "pages" .ci/ui

binary: ## build the service with the pages inside
	@.ci/step "service (the first build takes about half an hour on two cores)" cargo build --release --locked

models: ## fetch and convert the models into the user's cache
	@.ci/step "models" $(BIN) models pull
	@.ci/step "the sample articles' vectors" $(BIN) knowledge index --embedder-threads 2

lint: ## formatting, clippy, articles, settings
	@.ci/step "formatting" cargo fmt --check
	@.ci/step "clippy" cargo clippy --release --locked --all-targets -- -D warnings
	@.ci/step "pages: types and unit tests" sh -c 'cd ui && npm run --silent typecheck && npm test --silent'
	@.ci/step "articles and settings" sh -c '$(BIN) knowledge lint && $(BIN) check >/dev/null'

supply: ## licences and sources of everything that is built in, and a list of it (SBOM)
	@.ci/step "licences and sources of crates" .ci/cargo-tool cargo-deny 0.20.2 deny --log-level warn check licenses bans sources
	@.ci/step "lists of what is built in" .ci/sbom

advisories: ## known faults of what is built in; asks the advisory databases, so it isn't part of `make test`
	@.ci/step "advisories of crates" .ci/cargo-tool cargo-deny 0.20.2 deny check advisories
	@.ci/step "advisories of npm packages" sh -c 'cd ui && npm audit'

peers: ## fetch the programs of others that the connectors are tested with
	@.ci/step "peers of the media wires" .ci/peers
	@.ci/step "peers of mail, calendar and team chat" .ci/office-peers
	@.ci/step "an OpenID provider" .ci/oidc-peer
	@.ci/step "CRMs (about four minutes the first time)" .ci/crm-peers

unit: ## all Rust tests, real models included
	@.ci/step "Rust tests" cargo test --release --locked

e2e: ## the pages in real Chromium against the real service
	@.ci/step "pages in Chromium" sh -c 'cd ui && npm run --silent e2e'

bench: ## the numbers of the README
	cargo bench --bench live_calls

clean:
	rm -rf target ui/dist ui/node_modules
