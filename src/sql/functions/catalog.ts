/** Every built-in scalar function, and every SQLite function that their texts call. */
import { arithmeticFunctions } from "./arithmetic.ts";
import { arithmeticHosts } from "./arithmetic-host.ts";
import { castHosts } from "./cast-host.ts";
import { comparisonFunctions } from "./comparison.ts";
import { conditionalFunctions, conditionalHosts } from "./conditional.ts";
import type { FunctionDefinition } from "./definition.ts";
import { encodingHosts } from "./encoding-host.ts";
import { hashFunctions, hashHosts } from "./hash.ts";
import type { HostFunction } from "./host-function.ts";
import { jsonFunctions } from "./json.ts";
import { jsonHosts } from "./json-host.ts";
import { likeHosts } from "./like.ts";
import { mathFunctions, mathHosts } from "./math.ts";
import { stringFunctions } from "./string.ts";
import { stringHosts } from "./string-host.ts";
import { temporalFunctions } from "./temporal.ts";
import { temporalHosts } from "./temporal-host.ts";

export const functionCatalog: readonly FunctionDefinition[] = [
  ...comparisonFunctions,
  ...arithmeticFunctions,
  ...mathFunctions,
  ...stringFunctions,
  ...temporalFunctions,
  ...conditionalFunctions,
  ...jsonFunctions,
  ...hashFunctions,
];

/** To be registered with SQLite before any lowered expression runs. */
export const hostFunctions: readonly HostFunction[] = [
  ...arithmeticHosts,
  ...mathHosts,
  ...castHosts,
  ...likeHosts,
  ...stringHosts,
  ...encodingHosts,
  ...temporalHosts,
  ...conditionalHosts,
  ...jsonHosts,
  ...hashHosts,
];

const byKey = new Map(functionCatalog.map((definition) => [definition.key, definition]));

const bySqlName = new Map(
  functionCatalog.flatMap((definition) =>
    definition.sqlNames.map((name) => [name, definition] as const),
  ),
);

/** Of a name that a plan carries. */
export function functionByKey(key: string): FunctionDefinition {
  const found = byKey.get(key);
  if (found === undefined) throw new RangeError(`The catalog has no function ${key}`);
  return found;
}

/** Of a name that a user wrote, in any case. */
export function functionByName(name: string): FunctionDefinition | undefined {
  return bySqlName.get(name.toUpperCase());
}

export const functionNames: readonly string[] = [...bySqlName.keys()];
