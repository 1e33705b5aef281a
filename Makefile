# Tallyscope. One Makefile, not recursive.
#
#   make              build the programs into build/bin
#   make demo         install what is missing, build, run one function end to end
#   make check        install what tests need, build, run every test
#   make bench        records/s per core, bytes per record, by protocol
#   make overload     ten times the capacity in 256 MiB, for a minute
#   make fuzz         run each fuzz target for FUZZ_S seconds (60), or FUZZ_RUNS=
#                     executions of inputs up to FUZZ_LEN= bytes; FUZZ= some only
#   make valgrind     unit tests and a busy collector under valgrind
#   make crash N=2000 a longer crash campaign than the one in check
#   make check-deps   prove the direction of dependencies
#   make fmt lint     clang-format; clang-tidy and cppcheck
#   make install PREFIX=/usr/local [DESTDIR=]
#
#   CC=clang            another compiler          (build/clang)
#   SAN=address,undefined or SAN=thread           (build/address,undefined)
#   WERROR=1            warnings are errors
#   V=1                 show the commands

CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
FLAVOUR := $(strip $(if $(filter-out gcc,$(CC)),$(notdir $(CC))) $(SAN))
empty :=
space := $(empty) $(empty)
B := build$(if $(FLAVOUR),/$(subst $(space),-,$(FLAVOUR)))
VERSION := 0.1.0
PREFIX ?= /usr/local
Q := $(if $(V),,@)
comma := ,

# --- flags ------------------------------------------------------------------
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla \
	-Wmissing-prototypes -Wstrict-prototypes $(if $(WERROR),-Werror)
OPT ?= -O3 -g
HARDEN := -fstack-protector-strong -fPIE \
	$(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
	$(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=undefined))
CFLAGS := -std=c17 $(OPT) $(WARN) $(HARDEN) $(SANFLAGS)
CPPFLAGS := -include core/base/banned.h -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -I$(B)/gen \
	-DTALLY_VERSION='"$(VERSION)"' \
	-DTALLY_DATADIR='"$(PREFIX)/share/tallyscope"'
# Our names stay ours: an exported one could take the place of a library's own.
LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--exclude-libs,ALL \
	$(SANFLAGS)

