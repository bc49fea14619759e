# bash completion for python-smtpd: into /usr/share/bash-completion/completions
# as python-smtpd, or source it in ~/.bashrc. It needs bash alone.

_python_smtpd() {
	local words='' before=$3
	# bash cuts --class=CLASS into three words.
	[[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD - 2]}
	[[ $2 != = ]] || set -- "$1" ''
	case $before in
	-c | --class) words='DebuggingServer PureProxy MailmanProxy' ;;
	-s | --size) ;;
	*)
		[[ $2 != -* ]] || words='-n --nosetuid -c --class -s --size -u
			--smtputf8 -d --debug -V --version -h --help'
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
}

complete -F _python_smtpd -o bashdefault -A hostname python-smtpd
