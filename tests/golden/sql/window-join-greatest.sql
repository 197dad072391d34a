-- Who ordered most often in a window, ties among them: a join of counts with their own greatest.
-- input: sales
SELECT a.customer, a.n, a.window_end
FROM (
  SELECT customer, COUNT(*) AS n, window_start, window_end
  FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
  GROUP BY customer, window_start, window_end
) a JOIN (
  SELECT MAX(n) AS most, window_start, window_end
  FROM (
    SELECT COUNT(*) AS n, window_start, window_end
    FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
    GROUP BY customer, window_start, window_end
  ) counts
  GROUP BY window_start, window_end
) b ON a.window_start = b.window_start AND a.window_end = b.window_end AND a.n >= b.most
