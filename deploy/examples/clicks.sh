#!/bin/sh
# Clicks and their live count with curl alone: set up, append, append again safely, read, follow.
#   MILLRACE_URL=http://127.0.0.1:8080 MILLRACE_TOKEN=… sh clicks.sh
set -eu
url=${MILLRACE_URL:-http://127.0.0.1:8080}

ask() {
  path=$1
  shift
  curl --silent --show-error --fail-with-body ${MILLRACE_TOKEN:+-H "Authorization: Bearer $MILLRACE_TOKEN"} \
    "$url$path" "$@"
}

# What the records are, and what is counted. Records carry the time at which they came.
ask /v1/sql -H 'Content-Type: application/json' -d @- <<'SQL'
{"sql": "CREATE STREAM IF NOT EXISTS clicks (button STRING, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR ts AS ts - INTERVAL '10' MINUTE) WITH ('partitions' = '1'); CREATE MATERIALIZED VIEW IF NOT EXISTS clicks_per_window AS SELECT button, COUNT(*) AS clicks, window_start, window_end FROM TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY button, window_start, window_end EMIT CHANGES"}
SQL

# A line is a record.
ask /v1/topics/clicks/records -H 'Content-Type: text/plain' --data-binary '{"button":"oak"}
{"button":"elm"}'

# With a place in a producer's sequence a request may be sent twice, and counts once.
producer=curl-$$-$(date +%s)
for attempt in first again; do
  ask /v1/topics/clicks/records -H 'Content-Type: text/plain' -d '{"button":"ash"}' \
    -H "Producer-Id: $producer" -H 'Producer-Epoch: 0' -H 'Producer-Seq: 0'
done

# The records, from the first one on.
ask '/v1/topics/clicks/partitions/0/records?offset=earliest&values=json'

# The counts, and what becomes of them, until you stop it.
ask /v1/sql --no-buffer --max-time "${SECONDS_TO_FOLLOW:-0}" -H 'Accept: text/event-stream' \
  -H 'Content-Type: application/json' -d '{"sql":"SELECT * FROM clicks_per_window EMIT CHANGES"}'
