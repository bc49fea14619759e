# shellcheck shell=bash
# What the tests of smtpd-relay share; $STAGE has a copy of it.
# shellcheck disable=SC2154

# relay_setup: an envelope for two, of whom one is asked for, and a message.
relay_setup() {
	relay=$STAGE/smtpd-relay
	cd "$BATS_TEST_TMPDIR" || return
	unset SENDER RECIPIENTS RECIPIENT SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS \
		SMTP_PROTOCOL SMTP_SIZE SMTP_BODY SMTP_UTF8 SMTP_HOSTNAME \
		TCPREMOTEIP
	export SENDER=ann@example.com RECIPIENTS=bob@example.org
	# shellcheck disable=SC2034 # for the tests
	two=$'bob@example.org\ncid@example.org'
	printf 'Subject: hi\n\n.\n..dot\ntext\n' >message
}

# relayed STATUS ARGUMENT ...: relays the file message to $port; the reply is in
# the file out.
relayed() {
	local wanted=$1 status=0
	shift
	"$relay" -n me.example "$@" "127.0.0.1:$port" \
		<message >out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || {
		echo "exit status $status, not $wanted:" >&2
		cat out err >&2
		return 1
	}
}

# replied LINE ...: those, and no more, were the reply; one that ends in * is
# the beginning of it.
replied() {
	if [[ $1 = *'*' ]]; then
		# shellcheck disable=SC2053 # a pattern
		[[ $(cat out) = $1 ]] && [ "$(wc -l <out)" -eq 1 ]
	else
		printf '%s\n' "$@" | diff -u - out >&2
	fi
}
