// Gradio takes pictures from the clipboard by a button alone: Ctrl+V is as if the file had been chosen.
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  const chooser = document.querySelector("input[type=file]");
  if (!file || !chooser) return;
  const chosen = new DataTransfer();
  chosen.items.add(file);
  chooser.files = chosen.files;
  chooser.dispatchEvent(new Event("change", { bubbles: true }));
  event.preventDefault();
});
