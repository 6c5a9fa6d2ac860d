// Opening a chunk where the reader wants it, and copying its place.

const EDITORS = [
  { id: "vscode", label: "VS Code", url: (path, line) => `vscode://file${path}:${line}` },
  { id: "cursor", label: "Cursor", url: (path, line) => `cursor://file${path}:${line}` },
  { id: "windsurf", label: "Windsurf", url: (path, line) => `windsurf://file${path}:${line}` },
  { id: "zed", label: "Zed", url: (path, line) => `zed://file${path}:${line}` },
  { id: "idea", label: "IntelliJ", url: (path, line) => `idea://open?file=${path}&line=${line}` },
  { id: "file", label: "Browser", url: (path) => `file://${path}` },
  { id: "copy", label: "Nothing, copy only", url: () => "" },
];

/** What the reader chose at an earlier visit; browsers may refuse to keep or tell it. */
function remembered(name, otherwise) {
  try {
    return localStorage.getItem(`codeloupe.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`codeloupe.${name}`, value);
  } catch {
    // It holds until the page is closed.
  }
}

/** The editor in which chunks are opened. */
function chosenEditor() {
  return EDITORS.find((editor) => editor.id === byId("editor").value) ?? EDITORS[0];
}

/** Fill the choice of editors. */
function offerEditors(onChange) {
  const select = byId("editor");
  select.append(...EDITORS.map(({ id, label }) => element("option", { value: id, textContent: label })));
  select.value = remembered("editor", EDITORS[0].id);
  if (!select.value) select.value = EDITORS[0].id;
  select.addEventListener("change", () => {
    remember("editor", select.value);
    onChange();
  });
}

/** The address that opens a chunk in the chosen editor; "" where it is only copied. */
function addressOf(data, chunk) {
  const whole = `${data.root.replace(/\/+$/, "")}/${pathOf(data, chunk)}`.toWellFormed();
  const path = whole.split("/").map(encodedPart).join("/");
  return chosenEditor().url(path.startsWith("/") ? path : `/${path}`, data.first[chunk]);
}

/** One part of a path in an address; a drive's letter keeps its colon. */
function encodedPart(part, place) {
  return place === 0 && /^[A-Za-z]:$/.test(part) ? part : encodeURIComponent(part);
}

/** Open a chunk and copy its place, and say so. */
async function openChunk(data, chunk) {
  const address = addressOf(data, chunk);
  const copied = await copy(`${pathOf(data, chunk)}:${data.first[chunk]}`);
  if (address) element("a", { href: address, rel: "noreferrer" }).click();
  const opened = address ? `Opening ${placeOf(data, chunk)} in ${chosenEditor().label}` : placeOf(data, chunk);
  notify(copied ? `${opened} · copied` : opened);
}

/** Put a text on the clipboard; whether that was allowed. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
