"""How the panel looks: in JupyterLab's own colours, so in a light and a dark theme."""

STYLE = """<style>
.course-chat {
  max-width: 52rem; padding: 8px; border: 1px solid var(--jp-border-color1, #bbb);
  border-radius: 4px; color: var(--jp-content-font-color1, inherit);
}
/* From its end, so that it stays there while the text grows; and as high as it is, so
   that Stop does not move away from under the mouse. */
.course-log {
  flex-direction: column-reverse; height: 20rem; overflow-y: auto; resize: vertical;
}
.course-log > * { flex: none; }
.course-chat .widget-html-content { line-height: 1.5; overflow-wrap: anywhere; }
.course-chat .widget-textarea { width: auto; }
.course-chat .widget-button { width: 7rem; }
.course-you, .course-model { padding: 0 8px 6px; overflow: visible; }
.course-model > * { margin: 0 2px; }
.course-model > * + * { margin-top: -4px; }  /* as between two paragraphs of a page */
.course-model :is(h1, h2, h3, h4, h5, h6) { margin: 8px 0 4px; font-size: 1.1em; }
.course-model :is(p, ul, ol, table, pre) { margin: 4px 0 8px; }
.course-chat a {
  color: var(--jp-content-link-color, #0550ae); text-decoration: underline;
}
.course-chat table { border-collapse: collapse; }
.course-plain { white-space: pre-wrap; }
.course-chat pre {
  padding: 6px; overflow-x: auto; background: var(--jp-layout-color2, #eee);
}
.course-chat code { background: var(--jp-layout-color2, #eee); }
.course-chat td, .course-chat th {
  padding: 2px 8px; border: 1px solid var(--jp-border-color2, #ccc);
}
.course-chat .course-failed, .course-chat .course-cut-off {
  color: var(--jp-error-color0, #b71c1c);
}
</style>"""
