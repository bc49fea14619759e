# shellcheck shell=bash
# A Postfix of the tests' own, run from where tests/peers has unpacked it, as
# root, its daemons as users that every Debian has; it has no use for DNS.
# What it says is in HOME/log/maillog.
# shellcheck disable=SC2154 # of lib.bash

# postfix_settle HOME: queue and settings; the caller adds to
# HOME/config/main.cf and master.cf.
postfix_settle() {
	local usr=$BUILD/peers/postfix/usr home=$1
	mkdir -p "$home"/{config,data,log,mail,queue/pid} "$home"/queue/{active,bounce,corrupt} \
		"$home"/queue/{defer,deferred,flush,hold,incoming,maildrop,private,public,saved,trace}
	chown mail "$home"/{data,mail,queue/*}
	chown root "$home/queue/pid"
	cat >"$home/config/main.cf" <<-CF
		compatibility_level = 3.6
		config_directory = $home/config
		queue_directory = $home/queue
		data_directory = $home/data
		daemon_directory = $usr/lib/postfix/sbin
		command_directory = $usr/sbin
		shlib_directory = $usr/lib/postfix
		meta_directory = $usr/share/postfix
		import_environment = LD_LIBRARY_PATH MAIL_CONFIG
		maillog_file = $home/log/maillog
		maillog_file_prefixes = $home/log
		mail_owner = mail
		setgid_group = daemon
		myhostname = postfix.example
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		mydestination =
		alias_maps =
		local_recipient_maps =
		local_header_rewrite_clients =
		disable_dns_lookups = yes
		smtpd_peername_lookup = no
		smtpd_client_connection_count_limit = 0
	CF
	cat >"$home/config/master.cf" <<-'CF'
		postlog unix-dgram n - n - 1 postlogd
		cleanup unix n - n - 0 cleanup
		rewrite unix - - n - - trivial-rewrite
		qmgr unix n - n 300 1 qmgr
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		trace unix - - n - 0 bounce
		error unix - - n - - error
	CF
}

# postfix_master HOME PORT ...: its process is $MASTER, which does not outlive
# us; it listens at the ports.
postfix_master() {
	local usr=$BUILD/peers/postfix/usr home=$1 port
	shift
	LD_LIBRARY_PATH=$usr/lib/postfix MAIL_CONFIG=$home/config \
		start "$home/log/master" setpriv --pdeathsig TERM \
		"$usr/lib/postfix/sbin/master"
	export MASTER=$pid
	for port; do
		eventually listening "$port" || {
			cat "$home"/log/* >&2
			return 1
		}
	done
}

postfix_end() {
	[ -n "${MASTER:-}" ] || return 0
	kill -TERM "$MASTER"
	ended "$MASTER" || kill -KILL -- "-$MASTER"
}
