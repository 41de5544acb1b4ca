# Two commands matter to a newcomer: `make demo` and `make test`. Both install what they need on Debian and Ubuntu (as
# root or with sudo); elsewhere they say what is missing. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO ?= go
export GOTOOLCHAIN ?= local

# Build tags of the window: without the emoji font (4 MB of file, 18 MB of memory), with Fyne's strict threading.
TAGS := no_emoji,migrated_fynedo
LDFLAGS := -s -w

# Check tools, pinned once; installed into bin/tools by `make tools`.
GOLANGCI_LINT := v2.15.0
GOVULNCHECK := v1.8.0
TOOLS := bin/tools
VULNDB ?= $(firstword $(wildcard vulndb-*.tgz ../shared/data/vulndb-*.tgz))

# Debian packages. BUILD compiles the window, SHOW runs it without a desktop, TRUST is a computer that has joined a
# directory, BROWSER signs in, TEST are the real peers of the tests.
BUILD_PACKAGES := gcc libc6-dev pkg-config libgl-dev libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev ca-certificates
SHOW_PACKAGES := xvfb openbox xdotool x11-utils libgl1-mesa-dri dbus gnome-keyring
TRUST_PACKAGES := slapd sssd-common sssd-ldap libnss-sss
BROWSER_PACKAGES := chromium
TEST_PACKAGES := $(TRUST_PACKAGES) $(BROWSER_PACKAGES) ldap-utils samba-ad-dc samba-ad-provision postgresql-15 strace libsecret-tools python3-aiosmtpd
# What makes the packages of all systems, and in tests reads them back.
DIST_PACKAGES := git pkg-config wixl msitools osslsigncode faketime gcc-mingw-w64-x86-64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross rpm cpio p7zip-full
PACKAGE_TEST_PACKAGES := wine wine64 wixl msitools osslsigncode faketime gcc-mingw-w64-x86-64 p7zip-full libarchive-tools lintian rpm cpio minisign openssl python3-jsonschema desktop-file-utils man-db shellcheck
BENCH_PACKAGES := $(TRUST_PACKAGES) openjdk-17-jre openjdk-17-jdk-headless postgresql-15 ldap-utils rpm

# Everything but the packages that need cgo and OpenGL; those are tested without the race detector, which would compile
# the whole toolkit a second time. They all build on Windows and macOS too.
WINDOW := ./tray ./tray/ui/...
PURE = $(shell $(GO) list ./... | grep -vE '/tray$$|/tray/ui(/|$$)')

# What makes the packages runs once, where it was built, and mostly starts other programs; the race detector would watch it compress,
# which takes ten times as long with it.
BUILDER = $(filter %/installer,$(PURE)) $(foreach p,$(PURE),$(if $(findstring /installer/,$(p)),$(p)))

# The version of the packages; without it, the one in internal/buildinfo.
VERSION ?=
DIST_FLAGS ?=

.PHONY: help demo dist dist-test setup-dist test check bench build programs clean tools setup-demo setup-demo-prompt setup-demo-microsoft setup-demo-trust setup-test setup-bench \
	fmt lint vet arch cross verify vuln deadcode unit window-test screenshots

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# How people sign in to the demo: prompt, microsoft or trust (root only).
AUTH ?= prompt

demo: setup-demo setup-demo-$(AUTH) programs ## set up, build, and run the main job; AUTH=microsoft and AUTH=trust show other ways to sign in
	CGO_ENABLED=0 $(GO) build -o bin/demo ./internal/demo
	@bin/demo -auth '$(AUTH)' -tags '$(TAGS)' -pictures demo$(if $(filter-out prompt,$(AUTH)),/$(AUTH))

# The programs that need no C compiler.
programs:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/platen-server ./server-stub
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/platen ./client
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/platen-deploy ./printqueue

build: setup-demo programs ## build the programs into bin/
	$(GO) build -tags '$(TAGS)' -trimpath -ldflags '$(LDFLAGS)' -o bin/platen-window ./tray

dist: setup-dist ## build the packages of all systems into dist/; VERSION=1.2.3, DIST_FLAGS='--only deb' (see docs/deploy/building.md)
	$(GO) run ./installer $(if $(VERSION),--version $(VERSION)) $(DIST_FLAGS)

dist-test: setup-dist setup-test ## build them twice, in two places, compare, and try those that can run here
	$(GO) run ./installer --check $(if $(VERSION),--version $(VERSION)) $(DIST_FLAGS)
	PLATEN_REQUIRE_ALL=1 PLATEN_DIST=$(CURDIR)/dist $(GO) test -count=1 -timeout 30m ./installer ./internal/e2e/install/...

test: setup-test check unit window-test ## set up, check, and run all tests with their real peers
	@echo "all checks and tests passed"

check: fmt vet lint arch cross verify vuln ## everything but the tests

fmt: $(TOOLS)/golangci-lint
	$(TOOLS)/golangci-lint fmt --diff ./...

vet:
	$(GO) vet -tags '$(TAGS)' ./...

lint: $(TOOLS)/golangci-lint
	$(TOOLS)/golangci-lint run --build-tags '$(TAGS)' ./...

