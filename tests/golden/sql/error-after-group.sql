-- An expression that fails above a group that changes: the group shows again when it no longer fails.
-- input: kv
SELECT k, 10 / (COUNT(*) - 2) AS q FROM kv GROUP BY k
