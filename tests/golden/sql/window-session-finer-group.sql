-- Groups finer than the sessions' key, and a filter behind them: sessions are as all rows made them.
-- input: sales
SELECT customer, id, window_start, window_end, COUNT(*) AS n, SUM(amount) AS total
FROM TABLE(SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '15' SECOND))
WHERE amount > 6
GROUP BY customer, id, window_start, window_end
