// A reporter for `node --test` that writes one JSON object a line for every test: its name, whether it passed, and why it was skipped.
// suite/node_tests.rs reads it. A group (`describe`) is no test of its own, but a file that fails as a whole is.

export default async function* reporter(events) {
  for await (const { type, data } of events) {
    if ((type === 'test:pass' || type === 'test:fail') && data.details?.type !== 'suite') {
      const { name, skip = null, todo = null } = data;
      yield `${JSON.stringify({ name, passed: type === 'test:pass', skip, todo })}\n`;
    }
  }
}
