// What the page's network was measured at. Written by trainer-native/ship.sh; do not edit.

export const FIGURES = { maps: 48, physical: { rmseDb: 4.22, crpsDb: 3.11 }, network: { rmseDb: 3.95, crpsDb: 2.18, holds: 0.88 } };
