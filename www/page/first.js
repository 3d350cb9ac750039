// What takes longest before the first map: the worker's start and the module's compilation. main.js imports this before everything else,
// so that both are under way while the rest of the page is evaluated. Callers of `startPhysical` wait for the same start
// and get its error; it is ignored here.

import { startPhysical } from './engines.js';

startPhysical().catch(() => {});
