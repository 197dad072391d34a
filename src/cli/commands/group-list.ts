/** `streamctl group list`. */
import { groupList } from "../../wire/http/shapes.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";
import { renderTable } from "../table.ts";

export const groupListCommand = defineCommand({
  name: "group list",
  summary: "List consumer groups",
  positionals: [],
  options: clientOptions,
  examples: ["streamctl group list"],
  async run({ io, options }) {
    const { groups } = await apiClient(options).call(groupList, "GET", "/v1/groups");
    if (options.output === "json") await writeJson(io, { groups });
    else if (groups.length === 0) await io.stdout.write("No groups\n");
    else {
      const columns = [{ title: "GROUP" }, { title: "STATE" }, { title: "PROTOCOL" }];
      const rows = groups.map((group) => [group.groupId, group.state, group.protocolType || null]);
      await io.stdout.write(renderTable(io.stdout, columns, rows));
    }
    return exitOk;
  },
});
