-- FIRST_VALUE and LAST_VALUE in HOP windows: panes are merged in the order of arrival.
-- input: kv
SELECT window_start, FIRST_VALUE(k) AS f, LAST_VALUE(k) AS l, FIRST_VALUE(v) AS fv, LAST_VALUE(m) AS lm
FROM TABLE(HOP(TABLE kv, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '2' SECOND))
GROUP BY window_start, window_end
