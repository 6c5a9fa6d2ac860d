/** Requests over a radio link fail often; wait longer after each failure. */
export async function withBackoff<T>(attempt: () => Promise<T>, tries = 5, firstDelayMs = 200): Promise<T> {
  let delay = firstDelayMs;
  for (let left = tries; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, delay * (0.5 + Math.random())));
      delay *= 2;
    }
  }
}
