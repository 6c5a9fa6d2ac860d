// Small charts: bars and columns as SVG that needs no measuring, each with its table.

const SVG = "http://www.w3.org/2000/svg";
const ROW = 30;

/** A titled chart; its numbers are in a table that opens below. */
function figure(title, note, chart, table) {
  const made = element("figure", {}, element("figcaption", {}, element("h3", { textContent: title })));
  if (note) made.append(element("p", { className: "note", textContent: note }));
  if (chart) {
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", `${title}: a chart of the table below`);
    made.append(chart);
  }
  if (table) made.append(element("details", {}, element("summary", { textContent: "As a table" }), tableOf(table)));
  return made;
}

/** Heads and rows of texts and numbers as a table. */
function tableOf({ heads, rows }) {
  const cells = (name, texts) => texts.map((text) => element(name, { textContent: String(text) }));
  const top = cells("th", heads);
  top.forEach((cell) => cell.setAttribute("scope", "col"));
  const body = rows.map(([first, ...others]) => {
    const head = element("th", { textContent: String(first), scope: "row" });
    return element("tr", {}, head, ...cells("td", others));
  });
  return element("table", {}, element("thead", {}, element("tr", {}, ...top)), element("tbody", {}, ...body));
}

/** Bars, one below the other: {label, part, whole, text}; the whole is drawn faintly behind the part. */
function bars(rows) {
  const most = Math.max(1, ...rows.map((row) => row.whole));
  const chart = svg("svg", { class: "bars", height: rows.length * ROW });
  rows.forEach((row, place) => chart.append(bar(row, place * ROW, most)));
  return chart;
}

function bar({ label, part, whole, text }, y, most) {
  const group = svg("g", {});
  const width = (value) => `${(100 * value) / most}%`;
  const track = svg("svg", { x: "36%", y: y + 10, width: "52%", height: 10, class: "track" });
  track.append(svg("rect", { class: "whole", width: width(whole), height: 10, rx: 3 }));
  if (part > 0) track.append(svg("rect", { class: "part", width: width(part), height: 10, rx: 3 }));
  const shown = label.length > 22 ? `…${label.slice(-21)}` : label;
  const name = svg("text", { x: 0, y: y + 19, class: "label" }, shown);
  name.append(svg("title", {}, label));
  group.append(name, track, svg("text", { x: "100%", y: y + 19, class: "value" }, text));
  return group;
}

/** Columns side by side: {label, value, text}. */
function columns(rows) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  const share = 100 / rows.length;
  const chart = svg("svg", { class: "columns", height: 170 });
  rows.forEach(({ label, value, text }, place) => {
    const middle = `${(place + 0.5) * share}%`;
    const height = Math.max(value ? 2 : 0, (110 * value) / most);
    chart.append(
      svg("rect", { class: "part", x: `${(place + 0.18) * share}%`, y: 134 - height, width: `${0.64 * share}%`, height, rx: 3 }),
      svg("text", { x: middle, y: 126 - height, class: "value middle" }, text),
      svg("text", { x: middle, y: 154, class: "label middle" }, label),
    );
  });
  return chart;
}

/** Spans of time on one scale of powers of ten: {label, from, mark, to} in seconds. */
function spans(rows) {
  const low = Math.log10(Math.min(...rows.map((row) => row.from)));
  const high = Math.max(low + 1, Math.log10(Math.max(...rows.map((row) => row.to))));
  const at = (seconds) => (100 * (Math.log10(seconds) - low)) / (high - low);
  const chart = svg("svg", { class: "bars spans", height: rows.length * ROW });
  rows.forEach(({ label, from, mark, to }, place) => {
    const y = place * ROW;
    const track = svg("svg", { x: "36%", y: y + 8, width: "40%", height: 14, class: "track" });
    track.append(
      svg("rect", { class: "whole", x: `${at(from)}%`, width: `${Math.max(1, at(to) - at(from))}%`, y: 2, height: 10, rx: 3 }),
      svg("circle", { class: "part", cx: `${at(mark)}%`, cy: 7, r: 5 }),
    );
    const text = `${duration(from)} – ${duration(to)}`;
    chart.append(svg("text", { x: 0, y: y + 19, class: "label" }, label), track);
    chart.append(svg("text", { x: "100%", y: y + 19, class: "value" }, text));
  });
  return chart;
}

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
