/* What a style sheet cannot know of a slide. A slide of text alone is set as large as there is room for, with its
   answers opened. A figure stands below the text or beside it, wherever it is larger. */
const ROOM = 640, LARGEST = 1.7, SMALLEST = 0.8, STEP = 0.05;

function fits(slide) {
  const body = [...slide.querySelectorAll(":is(section, .fragment) > :not(h2, .notes, .fragment, :has(img))")];
  const top = slide.getBoundingClientRect().top, zoom = Reveal.getScale();
  const lowest = Math.max(0, ...body.map((part) => (part.getBoundingClientRect().bottom - top) / zoom));
  return lowest <= ROOM && body.every((part) => part.scrollWidth <= slide.clientWidth);
}

function setText(slide) {
  const answers = [...slide.querySelectorAll("details")], open = answers.map((answer) => answer.open);
  answers.forEach((answer) => { answer.open = true; });
  slide.classList.remove("text");
  for (let size = LARGEST; size >= SMALLEST; size -= STEP) {
    slide.style.fontSize = `${size}em`;
    if (fits(slide)) break;
  }
  answers.forEach((answer, i) => { answer.open = open[i]; });
  slide.classList.add("text");
}

function settle(slide) {
  if (!slide || slide.querySelector("h1")) return;
  const pictures = [...slide.querySelectorAll("img")];
  if (!pictures.length) return setText(slide);
  slide.classList.remove("beside");
  if (pictures.length > 1 || !slide.querySelector(":is(p, li, table):not(:has(img), .notes *)")) return;
  const below = scale(pictures[0]);
  slide.classList.add("beside");
  if (below >= scale(pictures[0]) || !fits(slide)) slide.classList.remove("beside");
}

function scale(picture) {
  return Math.min(picture.clientWidth / picture.naturalWidth, picture.clientHeight / picture.naturalHeight);
}

/* A full stop does not begin a line because a formula stands before it. */
function holdTogether(formula) {
  const after = formula.nextSibling, [mark] = after?.nodeType === 3 ? after.data.match(/^[.,:;)]+/) ?? [] : [];
  if (!mark || formula.matches("div")) return;
  const held = document.createElement("span");
  held.style.whiteSpace = "nowrap";
  after.data = after.data.slice(mark.length);
  formula.replaceWith(held);
  held.append(formula, mark);
}

window.addEventListener("load", () => {
  const now = () => settle(Reveal.getCurrentSlide());
  Reveal.on("ready", now);
  Reveal.on("slidechanged", now);
  Reveal.on("pdf-ready", () => document.querySelectorAll(".reveal section:not(:has(section))").forEach(settle));
  document.querySelectorAll(".reveal .math").forEach(holdTogether);
  if (window.MathJax?.startup?.promise) MathJax.startup.promise.then(now);
  if (Reveal.isReady()) now();
});
