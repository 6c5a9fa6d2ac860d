"use strict";

const { randomUUID } = require("node:crypto");

/** Runs middleware one after another; each decides whether the next is called. */
function compose(middleware) {
  return function run(ctx) {
    let last = -1;
    function dispatch(index) {
      if (index <= last) return Promise.reject(new Error("next() called multiple times"));
      last = index;
      const layer = middleware[index];
      return layer ? Promise.resolve(layer(ctx, () => dispatch(index + 1))) : Promise.resolve();
    }
    return dispatch(0);
  };
}

/** Gives every request an id, which the log and the answer carry. */
async function requestId(ctx, next) {
  ctx.id = ctx.req.headers["x-request-id"] || randomUUID();
  ctx.res.setHeader("x-request-id", ctx.id);
  await next();
}

/** Writes one line per request: method, path, status, milliseconds. */
async function accessLog(ctx, next) {
  const started = process.hrtime.bigint();
  await next();
  const ms = Number(process.hrtime.bigint() - started) / 1e6;
  process.stdout.write(`${ctx.req.method} ${ctx.req.url} ${ctx.res.statusCode} ${ms.toFixed(1)}\n`);
}

/** Turns whatever was thrown into an answer; the stack stays here. */
async function errorPage(ctx, next) {
  try {
    await next();
  } catch (error) {
    ctx.res.statusCode = error.status || 500;
    ctx.res.end(JSON.stringify({ error: error.expose ? error.message : "internal error" }));
  }
}

module.exports = { accessLog, compose, errorPage, requestId };
