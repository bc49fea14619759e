# smtpd: make, make run, make check, make install. No configure step.
#   make SANITIZE=1    AddressSanitizer and UndefinedBehaviorSanitizer
#   make STATIC=1      static, with musl-gcc: the fast one
#   make UNCONFINED=1  for valgrind: no sandbox
#   make CC=clang
#   make WERROR=1      warnings are errors, as in CI

VERSION = 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/smtpd

# Where objects and the library go, and where the programs go.
BUILD = build
BIN = .

CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes \
	-Wstrict-prototypes -Wvla
HARDEN = -fstack-protector-strong -fPIE
LINK = -pie -Wl,-z,relro,-z,now
ifdef STATIC
CC = musl-gcc
LINK = -static -Wl,-z,noseparate-code
HARDEN = -fstack-protector-strong
endif
ifdef FUZZING
SANITIZE = 1
endif
ifdef SANITIZE
HARDEN = -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -DSANITIZE
LINK = -fsanitize=address,undefined
else
CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
# For `make fuzz`: libfuzzer or afl.
ifeq ($(FUZZING),libfuzzer)
CC = clang
HARDEN += -fsanitize=fuzzer-no-link \
	-fsanitize-coverage-ignorelist=tests/fuzz/unwatched.txt
endif
ifeq ($(FUZZING),afl)
CC = afl-clang-fast
endif
# For `make coverage`: processes that end without exit(3) say what they ran.
ifdef COVERAGE
CFLAGS = -O0 -g
HARDEN += --coverage -fprofile-abs-path -fprofile-update=atomic \
	-DCOVERAGE
LINK += --coverage
UNCONFINED = 1
endif
ifdef UNCONFINED
CPPFLAGS += -DUNCONFINED
endif
ifdef WERROR
WARNINGS += -Werror
endif
# What is small is together, and what has a page of its own apart (lib/paged.h);
# what nobody calls is not there.
HARDEN += -ffunction-sections -fdata-sections
LINK += -Wl,--sort-section=alignment -Wl,--gc-sections
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Ilib \
	$(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDEN)

