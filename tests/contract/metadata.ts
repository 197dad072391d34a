/** The metadata contract: what every SqlDatabase gives to `src/meta`. */
import { catalogContract } from "./metadata-catalog.ts";
import { cutContract } from "./metadata-cut.ts";
import type { OpenMetadata } from "./metadata-fixture.ts";
import { objectsContract } from "./metadata-objects.ts";
import { publishContract } from "./metadata-publish.ts";
import { publishGroupsContract } from "./metadata-publish-groups.ts";
import { queriesContract } from "./metadata-queries.ts";
import { releaseContract } from "./metadata-release.ts";
import { sequencesContract } from "./metadata-sequences.ts";
import { sqlContract } from "./metadata-sql.ts";
import { timestampsContract } from "./metadata-timestamps.ts";
import { tokensContract } from "./metadata-tokens.ts";
import { workersContract } from "./metadata-workers.ts";

export function metadataContract(name: string, open: OpenMetadata): void {
  sqlContract(name, open);
  publishContract(name, open);
  sequencesContract(name, open);
  publishGroupsContract(name, open);
  catalogContract(name, open);
  workersContract(name, open);
  objectsContract(name, open);
  releaseContract(name, open);
  queriesContract(name, open);
  cutContract(name, open);
  timestampsContract(name, open);
  tokensContract(name, open);
}
