# shellcheck shell=bash
# What the tests share. SMTPD_BIN names the folder of the programs to test.
#
#   setup_file() { stage; }
#   teardown_file() { unstage; }
#   teardown() { end_all; }

bats_require_minimum_version 1.5.0
: "${SMTPD_BIN:=$(cd "$BATS_TEST_DIRNAME/.." && pwd)}"
: "${BUILD:=build}"
case $BUILD in
/*) ;;
*) BUILD=$(cd "$BATS_TEST_DIRNAME/.." && pwd)/$BUILD ;;
esac
# A Python that need not be looked up again each time, and starts quickly.
: "${INTERPRETER:=$(python3 -c 'import sys; print(sys.executable)')}"
: "${PYTHON:=$BATS_TEST_DIRNAME/python}"
export SMTPD_BIN BUILD INTERPRETER PYTHON PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$BATS_TEST_DIRNAME

# stage: as root smtpd becomes nobody, to whom a checkout may be closed. So
# the programs are copied to $STAGE, which all may enter. $SMTPD is smtpd,
# $RECORD the delivery command tests/record, $MAIL where it leaves messages.
stage() {
	STAGE=$(mktemp -d "${TMPDIR:-/tmp}/smtpd-tests.XXXXXX")
	SMTPD=$STAGE/smtpd RECORD=$STAGE/record MAIL=$STAGE/mail
	export STAGE SMTPD RECORD MAIL
	cp "$SMTPD_BIN/smtpd" "$SMTPD_BIN/smtpd-print" \
		"$BATS_TEST_DIRNAME/record" "$STAGE"
	chmod 755 "$STAGE" "$STAGE"/*
	mkdir -m 1777 "$MAIL"
}

# build_in NAME MAKE-ARGUMENT ...: builds what they say in build/NAME, where what
# is up to date is not built again: once for all files.
build_in() {
	local name=$1 root=$BATS_TEST_DIRNAME/..
	shift
	mkdir -p "$root/build/$name"
	flock "$root/build/$name/.lock" \
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BUILD make -s -j2 -C "$root" \
		WERROR=1 BUILD="build/$name" BIN="build/$name" "$@" >&2
}

# sanitized: what SANITIZE=1 builds is in $SANITIZED.
sanitized() {
	SANITIZED=$BATS_TEST_DIRNAME/../build/sanitize
	export SANITIZED
	build_in sanitize variant-sanitize
}

unstage() {
	[ -z "${STAGE:-}" ] || rm -rf "$STAGE"
}

# start LOG COMMAND ...: in the background, standard output and error to LOG.
# Its process id is in $pid; end_all ends whatever is left.
started=()
start() {
	local log=$1
	shift
	"$@" </dev/null >"$log" 2>&1 3>&- &
	pid=$!
	started+=("$pid")
}

end_all() {
	local p
	# What the programs said, where the test failed.
	[ -n "${BATS_TEST_COMPLETED:-}" ] ||
		tail -n 40 "$BATS_TEST_TMPDIR"/log* >&2 2>/dev/null || true
	for p in "${started[@]}"; do
		kill "$p" 2>/dev/null || true
	done
	for p in "${started[@]}"; do
		ended "$p" || kill -KILL "$p" 2>/dev/null || true
	done
	started=()
}

# eventually COMMAND ...: until it succeeds, for ten seconds at most.
eventually() {
	local tries=$((500 * ${PATIENCE:-1}))
	until "$@"; do
		if [ $((tries -= 1)) -eq 0 ]; then
			echo "never came true: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

# gone PID: no such process, or nothing but its exit status: init may take its
# time to ask for that of a child's child.
gone() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	[[ ${stat##*) } = [ZX]* ]]
}

# ended PID: waits until the process, a child or not, has ended.
ended() {
	eventually gone "$1"
}

# reap PID: waits (bounded) for a child; its exit status is ours.
reap() {
	ended "$1" || return 124
	wait "$1"
}

# listening PORT: something listens there (the state 0A is LISTEN).
listening() {
	local hex
	printf -v hex '%04X' "$1"
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		grep -q "^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F]*:0000 0A "
}

# free_port: prints a port that nothing listens on.
free_port() {
	"$PYTHON" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# serve ARGUMENT ...: smtpd -l 127.0.0.1:0 with the arguments, its log in
# $log, its process id in $pid, its port in $port.
serve() {
	serve_at 127.0.0.1:0 "$@"
}

# serve_at ADDRESS ARGUMENT ...: the same elsewhere; $port is the last port
# that the log names, or empty.
serve_at() {
	local address=$1
	shift
	log=$BATS_TEST_TMPDIR/log.${#started[@]}
	: >"$log"
	start "$log" "$SMTPD" -l "$address" "$@"
	if ! eventually grep -q 'listening on ' "$log"; then
		cat "$log" >&2
		return 1
	fi
	# shellcheck disable=SC2034 # for the tests
	port=$(sed -n 's/.*listening on .*:\([0-9]*\).*/\1/p' "$log" | tail -n 1)
}

