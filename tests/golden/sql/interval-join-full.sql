-- Interval join, full.
-- input: sales
SELECT o.id, p.order_id, o.customer, p.means
FROM orders o FULL OUTER JOIN payments p
ON o.id = p.order_id AND o.ts >= p.ts - INTERVAL '6' SECOND AND o.ts <= p.ts + INTERVAL '1' SECOND
