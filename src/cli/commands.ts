/** Every command by name. Loaded when asked for, so that starting a server loads nothing else. */
import type { Command } from "./command.ts";

export const commandLoaders = {
  server: async () => (await import("./commands/server.ts")).serverCommand,
  "topic create": async () => (await import("./commands/topic-create.ts")).topicCreateCommand,
  "topic list": async () => (await import("./commands/topic-list.ts")).topicListCommand,
  "topic describe": async () => (await import("./commands/topic-describe.ts")).topicDescribeCommand,
  "topic alter": async () => (await import("./commands/topic-alter.ts")).topicAlterCommand,
  "topic delete": async () => (await import("./commands/topic-delete.ts")).topicDeleteCommand,
  produce: async () => (await import("./commands/produce.ts")).produceCommand,
  consume: async () => (await import("./commands/consume.ts")).consumeCommand,
  sql: async () => (await import("./commands/sql.ts")).sqlCommand,
  "group list": async () => (await import("./commands/group-list.ts")).groupListCommand,
  "group describe": async () => (await import("./commands/group-describe.ts")).groupDescribeCommand,
  "group reset": async () => (await import("./commands/group-reset.ts")).groupResetCommand,
  "group delete": async () => (await import("./commands/group-delete.ts")).groupDeleteCommand,
  shim: async () => (await import("./commands/shim.ts")).shimCommand,
  "token create": async () => (await import("./commands/token-create.ts")).tokenCreateCommand,
  "token list": async () => (await import("./commands/token-list.ts")).tokenListCommand,
  "token revoke": async () => (await import("./commands/token-revoke.ts")).tokenRevokeCommand,
  copy: async () => (await import("./commands/copy.ts")).copyCommand,
  "segment inspect": async () =>
    (await import("./commands/segment-inspect.ts")).segmentInspectCommand,
  "segment verify": async () => (await import("./commands/segment-verify.ts")).segmentVerifyCommand,
  bench: async () => (await import("./commands/bench.ts")).benchCommand,
  version: async () => (await import("./commands/version.ts")).versionCommand,
} as const satisfies Readonly<Record<string, () => Promise<Command>>>;

export type CommandName = keyof typeof commandLoaders;
