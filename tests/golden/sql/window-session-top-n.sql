-- Window Top-N over sessions: the dearest order of each customer's session.
-- input: sales
SELECT customer, id, amount, window_start, window_end, rownum FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY window_start, window_end, customer ORDER BY amount DESC) AS rownum
  FROM TABLE(SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '15' SECOND)))
WHERE rownum <= 1
