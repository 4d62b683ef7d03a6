((name) => {
  // Turns the strip of pictures into one picture with a slider. The strip stays in the page, hidden.
  const make = (tag, style, attributes = {}) => {
    const node = document.createElement(tag);
    node.style.cssText = style;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  for (const root of document.querySelectorAll(`[data-show="${name}"]:not([data-live])`)) {
    const width = name.split("-").pop();
    const strip = root.firstElementChild;
    const figures = [...strip.querySelectorAll("figure")];
    const steps = figures.map((figure) => ({
      src: figure.querySelector("img").src,
      alt: figure.querySelector("img").alt,
      label: figure.querySelector("figcaption").textContent,
    }));
    const box = make("div", `width:${width}px;max-width:100%`);
    const picture = make("img", "width:100%;display:block;touch-action:pan-y;cursor:ew-resize", { draggable: "false" });
    const slider = make("input", "width:100%;margin:8px 0 4px;box-sizing:border-box", {
      "data-lm-suppress-shortcuts": "true",  // arrow keys move the slider, not JupyterLab's cells
      type: "range", min: 0, max: steps.length - 1, step: 1, value: 0, "aria-label": `step of ${steps.length}`,
    });
    const label = make("div", "overflow-wrap:anywhere;min-height:1.4em");
    const show = (index) => {
      const step = steps[Math.max(0, Math.min(steps.length - 1, Math.round(index)))];
      slider.value = steps.indexOf(step);
      picture.src = step.src;
      picture.alt = step.alt;
      label.textContent = `${step.label}  (${steps.indexOf(step) + 1} of ${steps.length})`;
      slider.setAttribute("aria-valuetext", step.label);
    };
    const drag = (event) => {
      const edge = picture.getBoundingClientRect();
      if (event.buttons) show(((event.clientX - edge.left) / edge.width) * (steps.length - 1));
    };
    slider.addEventListener("input", () => show(+slider.value));
    picture.addEventListener("mousedown", (event) => {  // keeps the focus from going to what lies around
      slider.focus({ preventScroll: true });
      event.preventDefault();
    });
    picture.addEventListener("pointerdown", (event) => {
      picture.setPointerCapture(event.pointerId);
      drag(event);
    });
    picture.addEventListener("pointermove", drag);
    box.append(picture, slider, label);
    strip.hidden = true;
    strip.style.display = "none";
    root.dataset.live = "yes";
    root.append(box);
    show(steps.length - 1);
  }
})
