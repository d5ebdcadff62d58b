#!/bin/sh
# Adds up the prices of a list of articles: prices.sh URL COUNT
set -eu
base=$1
count=$2

total=0
article=0
while [ "$article" -lt "$count" ]; do
    size=$(curl --no-progress-meter --fail --output /dev/null --write-out '%{size_download}' "$base/json/1k?n=$article")
    total=$((total + size))
    article=$((article + 1))
done
echo "$count articles, total $total"
