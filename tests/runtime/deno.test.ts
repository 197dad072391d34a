/** The whole server on Deno, with the permissions that `deno task start` gives and no more. */

import configuration from "../../deno.json" with { type: "json" };
import { binaryOf } from "../run/binaries.ts";
import { serverChecks } from "./server-checks.ts";

const [, ...words] = configuration.tasks.start.split(" ");

serverChecks("Deno", { program: [binaryOf("deno"), ...words] });
