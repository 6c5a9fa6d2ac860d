"use strict";

class TooManyRequests extends Error {
  constructor(seconds) {
    super(`too many requests, retry after ${seconds} s`);
    this.status = 429;
    this.expose = true;
  }
}

/** Allows each address a number of requests per window; the window slides. */
function rateLimit({ limit = 100, windowMs = 60000, now = Date.now } = {}) {
  const seen = new Map();
  return async function limiter(ctx, next) {
    const address = ctx.req.socket.remoteAddress;
    const since = now() - windowMs;
    const recent = (seen.get(address) || []).filter((moment) => moment > since);
    if (recent.length >= limit) {
      throw new TooManyRequests(Math.ceil((recent[0] - since) / 1000));
    }
    recent.push(now());
    seen.set(address, recent);
    await next();
  };
}

module.exports = { TooManyRequests, rateLimit };