arch: ## the import rules
	$(GO) test -count=1 ./internal/archtest

cross: ## vet what builds without cgo, for Windows and macOS
	GOOS=windows CGO_ENABLED=0 $(GO) vet $(PURE)
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet $(PURE)

verify:
	$(GO) mod verify

vuln: $(TOOLS)/govulncheck ## known vulnerabilities, from a dated copy of the public database
ifeq ($(VULNDB),)
	@echo "vuln: skipped: no database (put a copy of golang/vulndb's data/osv as vulndb-DATE.tgz here, or set VULNDB=)"
else
	@echo "vuln: database $(notdir $(VULNDB))"
	@rm -rf .cache/vulndb && mkdir -p .cache/vulndb && tar -xzf $(VULNDB) -C .cache/vulndb
	@db=$$(dirname "$$(find .cache/vulndb -name 'modules.json' -path '*index*' | head -1)"); \
	  $(TOOLS)/govulncheck -tags '$(TAGS)' -db "file://$$PWD/$${db%/index}" ./...
endif

deadcode: ## report functions nobody calls
	$(GO) run golang.org/x/tools/cmd/deadcode@v0.52.0 -test -tags '$(TAGS)' ./...

unit:
	PLATEN_REQUIRE_ALL=1 $(GO) test -race -timeout 20m $(filter-out $(BUILDER),$(PURE))
	PLATEN_REQUIRE_ALL=1 $(GO) test -timeout 20m $(BUILDER)
	PLATEN_REQUIRE_ALL=1 $(GO) test -count=1 -timeout 10m ./internal/e2e/kill9 # 200 kills; the race detector's run has 30

window-test:
	PLATEN_REQUIRE_ALL=1 $(GO) test -tags '$(TAGS)' -timeout 15m $(WINDOW)

bench: setup-bench build ## print the figures, each beside its peer
	$(GO) run ./internal/bench
	$(GO) test -run '^$$' -bench . -benchtime 3s ./server-stub/ledger ./server-stub/dirsync

screenshots: setup-demo ## pictures of every page, in all languages, light and dark, into demo/gallery
	@mkdir -p demo/gallery
	PLATEN_SCREENSHOTS=$(CURDIR)/demo/gallery PLATEN_SCREENSHOT_LANGUAGES=en:de:fr:es PLATEN_SCREENSHOT_COLOURS=light:dark \
	  $(GO) test -tags '$(TAGS)' -count=1 -run TestGallery -timeout 15m ./tray

clean: ## remove what was built
	rm -rf bin .cache

tools: $(TOOLS)/golangci-lint $(TOOLS)/govulncheck ## install the check tools into bin/tools

$(TOOLS)/golangci-lint: Makefile
	GOBIN=$(CURDIR)/$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
	@touch $@

$(TOOLS)/govulncheck: Makefile
	GOBIN=$(CURDIR)/$(TOOLS) $(GO) install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK)
	@touch $@

setup-demo:
	@$(call ensure,$(BUILD_PACKAGES) $(SHOW_PACKAGES))

setup-demo-prompt:

setup-demo-microsoft:
	@$(call ensure,$(BROWSER_PACKAGES))

setup-demo-trust:
	@$(call ensure,$(TRUST_PACKAGES))

setup-test:
	@$(call ensure,$(BUILD_PACKAGES) $(SHOW_PACKAGES) $(TEST_PACKAGES) $(PACKAGE_TEST_PACKAGES))

setup-dist:
	@$(call ensure,$(BUILD_PACKAGES) $(DIST_PACKAGES))

setup-bench:
	@$(call ensure,$(BUILD_PACKAGES) $(SHOW_PACKAGES) $(BENCH_PACKAGES))

# ensure installs the Debian packages that are missing, or says what to install. The servers among them are peers for the
# tests, which start their own copies on loopback: they are kept from starting as services.
define ensure
	if ! command -v $(GO) >/dev/null; then echo "Install Go 1.26.8 or newer first: https://go.dev/dl/"; exit 1; fi; \
	if ! command -v dpkg-query >/dev/null; then \
	  echo "This is not Debian or Ubuntu. Install what these packages hold, in your system's words:"; \
	  echo "  $(1)"; echo "Going on as if they were there."; exit 0; fi; \
	missing=; for p in $(1); do \
	  [ "$$(dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || missing="$$missing $$p"; done; \
	[ -n "$$missing" ] || exit 0; \
	sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; command -v sudo >/dev/null || { \
	  echo "Install these packages as root, then run this again:"; echo "  apt-get install$$missing"; exit 1; }; fi; \
	echo "installing:$$missing"; \
	policy=; [ -e /usr/sbin/policy-rc.d ] || { policy=/usr/sbin/policy-rc.d; \
	  printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null; $$sudo chmod 755 $$policy; }; \
	trap '[ -z "$$policy" ] || $$sudo rm -f "$$policy"' EXIT; \
	$$sudo apt-get update -qq; \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	if [ -d /run/systemd/system ]; then for s in slapd samba-ad-dc postgresql sssd; do \
	  case "$$missing" in *$$s*) $$sudo systemctl disable -q "$$s" || true;; esac; done; fi
endef
