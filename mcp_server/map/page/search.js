// Finding chunks by their names and paths.

const MOST_LISTED = 200;

/** Finds what is typed: every word must stand in a chunk's name or path, in either case. */
class Search {
  constructor(state, choose) {
    this.state = state;
    this.choose = choose;
    this.field = byId("query");
    this.list = byId("matches");
    this.texts = searchable(state.data);
    this.field.addEventListener("input", () => this.find());
    this.field.addEventListener("keydown", (event) => this.onFieldKey(event));
    this.list.addEventListener("keydown", (event) => this.onListKey(event));
  }

  find() {
    const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length ? this.matching(words) : null;
    this.state.change({ found, hovered: NONE });
    this.show(found);
  }

  matching(words) {
    const found = new Uint8Array(this.texts.length);
    this.texts.forEach((text, chunk) => {
      if (words.every((word) => text.includes(word))) found[chunk] = 1;
    });
    return found;
  }

  show(found) {
    const chunks = [];
    let total = 0;
    found?.forEach((yes, chunk) => {
      total += yes;
      if (yes && chunks.length < MOST_LISTED) chunks.push(chunk);
    });
    this.list.hidden = !total;
    byId("legend").hidden = Boolean(found);
    byId("count").textContent = found ? foundSentence(total, chunks.length) : "";
    this.list.replaceChildren(...chunks.map((chunk) => this.row(chunk)));
  }

  row(chunk) {
    const { data } = this.state;
    const button = element("button", { type: "button" });
    button.append(
      swatch(data.group[chunk]),
      element("bdi", { className: "name", textContent: nameOf(data, chunk) }),
      element("span", { className: "place" }, element("bdi", { dir: "ltr", textContent: placeOf(data, chunk) })),
    );
    button.addEventListener("click", () => this.choose(chunk, true));
    button.addEventListener("focus", () => this.choose(chunk, false));
    return element("li", {}, button);
  }

  clear() {
    this.field.value = "";
    this.find();
  }

  onFieldKey(event) {
    if (event.key === "Escape") {
      this.clear();
      byId("canvas").focus();
    } else if (event.key === "ArrowDown" || event.key === "Enter") {
      this.list.querySelector("button")?.focus();
    } else {
      return;
    }
    event.preventDefault();
  }

  onListKey(event) {
    const row = event.target.closest("li");
    if (event.key === "ArrowDown") row.nextElementSibling?.querySelector("button").focus();
    else if (event.key === "ArrowUp") (row.previousElementSibling?.querySelector("button") ?? this.field).focus();
    else if (event.key === "Escape") this.field.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function foundSentence(total, listed) {
  if (!total) return "Nothing is called so.";
  return total > listed ? `${counted(total, "chunk")}, the first ${listed} below` : counted(total, "chunk");
}

/** What is looked through for each chunk, in lower case. */
function searchable(data) {
  return Array.from(data.called, (name, chunk) => `${name}\n${pathOf(data, chunk)}`.toLowerCase());
}
