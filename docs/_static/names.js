// Names that a screen reader says, where the theme and the widgets give none, or one
// that is not the name that is seen.
function name() {
  for (const button of document.querySelectorAll(".search-button-field[aria-label]"))
    button.removeAttribute("aria-label");
  for (const summary of document.querySelectorAll("summary[aria-label]"))
    summary.removeAttribute("aria-label");
  for (const handle of document.querySelectorAll(".noUi-handle:not([aria-label])")) {
    const label = handle.closest(".jupyter-widgets")?.querySelector(".widget-label");
    if (label?.textContent) handle.setAttribute("aria-label", label.textContent);
  }
}

addEventListener("DOMContentLoaded", () => {
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
});
