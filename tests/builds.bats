#!/usr/bin/env bats
# The builds that the Makefile offers: without a warning, each delivers a
# message, and what it installs is complete.

setup_file() {
	load lib
	stage
}

teardown_file() {
	unstage
}

teardown() {
	[ -z "${group:-}" ] || kill -TERM -- "-$group" 2>/dev/null || true
	end_all
}

setup() {
	load lib
	root=$BATS_TEST_DIRNAME/..
	dir=$BATS_TEST_TMPDIR
	printf '%s\r\n' 'EHLO client.example.org' 'MAIL FROM:<a@example.org>' \
		'RCPT TO:<b@example.org>' DATA 'Subject: built' '' '..' . QUIT \
		>"$dir/transcript"
	chmod 755 "$dir"
}

# built NAME MAKE-ARGUMENT ...: in build/NAME, which is $dir/bin, without a word.
built() {
	ln -s "$root/build/$1" "$dir/bin"
	build_in "$@" all 2>"$dir/make.log" && [ ! -s "$dir/make.log" ] || {
		cat "$dir/make.log" >&2
		# It is said again the next time.
		rm -f "$dir/bin/flags"
		return 1
	}
}

# delivers: the smtpd in $dir/bin hands a message to a command.
delivers() {
	"$dir/bin/smtpd" -n --no-received --hostname mx.example.org \
		sh -c 'cat >"$0"' "$dir/message" \
		<"$dir/transcript" >"$dir/replies" 2>"$dir/log"
	printf 'Subject: built\n\n.\n' | cmp - "$dir/message"
	[ "$(grep -c '^250 2.0.0 OK' "$dir/replies")" -eq 1 ]
}

needs_libc_only() {
	for program in "$dir"/bin/smtpd{,-*}; do
		run -0 readelf -dW "$program"
		[ "$(grep -c NEEDED <<<"$output")" -eq 1 ]
		grep -q 'NEEDED.*libc.so' <<<"$output"
	done
}

is_hardened() {
	for program in "$dir"/bin/smtpd{,-*}; do
		run -0 readelf -dW "$program"
		grep -q 'FLAGS_1.*NOW.*PIE' <<<"$output"
		readelf -lW "$program" | grep -q GNU_RELRO
		nm "$program" | grep -q __stack_chk_fail
		nm "$program" | grep -q '_chk@'
	done
}

@test "gcc, warnings as errors" {
	built gcc CC=gcc
	delivers
	needs_libc_only
	is_hardened
}

@test "clang, warnings as errors" {
	built clang CC=clang
	delivers
}

@test "STATIC=1: musl, no dynamic section" {
	built musl STATIC=1
	readelf -lW "$dir/bin/smtpd" >"$dir/headers"
	run -1 grep -q INTERP "$dir/headers"
	delivers
}

@test "SANITIZE=1" {
	sanitized
	ln -s "$SANITIZED" "$dir/bin"
	nm "$dir/bin/smtpd" | grep -q __asan_init
	nm "$dir/bin/smtpd" | grep -q __ubsan_handle
	delivers
	[ ! -s "$dir/log" ] || ! grep -q Sanitizer "$dir/log"
}

# compiled MAKE-ARGUMENT ...: does that compile anything?
compiled() {
	env -u MAKEFLAGS make -C "$root" BUILD="$dir/build" "$@" "$dir/build/lib/text.o" \
		>"$dir/make.log"
	grep -q -e ' -c -o ' "$dir/make.log"
}

@test "other flags build everything anew, the same ones nothing" {
	compiled CC=gcc
	run -1 compiled CC=gcc
	compiled CC=gcc CPPFLAGS=-DX
	run -1 compiled CC=gcc CPPFLAGS=-DX
	compiled CC=clang CPPFLAGS=-DX
}

@test "make install puts everything below PREFIX in DESTDIR, nothing else" {
	make -s -C "$root" install \
		DESTDIR="$dir/dest" PREFIX=/opt/smtpd >"$dir/make.log"
	[ "$(ls "$dir/dest")" = opt ]
	[ "$(ls "$dir/dest/opt")" = smtpd ]
	cd "$dir/dest/opt/smtpd"
	[ -x bin/smtpd ] && [ -x bin/smtpd-print ]
	[ -f lib/libsmtpd.a ] && [ -f lib/pkgconfig/libsmtpd.pc ]
	[ -f include/smtpd/smtp.h ]
	[ -f share/man/man8/smtpd.8 ] && [ -f share/man/man8/smtpd-print.8 ]
	[ -f share/man/man7/smtpd-delivery.7 ]
	[ -x share/doc/smtpd/contrib/deliver/to-webhook ]
	run -1 grep -q '@' lib/pkgconfig/libsmtpd.pc
	grep -qx 'prefix=/opt/smtpd' lib/pkgconfig/libsmtpd.pc
}

@test "sources are formatted as .clang-format says" {
	cd "$root"
	clang-format --dry-run -Werror smtpd.c lib/*.[ch] filters/*.c tests/*.c \
		tests/fuzz/*.[ch] tests/proof/*.[ch] tests/proof/models/*.[ch] \
		tests/bench/*.c
}

@test "make run listens on localhost:8025 and prints what arrives" {
	listening 8025 && skip "something listens on port 8025"
	start "$dir/run.log" setsid make -s -C "$root" run
	# shellcheck disable=SC2154 # start sets it
	group=$pid
	printf '%s\r\n' 'Subject: seen' '' 'It works.' >"$dir/mail"
	eventually grep -q 'listening on 127.0.0.1:8025' "$dir/run.log"
	curl -sS --mail-from a@example.org --mail-rcpt b@example.org \
		--upload-file "$dir/mail" smtp://localhost:8025
	eventually grep -q '^It works' "$dir/run.log"
	grep -q '^Subject: seen' "$dir/run.log"
	kill -TERM -- "-$group"
	ended "$group"
}
