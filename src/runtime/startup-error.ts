/** A worker cannot start. The message says why, the advice what to do about it. */
export class StartupError extends Error {
  readonly code: string;
  readonly advice: string;

  constructor(code: string, message: string, advice: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "StartupError";
    this.code = code;
    this.advice = advice;
  }
}
