-- An expression that fails above a window.
-- input: kv
SELECT k, 10 / SUM(v) AS q FROM TABLE(TUMBLE(TABLE kv, DESCRIPTOR(ts), INTERVAL '1' SECOND))
GROUP BY k, window_start, window_end HAVING COUNT(v) > 0
