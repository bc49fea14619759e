#!/usr/bin/env bats
# shellcheck shell=bats
# libsmtpd: what is pure stays pure, what is installed can be used, and smtp(3)
# says what the headers say.

load lib

setup_file() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	: "${CC:=gcc}"
	PLACE=$BATS_FILE_TMPDIR
	ROOM_NAMES=$(in_root print-pure)
	INCLUDED=$PLACE/stage/opt/smtpd/include/smtpd
	PAGE=$PLACE/stage/opt/smtpd/share/man/man3/smtp.3
	export ROOT CC PLACE ROOM_NAMES INCLUDED PAGE
	# The same object for any default of the compiler, and nothing in it but
	# what the source asks for.
	OBJECTS=$ROOT/build/pure/lib
	export OBJECTS
	build_in pure CC="$CC" CFLAGS='-O2 -DNDEBUG' CPPFLAGS=-U_FORTIFY_SOURCE \
		HARDEN='-fno-stack-protector -fno-pie' build/pure/libsmtpd.a
	build_in "${CC##*/}" CC="$CC" install DESTDIR="$PLACE/stage" PREFIX=/opt/smtpd
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

@test "libsmtpd.pc: a tree that was moved, and folders that are elsewhere" {
	moved=$PLACE/moved/anywhere
	mkdir -p "$moved"
	cp -R "$PLACE/stage/opt/smtpd/." "$moved"
	flags=$(PKG_CONFIG_PATH=$moved/lib/pkgconfig pkg-config --define-prefix \
		--cflags --libs libsmtpd)
	[ "${flags%"${flags##*[! ]}"}" = "-I$moved/include/smtpd -L$moved/lib -lsmtpd" ]
	# Where it was installed, and where Debian has it.
	flags=$(PKG_CONFIG_PATH=$moved/lib/pkgconfig pkg-config --cflags --libs libsmtpd)
	[ "${flags%"${flags##*[! ]}"}" = '-I/opt/smtpd/include/smtpd -L/opt/smtpd/lib -lsmtpd' ]
	build_in "${CC##*/}" CC="$CC" install DESTDIR="$PLACE/debian" \
		PREFIX=/opt/smtpd LIBDIR=/opt/smtpd/lib/x86 INCLUDEDIR=/srv/include
	flags=$(PKG_CONFIG_PATH=$PLACE/debian/opt/smtpd/lib/x86/pkgconfig pkg-config --cflags --libs libsmtpd)
	[ "${flags%"${flags##*[! ]}"}" = '-I/srv/include/smtpd -L/opt/smtpd/lib/x86 -lsmtpd' ]
}

# build PROGRAM SOURCE ...: against what is installed, and nothing of lib/.
build() {
	local program=$1 flags
	shift
	read -ra flags < <(config --cflags --libs)
	"$CC" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror \
		-o "$PLACE/$program" "$@" "${flags[@]}"
}

# pure_objects: the objects, with their path.
pure_objects() {
	for room in $ROOM_NAMES; do
		echo "$OBJECTS/$room.o"
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
	in_root print-public | tr ' ' '\n' | sort >"$PLACE/public"
	(cd include/smtpd && printf '%s\n' *) | sed 's/\.h$//' |
		diff -u "$PLACE/public" -
	for page in "$ROOT"/man/*; do
		cmp "$page" "share/man/man${page##*.}/${page##*/}"
	done
	[ -f share/man/man3/smtp.3 ]
	[ -f share/doc/smtpd/README.md ]
	run "$PLACE/stage/opt/smtpd/bin/smtpd" --version
	[ "$status" -eq 0 ]
	# What the package says it is.
	[[ $output = *"$(config --modversion)"* ]]
	# No path of the machine that built it.
	run ! grep -r "$PLACE" lib/pkgconfig share
}

@test "the installed archive is the pure rooms, and needs nothing but libc" {
	archive=$PLACE/stage/opt/smtpd/lib/libsmtpd.a
	ar t "$archive" | sed 's/\.o$//' | sort |
		diff -u <(tr ' ' '\n' <<<"$ROOM_NAMES" | sort) -
	nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort >"$PLACE/defined"
	# What the compiler adds for its own checks, besides.
	run -1 grep -vxE '(mem|str)[a-z]+|__(mem|str)[a-z]+_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_' \
		<(nm -u "$archive" | awk '$1 == "U" { print $2 }' | sort -u |
			comm -23 - <(sort -u "$PLACE/defined"))
	# No name twice.
	[ -s "$PLACE/defined" ]
	[ -z "$(uniq -d "$PLACE/defined")" ]
}

# alone HEADER COMPILER ...: the header, by name and in smtpd/, twice.
alone() {
	local header=$1
	shift
	printf '#include <%s>\n' "$header" "smtpd/$header" |
		if [ "${*: -1}" = c++ ]; then
			printf 'extern "C" {\n%s\n}\n' "$(cat)"
		else
			cat
		fi | "$@" - -I"$INCLUDED" -I"${INCLUDED%/*}" -fsyntax-only -Wall \
			-Wextra -Wpedantic -Werror
}

@test "each installed header compiles alone, in C and C++" {
	count=0 plus=$(command -v clang++ || command -v g++)
	for header in "$INCLUDED"/*.h; do
		alone "${header##*/}" "$CC" -std=c11 -x c
		alone "${header##*/}" "$plus" -std=c++11 -x c++
		count=$((count + 1))
	done
	[ "$count" -ge 10 ]
}

@test "what a comment of an installed header calls is declared in one" {
	cat "$INCLUDED"/*.h >"$PLACE/headers"
	# A function of the library in a comment has its parentheses, as here().
	grep -oE '[a-z0-9_]+\(\)' "$PLACE/headers" | tr -d '()' | sort -u >"$PLACE/called"
	[ "$(wc -l <"$PLACE/called")" -ge 10 ]
	while read -r name; do
		grep -qE "(^|[ *])$name\(([^)]|\$)" "$PLACE/headers" || {
			echo "not installed: $name" >&2
			return 1
		}
	done <"$PLACE/called"
}

# session OCTETS: what the embedding program says.
session() {
	# shellcheck disable=SC2059 # printf's rules
	printf "$1" | "$PLACE/embed" | tr -d '\r'
}

@test "a program copies the table, adds PING and replaces HELP" {
	[ "$(wc -l <"$BATS_TEST_DIRNAME/embed.c")" -lt 80 ]
	build embed "$BATS_TEST_DIRNAME/embed.c"
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
		259 2.0.0 Pong
		259 2.0.0 Pong
		501 5.5.4 Syntax: PING [ignored]
		501 5.5.4 Control character in argument
		500 5.5.2 Command not recognized
		214-2.0.0 Read the manual
		214 2.0.0 and ask again
		214-2.0.0 Read the manual
		214 2.0.0 and ask again
		250 embed.example
		250 2.1.0 Sender OK
		259 2.0.0 Pong
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
	sed 's/commands\[i\].compose = compose_help/(void)compose_help/' \
		"$BATS_TEST_DIRNAME/embed.c" >"$PLACE/embed-ping.c"
	build embed "$PLACE/embed-ping.c"
	session 'HELP\r\nHELP ping\r\n' | tail -n 2 | diff -u - <(
		echo '214 2.0.0 Commands: HELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT HELP VRFY EXPN PING'
		echo '214 2.0.0 PING [ignored]'
	) >&2
}

@test "of two rows with the same verb the first counts, with all it says" {
	# The last row is a second PING, then a second NOOP.
	sed 's/SMTP_COMMANDS + 1\([],]\)/SMTP_COMMANDS + 3\1/
		s/^\tcommands\[SMTP_COMMANDS\] = ping;/&\n\tcommands[SMTP_COMMANDS + 1] = ping;\n\tcommands[SMTP_COMMANDS + 1].reply = "259 2.0.0 Second";\n\tcommands[SMTP_COMMANDS + 2] = commands[SMTP_COMMANDS + 1];\n\tcommands[SMTP_COMMANDS + 2].verb = "NOOP";/' \
		"$BATS_TEST_DIRNAME/embed.c" >"$PLACE/embed-twice.c"
	build embed "$PLACE/embed-twice.c"
	session 'PING\r\nNOOP\r\nPING 123456789\r\n' | sed 1d | diff -u - <(
		echo '259 2.0.0 Pong'
		echo '250 2.0.0 OK'
		echo '501 5.5.4 Syntax: PING [ignored]'
	) >&2
	# The second NOOP is one where it is the only row of its name.
	sed 's/sizeof smtp_commands);/&\n\tfor (size_t i = 0; i < SMTP_COMMANDS; i++)\n\t\tif (strcmp(commands[i].verb, "NOOP") == 0)\n\t\t\tcommands[i].verb = "NOPE";/' \
		"$PLACE/embed-twice.c" >"$PLACE/embed-second.c"
	build embed "$PLACE/embed-second.c"
	session 'NOOP\r\n' | tail -n 1 | diff -u - <(echo '259 2.0.0 Second') >&2
}

@test "a row that is not offered is refused, whether it says how or not" {
	for sequence in NULL '"599 5.5.1 No"'; do
		sed "s/^#include <unistd.h>/&\nstatic bool never(const struct smtp *s)\n{\n\treturn s->state == 0;\n}/
			s/\.check = check_ping,/&\n    .offered = never,\n    .sequence = $sequence,/" \
			"$BATS_TEST_DIRNAME/embed.c" >"$PLACE/embed-never.c"
		build embed "$PLACE/embed-never.c"
		session 'PING\r\n' | tail -n 1
	done >"$PLACE/said"
	printf '%s\n' '502 5.5.1 Command not implemented' '599 5.5.1 No' |
		diff -u - "$PLACE/said" >&2
}

# client: Python's, to be run by the sink with its connection as 6 and 7.
client() {
	cat >"$PLACE/client.py" <<-'END'
	import smtplib, socket
	class Wired:
	    def _get_socket(self, host, port, timeout):
	        wire = socket.socket(fileno=6)
	        wire.settimeout(10)
	        return wire
	class SMTP(Wired, smtplib.SMTP):
	    pass
	class LMTP(Wired, smtplib.LMTP):
	    pass
	END
	cat >>"$PLACE/client.py"
}

@test "a sink in one process: smtplib, three messages, dots, BDAT, RSET, UTF-8" {
	[ "$(wc -l <"$BATS_TEST_DIRNAME/embed_sink.c")" -lt 80 ]
	build sink "$BATS_TEST_DIRNAME/embed_sink.c"
	client <<-'END'
	c = SMTP("sink", 25, "me")
	assert c.sendmail("ann@example.com", ["bob@example.org", "eve@example.org"], "Subject: x\n\n.dot\n..\n") == {}
	c.ehlo(), c.mail("lost@example.com"), c.rcpt("lost@example.org"), c.rset()
	c.mail("no@example.com"), c.rcpt("b@example.org")
	c.send(b"BDAT 2\r\nab")
	assert c.getreply()[0] == 250
	assert c.docmd("MAIL", "FROM:<a@b>")[0] == 503
	assert c.docmd("BDAT", "bad")[0] == 501
	c.mail(""), c.rcpt("bob@example.org")
	c.send(b"BDAT 3\r\na\nb"), c.getreply(), c.rset()
	c.mail(""), c.rcpt("bob@example.org")
	c.send(b"BDAT 3\r\na\r\n"), c.getreply()
	c.send(b"BDAT 4 LAST\r\n\r\n\r\n")
	assert c.getreply() == (250, b"2.0.0 OK")
	big = b"x" * 98 + b"\r\n"
	c.sendmail("käthe@example.com", ["jörg@example.org"], b"\r\n" + 20000 * big, mail_options=["SMTPUTF8"])
	assert c.quit()[0] == 221
	END
	"$PLACE/sink" "$PYTHON" "$PLACE/client.py" >"$PLACE/said"
	diff -u - "$PLACE/said" <<-'END'
	1 <ann@example.com> <bob@example.org> <eve@example.org> 20
	2 <> <bob@example.org> 4
	3 <käthe@example.com> <jörg@example.org> 1980001
	END
	# A client that fails is a sink that fails.
	run -1 "$PLACE/sink" false
	# What could not be printed was not taken.
	client <<-'END'
	c = SMTP("sink", 25, "me")
	try:
	    c.sendmail("a@b", ["c@d"], "\n")
	except smtplib.SMTPDataError as error:
	    assert error.smtp_code == 451, error
	else:
	    raise SystemExit(9)
	END
	"$PLACE/sink" "$PYTHON" "$PLACE/client.py" >/dev/full
}

@test "the sink in LMTP: a reply for each recipient; and smtpd-relay to it" {
	build sink "$BATS_TEST_DIRNAME/embed_sink.c"
	client <<-'END'
	c = LMTP("sink", 24, "me")
	assert c.docmd("HELO", "me")[0] == 500
	c.ehlo_or_helo_if_needed(), c.mail("a@b"), c.rcpt("c@d"), c.rcpt("e@f"), c.rcpt("c@d")
	assert c.docmd("DATA")[0] == 354
	c.send(b"\r\n.\r\n")
	assert [c.getreply()[0] for _ in range(3)] == [250] * 3
	assert c.quit()[0] == 221
	END
	"$PLACE/sink" -l "$PYTHON" "$PLACE/client.py" >"$PLACE/said"
	printf 'Subject: hi\n\n.\n' | SENDER=a@b RECIPIENTS=$'c@d\ne@f' \
		"$PLACE/sink" "$SMTPD_BIN/smtpd-relay" - >>"$PLACE/said"
	diff -u - "$PLACE/said" <<-'END'
	1 <a@b> <c@d> <e@f> <c@d> 1
	1 <a@b> <c@d> <e@f> 15
	250 2.0.0 OK
	END
}

# bare FILE: a header without comments.
bare() {
	"$CC" -fpreprocessed -dD -E -P -x c "$1"
}

# members HEADER STRUCT: the names in its braces, one a line.
members() {
	bare "$INCLUDED/$1" | tr '\n\t' '  ' | grep -oE "$2 \{([^{}]|\{[^}]*\})*\}" |
		sed 's/^[a-z_ ]*{//; s/{[^}]*}//; s/}$//; s/([^()]*)$//' | tr ';' '\n' |
		sed -E 's/\(\*([a-z]+)\).*/\1/; s/ = [0-9]+//g; s/,/\n/g' |
		grep -oE '[A-Za-z0-9_]+ *$' | tr -d ' '
}

# section NAME: its source.
section() {
	awk -v name="$1" '/^\.S[hs] / { on = substr($0, 5) == name } on' "$PAGE"
}

# items MACRO: the names that a section's list has items for.
items() {
	sed -n "s/^\.It $1 //p" | sed 's/ Ta .*//; s/ , /\n/g'
}

@test "smtp(3) has each prototype of smtp.h, and no other" {
	bare "$INCLUDED/smtp.h" | tr '\n\t' '  ' | sed 's/[;}]/&\n/g' |
		grep -oE '[a-z][a-z_ *]*smtp_[a-z]+\([^()]*\);' |
		tr -d ' ;' | sort >"$PLACE/declared"
	[ "$(wc -l <"$PLACE/declared")" -ge 10 ]
	awk '/^\.Ft / { type = substr($0, 5) }
		/^\.Sh DESC/ { exit }
		/^\.Fn / { $0 = substr($0, 5); name = $1
			sub(/^[^ ]* /, ""); gsub(/" "/, ",")
			print type name "(" $0 ")" }' "$PAGE" |
		tr -d ' "' | sort >"$PLACE/told"
	diff -u "$PLACE/declared" "$PLACE/told" >&2
	# And has something to say of each.
	section Functions | items Fn | sort | diff -u - <(
		grep -oE 'smtp_[a-z]+\(' "$PLACE/declared" | tr -d '(' | sort) >&2
}

@test "smtp(3) has each kind of event, and each member of what is the caller's" {
	members smtp.h 'enum smtp_kind' >"$PLACE/kinds"
	[ "$(wc -l <"$PLACE/kinds")" -ge 20 ]
	section Events | items Dv | diff -u "$PLACE/kinds" - >&2
	members smtp.h 'struct smtp_event' | diff -u - <(section Events |
		items Fa) >&2
	members smtp.h 'struct smtp_command' | diff -u - <(section 'The command table' |
		items Fa) >&2
	diff -u <(members smtp.h 'struct smtp_config' | sort) <(section 'The configuration' |
		items Fa | sort) >&2
	for set in state argument; do
		members smtp.h "enum smtp_$set" >"$PLACE/names"
		[ "$(wc -l <"$PLACE/names")" -ge 3 ]
		while read -r name; do
			section 'The command table' | grep -q "^\.Dv $name\( \|$\)"
		done <"$PLACE/names"
	done
	members data.h 'enum data_newline' >"$PLACE/names"
	while read -r name; do
		section 'The configuration' | grep -q "^\.Dv $name\( \|$\)"
	done <"$PLACE/names"
}

@test "smtp(3) names the other headers, and limits with their values" {
	section 'Other headers' | items In | diff -u <(cd "$INCLUDED" &&
		printf '%s\n' *.h | grep -vx 'smtp\.h') - >&2
	section Limits | sed -n 's/^\.It Dv \([A-Z_]*\) Ta \([0-9]*\) Ta .*/\1 \2/p' >"$PLACE/told"
	{
		printf '#include <%s>\n' smtp.h stdio.h
		printf 'int main(void)\n{\n'
		awk '{ printf "\tprintf(\"%s %%d\\n\", (int)(%s));\n", $1, $1 }' "$PLACE/told"
		printf '\treturn (sizeof(struct smtp) + 512) / 1024 != %s;\n}\n' \
			"$(sed -n 's/.*about \([0-9]*\) KiB.*/\1/p' "$PAGE")"
	} >"$PLACE/limits.c"
	build limits "$PLACE/limits.c"
	"$PLACE/limits" | diff -u "$PLACE/told" - >&2
	# None of the machine's own is missing.
	sed -n 's/^#define \(SMTP_[A-Z_]*\) .*/\1/p' "$INCLUDED/smtp.h" | sort |
		diff -u - <(sed 's/ .*//' "$PLACE/told" | grep ^SMTP_ | sort) >&2
}

@test "smtp(3): what is said where there is no answer, and smtp_default() knows" {
	build defaults "$BATS_TEST_DIRNAME/defaults.c"
	members smtp.h 'enum smtp_kind' >"$PLACE/kinds"
	"$PLACE/defaults" >"$PLACE/said"
	grep -qx "$(($(sed -n '/^SMTP_DATA$/=' "$PLACE/kinds") - 1)) 250 chunk" "$PLACE/said"
	while read -r number code; do
		sed -n "$((number + 1))s/\$/ $code/p" "$PLACE/kinds"
	done < <(grep -v chunk "$PLACE/said") | grep -v COMMAND | sort -u >"$PLACE/defaults.said"
	[ "$(wc -l <"$PLACE/defaults.said")" = 14 ]
	section Events | sed -n 's/^\.It Dv \([A-Z_]*\) Ta \([0-9]*\) Ta .*/\1 \2/p' |
		sort | diff -u "$PLACE/defaults.said" - >&2
	# All that are to be answered are in the table, in their order.
	sed -n '/^SMTP_CONNECT$/,$p' "$PLACE/kinds" | diff -u - <(section Events |
		sed -n 's/^\.It Dv \([A-Z_]*\) Ta .*/\1/p') >&2
}

@test "smtp(3): what the caller does wrong is a trap" {
	build defaults "$BATS_TEST_DIRNAME/defaults.c"
	run -0 "$PLACE/defaults" 0
	for number in 1 2 3 4 5 6; do
		run "$PLACE/defaults" "$number"
		[ "$status" -gt 128 ] || { echo "$number: $status" >&2; return 1; }
	done
}

@test "smtp(3): there is room for the line of smtp_end() behind any replies" {
	build defaults "$BATS_TEST_DIRNAME/defaults.c"
	# What may wait before a reply of 5122: that, and 512 behind it, make 8192.
	diff -u - <("$PLACE/defaults" 2558 512 && "$PLACE/defaults" 2559 512 &&
		"$PLACE/defaults" 3070 512 && "$PLACE/defaults" 5122 512) <<-'END'
		7680 512 1
		2559 512 1
		3070 512 1
		5122 512 1
	END
	run "$PLACE/defaults" 2558 513
	[ "$status" -gt 128 ]
}

# example NAME: a block of C of the page.
example() {
	awk -v mark=".\\\\\" c: $1" '
		last == mark && /^\.Bd/ { on = 1; last = ""; next }
		/^\.Ed/ { on = 0 }
		on { gsub(/\\e/, "\\"); print }
		{ last = $0 }' "$PAGE"
}

@test "smtp(3): the example is a server" {
	example server >"$PLACE/server.c"
	build server "$PLACE/server.c"
	printf '%s\r\n' 'EHLO x' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' \
		'RCPT TO:<postmaster>' 'RCPT TO:<c@EXAMPLE.org>' DATA . \
		'MAIL FROM:<a@b>' 'RCPT TO:<c@example.org>' DATA ..12345 . QUIT |
		"$PLACE/server" 2>"$PLACE/sizes" | tr -d '\r' >"$PLACE/said"
	printf '%s octets\n' 0 7 | diff -u - "$PLACE/sizes" >&2
	grep -v '^250-' "$PLACE/said" | diff -u - <(cat <<-'END'
		220 mx.example.org ESMTP
		250 HELP
		250 2.1.0 Sender OK
		550 5.7.1 Not here
		250 2.1.5 Recipient OK
		250 2.1.5 Recipient OK
		354 End data with <CR><LF>.<CR><LF>
		250 2.0.0 OK
		250 2.1.0 Sender OK
		250 2.1.5 Recipient OK
		354 End data with <CR><LF>.<CR><LF>
		250 2.0.0 OK
		221 2.0.0 Bye
	END
	) >&2
}

@test "smtp(3): the archive as CAVEATS makes it for musl links there" {
	make=$(sed -n 's/^\.Ql make \(STATIC=1\)$/\1/p' "$PAGE")
	build_in musl "$make" build/musl/libsmtpd.a
	example server >"$PLACE/server.c"
	musl-gcc -static -I"$INCLUDED" -o "$PLACE/server.musl" "$PLACE/server.c" \
		"$ROOT/build/musl/libsmtpd.a"
	printf 'QUIT\r\n' | "$PLACE/server.musl" | grep -q '^221 '
}

@test "smtp(3): the new command is that of embed.c, and its table works" {
	sed '1,/PING begins/d; /PING ends/,$d' "$BATS_TEST_DIRNAME/embed.c" |
		diff -u - <(example ping) >&2
	example table | sed '1,/^$/d' >"$PLACE/set.c"
	{
		example server | sed '/^int$/,$d'
		example ping
		example table | sed '/^$/q'
		example server | sed -n '/^int$/,$p' |
			sed 's/static const struct smtp_config config/static struct smtp_config config/'
	} | awk -v set="$PLACE/set.c" '
		/smtp_begin/ { while ((getline line <set) > 0) print line }
		{ print }' >"$PLACE/table.c"
	build table "$PLACE/table.c"
	example server >"$PLACE/server.c"
	build server "$PLACE/server.c"
	printf 'PING\r\nQUIT\r\n' | "$PLACE/table" | grep -q '^259 '
	printf 'PING\r\nQUIT\r\n' | "$PLACE/server" | grep -q '^500 '
}

# with BLOCK CALL SETTINGS: the server with another block and its call.
with() {
	example server | awk -v call="$2" -v settings="$3" -v block="$PLACE/$1.block" '
		/^int$/ { while ((getline line <block) > 0) print line; print "" }
		/hostname =/ { print settings }
		/decide\(&smtp, event\);/ { print call; next }
		{ print }' >"$PLACE/$1.c"
}

@test "smtp(3): the example of AUTH" {
	example login >"$PLACE/login.block"
	with login 'decide(&smtp, event); log_in(&smtp, event);' \
		'.auth = true, .auth_plaintext = true,'
	build login "$PLACE/login.c"
	# \0joe\0secret, \0joe\0secre, \0Joe\0secret
	for response in AGpvZQBzZWNyZXQ= AGpvZQBzZWNyZQ== AEpvZQBzZWNyZXQ=; do
		printf '%s\r\n' 'EHLO x' "AUTH PLAIN $response" QUIT | "$PLACE/login" |
			grep -v '^2[25][01]' | cut -c 1-9
	done | diff -u - <(printf '%s\n' '235 2.7.0' '535 5.7.8' '535 5.7.8') >&2
}

@test "smtp(3): the example of LMTP" {
	example judge >"$PLACE/judge.block"
	with judge 'judge(&smtp, event);' '.lmtp = true,'
	# The other one is not called.
	sed '/^decide(/,/^}/d' "$PLACE/judge.c" |
		awk '/^static void$/ && !cut { cut = 1; next } { print }' |
		grep -v '<text.h>' >"$PLACE/judge-only.c"
	build judge "$PLACE/judge-only.c"
	printf '%s\r\n' 'LHLO x' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'RCPT TO:<f@d>' 'RCPT TO:<g@d>' \
		DATA . 'MAIL FROM:<a@b>' 'RCPT TO:<f@d>' DATA . QUIT |
		"$PLACE/judge" | sed -n '/^354/,$p' | cut -c 1-9 |
		diff -u - <(printf '%s\n' '354 End d' '250 2.0.0' '452 4.2.2' '250 2.0.0' \
			'250 2.1.0' '250 2.1.5' '354 End d' '452 4.2.2' '221 2.0.0') >&2
}

@test "smtp(3): the structs are those of smtp.h, with all types" {
	for name in smtp_event smtp_config smtp_command; do
		bare "$INCLUDED/smtp.h" | awk -v name="$name" '
			$0 == "struct " name " {" { on = 1 } on { print }
			/^};/ { on = 0 }' | tr -d ' \t\n' >"$PLACE/struct"
		[ "$(wc -c <"$PLACE/struct")" -gt 200 ]
		example "$name" | tr -d ' \t\n' | diff -u "$PLACE/struct" - >&2
	done
}

@test "smtp(3): each literal block is C that a test above has looked at" {
	# shellcheck disable=SC2016 # awk's
	run -0 awk '/^\.Bd -literal/ && last !~ /^\.\\" c: (server|ping|table|login|judge|smtp_(event|config|command))$/ { print FNR }
		{ last = $0 }' "$PAGE"
	[ -z "$output" ]
}
