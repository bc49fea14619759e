#!/usr/bin/env bats
# shellcheck shell=bats
# libsmtpd: what is pure stays pure, and what is installed can be used.

load lib

setup_file() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	: "${CC:=cc}"
	PLACE=$BATS_FILE_TMPDIR
	ROOM_NAMES=$(in_root print-pure)
	export ROOT CC PLACE ROOM_NAMES
	# The same object for any default of the compiler, and nothing in it but
	# what the source asks for.
	for room in $ROOM_NAMES; do
		"$CC" -std=c11 -D_GNU_SOURCE -O2 -DNDEBUG -fno-stack-protector \
			-U_FORTIFY_SOURCE -fno-pie -I"$ROOT/lib" \
			-c -o "$PLACE/$room.o" "$ROOT/lib/$room.c"
	done
	in_root -j2 install CC="$CC" BUILD="$PLACE/build" BIN="$PLACE/build" \
		DESTDIR="$PLACE/stage" PREFIX=/opt/smtpd >&2
}

# make as from a shell of its own, whatever make runs these tests.
in_root() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BUILD make -s -C "$ROOT" "$@"
}

# pkg-config for what is installed.
config() {
	PKG_CONFIG_SYSROOT_DIR=$PLACE/stage \
		PKG_CONFIG_PATH=$PLACE/stage/opt/smtpd/lib/pkgconfig \
		pkg-config "$@" libsmtpd
}

# pure_objects: the objects, with their path.
pure_objects() {
	for room in $ROOM_NAMES; do
		echo "$PLACE/$room.o"
	done
}

@test "pure rooms: there are some, the state machine among them" {
	[ "$(wc -w <<<"$ROOM_NAMES")" -ge 12 ]
	for room in smtp commands line data address param reply verdict record; do
		[[ " $ROOM_NAMES " = *" $room "* ]]
	done
}

@test "pure rooms need mem* and str* and one another, nothing else" {
	mapfile -t objects < <(pure_objects)
	nm --defined-only -g "${objects[@]}" |
		awk 'NF == 3 { print $3 }' | sort -u >"$PLACE/defined"
	nm -u "${objects[@]}" | awk '$1 == "U" { print $2 }' |
		sort -u >"$PLACE/needed"
	# Those of them that allocate, look at the locale, or remember.
	comm -23 "$PLACE/needed" "$PLACE/defined" |
		grep -vxE '(mem|str)[a-z]+' >"$PLACE/impure" || true
	grep -xE 'str(dup|ndup|error|error_r|tok|tok_r|to[a-z]*|coll|xfrm|signal|ftime|ptime|case.*|ncase.*|fry|.*_l)|memfrob' \
		"$PLACE/needed" >>"$PLACE/impure" || true
	diff /dev/null "$PLACE/impure"
	# The check would see something.
	grep -qx memcpy "$PLACE/needed"
	grep -qx smtp_next "$PLACE/defined"
}

@test "pure rooms have no data that changes" {
	mapfile -t objects < <(pure_objects)
	nm "${objects[@]}" | awk '$2 ~ /^[dDbBC]$/' >"$PLACE/data"
	diff /dev/null "$PLACE/data"
}

@test "pure rooms include no header of an impure one" {
	for room in $ROOM_NAMES; do
		cat "$ROOT/lib/$room".[ch]
	done | sed -n 's/^#include "\(.*\)\.h"$/\1/p' | sort -u | while read -r included; do
		[[ " $ROOM_NAMES " = *" $included "* ]] || {
			echo "$included" >&2
			return 1
		}
	done
}

@test "make install: programs, library, headers, pages, nothing elsewhere" {
	[ "$(ls "$PLACE/stage")" = opt ]
	[ "$(ls "$PLACE/stage/opt")" = smtpd ]
	cd "$PLACE/stage/opt/smtpd"
	for file in bin/smtpd bin/smtpd-print; do
		[ -x "$file" ]
	done
	[ -f lib/libsmtpd.a ]
	[ -f lib/pkgconfig/libsmtpd.pc ]
	[ -f include/smtpd/smtp.h ]
	[ -f share/man/man8/smtpd.8 ]
	[ -f share/doc/smtpd/README.md ]
	run "$PLACE/stage/opt/smtpd/bin/smtpd" --version
	[ "$status" -eq 0 ]
	# What the package says it is.
	[[ $output = *"$(config --modversion)"* ]]
	# No path of the machine that built it.
	run ! grep -r "$PLACE" lib/pkgconfig share
}

@test "each installed header compiles alone" {
	count=0
	for header in "$PLACE"/stage/opt/smtpd/include/smtpd/*.h; do
		printf '#include "%s"\n' "$header" |
			"$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror \
				-fsyntax-only -x c -
		count=$((count + 1))
	done
	[ "$count" -ge 10 ]
}

# session OCTETS: what the embedding program says.
session() {
	# shellcheck disable=SC2059 # printf's rules
	printf "$1" | "$PLACE/embed" | tr -d '\r'
}

@test "a program copies the table, adds PING and replaces HELP" {
	read -ra flags < <(config --cflags --libs)
	"$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror -o "$PLACE/embed" \
		"$BATS_TEST_DIRNAME/embed.c" "${flags[@]}"
	for what in PING HELP; do
		added=$(sed "1,/$what begins/d; /$what ends/,\$d" \
			"$BATS_TEST_DIRNAME/embed.c" | wc -l)
		[ "$added" -gt 4 ]
		[ "$added" -lt 20 ]
	done
	session 'PING\r\nping x\r\nPING 123456789\r\nPING \001\r\nPINGS\r\nHELP\r\nHELP PING\r\nHELO x\r\nMAIL FROM:<a@b>\r\nPING\r\nRCPT TO:<c@d>\r\nDATA\r\nPING\r\n.\r\nQUIT\r\n' \
		>"$PLACE/said"
	diff -u - "$PLACE/said" <<-'END'
		220 embed.example ESMTP
		250 2.0.0 PONG
		250 2.0.0 PONG
		501 5.5.4 Syntax: PING [text]
		501 5.5.4 Control character in argument
		500 5.5.2 Command not recognized
		214-2.0.0 Read the manual
		214 2.0.0 and ask again
		214-2.0.0 Read the manual
		214 2.0.0 and ask again
		250 embed.example
		250 2.1.0 Sender OK
		250 2.0.0 PONG
		250 2.1.5 Recipient OK
		354 End data with <CR><LF>.<CR><LF>
		250 2.0.0 OK
		221 2.0.0 Bye
	END
	# The library's own table is as it was.
	printf 'PING\r\nHELP\r\n' | "$BUILD/tests/events" | grep '^S: ' |
		diff -u - <(printf 'S: %s\n' '220 mx.example.org ESMTP' \
			'500 5.5.2 Command not recognized' \
			'214 2.0.0 Commands: HELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT HELP VRFY EXPN') >&2
}

@test "HELP lists a command that was added" {
	read -ra flags < <(config --cflags --libs)
	sed 's/commands\[i\].compose = compose_help/(void)compose_help/' \
		"$BATS_TEST_DIRNAME/embed.c" >"$PLACE/embed-ping.c"
	"$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror -o "$PLACE/embed" \
		"$PLACE/embed-ping.c" "${flags[@]}"
	session 'HELP\r\nHELP ping\r\n' | tail -n 2 | diff -u - <(
		echo '214 2.0.0 Commands: HELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT HELP VRFY EXPN PING'
		echo '214 2.0.0 PING [text]'
	) >&2
}
