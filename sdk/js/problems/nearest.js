/** The known word that a wrong one was probably meant to be. */

/** How many letters have to be put in, taken out, changed, or swapped with the next (optimal string alignment distance). */
export function distance(one, other) {
  const rows = [[...other, ''].map((_, at) => at)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + !same);
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[one.length][other.length];
}

/** The known word that differs least, by at most so many letters, whatever their case. */
export function nearest(word, known, most) {
  const text = word.slice(0, 64).toLowerCase();
  const far = (one) => distance(text, one.toLowerCase());
  const [best] = [...known].sort((one, other) => far(one) - far(other));
  return far(best) <= most ? best : undefined;
}
