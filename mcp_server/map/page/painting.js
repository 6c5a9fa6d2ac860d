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
    this.context = canvas.getContext("2d");
    this.state = state;
    this.camera = camera;
    this.order = shuffled(state.data.count);
    this.density = window.devicePixelRatio || 1;
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
    this.camera.resize(Math.max(1, width), Math.max(1, height));
    this.ask();
  }

  /** Take over the theme's colours. */
  recolour() {
    this.colours = readColours(this.state.data.groups.length);
    this.dots = null;
    this.ask();
  }

  paint() {
    const { context, camera } = this;
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    this.paintPoints();
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
  paintPoints() {
    const radius = this.radius();
    this.prepareDots(radius);
    if (this.state.found) this.paintThose(0, () => this.dots.faint, radius);
    const dots = this.state.found ? this.dots.found : this.dots.groups;
    this.paintThose(1, (group) => dots[group], radius);
  }

  paintThose(found, dotOf, radius) {
    const { context, camera, state } = this;
    const { data } = state;
    for (const chunk of this.order) {
      if (!state.shows(chunk) || (state.found && state.found[chunk] !== found)) continue;
      const x = camera.screenX(data.x[chunk]);
      const y = camera.screenY(data.y[chunk]);
      if (x < -radius || y < -radius || x > camera.width + radius || y > camera.height + radius) continue;
      this.stamp(dotOf(data.group[chunk]), x, y);
    }
  }

  /** Copy a dot to a place, pixel by pixel: one that lay between pixels would be blurred. */
  stamp(dot, x, y) {
    const { context, density } = this;
    const half = dot.width / 2;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(dot, Math.round(x * density - half), Math.round(y * density - half));
    context.setTransform(density, 0, 0, density, 0, 0);
  }

  /** A dot of each colour as a picture: copying one is quicker than drawing it. */
  prepareDots(radius) {
    const pixels = Math.round(radius * this.density * 4) / 4;
    if (this.dots?.pixels === pixels) return;
    const coloured = (times) => this.colours.groups.map((colour) => dot(times * pixels, colour, 0.85));
    this.dots = { pixels, groups: coloured(1), found: coloured(1.3), faint: dot(pixels, this.colours.faint, 0.5) };
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
    this.stamp(this.dots.groups[data.group[chunk]], x, y);
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

/** A disc of so many pixels' radius, as a picture. */
function dot(radius, colour, alpha) {
  const size = 2 * Math.ceil(radius + 0.5);
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d");
  context.globalAlpha = alpha;
  context.fillStyle = colour;
  context.beginPath();
  context.arc(size / 2, size / 2, radius, 0, 2 * Math.PI);
  context.fill();
  return canvas;
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
