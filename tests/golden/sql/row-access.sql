-- ROW columns by their fields, NULL where a part is missing.
-- input: people
SELECT id, address.street AS street, address.city.name AS city, p.address.city.zip + 1 AS next_zip FROM people p
