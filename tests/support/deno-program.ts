/** The server on Deno as `deno task NAME` runs it, with the permissions of that task and no more. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { binaryOf } from "../run/binaries.ts";

/** What stands in a task for the data folder, where a server of a test has one of its own. */
const dataWord = /(?<=[=,])data(?=[/,]|$)/;

/**
 * The task's command for a server whose data lie in `data`. A child of `deno task` would outlive a
 * kill of it, so that what the task's shell does is done here.
 */
export function denoProgram(
  task: keyof typeof configuration.tasks,
): (data: string) => readonly string[] {
  const [prepared, command = ""] = configuration.tasks[task].split(" && ");
  const [env, temporary = "", ...words] = command.split(" ");
  return (data) => {
    if (prepared !== "mkdir -p data/tmp" || env !== "env" || words[0] !== "deno") {
      throw new Error(`The task ${task} of deno.json begins in another way`);
    }
    mkdirSync(join(data, "tmp"), { recursive: true });
    const [, ...rest] = words.map((word) => word.replace(dataWord, data));
    return ["env", temporary.replace(dataWord, data), binaryOf("deno"), ...rest];
  };
}
