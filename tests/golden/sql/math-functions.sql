-- Mathematical functions.
-- input: kv
SELECT v, ABS(v) AS a, POWER(v, 2) AS b, SQRT(ABS(v)) AS c, CEIL(d) AS d1, FLOOR(d) AS e, ROUND(d, 0) AS f, SIGN(v) AS g,
  ROUND(EXP(1), 6) AS h, ROUND(LN(ABS(v)), 6) AS i, ROUND(LOG10(ABS(v)), 6) AS j, TRUNCATE(d, 0) AS l, GREATEST(v, 2) AS m, LEAST(v, 2) AS n,
  ROUND(SIN(d), 6) AS o, ROUND(PI(), 6) AS p FROM kv WHERE v IS NOT NULL AND d IS NOT NULL
