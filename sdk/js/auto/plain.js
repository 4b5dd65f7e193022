/** Reads what the page says in its data layer or markup, which may be anything, as what an event may carry; undefined
 * where it is something else. One odd member costs no whole event. */

/** Text, or a number as text, of at most 200 characters and without control characters. */
export function text(value) {
  const whole = typeof value === 'number' ? `${value}` : value;
  // Only text has this method.
  return whole?.replaceAll?.(/\p{Cc}+/gu, ' ').trim().slice(0, 200) || undefined;
}

/**
 * A number, also from numeric text. Text of another form goes on as it is, and so does one that may mean thousands: the edge
 * reads `1.299,00 €` and `1.299`, and says so.
 */
export function amount(value) {
  const whole = text(value);
  return !whole || (whole === value && /^\d{1,3}\.\d{3}$/.test(whole)) || !isFinite(whole) ? whole : +whole;
}
