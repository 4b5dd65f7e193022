/** Reads what the page says in its data layer or markup, which may be anything, as what an event may carry; undefined
 * where it is something else. The limits are those of `sdk/protocol`, so that one odd member costs no whole event. */

/** Text, or a number as text, of at most 200 characters and without control characters. */
export function text(value) {
  const whole = typeof value === 'number' ? `${value}` : value;
  // Only text has this method.
  return whole?.replaceAll?.(/\p{Cc}+/gu, ' ').trim().slice(0, 200) || undefined;
}

/** An identifier, at most 128 bytes: a longer one cannot be cut and stay one. */
export function id(value) {
  const whole = text(value);
  return new Blob([whole]).size > 128 ? undefined : whole;
}

/** An amount in major units of at least 0, also from numeric text. */
export function amount(value) {
  const number = +text(value);
  return number >= 0 && number < 1e9 ? number : undefined;
}

/** A quantity, a whole number of at least 1. */
export function quantity(value) {
  const number = amount(value);
  return number % 1 || number > 1e5 ? undefined : number || undefined;
}

/** An ISO 4217 code. */
export function currency(value) {
  return /^[a-z]{3}$/i.exec(text(value))?.[0];
}
