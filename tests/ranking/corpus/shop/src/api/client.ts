import { ApiError, NetworkError } from "./errors";

export interface ApiOptions {
  baseUrl: string;
  timeoutMs?: number;
  token?: () => string | undefined;
}

/** Talks JSON to the shop's backend. Every failure is an ApiError or a NetworkError. */
export class ApiClient {
  constructor(private readonly options: ApiOptions) {}

  get<T>(path: string): Promise<T> {
    return this.request<T>("GET", path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>("POST", path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.request<T>("DELETE", path);
  }

  private async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new ApiError(response.status, `${method} ${path} failed`, answer);
    return answer as T;
  }

  private async send(method: string, path: string, body?: unknown): Promise<Response> {
    const signal = AbortSignal.timeout(this.options.timeoutMs ?? 10_000);
    try {
      return await fetch(this.options.baseUrl + path, {
        method,
        headers: this.headers(),
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
      });
    } catch (cause) {
      throw new NetworkError(`no answer from ${this.options.baseUrl}`, { cause });
    }
  }

  private headers(): Record<string, string> {
    const token = this.options.token?.();
    return { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
  }
}
