// Parked cars of the planner's own: a file of GeoJSON whose polygons all have a car's size. They are part of the plan.

import { engines } from '../engines.js';
import { say, unsay } from '../notices.js';
import { carsIn, mayHoldCars } from '../plan/cars.js';
import { change, plan } from '../plan/store.js';
import { announce, around, state } from '../state.js';

const element = (id) => document.getElementById(id);
const counted = (count) => (count === 1 ? '1 parked car' : `${count} parked cars`);

export function listenToCars() {
  element('cars-remove').addEventListener('click', () => {
    change(({ cars: _, ...rest }) => rest);
    announce('The cars are removed. Undo brings them back.');
  });
}

/** Says which cars the plan has. */
export function refreshCars() {
  const { cars } = plan();
  element('cars').hidden = !cars;
  element('cars').querySelector('span').textContent = cars ? `${counted(cars.outlines.length)} of ${cars.name}` : '';
}

/** The cars of a file; undefined of any other file. */
export async function carsOfFile(file) {
  if (!state.scene || !/\.(geo)?json$/i.test(file.name)) return undefined;
  try {
    if (!(await mayHoldCars(file))) return undefined;
    return carsIn(JSON.parse(await file.text()), file.name);
  } catch {
    // What is wrong with it is told by who opens it as buildings.
    return undefined;
  }
}

/** Puts cars on the map, in place of those that the plan had. */
export async function openCars(cars) {
  const { scene } = state;
  try {
    const { cars: onMap, warnings } = await engines.physical.setScene(around(cars));
    // Another scene was opened meanwhile.
    if (state.scene !== scene) return;
    if (!onMap) {
      const told = warnings.filter((warning) => warning.startsWith('cars: ')).join('; ');
      say('cars', `${cars.name} has ${counted(cars.outlines.length)}, none of them on this map (${told}): open the place where they stand first.`, 'error');
      return;
    }
    unsay('cars', 'error');
    change((now) => ({ ...now, cars }));
    say('cars', `${counted(onMap)} of ${cars.name} ${onMap === 1 ? 'is' : 'are'} on the map. They cost most between antennas at 1.5 m, and the less the higher an antenna stands.`);
  } catch (error) {
    say('cars', `${cars.name} cannot be used: ${error.message}.`, 'error');
  }
}
