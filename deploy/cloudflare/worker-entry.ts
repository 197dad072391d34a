import { join } from "node:path";

/** Where the Worker begins. */
export const workerEntry: string = join(import.meta.dir, "../../src/runtime/workerd/main.ts");
