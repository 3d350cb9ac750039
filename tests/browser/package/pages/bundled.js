// An application that a bundler builds.

import { createEngine } from 'radiodiff-web';
import { mountTwice } from './scenarios.js';

document.documentElement.dataset.result = JSON.stringify(await mountTwice({ createEngine }, { write: true }));
