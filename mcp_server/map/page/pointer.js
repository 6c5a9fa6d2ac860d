// Mouse, pen and fingers on the map: hover, drag, wheel, pinch, click.

const REACH = 14; // pixels from a point within which it is meant
const STILL = 5; // pixels that a click may move

/** Turns what pointers do into movements of the camera and choices. */
class Pointers {
  constructor(canvas, state, camera, actions) {
    Object.assign(this, { canvas, state, camera, actions });
    this.down = new Map(); // where each pressed pointer is
    this.travelled = 0;
    canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    canvas.addEventListener("pointerup", (event) => this.onUp(event));
    canvas.addEventListener("pointercancel", (event) => this.down.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => this.hover(NONE));
    canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
  }

  onDown(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    if (!this.down.size) this.travelled = 0;
    this.down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  }

  onMove(event) {
    const before = this.down.get(event.pointerId);
    if (!before) {
      this.hover(this.meant(event));
      return;
    }
    const after = { x: event.offsetX, y: event.offsetY };
    this.travelled += Math.hypot(after.x - before.x, after.y - before.y);
    if (this.travelled < STILL) return;
    if (this.down.size === 1) this.camera.pan(after.x - before.x, after.y - before.y);
    else this.pinch(event.pointerId, before, after);
    this.down.set(event.pointerId, after);
    this.actions.moved();
  }

  /** Two fingers: what lies between them stays between them. */
  pinch(moving, before, after) {
    const other = [...this.down].find(([pointer]) => pointer !== moving)[1];
    const apart = (one) => Math.max(10, Math.hypot(one.x - other.x, one.y - other.y));
    this.camera.pan((after.x - before.x) / 2, (after.y - before.y) / 2);
    this.camera.zoom(apart(after) / apart(before), (after.x + other.x) / 2, (after.y + other.y) / 2);
  }

  onUp(event) {
    if (!this.down.delete(event.pointerId) || this.down.size || this.travelled >= STILL) return;
    this.click(this.meant(event), event.pointerType);
  }

  /** A finger cannot hover, so its first touch shows and its second opens. */
  click(chunk, pointer) {
    const shownBefore = chunk === this.state.current && this.state.pinned;
    this.actions.choose(chunk);
    if (chunk !== NONE && (pointer === "mouse" || shownBefore)) this.actions.open(chunk);
  }

  onWheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0018; // a pinch on a trackpad comes as small steps with Ctrl
    this.camera.zoom(Math.exp(-event.deltaY * lines * speed), event.offsetX, event.offsetY);
    this.actions.moved();
  }

  meant(event) {
    const { camera } = this;
    const reach = (event.pointerType === "touch" ? 2 : 1) * REACH;
    return nearestTo(this.state, camera.mapX(event.offsetX), camera.mapY(event.offsetY), reach / camera.scale);
  }

  hover(chunk) {
    if (chunk === this.state.hovered) return;
    this.canvas.style.cursor = chunk === NONE ? "" : "pointer";
    this.state.change({ hovered: chunk });
  }
}
