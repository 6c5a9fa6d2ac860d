// The keys of the map, and the two that work everywhere.

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CLOSER = 1.35;

/** Listen to the map's keys. */
function listenToKeys(canvas, state, camera, actions) {
  const zoom = (times) => {
    const point = state.current === NONE ? [] : pointOnScreen(state, camera);
    camera.zoom(times, ...point);
    actions.moved();
  };
  const keys = {
    "+": () => zoom(CLOSER),
    "=": () => zoom(CLOSER),
    "-": () => zoom(1 / CLOSER),
    _: () => zoom(1 / CLOSER),
    0: () => actions.showWhole(),
    Home: () => actions.showWhole(),
    Enter: () => state.current !== NONE && actions.open(state.current),
    Escape: () => actions.clear(),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (DIRECTIONS[event.key]) step(state, camera, actions, DIRECTIONS[event.key]);
    else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.matches("input, select, textarea")) return;
    event.preventDefault();
    actions.search();
  });
}

/** Go to the next point in a direction; the first step goes to the middle of what is seen. */
function step(state, camera, actions, [right, down]) {
  if (state.current === NONE || !state.reaches(state.current)) {
    const first = nearestTo(state, camera.x, camera.y, Infinity);
    if (first === NONE) announce("Nothing is shown that could be gone to.");
    else actions.choose(first);
    return;
  }
  const next = nextTowards(state, state.current, right, down);
  if (next === NONE) announce("Nothing further that way.");
  else actions.choose(next);
}

function pointOnScreen({ data, current }, camera) {
  return [camera.screenX(data.x[current]), camera.screenY(data.y[current])];
}
