// What takes longest before the first map: the worker's start and the module's compilation. main.js imports this before everything else,
// so that both are under way while the rest of the page is evaluated. Who needs the engine waits for it, and hears of what failed.

import { startPhysical } from './engines.js';

startPhysical().catch(() => {});
