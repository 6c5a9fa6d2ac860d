// The page's data: unpacked, and as columns of numbers. mcp_server/map/payload.py writes what is read here.

/** All that the page was given. */
async function readData() {
  const packed = Uint8Array.from(atob(byId("data").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return unpacked(JSON.parse(await new Response(stream).text()));
}

/** Columns as typed arrays, and the file and the group of each chunk. */
function unpacked(given) {
  const count = given.x.length;
  const file = new Uint32Array(count);
  const group = new Uint8Array(count);
  let at = 0;
  given.files.forEach(([, fileGroup, chunks], place) => {
    file.fill(place, at, at + chunks);
    group.fill(fileGroup, at, at + chunks);
    at += chunks;
  });
  return {
    ...given,
    count,
    file,
    group,
    x: Float32Array.from(given.x),
    y: Float32Array.from(given.y),
    first: Uint32Array.from(given.first),
    last: Uint32Array.from(given.last),
    kind: Uint8Array.from(given.kind),
  };
}

/** The path of a chunk's file, as it is on disk. */
function pathOf(data, chunk) {
  return data.files[data.file[chunk]][0];
}

/** path:line, to be shown. */
function placeOf(data, chunk) {
  return `${legible(pathOf(data, chunk))}:${data.first[chunk]}`;
}

/** What a chunk is called: its name, else its file's, to be shown. */
function nameOf(data, chunk) {
  return legible(data.called[chunk] || pathOf(data, chunk).split("/").pop());
}

/** A chunk in one sentence, for those who hear the page. */
function described(data, chunk) {
  const lines = `lines ${data.first[chunk]} to ${data.last[chunk]}`;
  return `${data.kinds[data.kind[chunk]]} ${nameOf(data, chunk)}, ${legible(pathOf(data, chunk))}, ${lines}`;
}

/** A directory's last two parts, where the whole would be too long for a line. */
function shortened(directory) {
  return directory.length > 26 ? `…/${directory.split("/").slice(-3).join("/")}` : directory;
}

/** What a group is called, to be shown. */
function groupName(data, group) {
  const directory = data.groups[group][0];
  if (directory) return shortened(legible(directory));
  return data.groups.length > 1 ? "everything else" : "all files";
}
