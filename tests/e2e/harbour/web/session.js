// Signed-in pilots. A token is good for one watch of six hours.
const WATCH_MS = 6 * 60 * 60 * 1000;

export function issueToken(pilot, now = Date.now()) {
  return { pilot, expires: now + WATCH_MS };
}

export function isExpired(token, now = Date.now()) {
  return token.expires <= now;
}