# --- parts: what each is made of, and what it is linked with -----------------
core_SRC := $(wildcard core/auth/*.c core/base/*.c core/sys/*.c core/codec/*.c \
	core/smithy/*.c core/store/*.c core/wire/*.c)
core_LIB := -lprotobuf-c -lisal -lz -lxxhash -lhogweed -lnettle -lgmp -lpthread -lm
client_SRC := $(wildcard core/client/*.c core/term/*.c)
client_LIB := -lcurl -ljansson
tracer_SRC := $(wildcard tracer/*.c tracer/shape/*.c)
billing_SRC := $(wildcard billing/*.c)
agent_SRC := $(filter-out agent/main.c,$(wildcard agent/*.c))
agent_LIB := -lmicrohttpd
collector_SRC := $(filter-out collector/main.c,$(wildcard collector/*.c \
	collector/door/*.c collector/ingest/*.c collector/api/*.c \
	collector/series/*.c collector/logs/*.c collector/alarms/*.c \
	collector/errand/*.c collector/catalogue/*.c \
	collector/insights/*.c))
collector_LIB := -lmicrohttpd -lnghttp2 -lgnutls -llmdb -lrrd -lcurl -ljansson
tui_SRC := $(filter-out tui/main.c,$(wildcard tui/*.c))
tui_LIB := -lncursesw -ltinfo
# What tests and benchmarks share: a simulated disk, made-up telemetry.
sim_SRC := $(wildcard tests/sim/*.c) tests/bench/spans.c tests/bench/rowbinary.c
PARTS := core client tracer billing agent collector tui sim

# program: main sources : parts : libraries
tally_SRC := $(wildcard collector/ctl/*.c)
tally_USE := client core
tally-collector_SRC := collector/main.c
tally-collector_USE := collector tracer billing core
tally-agent_SRC := agent/main.c
tally-agent_USE := agent client core
tally-trace_SRC := $(wildcard tracer/cmd/*.c)
tally-trace_USE := tracer client core
tally-bill_SRC := $(wildcard billing/cmd/*.c)
tally-bill_USE := billing client core
tally-top_SRC := tui/main.c
tally-top_USE := tui client core
PROGRAMS := $(foreach p,tally tally-collector tally-agent tally-trace \
	tally-bill tally-top,$(if $(wildcard $($(p)_SRC)),$(p)))

BINS := $(PROGRAMS:%=$(B)/bin/%)
libs = $(foreach u,$(1),$(B)/lib$(u).a)
syslibs = $(foreach u,$(1),$($(u)_LIB))
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

.PHONY: all check valgrind unit check-deps bench overload fuzz crash demo install man fmt lint \
	clean packages-build
.DELETE_ON_ERROR:
.SECONDARY:
all: $(BINS)

# --- generated: the schema ----------------------------------------------------
GEN := $(B)/gen/core/wire/telemetry.pb-c
$(GEN).c $(GEN).h &: core/wire/telemetry.proto
	@mkdir -p $(@D)
	@echo "  PROTOC  $<"
	$(Q)protoc-c --c_out=$(B)/gen $<
$(B)/obj/gen/telemetry.pb-c.o: $(GEN).c
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -include core/base/banned.h,$(CPPFLAGS)) $(CFLAGS) -w -c -o $@ $<
$(call obj,$(wildcard core/wire/*.c core/smithy/*.c)): | $(GEN).h

# OTLP's schema, for a test that compares our walker with libprotobuf-c.
ORACLE := $(B)/gen/tests/unit/core/otlp.pb-c
$(ORACLE).c $(ORACLE).h &: tests/unit/core/otlp.proto
	@mkdir -p $(@D)
	$(Q)protoc-c --c_out=$(B)/gen $<
$(B)/obj/gen/otlp.pb-c.o: $(ORACLE).c
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -include core/base/banned.h,$(CPPFLAGS)) $(CFLAGS) -w -c -o $@ $<
$(B)/obj/tests/unit/core/otlp_oracle_test.o: | $(ORACLE).h
$(B)/test/core/otlp_oracle_test: $(B)/obj/gen/otlp.pb-c.o

# --- compile, archive, link ---------------------------------------------------
$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define part
$(B)/lib$(1).a: $(call obj,$($(1)_SRC)) $(if $(filter core,$(1)),$(B)/obj/gen/telemetry.pb-c.o)
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach p,$(PARTS),$(eval $(call part,$(p))))

define program
$(B)/bin/$(1): $(call obj,$($(1)_SRC)) $(call libs,$($(1)_USE))
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $(call syslibs,$($(1)_USE))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# --- tests ----------------------------------------------------------------------
UNIT := $(patsubst tests/unit/%.c,$(B)/test/%,$(wildcard tests/unit/*/*_test.c))
ALL_USE := sim agent collector tui client tracer billing core
$(B)/test/%: $(B)/obj/tests/unit/%.o $(call libs,$(ALL_USE))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(call libs,$(ALL_USE)) \
		-Wl,--end-group -lcmocka $(call syslibs,$(ALL_USE))
