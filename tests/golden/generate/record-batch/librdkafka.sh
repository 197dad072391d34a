#!/bin/sh
# Produces the text records of README.md with librdkafka through kcat, one topic per codec.
#
#   librdkafka.sh HOST:PORT
set -eu
broker=$1

small() {
  i=0
  while [ $i -lt 40 ]; do
    [ $((i % 4)) -eq 3 ] || printf 'key-%d' $i
    printf '\t'
    if [ $((i % 7)) -ne 6 ]; then
      printf 'value-%d ' $i
      n=$((i * 13 % 50))
      while [ $n -gt 0 ]; do printf 'millrace '; n=$((n - 1)); done
    fi
    printf '\n'
    i=$((i + 1))
  done
}

large() {
  awk 'BEGIN {
    for (i = 0; i < 8; i++) {
      text = ""; state = i + 1
      while (length(text) < 16384) {
        # 32-bit arithmetic in halves, so that a double holds it.
        low = state % 65536; high = int(state / 65536)
        product = low * 20077 + 12345
        state = ((high * 20077 + low * 16838 + int(product / 65536)) % 65536) * 65536 + product % 65536
        text = text "w" (int(state / 65536) % 64) " "
      }
      printf "key-%d\t%s\n", i, text
    }
  }'
}

for codec in none gzip snappy lz4 zstd; do
  small | kcat -P -b "$broker" -t "librdkafka-$codec" -p 0 -K "$(printf '\t')" -Z -z "$codec" \
    -H trace=t -H 'ünïcode-✓' -X linger.ms=500
  [ "$codec" = none ] || large | kcat -P -b "$broker" -t "librdkafka-large-$codec" -p 0 \
    -K "$(printf '\t')" -Z -z "$codec" -X linger.ms=500 -X enable.idempotence=true
done
