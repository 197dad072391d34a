-- Interval join, left: orders that nobody paid in time come out when none can come any more.
-- input: sales
SELECT o.id, o.customer, p.means, p.paid
FROM orders o LEFT JOIN payments p
ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND
