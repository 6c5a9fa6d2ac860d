// Which view is shown, and in which theme.

const VIEWS = ["map", "list", "figures"];
const THEMES = { auto: "Auto", light: "Light", dark: "Dark" };

/** Tabs as they are known: arrows move, one is shown. */
function listenToTabs(onShow) {
  const tabs = VIEWS.map((view) => byId(`tab-${view}`));
  const show = (chosen) => {
    VIEWS.forEach((view, place) => {
      byId(view).hidden = place !== chosen;
      tabs[place].setAttribute("aria-selected", String(place === chosen));
      tabs[place].tabIndex = place === chosen ? 0 : -1;
    });
    onShow(VIEWS[chosen]);
  };
  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => show(place));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = (place + by + tabs.length) % tabs.length;
      show(next);
      tabs[next].focus();
    });
  });
  return (view) => show(VIEWS.indexOf(view));
}

/** A button that goes through the themes; ``onChange`` is called after each, and when the system changes its own. */
function listenToTheme(onChange) {
  const names = Object.keys(THEMES);
  const button = byId("theme");
  let theme = remembered("theme", "auto");
  const apply = () => {
    if (!THEMES[theme]) theme = "auto";
    document.documentElement.dataset.theme = theme;
    button.textContent = THEMES[theme];
    button.setAttribute("aria-label", `Theme: ${THEMES[theme]}`);
    onChange();
  };
  button.addEventListener("click", () => {
    theme = names[(names.indexOf(theme) + 1) % names.length];
    remember("theme", theme);
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  apply();
}
