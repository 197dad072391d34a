SELECT auction, price, rownum FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, channel ORDER BY price DESC) AS rownum
  FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
) WHERE rownum <= 3
