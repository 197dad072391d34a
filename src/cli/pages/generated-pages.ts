import { withHttpReference } from "./http-page.ts";
import { withKafkaReference } from "./kafka-page.ts";
import { withSettings } from "./settings-page.ts";
import { withSqlReference } from "./sql-page.ts";

/** Pages with parts that are made from code, each with what makes those parts anew. */
export const generatedPages: Readonly<Record<string, (page: string) => string>> = {
  "docs/HTTP.md": withHttpReference,
  "docs/KAFKA.md": withKafkaReference,
  "docs/OPERATIONS.md": withSettings,
  "docs/SQL.md": withSqlReference,
};
