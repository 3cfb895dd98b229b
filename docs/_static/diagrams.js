// Draw the page's diagrams, light or dark as the page is, again when that changes.
// The text of each stays for who cannot see it: it is the label of the drawing.
const diagrams = [...document.querySelectorAll(".highlight-none.mermaid, .mermaid")]
  .filter((each, _, all) => !all.some((other) => other !== each && other.contains(each)))
  .map((place) => ({ place, text: place.textContent.trim() }));

async function draw() {
  const dark = document.documentElement.dataset.theme === "dark";
  // A darker ground for the words on an arrow: the theme's own is too light to read on.
  const themeVariables = dark ? { edgeLabelBackground: "#333" } : {};
  const theme = dark ? "dark" : "neutral";
  mermaid.initialize({ startOnLoad: false, theme, themeVariables });
  for (const [number, { place, text }] of diagrams.entries()) {
    const { svg } = await mermaid.render(`diagram-${number}`, text);
    place.innerHTML = svg;
    place.className = "diagram";
    const drawing = place.querySelector("svg");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", text);
  }
}

draw();
new MutationObserver(draw).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});
