-- Interval join with a further condition, bounds exclusive.
-- input: sales
SELECT o.id, p.paid, o.amount
FROM orders o JOIN payments p
ON o.id = p.order_id AND o.ts > p.ts - INTERVAL '6' SECOND AND o.ts < p.ts AND p.paid < o.amount
