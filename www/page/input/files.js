// Files, chosen or dropped anywhere on the page.

const stage = document.getElementById('stage');

/** As much of a file as tells what it is. */
const HEAD_BYTES = 4096;

/** The text with which a file begins. */
export const headOf = (file) => file.slice(0, HEAD_BYTES).text();

/** `open` is called with the files that were chosen or dropped together. */
export function listenToFiles(open) {
  const dialog = document.getElementById('import');
  document.getElementById('import-open').addEventListener('click', () => dialog.showModal());
  const take = (files) => {
    if (!files.length) return;
    dialog.close();
    open(files);
  };
  document.getElementById('file').addEventListener('change', ({ target }) => {
    const files = [...target.files];
    // The same file, mended, is a change again only for an empty field.
    target.value = '';
    take(files);
  });
  const hover = (on) => (event) => {
    event.preventDefault();
    stage.classList.toggle('dropping', on);
  };
  addEventListener('dragover', hover(true));
  addEventListener('dragleave', hover(false));
  addEventListener('drop', (event) => {
    hover(false)(event);
    take([...event.dataTransfer.files]);
  });
}
