// The card beside the chunk that is meant: what it is called, where it stands, its first lines.

/** Shows the hovered chunk's card, or the current one's with its buttons. */
class Card {
  constructor(state, camera) {
    this.node = byId("card");
    this.state = state;
    this.camera = camera;
    this.shown = NONE;
    state.onChange(() => this.update());
  }

  update() {
    const { state } = this;
    const chunk = state.hovered !== NONE ? state.hovered : state.current;
    const pinned = state.pinned && chunk === state.current;
    this.node.hidden = chunk === NONE || !state.shows(chunk);
    if (this.node.hidden) return;
    this.node.classList.toggle("pinned", pinned);
    this.node.replaceChildren(...cardParts(state.data, chunk, pinned));
    this.place(chunk);
  }

  /** Beside the point, on the side that has room. */
  place(chunk) {
    const { node, camera } = this;
    const { data } = this.state;
    const [x, y] = [camera.screenX(data.x[chunk]), camera.screenY(data.y[chunk])];
    const { offsetWidth: width, offsetHeight: height } = node;
    const left = x + 18 + width > camera.width ? x - 18 - width : x + 18;
    node.style.left = `${Math.max(8, Math.min(left, camera.width - width - 8))}px`;
    node.style.top = `${Math.max(8, Math.min(y - 24, camera.height - height - 8))}px`;
  }

  /** Follow the point as the map moves. */
  follow() {
    if (!this.node.hidden) this.place(this.state.hovered !== NONE ? this.state.hovered : this.state.current);
  }
}

function cardParts(data, chunk, pinned) {
  const group = element("p", { className: "card-group" }, swatch(data.group[chunk]));
  group.append(`${data.kinds[data.kind[chunk]]}`);
  const parts = [
    group,
    element("h2", {}, element("bdi", { textContent: nameOf(data, chunk) })),
    element("p", { className: "card-place" }, pathWithBreaks(legible(pathOf(data, chunk))), ` ${linesOf(data, chunk)}`),
  ];
  if (data.code[chunk]) parts.push(element("pre", {}, element("code", { textContent: legible(data.code[chunk]) })));
  if (pinned) parts.push(cardButtons(data, chunk));
  return parts;
}

function linesOf(data, chunk) {
  return data.first[chunk] === data.last[chunk] ? `${data.first[chunk]}` : `${data.first[chunk]}–${data.last[chunk]}`;
}

/** A path that may be broken after its slashes. */
function pathWithBreaks(path) {
  const parts = path.split("/").flatMap((part, place) => (place ? ["/", element("wbr"), part] : [part]));
  return element("bdi", {}, ...parts);
}

function cardButtons(data, chunk) {
  const address = addressOf(data, chunk);
  const row = element("p", { className: "card-buttons" });
  if (address) {
    const label = `Open in ${chosenEditor().label}`;
    row.append(element("a", { href: address, rel: "noreferrer", className: "button", textContent: label }));
  }
  const copier = element("button", { type: "button", className: "quiet", textContent: "Copy place" });
  copier.addEventListener("click", async () => {
    const done = await copy(`${pathOf(data, chunk)}:${data.first[chunk]}`);
    notify(done ? `${placeOf(data, chunk)} · copied` : "This browser does not allow copying here");
  });
  row.append(copier);
  return row;
}

/** A spot of a group's colour. */
function swatch(group) {
  const spot = element("span", { className: "swatch", "aria-hidden": "true" });
  spot.style.background = `var(${groupColour(group)})`;
  return spot;
}
