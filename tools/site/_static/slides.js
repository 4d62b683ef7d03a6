/* Every slide is filled: its text is as large as there is room for, and a picture takes what is left. A picture that is
 * not wide stands beside the text; any other above or below, as wide as the slide or with most of its height. */
"use strict";

const LARGEST = 40, READABLE = 24, SMALLEST = 15;  // pixels of the text, on a slide of 1280 x 720
const PICTURES = [0.75, 0.65, 0.55, 0.45];  // of the body's height, at least, where the text stays readable
const WIDE = 1.5;  // width by height

function fit(slide) {
  const body = slide?.querySelector(":scope > .body");
  if (!body) return;
  const folded = [...body.querySelectorAll("details:not([open])")];
  folded.forEach((answer) => { answer.open = true; });  // so that nothing moves when one is opened
  const pictures = [...body.querySelectorAll("p > img")], first = pictures[0];
  const beside = pictures.length === 1 && first.naturalWidth / first.naturalHeight < WIDE
    && body.querySelectorAll("p, ul, ol, table, .math").length > 1;
  body.classList.toggle("beside", beside);
  body.style.setProperty("--room", `${body.clientHeight}px`);
  for (const share of beside || !first ? [0] : PICTURES) {
    pictures.forEach((picture) => give(picture, share * body.clientHeight / pictures.length, body.clientWidth));
    if (fitText(body) >= READABLE) break;
  }
  folded.forEach((answer) => { answer.open = false; });
}

/* A picture gets at least this height, but no more than it can use. */
function give(picture, height, width) {
  const whole = width * picture.naturalHeight / picture.naturalWidth, { style } = picture.parentElement;
  style.minHeight = height ? `${Math.min(whole, height)}px` : "";
  style.maxHeight = height ? `${whole}px` : "";
}

/* Make the text as large as there is room for; return its size. */
function fitText(body) {
  const inside = (part) => part.getBoundingClientRect().right <= body.getBoundingClientRect().right + 1;
  const parts = [...body.querySelectorAll("svg, table")];
  let size = LARGEST + 1;
  do {
    body.style.fontSize = `${--size}px`;
  } while (size > SMALLEST && (body.scrollHeight > body.clientHeight || !parts.every(inside)));
  return size;
}

const fitThis = () => fit(Reveal.getCurrentSlide());

addEventListener("load", () => {
  for (const event of ["ready", "slidechanged"]) Reveal.on(event, fitThis);
  Reveal.on("pdf-ready", () => document.querySelectorAll(".reveal .slides section").forEach(fit));
  (window.MathJax?.startup?.promise ?? Promise.resolve()).then(fitThis);
});
