-- Interval join, right.
-- input: sales
SELECT o.id, p.order_id, p.paid
FROM orders o RIGHT JOIN payments p
ON o.id = p.order_id AND o.ts BETWEEN p.ts - INTERVAL '5' SECOND AND p.ts
