#!/bin/sh
# Downloads pages, 16 at a time: pages.sh URL COUNT
set -eu
seq -f "$1/bytes/2k?n=%g" "$2" |
    xargs -P 16 -n 1 curl --no-progress-meter --fail --output /dev/null --write-out '%{http_code}\n' |
    sort | uniq -c | awk '{ print $1, "pages with status", $2 }'
