// Starts the slides: arrow keys move, Esc shows all of them, S opens the speaker's view.
Reveal.initialize({
  width: 1200,
  height: 700,
  margin: 0.04,
  center: false,
  hash: true,
  slideNumber: "c/t",
  transition: "none",
  plugins: [RevealNotes],
});
