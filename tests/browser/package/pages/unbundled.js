// An application without a bundler: `?package` is the address of the package's index.js, `?scenario` what to do with it, `?options` how.

import * as scenarios from './scenarios.js';

const asked = new URLSearchParams(location.search);
const radiodiff = await import(asked.get('package'));
const result = await scenarios[asked.get('scenario')](radiodiff, JSON.parse(asked.get('options') ?? '{}'));
document.documentElement.dataset.result = JSON.stringify(result);