# Helpers of tests and the benchmark: one program a file.
TOOLS := $(patsubst tests/%.c,$(B)/test/%,$(filter-out $(sim_SRC),\
	$(wildcard tests/crash/*.c tests/bench/*.c)))
$(TOOLS): $(B)/test/%: $(B)/obj/tests/%.o $(call libs,$(ALL_USE))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(call libs,$(ALL_USE)) \
		-Wl,--end-group $(call syslibs,$(ALL_USE))
# Shared objects preloaded into a program under test.
SHIMS := $(patsubst tests/shim/%.c,$(B)/test/%.so,$(wildcard tests/shim/*.c))
$(B)/test/%.so: tests/shim/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -O2 -g $(WARN) -D_GNU_SOURCE -I. -fPIC -shared -o $@ $< -ldl

check: packages-check
	$(Q)$(MAKE) $(if $(Q),-s) --no-print-directory all unit check-deps
	$(Q)BUILD=$(B) SAN='$(SAN)' tests/run
unit: $(UNIT) $(TOOLS) $(SHIMS)
packages-%:
	@tools/packages build $(if $(filter check,$*),test) $(filter-out build check,$*)
check-deps:
	$(Q)BUILD=$(B) tools/check-deps
bench: all $(TOOLS)
	$(Q)BUILD=$(B) tests/bench/run
overload: all $(TOOLS)
	$(Q)BUILD=$(B) OVERLOAD_S=$(or $(OVERLOAD_S),60) prove -v tests/cli/overload.t
crash: all $(TOOLS) $(SHIMS)
	$(Q)BUILD=$(B) N=$(or $(N),2000) tests/crash/run
valgrind: packages-check
	$(Q)$(MAKE) --no-print-directory all unit
	$(Q)BUILD=$(B) tests/valgrind
demo: packages-build packages-demo
	$(Q)$(MAKE) $(if $(Q),-s) --no-print-directory all
	$(Q)BUILD=$(B) demo/run

# --- fuzz: clang's libFuzzer, one target a file ---------------------------------
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: packages-fuzz
	$(Q)$(MAKE) --no-print-directory CC=clang SAN=address,undefined,fuzzer-no-link \
		$(FUZZ:%=build/fuzz/%)
	$(Q)FUZZ_S=$(or $(FUZZ_S),60) FUZZ_RUNS=$(FUZZ_RUNS) FUZZ_LEN=$(FUZZ_LEN) \
		tests/fuzz/run $(FUZZ)
build/fuzz/%: $(B)/obj/tests/fuzz/%.o $(call libs,$(ALL_USE))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< -Wl,--start-group \
		$(call libs,$(ALL_USE)) -Wl,--end-group $(call syslibs,$(ALL_USE))

# --- style ------------------------------------------------------------------------
SOURCES := $(shell git ls-files '*.c' '*.h' 2>/dev/null)
fmt: packages-lint
	$(Q)clang-format -i $(SOURCES)
# clang-tidy a file a process (14 carries the state of va_lists over), and none
# that was clean before it or a header of it changes. cppcheck all in one and
# without a build folder: else 2.10 loses the status of what it sees across files.
LINT := $(B)/lint/cppcheck.ok $(patsubst %.c,$(B)/lint/%.ok,$(filter %.c,$(SOURCES)))
lint: packages-lint $(GEN).h $(ORACLE).h
	$(Q)$(MAKE) --no-print-directory -k -j2 -Otarget $(LINT)
$(B)/lint/cppcheck.ok: $(filter-out tests/%,$(SOURCES))
	@mkdir -p $(@D)
	@echo "  CPPCHECK"
	$(Q)cppcheck --quiet --std=c11 --enable=warning,portability,performance \
		--inline-suppr --error-exitcode=1 -I. $(filter %.c,$^)
	@touch $@
$(B)/lint/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY    $<"
	$(Q)clang-tidy --quiet $< -- -std=c17 $(CPPFLAGS) 2>/dev/null
	$(Q)$(CC) $(CPPFLAGS) -MM -MP -MT $@ -MF $(@:.ok=.d) $< && touch $@

# --- install ------------------------------------------------------------------------
MAN := $(wildcard docs/man/*.[1-8])
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/tallyscope/prices \
		$(DESTDIR)$(PREFIX)/share/tallyscope/bootstrap \
		$(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(BINS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard billing/prices/*) $(DESTDIR)$(PREFIX)/share/tallyscope/prices
	install -m 644 $(wildcard agent/bootstrap/*) $(DESTDIR)$(PREFIX)/share/tallyscope/bootstrap
	sed 's|@PREFIX@|$(PREFIX)|g' tools/tally-collector.service \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/tally-collector.service
	for page in $(MAN); do s=$${page##*.}; \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$$s/$${page##*/}; done

clean:
	rm -rf build
-include $(shell find $(B)/obj $(B)/lint -name '*.d' 2>/dev/null)
