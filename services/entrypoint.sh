#!/bin/sh
# What the image runs: a worker by its name, or else a command of spanmeter, such as `setup` or `alerts list`.
set -eu
here=$(dirname "$0")
case "${1-}" in
  ingest | enrich | sink | alert) exec node "$here/$1/main.ts" ;;
  *) exec node "$here/cli/main.ts" "$@" ;;
esac
