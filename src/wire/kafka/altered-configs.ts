/** The answer of AlterConfigs and of IncrementalAlterConfigs: a line per resource, in one table. */
import { type FieldTable, int8, int16, int32, string, structs } from "./field-table.ts";

export interface AlteredConfigs {
  readonly throttleTimeMs?: number;
  readonly responses: readonly AlteredResource[];
}

export interface AlteredResource {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
}

const alteredResource: FieldTable<AlteredResource> = {
  errorCode: int16(),
  errorMessage: string({ nullableSince: 0 }),
  resourceType: int8(),
  resourceName: string(),
};

export const alteredConfigs: FieldTable<AlteredConfigs> = {
  throttleTimeMs: int32(),
  responses: structs(alteredResource),
};
