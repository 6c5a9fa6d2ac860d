import { ApiError } from "../api/errors";

export interface Session {
  userId: string;
  token: string;
  expiresAt: number; // milliseconds since 1970
}

const KEY = "harvest.session";
const REFRESH_BEFORE_MS = 60_000;

/** Keeps the session of the signed-in visitor and refreshes it before it runs out. */
export class SessionStore {
  private timer?: ReturnType<typeof setTimeout>;

  constructor(
    private readonly storage: Storage,
    private readonly refresh: (token: string) => Promise<Session>,
  ) {}

  current(): Session | undefined {
    const text = this.storage.getItem(KEY);
    const session = text ? (JSON.parse(text) as Session) : undefined;
    return session && session.expiresAt > Date.now() ? session : undefined;
  }

  save(session: Session): void {
    this.storage.setItem(KEY, JSON.stringify(session));
    this.scheduleRefresh(session);
  }

  clear(): void {
    clearTimeout(this.timer);
    this.storage.removeItem(KEY);
  }

  private scheduleRefresh(session: Session): void {
    clearTimeout(this.timer);
    const wait = Math.max(0, session.expiresAt - Date.now() - REFRESH_BEFORE_MS);
    this.timer = setTimeout(() => void this.renew(session), wait);
  }

  private async renew(session: Session): Promise<void> {
    try {
      this.save(await this.refresh(session.token));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.clear();
    }
  }
}
