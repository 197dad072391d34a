/** MinIO as the S3 of a test: one server with one bucket, in a temporary folder. */
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePorts, RunningProgram, temporaryFolder } from "../../support/processes.ts";
import { minioProgram } from "./programs.ts";

export interface Minio {
  /** As `--store` takes it: each prefix is a store of its own. */
  readonly storeUrl: (prefix: string) => string;
  /** The keys for S3 clients. */
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

const bucket = "interop";
const accessKeyId = "millrace";
const secretAccessKey = "millrace-secret";

export async function startMinio(): Promise<Minio> {
  const program = await minioProgram();
  const folder = temporaryFolder("minio");
  const [port = 0, consolePort = 0] = await freePorts(2);
  const endpoint = `http://127.0.0.1:${port}`;
  const command = [
    ...[program, "server", "--quiet", "--address", `127.0.0.1:${port}`],
    ...["--console-address", `127.0.0.1:${consolePort}`, join(folder, "data")],
  ];
  const server = new RunningProgram(command, {
    logPath: join(folder, "minio.log"),
    env: {
      MINIO_ROOT_USER: accessKeyId,
      MINIO_ROOT_PASSWORD: secretAccessKey,
      MINIO_BROWSER: "off",
    },
  });
  await server.waitUntil(async () => (await fetch(`${endpoint}/minio/health/ready`)).ok);
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  const query = `endpoint=${endpoint}&region=us-east-1&path-style=true`;
  return {
    storeUrl: (prefix) => `s3://${bucket}/${prefix}?${query}`,
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    stop: async () => void (await server.stop()),
  };
}
