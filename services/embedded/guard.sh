#!/bin/sh
# Runs an engine and ends it when standard input closes, which also happens when the supervisor is
# killed with -9. So an engine never outlives its supervisor, and no pid has to be remembered.
#
#   guard.sh SIGNAL GRACE_SECONDS COMMAND...
#
# When standard input closes, the engine gets SIGNAL (0 sends none: the engine reads the same
# standard input and ends by itself), and after GRACE_SECONDS it is killed. The engine's pid is
# written to file descriptor 3. The guard ends with the engine and gives its exit code.
signal=$1
grace=$2
shift 2

exec 4<&0
"$@" <&4 3>&- 4<&- &
engine=$!
echo "$engine" >&3
exec 3>&-

(
  while read -r _ <&4; do :; done
  kill -s "$signal" "$engine" 2>/dev/null
  while [ "$grace" -gt 0 ] && kill -s 0 "$engine" 2>/dev/null; do
    sleep 1
    grace=$((grace - 1))
  done
  kill -s KILL "$engine" 2>/dev/null
) &
watcher=$!

wait "$engine"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
