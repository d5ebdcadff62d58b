#!/bin/sh
# Lists albums: albums.sh URL COUNT
set -eu
curl --no-progress-meter --fail --parallel --parallel-max 100 --parallel-immediate "$1/bytes/1k?n=[1-$2]" | wc -c
