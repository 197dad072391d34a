import { serverChecks } from "./server-checks.ts";
import { sqlChecks } from "./sql-checks.ts";

serverChecks("Bun", {});
sqlChecks("Bun", {});
