// Types: places for new transmitters, and maps that measurements correct.

import type { Antenna, Bounds, NumberField, PlacedTransmitter, Progress, RadioMap, Receiver, SceneFields, Transmitter } from './index.js';

/** Where a transmitter may stand. */
export interface SiteCandidate extends Pick<Transmitter, 'lng' | 'lat'> {
  /** What the site is called; `SuggestedSite` has it again. */
  name?: string | number | null | undefined;
  /** These are as `transmitter` of the search has them where they are left out. `alt` is `heightM`. */
  heightM?: NumberField;
  alt?: NumberField;
  powerDbm?: NumberField;
  frequencyMHz?: NumberField;
  /** Comes before the `txg` of the search's antenna, not before that of the candidate's own. */
  antennaGainDbi?: NumberField;
  /** Taken as a whole, also `{}`, which radiates equally in all directions. */
  antenna?: Antenna | null | undefined;
}

export interface SitesRequest extends SceneFields {
  /** How many places to find, 1 to 100; the default is 1. */
  count?: NumberField;
  /** From this power at the receiver on a place is covered; no default. */
  thresholdDbm: number | string;
  /** Masts, roofs, lamp posts: up to 5000 places. The default is one in every square of `spacingM` outdoors. */
  candidates?: readonly SiteCandidate[] | null | undefined;
  /** The part of the map that candidates are spread over; the default is all of it. */
  area?: Bounds | null | undefined;
  /** The default is a twelfth of the map's side: up to 144 candidates, each of which costs a map. More than 5000 are refused. */
  spacingM?: NumberField;
  /** Transmitters that are there already. */
  existing?: readonly Transmitter[] | null | undefined;
  /** What stands at every candidate that does not say otherwise. */
  transmitter?: Omit<Transmitter, 'lng' | 'lat'> | null | undefined;
  receiver?: Receiver | null | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: Progress | undefined;
}

export interface SuggestedSite {
  /** Where it stands, degrees. */
  lng: number;
  lat: number;
  /** Its number among `candidates`, from 0. */
  candidate: number;
  /** Its name; null where it has none. */
  name: string | null;
  /** Share of the ground outdoors that nothing covered before, and that is covered with it. */
  gainedShare: number;
  coveredShare: number;
  transmitter: PlacedTransmitter;
}

/**
 * Sites in the order of their choice: each adds most to those before it. The choice covers at least 63 % of what the best choice of the
 * same candidates does (Nemhauser, Wolsey and Fisher, 1978).
 */
export interface SuggestedSites {
  sites: SuggestedSite[];
  /** How many candidates there were on the map. */
  candidates: number;
  /** Numbers of the candidates that lie off the map and were not used. */
  offMap: number[];
  outdoorPixels: number;
  /** Share of the ground outdoors that the existing transmitters cover. */
  shareBefore: number;
  warnings: string[];
  milliseconds: number;
}

export interface ProfileRequest extends SceneFields {
  /** Placed as for a map: below the roof of a building it is moved outdoors. Of its fields, place, height and frequency count. */
  transmitter: Transmitter;
  /** A place on the map. `heightM`, or `alt`, is 0.5 to 200 m above the ground; the default is 1.5. */
  receiver: { lng: number | string; lat: number | string; heightM?: NumberField; alt?: NumberField };
  signal?: AbortSignal | undefined;
  onProgress?: Progress | undefined;
}

/**
 * The straight line between two antennas, seen from the side. Distances are along the ground from the transmitter, heights above the
 * ground, both in metres. A map's paths also go round buildings, so a place may have more power than the line alone would bring it.
 */
export interface PathProfile {
  transmitter: PlacedTransmitter;
  receiver: { lng: number; lat: number; heightM: number };
  distanceM: number;
  /** The roofs under the line, in its order; where buildings overlap, the highest. */
  roofs: { fromM: number; toM: number; heightM: number }[];
  /** No roof under the line reaches it. */
  lineOfSight: boolean;
  /**
   * The edge of a roof that reaches farthest into the link's first Fresnel zone; null where the line crosses no wall. `clearanceM` is the
   * line's height above it, negative where the edge is higher, and `fresnelShare` the same in radii of the zone: from 0.55 on an edge takes
   * nothing.
   */
  mainEdge: { distanceM: number; heightM: number; clearanceM: number; fresnelShare: number } | null;
  /** Between isotropic antennas, dB (ITU-R P.525). */
  freeSpaceLossDb: number;
  /** By the edges of all roofs, beyond free space, dB (ITU-R P.526). */
  diffractionLossDb: number;
  warnings: string[];
}

export interface CalibrationRequest extends SceneFields {
  /**
   * The cell. `frequencyMHz` counts, and what is known of its antenna: `heightM`, and with `antenna: { azi }` where it points. Power and
   * gain are fitted.
   */
  transmitter: Transmitter;
  /**
   * What was measured: a table as text, bytes or a file, with the columns `lng`, `lat`, a power in dBm (such as `rsrp_dbm`) and perhaps
   * `device`; or a list. At least ten places. Where semicolons or tabulators separate a table's values, decimal commas are read too.
   */
  measurements: string | ArrayBuffer | ArrayBufferView | Blob | readonly { lng: number | string; lat: number | string; powerDbm: number | string; device?: string | null | undefined }[];
  /** Whose measurements count; the default is the device with the most, because phones differ by several dB. */
  device?: string | null | undefined;
  /** Readings in a square of this side count as one place; the default is 4 m. */
  squareM?: NumberField;
  /** Side of the blocks of ground that errors are told of; the default is 64 m. */
  blockM?: NumberField;
  signal?: AbortSignal | undefined;
  onProgress?: Progress | undefined;
}

/** Root mean square errors in dB in blocks that the fit was not given. */
export interface CalibrationErrors {
  /** Squares that were predicted. */
  squares: number;
  /** By the law before the fit, with its offset alone taken from the measurements. */
  beforeDb: number;
  /** By the fitted law. */
  lawDb: number;
  /** By the fitted law and its errors in other blocks: the map's. */
  afterDb: number;
  /** Share of squares within one standard deviation of the map; 0.68 is right. */
  withinDeviation: number;
}

/** What was fitted, how well it does, and the map. All but the map is plain JSON, to be saved with a plan. */
export interface CalibrationReport {
  /** Readings on the map, and squares that hold them. */
  readings: number;
  squares: number;
  /** The law's constants before the fit and after it, each with its standard deviation. docs/calibration.md explains them. */
  constants: { name: string; unit: string; before: number; beforeDeviation: number; fitted: number; fittedDeviation: number }[];
  /** Over all blocks; null where the measurements are too few for blocks, and a warning says so. */
  errors: CalibrationErrors | null;
  /** Each block with its south-west corner, degrees. */
  blocks: ({ lng: number; lat: number } & CalibrationErrors)[];
  /** The squares that were measured; `predictedDbm` is by the map that was not given the square's block, null where there is none. */
  places: { lng: number; lat: number; powerDbm: number; predictedDbm: number | null }[];
  /** Power in dBm, with `stddev`: the standard deviation of what a measurement would show. Its transmitter is the cell as asked for. */
  map: RadioMap;
  warnings: string[];
  milliseconds: number;
}