# stop PID: SIGTERM; fails unless the process then exits 0, in time.
stop() {
	local result=0
	kill -TERM "$1"
	reap "$1" || result=$?
	if [ "$result" -ne 0 ]; then
		echo "exit status $result after SIGTERM" >&2
		return 1
	fi
}

talk() {
	"$PYTHON" "$BATS_TEST_DIRNAME/talk.py" "$@"
}

deliver() {
	"$PYTHON" "$BATS_TEST_DIRNAME/deliver.py" "$@"
}

# py ARGUMENT ...: Python, its program on standard input; talk.py is at hand.
py() {
	"$PYTHON" - "$@"
}

# messages: how many tests/record has left, whole ones.
messages() {
	find "$MAIL" -mindepth 1 -maxdepth 1 ! -name '.*' -printf . | wc -c
}

# recorded NAME: prints that variable of the environment of the only message.
recorded() {
	tr '\0\n' '\n ' <"$(only)/env" | sed -n "s/^$1=//p"
}

# only: the folder of the only message.
only() {
	[ "$(messages)" -eq 1 ] || return 1
	find "$MAIL" -mindepth 1 -maxdepth 1 ! -name '.*'
}

forget_messages() {
	find "$MAIL" -mindepth 1 -delete
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

# page_and_help PAGE PROGRAM: both have the same options, in the same order.
page_and_help() {
	"$2" --help | sed -n 's/^  -\(.\), --\([a-z-]*\) .*/\1 \2/p' >program
	sed -n 's/^\.It Fl \(.\) , -\([a-z-]*\).*/\1 \2/p' "$1" >manual
	[ -s manual ]
	diff -u program manual
}

# page_is_sound PAGE STATUSES VARIABLE ...: mandoc likes it, it lists these exit
# statuses and names these variables, its examples for sh parse.
page_is_sound() {
	local page=$1 statuses=$2 name
	shift 2
	mandoc -T lint -W warning "$page"
	[ "$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It Li //p' "$page" |
		paste -sd ' ')" = "$statuses" ]
	for name in "$@"; do
		sed -n '/^\.Sh ENVIRONMENT/,/^\.Sh EXIT/p' "$page" |
			grep -q "^\.\(It \)\?Ev.*\b$name\b"
	done
	awk '/^\.\\" sh/ { mark = 1; next } mark && /^\.Bd/ { on = 1; next }
		/^\.Ed/ { on = mark = 0 } on { print; count++ }
		END { exit count == 0 }' "$page" >examples
	sh -n examples
}

# shellcheck disable=SC2016 # bash -c expands it
# tells PROGRAM: --help and --version are on standard output, and say so if they
# cannot be.
tells() {
	local option
	for option in --help -h --version -V; do
		"$1" "$option" >out 2>err </dev/null
		[ -s out ]
		[ ! -s err ]
		run -75 bash -c '"$1" "$2" >/dev/full' - "$1" "$option"
	done
	run -1 bash -c '"$1" --help | grep -E "^.{81}"' - "$1"
}
