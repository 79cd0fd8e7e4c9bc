/** Characters drawn by a terminal over the character before. wcwidth(3) gives 0 */
const OVER = /[\p{Mn}\p{Me}\u1160-\u11ff\ud7b0-\ud7ff]/u;
/**
 * Characters of two columns. Unicode Standard Annex 11, W and F: East Asian scripts with their marks, and
 * emoji.
 */
const WIDE = new RegExp(
  [
    "[\\u1100-\\u115f\\u2329\\u232a\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3",
    "\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18dff}",
    "\\u2630-\\u2637\\u268a-\\u268f\\u{1d300}-\\u{1d376}\\u{1f200}-\\u{1f2ff}",
    "\\u{1aff0}-\\u{1b2ff}\\u{20000}-\\u{3fffd}\\p{Emoji_Presentation}]",
  ].join(""),
  "u",
);

/** Returns the number of terminal columns of a text with more than plain letters. */
export function cellWidth(text: string): number {
  let width = 0;
  for (const letter of text) {
    if (OVER.test(letter)) continue;
    width += WIDE.test(letter) ? 2 : 1;
  }
  return width;
}
