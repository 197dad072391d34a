/** `streamctl group describe`. */
import { type GroupDetails, groupDetails } from "../../wire/http/shapes.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";
import type { Output } from "../io.ts";
import { renderFacts, renderTable } from "../table.ts";

export const groupDescribeCommand = defineCommand({
  name: "group describe",
  summary: "Show a group, its members, its offsets and its lag",
  positionals: [{ name: "GROUP", doc: "the group's id" }],
  options: clientOptions,
  examples: ["streamctl group describe billing"],
  async run({ io, options, positionals: [groupId = ""] }) {
    const path = `/v1/groups/${encodeURIComponent(groupId)}`;
    const group = await apiClient(options).call(groupDetails, "GET", path);
    if (options.output === "json") await writeJson(io, group);
    else await io.stdout.write(groupText(io.stdout, group));
    return exitOk;
  },
});

function groupText(output: Output, group: GroupDetails): string {
  const lags = group.offsets.map((each) => each.lag ?? 0);
  const facts = renderFacts(output, [
    ["group", group.groupId],
    ["state", group.state],
    ["protocol", [group.protocolType, group.protocolName].filter(Boolean).join(" ") || null],
    ["members", group.members.length],
    ["lag", lags.reduce((sum, lag) => sum + lag, 0)],
  ]);
  const members = group.members.length === 0 ? "" : `\n${membersText(output, group)}`;
  const offsets = group.offsets.length === 0 ? "" : `\n${offsetsText(output, group)}`;
  return facts + members + offsets;
}

function membersText(output: Output, group: GroupDetails): string {
  const columns = [
    { title: "MEMBER" },
    { title: "CLIENT" },
    { title: "HOST" },
    { title: "ASSIGNED" },
  ];
  const rows = group.members.map((member) => [
    member.groupInstanceId ?? member.memberId,
    member.clientId,
    member.clientHost,
    member.assignments
      .map(({ topic, partitions }) => `${topic}/${partitions.join(",")}`)
      .join(" ") || null,
  ]);
  return renderTable(output, columns, rows);
}

function offsetsText(output: Output, group: GroupDetails): string {
  const columns = [
    { title: "TOPIC" },
    { title: "PARTITION", align: "right" },
    { title: "COMMITTED", align: "right" },
    { title: "END", align: "right" },
    { title: "LAG", align: "right" },
  ] as const;
  const rows = group.offsets.map((each) => [
    each.topic,
    each.partition,
    each.offset,
    each.highOffset,
    each.lag,
  ]);
  return renderTable(output, columns, rows);
}
