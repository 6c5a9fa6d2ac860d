// The legend: which colour is which directory; it hides and shows them.

/** Shows the groups, each a switch. */
class Legend {
  constructor(state) {
    this.state = state;
    this.rows = state.data.groups.map((_, group) => this.row(group));
    const [others, ...named] = this.rows.map((row, group) => ({ row, chunks: state.data.groups[group][1] }));
    byId("groups").append(...[...named, others].filter(({ chunks }) => chunks > 0).map(({ row }) => row));
    byId("all").addEventListener("click", () => state.change({ hidden: new Set() }));
    state.onChange(() => this.update());
  }

  row(group) {
    const { data } = this.state;
    const toggle = element("button", { type: "button", className: "toggle", "aria-pressed": "true", title: data.groups[group][0] });
    toggle.append(
      swatch(group),
      element("bdi", { className: "name", textContent: groupName(data, group) }),
      element("span", { className: "number", textContent: data.groups[group][1].toLocaleString("en") }),
    );
    toggle.addEventListener("click", () => this.toggle(group));
    const alone = element("button", { type: "button", className: "only link", textContent: "only" });
    alone.setAttribute("aria-label", `Only ${groupName(data, group)}`);
    alone.addEventListener("click", () => this.only(group));
    return element("li", {}, toggle, alone);
  }

  toggle(group) {
    const hidden = new Set(this.state.hidden);
    if (!hidden.delete(group)) hidden.add(group);
    this.state.change({ hidden, hovered: NONE });
  }

  only(group) {
    const others = [...this.state.data.groups.keys()].filter((other) => other !== group);
    this.state.change({ hidden: new Set(others), hovered: NONE });
  }

  update() {
    const { hidden } = this.state;
    this.rows.forEach((row, group) => row.firstChild.setAttribute("aria-pressed", String(!hidden.has(group))));
    byId("all").hidden = hidden.size === 0;
  }
}
