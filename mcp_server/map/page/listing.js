// The list: every chunk under its file, the same as the map for those who do not see it.

const FILES_AT_ONCE = 300;

/** Fill the list when it is first looked at, and keep to what is searched and hidden. */
class Listing {
  constructor(state) {
    this.state = state;
    this.node = byId("list");
    this.firsts = firstChunks(state.data);
  }

  show() {
    const { data, found, hidden } = this.state;
    const files = data.files.map((_, file) => file).filter((file) => this.chunksOf(file).length);
    const narrowed = found || hidden.size ? " that are found and shown on the map" : "";
    const title = `${counted(files.length, "file")} and their chunks${narrowed}`;
    this.node.replaceChildren(element("h2", { textContent: title }), element("div", { className: "files" }));
    this.addFiles(files, 0);
  }

  /** The chunks of a file that the map shows. */
  chunksOf(file) {
    const chunks = Array.from({ length: this.state.data.files[file][2] }, (_, place) => this.firsts[file] + place);
    return chunks.filter((chunk) => this.state.reaches(chunk));
  }

  addFiles(files, from) {
    const upTo = from + FILES_AT_ONCE;
    this.node.querySelector(".files").append(...files.slice(from, upTo).map((file) => this.fileRow(file)));
    if (files.length <= upTo) return;
    const label = `${counted(files.length - upTo, "more file")}`;
    const more = element("button", { type: "button", className: "quiet more", textContent: label });
    more.addEventListener("click", () => {
      more.remove();
      this.addFiles(files, upTo);
    });
    this.node.append(more);
  }

  fileRow(file) {
    const { data } = this.state;
    const [path, group] = data.files[file];
    const chunks = this.chunksOf(file);
    const summary = element("summary", {}, swatch(group), pathWithBreaks(legible(path)));
    summary.append(element("span", { className: "number", textContent: String(chunks.length) }));
    const row = element("details", {}, summary);
    row.addEventListener("toggle", () => row.children.length > 1 || row.append(this.chunkRows(chunks)), { once: true });
    return row;
  }

  chunkRows(chunks) {
    const { data } = this.state;
    const rows = chunks.map((chunk) => {
      const kind = element("span", { className: "kind", textContent: data.kinds[data.kind[chunk]] });
      const name = element("bdi", { className: "name", textContent: nameOf(data, chunk) });
      const lines = element("span", { className: "number", textContent: linesOf(data, chunk) });
      const button = element("button", { type: "button" }, kind, name, lines);
      button.addEventListener("click", () => openChunk(data, chunk));
      return element("li", {}, button);
    });
    return element("ul", {}, ...rows);
  }
}

/** The first chunk of each file. */
function firstChunks(data) {
  let at = 0;
  return data.files.map(([, , chunks]) => (at += chunks) - chunks);
}
