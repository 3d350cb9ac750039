// Files of buildings, chosen or dropped.

const stage = document.getElementById('stage');

/** `open` is called with each file. */
export function listenToFiles(open) {
  document.getElementById('file').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    // The same file, mended, is a change again only for an empty field.
    target.value = '';
    if (file) open(file);
  });
  const hover = (on) => (event) => {
    event.preventDefault();
    stage.classList.toggle('dropping', on);
  };
  addEventListener('dragover', hover(true));
  addEventListener('dragleave', hover(false));
  addEventListener('drop', (event) => {
    hover(false)(event);
    const [file] = event.dataTransfer.files;
    if (file) open(file);
  });
}
