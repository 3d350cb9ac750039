// What the page's network was measured at. Written by trainer-native/ship.sh; do not edit.

export const FIGURES = { maps: 48, physical: { rmseDb: 4.07, crpsDb: 2.9 }, network: { rmseDb: 3.9, crpsDb: 2.11, holds: 0.88 } };
