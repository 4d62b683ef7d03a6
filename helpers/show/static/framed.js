((name, enliven) => {
  // Brings every figure of this name to life: `enliven` fills a box that takes the place of its plain HTML, which stays
  // in the page, hidden.
  const make = (tag, style, attributes = {}) => {
    const node = document.createElement(tag);
    node.style.cssText = style;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const range = (attributes) => make("input", "width:100%;margin:8px 0 4px;box-sizing:border-box", {
    "data-lm-suppress-shortcuts": "true",  // arrow keys move the slider, not JupyterLab's cells
    type: "range", min: 0, step: 1, ...attributes,
  });
  // Dragging over `stage` calls `moved` with the share of its width, and leaves the arrow keys to `slider`.
  const dragged = (stage, slider, moved) => {
    const drag = (event) => {
      const edge = stage.getBoundingClientRect();
      if (event.buttons) moved((event.clientX - edge.left) / edge.width);
    };
    stage.addEventListener("mousedown", (event) => {  // keeps the focus from going to what lies around
      slider.focus({ preventScroll: true });
      event.preventDefault();
    });
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      drag(event);
    });
    stage.addEventListener("pointermove", drag);
    stage.addEventListener("mouseup", () => slider.focus({ preventScroll: true }));  // JupyterLab may have taken it since
  };
  for (const root of document.querySelectorAll(`[data-show="${name}"]:not([data-live])`)) {
    const plain = root.firstElementChild;
    const box = make("div", `width:${name.split("-").pop()}px;max-width:100%`);
    enliven(plain, box, { make, range, dragged });
    plain.hidden = true;
    plain.style.display = "none";
    root.dataset.live = "yes";
    root.append(box);
  }
})
