#!/usr/bin/env bats
# shellcheck shell=bats
# make bench on a small scale: that it measures and ends, not what it finds.
# shellcheck disable=SC2154 # lib.bash sets them

load lib

# Why nothing can be measured here; no word if it can.
lacking() {
	local program
	for program in tcpserver musl-gcc; do
		command -v "$program" >/dev/null || echo "$program is not installed"
	done
	[ "$(uname -m)" = x86_64 ] || echo "the limit programs are for x86-64"
}

setup_file() {
	stage
	[ -z "$(lacking)" ] || return 0
	"$BATS_TEST_DIRNAME/peers" postfix
	cp "$SMTPD_BIN/smtpd-maildir" "$SMTPD_BIN/smtpd-relay" "$STAGE"
	mkdir "$STAGE/build"
	ln -s "$BUILD/peers" "$STAGE/build"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$BATS_TEST_DIRNAME/.." WERROR=1 \
		BUILD="$STAGE/build" bench-programs >&2
}

teardown_file() {
	unstage
}

teardown() {
	end_all
}

# One round of it, without peers, in a place of its own.
setup() {
	[ -z "$(lacking)" ] || skip "$(lacking)"
	export BUILD=$STAGE/build TMPDIR=$STAGE ROUNDS=1 SCALE=0.02 PEERS=
	bench=("$PYTHON" "$BATS_TEST_DIRNAME/bench/bench.py" "$SMTPD" "$SMTPD")
}

# running: its servers are there.
running() {
	cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -q "$STAGE/smtpd-bench[.]"
}

nothing_left() {
	run ! running
	[ -z "$(find "$STAGE" -name 'smtpd-bench.*')" ]
}

@test "a figure for everything, and a word on every goal; nothing is left" {
	"${bench[@]}" >"$STAGE/out"
	nothing_left
	py "$STAGE/out" <<-'PY'
		import re, sys
		with open(sys.argv[1], encoding="utf-8") as file:
		    rows = [[cell.strip() for cell in line.strip("|\n").split("|")]
		            for line in file if line.startswith("| ")]
		goals = [row for row in rows if row[2].startswith("at ")]
		figures = {row[0]: [float(cell.split()[0]) if cell != "–" else None for cell in row[1:]]
		           for row in rows if re.match(r"limit|smtpd|.*, (msg/s|ms|KiB)$", row[0])
		           and row not in goals}
		for name in ("limit-exec-musl, tcpserver", "limit-fork", "smtpd, tcpserver",
		             "smtpd -l", "1 at once, msg/s", "400 at once, msg/s", "one recipient, ms",
		             "1,000 recipients, ms", "4 KiB, ms", "1 GiB, ms", "peak 1 GiB, KiB"):
		    assert all(value > 0 for value in figures[name]), (name, figures[name])
		assert figures["smtpd -C, tcpserver"][2] > 0
		assert figures["smtpd glibc, tcpserver"][4] > 0
		# A connection is two processes of it, and of the limit with the wall.
		for name in ("smtpd, tcpserver", "limit-exec-musl -w, tcpserver"):
		    assert figures[name][4] > figures["limit-exec-musl, tcpserver"][4]
		for name in ("limit-exec-musl -w, tcpserver", "limit-fork -w"):
		    assert all(figures[name][n] > 0 for n in (0, 1, 3)), (name, figures[name])
		assert {row[0][0] for row in goals} == set("12345678"), goals
		for name, figure, bound, verdict in goals:
		    peer = re.search("/ (mailfront|aiosmtpd|python-smtpd|smtp-server)$", name)
		    assert (verdict == "–" if peer else verdict in ("met", "missed")), (name, verdict)
		    if not peer:
		        _, kind, bound = bound.split()
		        over = float(figure) - float(bound)
		        assert over == 0 or (over > 0) == (
		            (kind == "least") == (verdict == "met")), (name, figure, bound)
	PY
}

@test "told to end, it ends what it has started" {
	# Again and again: a terminal and make both say it, and it is cleaning up then.
	local signal result
	for signal in TERM HUP; do
		start "$BATS_TEST_TMPDIR/log" "${bench[@]}"
		eventually running
		until gone "$pid"; do
			kill -"$signal" "$pid" || break
		done
		result=0
		reap "$pid" || result=$?
		[ "$result" -eq $((128 + $(kill -l "$signal"))) ]
		nothing_left
	done
}

@test "a number that is none" {
	ROUNDS=x run -1 "${bench[@]}"
	[ "$output" = "bench.py: ROUNDS: x is no number above 0" ]
	for SCALE in 0 nan inf; do
		run -1 "${bench[@]}"
		[ "$output" = "bench.py: SCALE: $SCALE is no number above 0" ]
	done
}

@test "a peer that is none" {
	PEERS="postfix nobody" run -1 "${bench[@]}"
	[[ $output == "bench.py: PEERS: nobody is none of "* ]]
	nothing_left
}
