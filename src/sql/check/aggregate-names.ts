/** Which names are aggregates; those with a reason are Flink's and not ours yet. */
export const aggregateNames: readonly string[] = [
  "COUNT",
  "SUM",
  "AVG",
  "MIN",
  "MAX",
  "STDDEV_POP",
  "STDDEV_SAMP",
  "STDDEV",
  "VAR_POP",
  "VAR_SAMP",
  "VARIANCE",
  "FIRST_VALUE",
  "LAST_VALUE",
  "APPROX_COUNT_DISTINCT",
];

export const unsupportedAggregates: readonly string[] = [
  "LISTAGG",
  "COLLECT",
  "ARRAY_AGG",
  "JSON_OBJECTAGG",
  "JSON_ARRAYAGG",
  "RANK",
  "DENSE_RANK",
  "PERCENT_RANK",
  "CUME_DIST",
  "NTILE",
  "LAG",
  "LEAD",
  "PERCENTILE",
  "GROUPING",
  "GROUPING_ID",
  "GROUP_ID",
];

const names = new Set([...aggregateNames, ...unsupportedAggregates, "ROW_NUMBER"]);

export function isAggregateName(name: string): boolean {
  return names.has(name);
}
