/** What a command sees of its process, in one value, so that tests run commands in theirs. */

export interface Output {
  /** Resolves when the bytes are taken: awaiting it is how a slow reader holds us back. */
  write(content: string | Uint8Array): Promise<void>;
  readonly isTerminal: boolean;
  /** Characters per line; Infinity where lines may be of any length. */
  readonly columns: number;
  /** Whether colour is wanted here: a terminal, and NO_COLOR is not set. */
  readonly hasColour: boolean;
}

export interface Input {
  readonly isTerminal: boolean;
  chunks(): AsyncIterable<Uint8Array>;
}

export interface CliIo {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first SIGINT or SIGTERM: commands end in good order. */
  readonly signal: AbortSignal;
}

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const styleCodes: Readonly<Record<Style, string>> = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  cyan: "36",
};

/** `text` in a style where `output` shows styles. */
export function styled(output: Output, style: Style, text: string): string {
  return output.hasColour && text !== "" ? `\u001b[${styleCodes[style]}m${text}\u001b[0m` : text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the function is about
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * `text` with control characters made visible (ESC as ␛), tab and line feed excepted: what a
 * producer wrote must not steer the terminal of whoever reads it.
 */
export function harmless(text: string): string {
  return text.replaceAll(controls, (control) => {
    const code = control.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : "\ufffd";
  });
}
