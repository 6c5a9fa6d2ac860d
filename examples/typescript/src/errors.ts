/** What can go wrong, as one error with a sentence to show and a kind to decide by. */

import { ProtocolError, SdkError, SdkErrorCode } from "@modelcontextprotocol/client";

/**
 * - `refused`: the server says no, and why: an argument, a missing model or file, an index that cannot be read.
 * - `cancelled`, `timeout`: by your signal or by a deadline; the server has been told and goes on serving.
 * - `closed`: the server has gone, killed or closed. Connect again: its index is kept.
 * - `not_started`: there is no such command, or it ended before it answered.
 * - `protocol`: it answered something else than a codeloupe does.
 */
export type FailureKind = "refused" | "cancelled" | "timeout" | "closed" | "not_started" | "protocol";

export class CodeloupeError extends Error {
  override readonly name = "CodeloupeError";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What was going on when something failed. */
export interface Scene {
  doing: string;
  signal: AbortSignal | undefined;
  /** Whether the server has gone. */
  gone: boolean;
  /** The end of what the server logged. */
  log: string;
}

/** Whatever the SDK or the system throws, in our words; the original is its `cause`. */
export function failure(cause: unknown, scene: Scene): CodeloupeError {
  const said = cause instanceof Error ? cause.message : String(cause);
  const [kind, message] = told(cause, said, scene);
  return new CodeloupeError(kind, message, { cause });
}

function told(cause: unknown, said: string, { doing, signal, gone, log }: Scene): [FailureKind, string] {
  if (signal?.aborted) return byUser(doing, signal.reason);
  if (has(cause, SdkErrorCode.RequestTimeout))
    return ["timeout", `${doing} was not answered in time; ask again, or give it longer.`];
  if (gone || has(cause, SdkErrorCode.ConnectionClosed, SdkErrorCode.NotConnected))
    return ["closed", `The server ended while ${doing} was under way; connect again, its index is kept.${logged(log)}`];
  if (ProtocolError.isInstance(cause)) return ["refused", said];
  return ["protocol", `${doing} failed: ${said}`];
}

function byUser(doing: string, reason: unknown): [FailureKind, string] {
  if (reason instanceof DOMException && reason.name === "TimeoutError")
    return ["timeout", `${doing} took longer than its signal allows; ask again, or give it longer.`];
  return ["cancelled", `${doing} was cancelled.`];
}

function has(cause: unknown, ...codes: readonly SdkErrorCode[]): boolean {
  return SdkError.isInstance(cause) && codes.includes(cause.code);
}

/** The server's last words, which mostly say why. */
export function logged(log: string): string {
  const last = log.trim().split("\n").slice(-3).join("\n");
  return last ? ` It said: ${last}` : "";
}
