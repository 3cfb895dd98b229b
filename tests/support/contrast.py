"""How well the texts of a page stand out, as WCAG 2 counts it."""

CONTRASTS = """(seen) => {
  const light = ([r, g, b]) => [r, g, b].map((value) => value / 255).map((value) =>
    value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return parts(color)[3] === 0 ? behind(element.parentElement) : color;
  };
  return [...document.querySelectorAll(seen)].map((element) => {
    const pair = [getComputedStyle(element).color, behind(element)];
    const [dark, bright] = pair.map(parts).map(light).sort((a, b) => a - b);
    return [element.className || element.tagName, (bright + 0.05) / (dark + 0.05)];
  });
}"""
"""Takes a selector; returns a name and a ratio for each element: 4.5 can be read."""
