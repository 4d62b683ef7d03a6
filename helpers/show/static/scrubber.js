(strip, box, { make, range, dragged }) => {
  // Turns the strip of pictures into one picture with a slider.
  const steps = [...strip.querySelectorAll("figure")].map((figure) => ({
    src: figure.querySelector("img").src,
    alt: figure.querySelector("img").alt,
    label: figure.querySelector("figcaption").textContent,
  }));
  const picture = make("img", "width:100%;display:block;touch-action:pan-y;cursor:ew-resize", { draggable: "false" });
  const slider = range({ max: steps.length - 1, value: 0, "aria-label": `step of ${steps.length}` });
  const label = make("div", "overflow-wrap:anywhere;min-height:1.4em");
  const show = (index) => {
    const at = Math.max(0, Math.min(steps.length - 1, Math.round(index)));
    const step = steps[at];
    slider.value = at;
    picture.src = step.src;
    picture.alt = step.alt;
    label.textContent = `${step.label}  (${at + 1} of ${steps.length})`;
    slider.setAttribute("aria-valuetext", step.label);
  };
  slider.addEventListener("input", () => show(+slider.value));
  dragged(picture, slider, (share) => show(share * (steps.length - 1)));
  box.append(picture, slider, label);
  show(steps.length - 1);
}
