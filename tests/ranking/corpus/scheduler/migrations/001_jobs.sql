-- The queue: one row per job. Workers claim rows with FOR UPDATE SKIP LOCKED.
CREATE TYPE job_status AS ENUM ('ready', 'running', 'done', 'failed', 'dead');

CREATE TABLE jobs (
    id          bigserial PRIMARY KEY,
    queue       text        NOT NULL,
    handler     text        NOT NULL,
    payload     jsonb       NOT NULL DEFAULT '{}',
    status      job_status  NOT NULL DEFAULT 'ready',
    attempts    integer     NOT NULL DEFAULT 0,
    run_at      timestamptz NOT NULL DEFAULT now(),
    locked_by   text,
    last_error  text
);

CREATE INDEX jobs_claimable ON jobs (queue, run_at) WHERE status = 'ready';

CREATE TABLE workers (
    name       text PRIMARY KEY,
    beat_at    timestamptz NOT NULL DEFAULT now()
);

-- Rows of workers that have not beaten for a minute go back to the queue.
CREATE FUNCTION release_orphans() RETURNS integer LANGUAGE sql AS $$
    WITH dead AS (DELETE FROM workers WHERE beat_at < now() - interval '1 minute' RETURNING name),
         freed AS (
             UPDATE jobs SET status = 'ready', locked_by = NULL
             WHERE status = 'running' AND locked_by IN (SELECT name FROM dead) RETURNING id)
    SELECT count(*)::integer FROM freed;
$$;
