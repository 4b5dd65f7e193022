// How many days later the profile is looked at: what time alone will change of it.

import { el } from '../dom';

const DAYS = [0, 1, 7, 30, 90, 200];
let days = 0;

/** The days that were chosen. */
export const daysLater = (): number => days;

/** The control; `changed` is told of another choice. */
export function laterControl(changed: () => void): HTMLElement {
  const choice = (value: number): HTMLElement =>
    el('label', {}, el('input', { type: 'radio', name: 'ec-later', value, checked: value === days, onchange: () => { days = value; changed(); } }), el('span', {}, value === 0 ? 'now' : `+${value}`));
  return el('fieldset', { class: 'ec-later' }, el('legend', {}, 'Days later'), ...DAYS.map(choice), el('p', {}, days === 0 ? 'As it is.' : 'As it will be if nothing else happens; segments take scores as of the latest fit. Looking changes nothing.'));
}
