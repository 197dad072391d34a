-- STDDEV and VAR of samples and populations.
-- input: kv
SELECT k, ROUND(STDDEV_POP(d), 6) AS sp, ROUND(STDDEV_SAMP(d), 6) AS ss, ROUND(VAR_POP(d), 6) AS vp, ROUND(VAR_SAMP(d), 6) AS vs
FROM kv GROUP BY k
