// What the page's network was measured at. Written by trainer-native/ship.sh; do not edit.

export const FIGURES = { maps: 48, physical: { rmseDb: 4.21, crpsDb: 3.1 }, network: { rmseDb: 3.98, crpsDb: 2.21, holds: 0.87 } };
