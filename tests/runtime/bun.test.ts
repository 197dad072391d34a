import { serverChecks } from "./server-checks.ts";

serverChecks("Bun", {});
