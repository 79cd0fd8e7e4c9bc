/** Landings that a file may wait; with one more the gate fails. */
export const MOST_WAITED = 3;
/** Landings that `scripts/test --all` may wait. */
export const MOST_WITHOUT_ALL = 10;
/** Open races that the gate bears, and the landings that each may stay open. */
export const MOST_OPEN_RACES = 2;
export const MOST_OPEN_LANDINGS = 5;

/** A change of these paths makes `scripts/test --all` due: tools, the image, lists of packages. */
export const MAKES_ALL_DUE = /^(scripts|image)\/|^(package\.json|bun\.lock)$/;

/** Files that run in each gate, after the checks, the host's tests and the demo. */
export const ALWAYS: readonly string[] = ["test/node/launch.test.ts", "test/node/isolation.test.ts"];

/** Files whose failure is never forgiven: isolation, the program that lies, kills, restored labels. */
export const UNFORGIVEN: readonly RegExp[] = [
  /\/isolation\.test\.ts$/,
  /\/liar\.test\.ts$/,
  /\/killed[^/]*\.test\.ts$/,
  /\/(labels|ends|reboot|pool-power)\.test\.ts$/,
  /^test\/(labelling|label)\//,
  /^test\/vm\/recover\//,
  /^test\/real-host\//,
];

/** Reports whether a failure of the file counts even if the file passes alone on a fresh node. */
export function isUnforgiven(file: string): boolean {
  return UNFORGIVEN.some((pattern) => pattern.test(file));
}

/**
 * Returns the failed files that run once more: without unforgiven files, and none if so many have failed that
 * the gate would fail with their races open.
 */
export function decideReruns(failed: readonly string[]): readonly string[] {
  return failed.length > MOST_OPEN_RACES ? [] : failed.filter((file) => !isUnforgiven(file));
}
