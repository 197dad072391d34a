/** `streamctl group delete`. */
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";

export const groupDeleteCommand = defineCommand({
  name: "group delete",
  summary: "Delete a group without members, and its offsets",
  positionals: [{ name: "GROUP", doc: "the group's id" }],
  options: clientOptions,
  examples: ["streamctl group delete billing"],
  async run({ io, options, positionals: [groupId = ""] }) {
    await apiClient(options).send("DELETE", `/v1/groups/${encodeURIComponent(groupId)}`);
    if (options.output === "json") await writeJson(io, { deleted: groupId });
    else await io.stdout.write(`Deleted group ${groupId}\n`);
    return exitOk;
  },
});