FILTERS = mailman maildir policy print relay
PROGRAMS = $(BIN)/smtpd $(FILTERS:%=$(BIN)/smtpd-%)
# The pure rooms are the library; the others are the programs' own.
LIBRARY = $(BUILD)/libsmtpd.a
INSIDE = $(BUILD)/inside.a
ROOMS = $(patsubst lib/%.c,$(BUILD)/lib/%.o,$(sort $(wildcard lib/*.c)))
# The pure rooms (HACKING.md), and those of them whose headers are installed.
PURE = action address answer ask base64 clean client commands content data \
	date dots dsn ehlo esmtp exchange hooktext hops ip json line \
	listname login machine mailbox network number offer pace param pattern \
	proxy quote receive record replies reply sasl smtp text utf8 \
	variables verdict visible xclient xtext
PUBLIC = action address answer base64 clean client content data date dots \
	dsn hops json line mailbox number offer param pattern quote replies \
	reply sasl smtp text utf8 verdict visible xclient xtext
# Those that wait longest go first, so that none of them is alone at the end.
SLOW = $(patsubst %,tests/%.bats,pace auth mailman hooks policyd)
TESTS = $(SLOW) $(filter-out $(SLOW),$(sort $(wildcard tests/*.bats)))
TOOL_NAMES = units events hostile planted filtered ledger cost

# Builds that the whole suite is run with, besides the one that was asked for.
VARIANTS = sanitize clang musl
sanitize = SANITIZE=1
clang = CC=clang
musl = STATIC=1

all: $(PROGRAMS) $(LIBRARY)

# Another compiler or other flags: everything is built anew.
FLAGS = $(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIBRARY): $(PURE:%=$(BUILD)/lib/%.o)
$(INSIDE): $(filter-out $(PURE:%=$(BUILD)/lib/%.o),$(ROOMS))
$(LIBRARY) $(INSIDE): Makefile
	rm -f $@
	$(AR) rcs $@ $(filter %.o,$^)

$(BIN)/smtpd: $(BUILD)/smtpd.o $(INSIDE) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^

$(BIN)/smtpd-%: $(BUILD)/filters/%.o $(INSIDE) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^

UNITS = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/units*.c)))
$(BUILD)/tests/units: $(UNITS) $(INSIDE) $(LIBRARY)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^

# smtpd with the dialogue of tests/hostile.c, which comes before the room's.
$(BUILD)/tests/hostile: $(BUILD)/smtpd.o $(BUILD)/tests/hostile.o $(INSIDE) \
		$(LIBRARY)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^

# smtpd whose dialogue a client can have make system calls.
$(BUILD)/tests/planted: $(BUILD)/smtpd.o $(BUILD)/tests/planted.o $(INSIDE) \
		$(LIBRARY)
	$(CC) $(LINK) $(LDFLAGS) -Wl,--wrap=smtp_input -o $@ $^

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(LIBRARY)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^
-include $(wildcard $(BUILD)/tests/*.d)

# For tests/library.bats.
print-pure:
	@echo $(PURE)
print-public:
	@echo $(PUBLIC)

# As root, too, from a checkout that nobody else may enter: hence -n.
run: all
	$(BIN)/smtpd -n -l localhost:8025 -- $(BIN)/smtpd-print

# Targets of fuzzers, with main of their own only where there is no fuzzer's.
FUZZ = $(patsubst tests/fuzz/%.c,%,$(filter-out tests/fuzz/replay.c, \
	$(sort $(wildcard tests/fuzz/*.c))))
FUZZ_MAIN = $(if $(FUZZING),,$(BUILD)/tests/fuzz/replay.o)
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(FUZZ_MAIN) $(INSIDE) $(LIBRARY)
	$(CC) $(LINK) $(if $(FUZZING),-fsanitize=fuzzer) $(LDFLAGS) -o $@ $^
fuzz-targets: $(FUZZ:%=$(BUILD)/tests/fuzz/%)
-include $(wildcard $(BUILD)/tests/fuzz/*.d)

# make fuzz SECONDS=n [FUZZER=afl] [TARGETS="data agent"]: each for so long.
FUZZER = libfuzzer
TARGETS = $(FUZZ)
fuzz: SECONDS = 60
fuzz:
	$(MAKE) FUZZING=$(FUZZER) BUILD=build/fuzz-$(FUZZER) fuzz-targets
	tests/fuzz/run $(FUZZER) $(SECONDS) build/fuzz-$(FUZZER) $(TARGETS)

# A preload that makes calls fail: of what is linked with glibc at run time.
$(BUILD)/tests/%.so: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(CFLAGS) $(WARNINGS) -Wno-pedantic \
		-fPIC -shared -o $@ $<

TOOLS = $(TOOL_NAMES:%=$(BUILD)/tests/%)
ifndef STATIC
TOOLS += $(BUILD)/tests/faults.so
endif
# Tests wait more than they work: twice as many at once as there should be cores.
check: all $(TOOLS)
	JOBS=$${JOBS:-4} tests/run $(TESTS)

# The whole suite for each build, too: about four times as long.
check-all: all $(TOOLS) variants
	tests/run -b . $(VARIANTS:%=-b build/%) $(TESTS)
$(VARIANTS:%=check-%): check-%: $(TOOLS) variant-%
	tests/run -b build/$* $(TESTS)

# A thousand connections at once, by glibc and by musl.
load: all $(TOOLS) variant-musl
	CONNECTIONS=1000 MESSAGES=5 JOBS=1 tests/run -b . -b build/musl tests/load.bats

# Mixed traffic and faults: make soak SECONDS=600. Not in CI.
soak: SECONDS = 600
soak: all $(TOOLS)
	nice python3 tests/soak.py $(SECONDS)

# Every fault, 5,000 messages under kill -9, 6,000 through a chain: three minutes.
faults: all $(TOOLS)
	FAULTS_ALL=1 FILE_TIMEOUT=900 BATS_TEST_TIMEOUT=600 tests/run tests/faults.bats \
		tests/kills.bats tests/chain.bats

# Under valgrind's memcheck; half an hour or more. Not what starts thousands of
# processes, measures time, memory or the sandbox, or starts nothing.
MEMCHECK = auth bdat delivery hooks hostile lmtp maildir mailman policy print \
	proxy relay taken together xclient
check-valgrind:
	$(MAKE) WERROR=1 UNCONFINED=1 BUILD=build/valgrind BIN=build/valgrind \
		all build/valgrind/tests/units build/valgrind/tests/hostile
	tests/valgrind build/valgrind $(MEMCHECK:%=tests/%.bats)

# What make bench measures with, and what it measures against: how these are
# built is a part of the measure.
YARDSTICK = -std=c11 -D_GNU_SOURCE -O2 -s $(WARNINGS)
BENCH = $(addprefix $(BUILD)/bench/,limit-exec-musl limit-fork limit-deliver \
	limit-queue load maildir relay runs)
$(BUILD)/bench/limit-exec-musl: tests/bench/limit.c
	@mkdir -p $(@D)
	musl-gcc $(YARDSTICK) -static -o $@ $<
$(BUILD)/bench/limit-fork: tests/bench/limit.c
	@mkdir -p $(@D)
	gcc $(YARDSTICK) -static -no-pie -o $@ $<
$(BUILD)/bench/limit-deliver $(BUILD)/bench/limit-queue: tests/bench/deliver.c
	@mkdir -p $(@D)
	gcc $(YARDSTICK) -static -nostdlib -fno-stack-protector \
		$(if $(findstring queue,$@),-DQUEUE) -o $@ $<
$(BUILD)/bench/maildir $(BUILD)/bench/relay: $(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	musl-gcc $(YARDSTICK) -O3 -fno-stack-protector -static \
		-Wl,-z,noseparate-code -o $@ $<
$(BUILD)/bench/load $(BUILD)/bench/runs: $(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	gcc $(YARDSTICK) -o $@ $<
bench-programs: $(BENCH)

# Beside the limit and the peers, in six minutes: make bench [ROUNDS=n] [PEERS="postfix"].
bench: $(BIN)/smtpd $(BENCH)
	$(MAKE) WERROR=1 $(musl) BUILD=build/musl BIN=build/musl \
		build/musl/smtpd build/musl/smtpd-maildir build/musl/smtpd-relay
	tests/bench/peers
	python3 -B tests/bench/bench.py build/musl/smtpd $(BIN)/smtpd

# Frama-C's proof that the pure rooms do nothing undefined, or of NAMES alone.
prove:
	tests/prove $(NAMES)

variants: $(VARIANTS:%=variant-%)
$(VARIANTS:%=variant-%): variant-%:
	$(MAKE) WERROR=1 $($*) BUILD=build/$* BIN=build/$* \
		all $(TOOL_NAMES:%=build/$*/tests/%) $(if $(filter sanitize,$*),fuzz-targets)

# What lib/ runs of itself in these tests, which are those that run the most.
COVERED = auth delivery hooks hostile launchers limits lmtp maildir mailman \
	policy policyd print proxy relay tls xclient
coverage:
	$(MAKE) COVERAGE=1 BUILD=build/coverage BIN=build/coverage all \
		$(TOOL_NAMES:%=build/coverage/tests/%)
	tests/coverage build/coverage $(COVERED:%=tests/%.bats)

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(INCLUDEDIR)/smtpd $(DESTDIR)$(MANDIR)/man3 \
		$(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(MANDIR)/man8 \
		$(DESTDIR)$(DOCDIR)
	install -m 755 $(PROGRAMS) $(DESTDIR)$(BINDIR)
	install -m 644 $(LIBRARY) $(DESTDIR)$(LIBDIR)
	install -m 644 $(PUBLIC:%=lib/%.h) $(DESTDIR)$(INCLUDEDIR)/smtpd
	sed -e 's|@PREFIX@|$(PREFIX)|' \
		-e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' \
		-e 's|@VERSION@|$(VERSION)|' lib/libsmtpd.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libsmtpd.pc
	install -m 644 man/*.3 $(DESTDIR)$(MANDIR)/man3
	install -m 644 man/*.7 $(DESTDIR)$(MANDIR)/man7
	install -m 644 man/*.8 $(DESTDIR)$(MANDIR)/man8
	cp -R contrib README.md CHANGES.md SECURITY.md LICENSE $(DESTDIR)$(DOCDIR)

dist:
	git archive --prefix=smtpd-$(VERSION)/ -o smtpd-$(VERSION).tar.gz HEAD

format:
	clang-format -i smtpd.c lib/*.[ch] filters/*.c tests/*.c tests/fuzz/*.[ch] \
		tests/proof/*.[ch] tests/proof/models/*.[ch] tests/bench/*.c

clean:
	rm -rf $(BUILD) $(PROGRAMS)

FORCE:
.PHONY: all print-pure print-public run check check-all check-valgrind \
	$(VARIANTS:%=check-%) variants $(VARIANTS:%=variant-%) load faults soak fuzz \
	fuzz-targets coverage prove install dist format clean FORCE
.SECONDARY:
-include $(ROOMS:.o=.d) $(BUILD)/smtpd.d $(FILTERS:%=$(BUILD)/filters/%.d)
