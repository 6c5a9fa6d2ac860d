// The page, put together.

/** What pointers and keys may have done, in one place. */
function makeActions(state, camera, painter, card) {
  const { data } = state;
  const actions = {
    moved() {
      painter.ask();
      card.follow();
    },
    choose(chunk) {
      if (chunk !== NONE) {
        camera.bring(data.x[chunk], data.y[chunk]);
        announce(described(data, chunk));
      }
      state.change({ current: chunk, hovered: NONE, pinned: chunk !== NONE });
    },
    open: (chunk) => openChunk(data, chunk),
    showWhole() {
      camera.showWhole();
      actions.moved();
    },
  };
  return actions;
}

/** The words at the side of the map, and its name for those who hear it. */
function introduce(data) {
  const chunks = counted(data.count, "chunk");
  const drawn = data.count < data.total ? `${chunks} of ${data.total.toLocaleString("en")}, drawn evenly,` : chunks;
  byId("project").textContent = legible(data.name);
  document.title = `${legible(data.name)} · map of code`;
  byId("about").textContent = `${drawn} in ${counted(data.files.length, "file")}; what stands close is alike. ${data.by}`;
  const label = `Map of ${legible(data.name)}: ${chunks}. The list view has the same chunks as a list.`;
  byId("canvas").setAttribute("aria-label", label);
}

async function main() {
  const data = await readData();
  introduce(data);
  const canvas = byId("canvas");
  const state = new State(data);
  const camera = new Camera(data);
  const painter = new Painter(canvas, state, camera);
  const card = new Card(state, camera);
  const actions = makeActions(state, camera, painter, card);
  const search = new Search(state, (chunk, openIt) => {
    actions.choose(chunk);
    if (openIt) actions.open(chunk);
  });
  const listing = new Listing(state);
  new Legend(state);
  const show = listenToTabs((view) => {
    if (view === "list") listing.show();
    if (view === "map") painter.fit();
  });
  actions.search = () => {
    show("map");
    byId("query").focus();
  };
  actions.clear = () => {
    search.clear();
    actions.choose(NONE);
  };
  offerEditors(() => card.update());
  listenToTheme(() => painter.recolour());
  showFigures(data);
  state.onChange(() => painter.ask());
  new Pointers(canvas, state, camera, actions);
  listenToKeys(canvas, state, camera, actions);
  byId("closer").addEventListener("click", () => (camera.zoom(CLOSER), actions.moved()));
  byId("farther").addEventListener("click", () => (camera.zoom(1 / CLOSER), actions.moved()));
  byId("whole").addEventListener("click", actions.showWhole);
  new ResizeObserver(() => painter.fit()).observe(canvas);
  document.documentElement.dataset.ready = "yes";
}

await main();
