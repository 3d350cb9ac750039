// A server for the package's tests, on a port and so an origin of its own: it serves folders, with the headers of the test, and answers
// wrongly where the test wants that.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.wasm': 'application/wasm', '.geojson': 'application/geo+json',
};

/**
 * Serves `folders`, each under its path, until the test `t` ends. `headers(path)` adds headers; `answers` maps a path to a function that
 * answers instead of a file. `asked` collects the paths that were asked for.
 */
export async function serve(t, { folders, headers = () => ({}), answers = {} }) {
  const asked = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    asked.push(path);
    for (const [name, value] of Object.entries(headers(path))) response.setHeader(name, value);
    if (answers[path]) {
      answers[path](response, request);
      return;
    }
    const file = fileAt(folders, path);
    if (!file) {
      response.writeHead(404).end('not found');
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-length': statSync(file).size });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin, asked };
}

function fileAt(folders, path) {
  for (const [prefix, folder] of Object.entries(folders)) {
    if (!path.startsWith(prefix)) continue;
    const file = join(folder, normalize(`/${path.slice(prefix.length)}`));
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFile()) return file;
    if (found?.isDirectory()) return statSync(join(file, 'index.html'), { throwIfNoEntry: false }) && join(file, 'index.html');
  }
  return null;
}
