#!/usr/bin/env bats
# shellcheck shell=bats
# What smtpd costs, without a clock: system calls, page faults, memory and
# instructions, which are the same on a busy machine, each below a ceiling.
# shellcheck disable=SC2154 # lib.bash sets them

load lib

# About 3 % above what was the most of 20 runs, as root or not; of faults and memory,
# which are the kernel's to say, too, 15 %. Each says what it is
# today, in a line "# NAME: ...": what has become cheaper gets a lower ceiling.
ceilings() {
	cat <<-'END'
		calls-musl 180 system calls of a session of one message
		calls-dynamic 196 system calls of a session of one message
		more-musl 585 system calls of ten more messages of a session
		more-dynamic 585 system calls of ten more messages of a session
		faults-musl 885 minor page faults of 20 sessions of one message
		greeted-musl 4600 KiB of 100 connections that have been greeted
		greeted-dynamic 16800 KiB of 100 connections that have been greeted
		idle-musl 4650 KiB of 100 connections behind EHLO
		idle-dynamic 17200 KiB of 100 connections behind EHLO
		decode-lf 1860000 instructions to decode 1 MiB, LF line ends out
		decode-crlf 1890000 instructions to decode 1 MiB, CRLF line ends out
		decode-dots 3080000 instructions to decode 1 MiB of lines that begin with dots
		session 25600 instructions of the machine for a message of 4 KiB
	END
}

setup_file() {
	stage
	[ "$(uname -m)" != x86_64 ] || build_in cost build/cost/bench/limit-deliver
}

teardown_file() {
	unstage
}

setup() {
	[ "$(uname -m)" = x86_64 ] || skip "the ceilings are those of x86-64"
	! grep -qE '__asan_init|__gcov_' "$SMTPD" || skip "measured without instruments"
	delivery=$BATS_TEST_DIRNAME/../build/cost/bench/limit-deliver
}

# costs NAME FIGURE: above its ceiling it is too much; below half of that something
# has not been measured, or the ceiling is no guard any more.
costs() {
	local name most what
	while read -r name most what; do
		[ "$name" = "$1" ] || continue
		echo "# $1: $2, at most $most" >&3
		[ "$2" -le "$most" ] || echo "$1, $what: $2, more than $most" >&2
		[ $(($2 * 2)) -ge "$most" ] || echo "$1, $what: $2, less than half of $most" >&2
		[ "$2" -le "$most" ] && [ $(($2 * 2)) -ge "$most" ]
		return
	done < <(ceilings)
	echo "$1 has no ceiling" >&2
	return 1
}

# musl, dynamic: $SMTPD is such a smtpd, $kind its name.
musl() {
	kind=musl
	readelf -lW "$SMTPD" | grep -q INTERP || return 0
	[ "$SMTPD_BIN" -ef "$BATS_TEST_DIRNAME/.." ] || skip "measured where it is musl's"
	command -v musl-gcc >/dev/null || skip "no musl-gcc"
	build_in musl STATIC=1 build/musl/smtpd
	SMTPD=$BATS_TEST_TMPDIR/smtpd
	cp "$BATS_TEST_DIRNAME/../build/musl/smtpd" "$SMTPD"
}

dynamic() {
	kind=dynamic
	readelf -lW "$SMTPD" | grep -q INTERP || skip "it is static"
}

cost() {
	"$PYTHON" "$BATS_TEST_DIRNAME/cost.py" "$1" "$SMTPD" "${@:2}"
}

# is_traced: what strace counts; its tables are said where it is too much.
is_traced() {
	local calls more result=0
	command -v strace >/dev/null || skip "no strace"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	read -r calls more < <(cost calls "$delivery" "$BATS_TEST_TMPDIR")
	costs "calls-$kind" "$calls" || result=1
	costs "more-$kind" "$more" || result=1
	[ "$result" -eq 0 ] || tail -n +1 "$BATS_TEST_TMPDIR"/{1,11}-messages >&2
	return $result
}

is_idle() {
	local greeted idle
	read -r greeted idle < <(cost memory)
	costs "greeted-$kind" "$greeted"
	costs "idle-$kind" "$idle"
}

# counted NAME FUNCTION WHAT: the instructions of that function of tests/cost.c.
counted() {
	local tool=$BUILD/tests/cost out=$BATS_TEST_TMPDIR/callgrind figure
	command -v valgrind >/dev/null || skip "no valgrind"
	[ "$SMTPD_BIN" -ef "$BATS_TEST_DIRNAME/.." ] || skip "measured with what make builds"
	readelf -p .comment "$tool" | grep -q 'GCC: .*) 12\.' || skip "the ceilings are those of gcc 12"
	grep -qE ' -O2 ' "$BUILD/flags" || skip "the ceilings are those of -O2"
	! grep -qE '^\S*clang|-fsanitize|--coverage' "$BUILD/flags" || skip "not what gcc makes of it"
	# Of the processor's instructions the C library takes those that all have.
	GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX,-ERMS,-BMI2,-SSSE3,-SSE4_1,-SSE4_2 \
		valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect="$2" \
		"$tool" "$3" >"$out.said" 2>"$out.log"
	cat "$out.said"
	figure=$(sed -n 's/.*Collected : //p' "$out.log")
	costs "$1" "$figure" || {
		callgrind_annotate --auto=no "$out" | head -n 40 >&2
		return 1
	}
}

@test "system calls: static, musl" {
	musl
	is_traced
}

@test "system calls: dynamic" {
	dynamic
	is_traced
}

@test "page faults: static, musl" {
	musl
	costs "faults-$kind" "$(cost faults "$delivery")"
}

@test "memory: static, musl" {
	musl
	is_idle
}

@test "memory: dynamic" {
	dynamic
	is_idle
}

@test "instructions: a message decoded" {
	counted decode-lf data_decode lf
	counted decode-crlf data_decode crlf
	counted decode-dots data_decode dots
}

@test "instructions: a session of the machine" {
	counted session session session
}
