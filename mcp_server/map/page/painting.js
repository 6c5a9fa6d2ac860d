// The map on its canvas: points by group, labels where there is room, a ring around what is meant.

const LABELS = [
  { size: 14.5, weight: 650, from: 0 },
  { size: 12.5, weight: 600, from: 0 },
  { size: 11.5, weight: 500, from: 2 },
];
const FONT = 'system-ui, -apple-system, "Segoe UI", sans-serif';

/** Draws a state as a camera sees it. */
class Painter {
  constructor(canvas, state, camera) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.state = state;
    this.camera = camera;
    this.order = shuffled(state.data.count);
    this.density = window.devicePixelRatio || 1;
    this.raster = new Raster(1, 1);
    this.painted = null; // what decided how the points look that are in the raster
    this.awaited = false;
  }

  /** Draw once before the next frame, however often this is called. */
  ask() {
    if (this.awaited) return;
    this.awaited = true;
    requestAnimationFrame(() => {
      this.awaited = false;
      this.paint();
    });
  }

  /** Take over the canvas' size on the page, at the screen's own resolution. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.density = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.density);
    this.canvas.height = Math.round(height * this.density);
    this.raster = new Raster(Math.max(1, this.canvas.width), Math.max(1, this.canvas.height));
    this.camera.resize(Math.max(1, width), Math.max(1, height));
    this.ask();
  }

  /** Take over the theme's colours. */
  recolour() {
    this.colours = readColours(this.state.data.groups.length);
    this.ask();
  }

  paint() {
    const { context, density, camera } = this;
    const seen = [camera.x, camera.y, camera.scale, this.raster, this.colours, this.state.found, this.state.hidden];
    if (!this.painted || seen.some((value, place) => value !== this.painted[place])) {
      this.painted = seen;
      this.layPoints();
    }
    context.putImageData(this.raster.image, 0, 0);
    context.setTransform(density, 0, 0, density, 0, 0);
    this.paintLabels();
    this.paintRing(this.state.hovered, 1.5);
    this.paintRing(this.state.current, 2.5);
  }

  /** In pixels: larger where there are few, and as one comes closer. */
  radius() {
    const least = Math.max(1.3, 6 - 1.05 * Math.log10(this.state.data.count + 1));
    return Math.min(9, least * (1 + 0.45 * Math.log2(Math.max(1, this.camera.closeness()))));
  }

  /** Those not found first, so that they lie below. */
  layPoints() {
    const radius = this.radius() * this.density;
    const { groups, faint, ground } = this.colours;
    this.raster.clear(parts(ground));
    if (this.state.found) {
      const quiet = groups.map(() => parts(faint));
      this.layThose(0, discOf(radius, 0.5), quiet);
    }
    this.layThose(1, discOf(radius * (this.state.found ? 1.3 : 1), 0.85), groups.map(parts));
  }

  layThose(found, disc, colours) {
    const { camera, density, state, raster } = this;
    const { data } = state;
    const edge = disc.down.at(-1);
    for (const chunk of this.order) {
      if (!state.shows(chunk) || (state.found && state.found[chunk] !== found)) continue;
      const x = Math.round(camera.screenX(data.x[chunk]) * density);
      const y = Math.round(camera.screenY(data.y[chunk]) * density);
      if (x < -edge || y < -edge || x > raster.image.width + edge || y > raster.image.height + edge) continue;
      raster.lay(disc, colours[data.group[chunk]], x, y);
    }
  }

  paintRing(chunk, width) {
    if (chunk === NONE || !this.state.shows(chunk)) return;
    const { context, camera } = this;
    const { data } = this.state;
    const [x, y] = [camera.screenX(data.x[chunk]), camera.screenY(data.y[chunk])];
    const radius = this.radius() + 3.5;
    for (const [colour, more] of [[this.colours.ground, 3], [this.colours.ink, 0]]) {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.lineWidth = width + more;
      context.strokeStyle = colour;
      context.stroke();
    }
    context.beginPath();
    context.arc(x, y, this.radius(), 0, 2 * Math.PI);
    context.fillStyle = this.colours.groups[data.group[chunk]];
    context.fill();
  }

  /** Labels in their order, each where none stands yet. */
  paintLabels() {
    if (this.state.found) return;
    const { context, camera } = this;
    const taken = [];
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    for (const [mapX, mapY, level, label] of this.state.data.regions) {
      const { size, weight, from } = LABELS[level];
      if (camera.closeness() < from) break;
      context.font = `${weight} ${size}px ${FONT}`;
      const text = legible(label);
      const wide = context.measureText(text).width / 2 + 8;
      const [x, y] = [camera.screenX(mapX), camera.screenY(mapY)];
      const box = { left: x - wide, right: x + wide, top: y - size, bottom: y + size };
      if (outside(box, camera) || taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      this.paintText(text, x, y);
    }
  }

  paintText(text, x, y) {
    const { context } = this;
    context.lineWidth = 4;
    context.strokeStyle = this.colours.halo;
    context.strokeText(text, x, y);
    context.fillStyle = this.colours.ink;
    context.fillText(text, x, y);
  }
}

/** The red, green and blue of a colour as browsers write it: rgb(1, 2, 3). */
function parts(colour) {
  return colour.match(/\d+/g).slice(0, 3).map(Number);
}

/** The colours of the theme in force, as the style sheet gives them. */
function readColours(groups) {
  const probe = document.body.appendChild(element("i", { hidden: true }));
  const read = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    groups: Array.from({ length: groups }, (_, group) => read(groupColour(group))),
    ink: read("--ink"),
    ground: read("--ground"),
    halo: read("--halo"),
    faint: read("--faint"),
  };
  probe.remove();
  return colours;
}

/** The style sheet's name for a group's colour; group 0 is what is in no other. */
function groupColour(group) {
  return `--group-${group}`;
}

/** The numbers below ``count`` in an order that mixes them, always the same: no group lies on all others. */
function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, place) => place);
  let seed = 20;
  for (let place = count - 1; place > 0; place--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const other = seed % (place + 1);
    [order[place], order[other]] = [order[other], order[place]];
  }
  return order;
}

function outside(box, camera) {
  return box.left < 0 || box.top < 0 || box.right > camera.width || box.bottom > camera.height;
}

function overlap(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
