-- Window join of sessions: the same session on both sides, made of one stream.
-- input: sales
SELECT a.id AS first_id, b.id AS second_id, a.customer, a.window_start, a.window_end
FROM (SELECT * FROM TABLE(SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '15' SECOND))) a
JOIN (SELECT * FROM TABLE(SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '15' SECOND))) b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end
  AND a.id < b.id
