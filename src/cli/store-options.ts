/** Options of commands that look at a worker's store and metadata themselves. */
import { settingTable } from "../runtime/settings.ts";

const { data, store, metadata, metadataToken } = settingTable;
const { awsRegion, awsAccessKeyId, awsSecretAccessKey, awsSessionToken } = settingTable;

export const storeOptions = {
  data,
  store,
  metadata,
  metadataToken,
  awsRegion,
  awsAccessKeyId,
  awsSecretAccessKey,
  awsSessionToken,
} as const;

const settingNames = ["data", "store", "metadata"] as const;

/** The options as flags again, for `readSettings`, which completes and checks them. */
export function storeArgv(argv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    const name = settingNames.find((each) => word === `--${each}` || word.startsWith(`--${each}=`));
    if (name === undefined) continue;
    kept.push(word);
    if (!word.includes("=")) kept.push(argv[++index] ?? "");
  }
  return kept;
}
