/** The backend answered, but not with success. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(`${message} (${status})`);
  }

  get isClientFault(): boolean {
    return this.status >= 400 && this.status < 500;
  }
}

/** The backend did not answer at all. */
export class NetworkError extends Error {}

/** A sentence for the visitor. */
export function explain(error: unknown): string {
  if (error instanceof NetworkError) return "You seem to be offline. Please try again.";
  if (error instanceof ApiError && error.status === 429) return "Too many requests. Please wait a moment.";
  return "Something went wrong on our side.";
}
