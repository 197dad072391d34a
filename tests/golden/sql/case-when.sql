-- CASE in both forms, nested, without ELSE.
-- input: bids
SELECT auction, CASE auction WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'many' END AS a,
  CASE WHEN price > 200 THEN 'dear' WHEN price > 100 THEN 'fair' END AS b,
  CASE WHEN price IS NULL THEN CASE WHEN auction = 3 THEN 'x' ELSE 'y' END ELSE channel END AS c,
  IF(price > 100, 1, 0) AS d FROM bids
