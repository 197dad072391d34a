-- FIRST_VALUE and LAST_VALUE in the order of arrival.
-- input: kv
SELECT k, FIRST_VALUE(v) AS f, LAST_VALUE(v) AS l, FIRST_VALUE(d) AS fd, LAST_VALUE(m) AS lm FROM kv GROUP BY k
