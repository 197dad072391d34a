import { CommandError } from "./command.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "it may not be read",
  EISDIR: "it is a folder",
};

/** What is thrown where a file that the user named cannot be read. */
export function unreadableFile(file: string, error: unknown): CommandError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  return new CommandError("file_unreadable", `Cannot read ${file}: ${reasons[code] ?? message}`);
}
