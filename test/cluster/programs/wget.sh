#!/bin/sh
# Debian's static busybox dies of a segmentation fault with -T; timeout does the same.
limit=
i=$#
while [ "$i" -gt 0 ]; do
	i=$((i - 1))
	arg=$1
	shift
	case $arg in
	-T) limit=$1; shift; i=$((i - 1)) ;;
	-T*) limit=${arg#-T} ;;
	--timeout=*) limit=${arg#--timeout=} ;;
	*) set -- "$@" "$arg" ;;
	esac
done
if [ -z "$limit" ]; then
	exec busybox wget "$@"
fi
timeout "$limit" busybox wget "$@"
status=$?
if [ "$status" -eq 143 ] || [ "$status" -eq 124 ]; then
	echo "wget: download timed out" >&2
	exit 1
fi
exit "$status"
