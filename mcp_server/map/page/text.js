// Text and elements. Names, paths and code come from somebody's repository: they become text nodes, never markup.

// Characters that are not seen, and some change how their neighbours are shown: controls, marks of direction, joiners,
// fillers, tags. Marks that only choose between two looks of a sign, as in "⚙️", stay.
const UNSEEN =
  /(?!\n|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}])[\p{Cc}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/gu;

/** What a reader is to see of a text: what would hide or turn it is shown as a mark of its own. */
function legible(text) {
  return text.replace(UNSEEN, "\ufffd").toWellFormed();
}

/** An element with properties (those with a dash or named role are attributes) and children, texts among them. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

/** The element that the page has under this id. */
function byId(id) {
  return document.getElementById(id);
}

/** 1 chunk, 2 chunks, 1,200 chunks. */
function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Whole per cent, rounded down: 100 % means all of it. */
function percent(part, whole) {
  return whole ? `${Math.floor((100 * part) / whole)} %` : "–";
}

/** Bytes in the unit that reads best. */
function bytes(number) {
  if (number < 1024) return `${number} B`;
  const power = Math.min(4, Math.floor(Math.log2(number) / 10));
  const value = number / 1024 ** power;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${"KMGT"[power - 1]}iB`;
}

/** Seconds in the unit that reads best. */
function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.9995) return `${(1000 * seconds).toPrecision(seconds < 0.01 ? 2 : 3)} ms`;
  return `${seconds.toPrecision(3)} s`;
}

/** Say something to those who hear the page. */
function announce(text) {
  byId("live").textContent = text;
}

let toastTimer = 0;

/** Show and say a short notice. */
function notify(text) {
  const toast = byId("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("shown"), 3500);
}
