import type { ApiClient } from "../api/client";
import { ApiError } from "../api/errors";
import type { Session, SessionStore } from "./session";

export class WrongPasswordError extends Error {
  constructor(readonly attemptsLeft: number) {
    super(`wrong email or password, ${attemptsLeft} attempts left`);
  }
}

/** Signs a visitor in with email and password and remembers the session. */
export async function login(client: ApiClient, store: SessionStore, email: string, password: string): Promise<Session> {
  try {
    const session = await client.post<Session>("/sessions", { email, password });
    store.save(session);
    return session;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      throw new WrongPasswordError(Number(error.body["attemptsLeft"] ?? 0));
    }
    throw error;
  }
}

export async function logout(client: ApiClient, store: SessionStore): Promise<void> {
  const session = store.current();
  store.clear();
  if (session) await client.delete(`/sessions/${session.userId}`);
}
