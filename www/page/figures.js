// What the page's network was measured at. Written by trainer-native/ship.sh; do not edit.

export const FIGURES = { maps: 48, physical: { rmseDb: 4.01, crpsDb: 2.77 }, network: { rmseDb: 3.86, crpsDb: 2.07, holds: 0.87 } };
