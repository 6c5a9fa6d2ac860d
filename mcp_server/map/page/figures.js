// The second view: how complete and fresh the index is, how large, and what its servers measured.

const MOST_ROWS = 12;

/** Fill the view of figures. */
function showFigures(data) {
  const { figures } = data;
  const parts = [
    element("h2", { className: "unseen", textContent: "Figures of the index" }),
    tiles(data),
    element(
      "div",
      { className: "figures" },
      figure("Coverage by tier", figures.freshness.sentence, tierBars(figures.tiers), tierTable(figures.tiers)),
      covered("Coverage by language", figures.languages, (name) => name),
      covered("Coverage by directory", figures.directories, (name) => legible(name) || "everything else"),
      figure("Lines a chunk", "", columns(asColumns(figures.lines)), { heads: ["Lines", "Chunks"], rows: figures.lines }),
      counts("What chunks are", figures.kinds, "Kind", "chunk"),
      figures.skipped.length ? counts("Files left out", figures.skipped, "Reason", "file") : "",
      ...measured(figures.metrics),
    ),
    element("p", { className: "note", textContent: `Taken ${moment(data.taken)} by codeloupe ${data.version}.` }),
  ];
  byId("figures").replaceChildren(...parts);
}

/** The figures that one looks for first. */
function tiles({ figures: { freshness, sizes, model } }) {
  const changed = freshness.changed_files ? `, ${counted(freshness.changed_files, "file")} changed since` : "";
  const given = [
    ["Index", freshness.state, `${freshness.branch ? `branch ${legible(freshness.branch)}` : "no branch"}${changed}`],
    ["Files", sizes.files.toLocaleString("en"), `${bytes(sizes.source_bytes)} of text`],
    ["Chunks", sizes.chunks.toLocaleString("en"), `${percent(sizes.vectors, sizes.chunks)} have vectors`],
    ["On disk", bytes(sizes.index_bytes), sizes.vectors ? `vectors ${sizes.vector_index}` : "no vectors"],
    ["Model", model.state, legible(model.name)],
  ];
  const tile = ([term, value, more]) =>
    element("div", {}, element("dt", { textContent: term }), element("dd", { textContent: value }), element("dd", { className: "note", textContent: more }));
  return element("dl", { className: "tiles" }, ...given.map(tile));
}

function tierBars(tiers) {
  return bars(tiers.map(({ name, have, of }) => ({ label: name, part: have / Math.max(1, of), whole: 1, text: percent(have, of) })));
}

function tierTable(tiers) {
  const rows = tiers.map(({ name, have, of, unit }) => [name, have.toLocaleString("en"), of.toLocaleString("en"), unit]);
  return { heads: ["Tier", "Searchable", "Of", "Unit"], rows };
}

function covered(title, given, nameOfRow) {
  const drawn = given.filter(({ chunks }) => chunks > 0);
  const rows = drawn.slice(0, MOST_ROWS).map(({ name, chunks, vectors }) => ({
    label: nameOfRow(name),
    part: vectors,
    whole: chunks,
    text: chunks.toLocaleString("en"),
  }));
  const table = given.map(({ name, files, chunks, vectors }) => [nameOfRow(name), files, chunks, vectors, percent(vectors, chunks)]);
  const note = drawn.length > MOST_ROWS ? `The largest ${MOST_ROWS} of ${drawn.length}. ` : "";
  const heads = ["Name", "Files", "Chunks", "With vectors", "Share"];
  return figure(title, `${note}Chunks, and in full colour those with a vector.`, bars(rows), { heads, rows: table });
}

function counts(title, given, head, noun) {
  const rows = given.slice(0, MOST_ROWS).map(([name, count]) => ({
    label: legible(name).replaceAll("_", " "),
    part: count,
    whole: count,
    text: count.toLocaleString("en"),
  }));
  return figure(title, "", bars(rows), { heads: [head, `${noun[0].toUpperCase()}${noun.slice(1)}s`], rows: given });
}

function asColumns(given) {
  return given.map(([label, value]) => ({ label: label.replace("-", "–").replace(" or more", "+"), value, text: value.toLocaleString("en") }));
}

/** Charts of latency and memory, or a sentence where nothing was measured. */
function measured(metrics) {
  if (!metrics) {
    return [figure("Latency and memory", "Nothing of them is known: this page was made without asking for them.")];
  }
  return [latency(metrics.totals ?? {}), memory(metrics)];
}

function latency(totals) {
  const named = (kind, some) => Object.entries(some ?? {}).map(([name, one]) => [`${kind} ${name}`, one]);
  const all = [...named("search", totals.searches), ...named("embed", totals.embeddings), ...named("store", totals.store)];
  const known = all.filter(([, one]) => one.count > 0 && one.p50_s > 0);
  if (!known.length) return figure("Latency", "No server of this user was asked anything yet.");
  const rows = known.map(([label, one]) => ({ label, from: one.p50_s, mark: one.p50_s, to: Math.max(one.p99_s, one.p50_s) }));
  const table = known.map(([label, one]) => [label, one.count, duration(one.mean_s), duration(one.p50_s), duration(one.p95_s), duration(one.p99_s)]);
  const note = "Of all servers of this user so far, ended ones too: half of the requests within the dot, 99 of 100 within the bar.";
  return figure("Latency", note, spans(rows), { heads: ["What", "Requests", "Mean", "Half", "95 %", "99 %"], rows: table });
}

function memory({ servers = [], services = [] }) {
  const rows = [
    ...servers.flatMap(({ pid, memory: used }) => [
      [`server ${pid}`, used.server.private_bytes, used.server.shared_bytes],
      [`its children`, used.children.private_bytes, used.children.shared_bytes],
    ]),
    ...services.map(({ pid, private_bytes, shared_bytes }) => [`model service ${pid}`, private_bytes, shared_bytes]),
  ].filter(([, own, shared]) => own + shared > 0);
  if (!rows.length) return figure("Memory", "No server and no model of this user runs now.");
  const drawn = rows.map(([label, own, shared]) => ({ label, part: own, whole: own + shared, text: bytes(own) }));
  const table = rows.map(([label, own, shared]) => [label, bytes(own), bytes(shared)]);
  const note = "In full colour what is a process' own; faint what it shares with others.";
  return figure("Memory", note, bars(drawn), { heads: ["Process", "Its own", "Shared"], rows: table });
}

/** A moment as the reader's own clock has it. */
function moment(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
