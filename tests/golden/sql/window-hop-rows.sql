-- HOP without GROUP BY: each row once per window.
-- input: kv
SELECT k, v, window_start, window_end, window_time
FROM TABLE(HOP(TABLE kv, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '3' SECOND))
