/** Draws a number from 0 to below a bound, the same in each run. */
export type Draw = (below: number) => number;

/** Returns a linear congruential generator: good enough for sampling, and repeatable. */
export function drawsFrom(seed: number): Draw {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WORDS = ["x", "lib", "a.b", "usr", "7", "log", "foo bar", "é", ".x", "1.0", "sda1"];
const ESCAPED = /\\(.)/g;
/** Start of Unicode's private area, whose letters replace escaped ones during the drawing. */
const PRIVATE = 0xe000;

/**
 * Draws a path that a pattern of file_contexts may match. It picks alternatives and repetitions, and replaces
 * classes and dots by letters. The path need not match: the tool under comparison decides.
 */
export function drawPath(pattern: string, draw: Draw): string {
  let text = pattern.replace(ESCAPED, (_, letter: string) =>
    String.fromCharCode(PRIVATE + letter.charCodeAt(0)),
  );
  text = text.replace(/\[(\^?)((?:\[:\w+:\]|[^\]])*)\]/g, (_, negated: string, inside: string) =>
    negated === "" ? inside.charAt(draw(inside.length)) : (WORDS[draw(WORDS.length)] ?? ""),
  );
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\((?:\?:)?([^()]*)\)([?*+]?)/, (_, inside: string, repeat: string) => {
      const choices = inside.split("|");
      if (repeat !== "" && repeat !== "+" && draw(2) === 0) return "";
      return choices[draw(choices.length)] ?? "";
    });
  }
  text = text.replace(/\.[*+]|\./g, () => WORDS[draw(WORDS.length)] ?? "").replace(/[?*+|]/g, "");
  return mutate(
    text.replace(/[\uE000-\uE0FF]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - PRIVATE)),
    draw,
  );
}

/** Changes the path in five of eight cases. */
function mutate(path: string, draw: Draw): string {
  const at = draw(path.length);
  switch (draw(8)) {
    case 0:
      return path.slice(0, at) + path.slice(at + 1);
    case 1:
      return `${path}/${WORDS[draw(WORDS.length)] ?? ""}`;
    case 2:
      return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
    case 3:
      return `${path.slice(0, at)}/${path.slice(at)}`;
    case 4:
      return path + (WORDS[draw(WORDS.length)] ?? "");
    default:
      return path;
  }
}
