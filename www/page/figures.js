// What the page's network was measured at. Written by trainer-native/ship.sh; do not edit.

export const FIGURES = { maps: 48, physical: { rmseDb: 4.18, crpsDb: 3.09 }, network: { rmseDb: 3.93, crpsDb: 2.17, holds: 0.88 } };
