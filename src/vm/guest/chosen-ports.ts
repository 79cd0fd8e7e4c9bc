import type { Domain } from "../../domain/domain.ts";

type Graphics = Domain["devices"]["graphics"][number];

/**
 * Returns displays with the ports of the recorded ones, which are in the same order. A completed domain leaves an automatic port to a
 * start, which a running guest has behind it.
 */
export function withChosenPorts(
  graphics: readonly Graphics[],
  recorded: readonly Graphics[],
): readonly Graphics[] {
  return graphics.map((found, at) => {
    const before = recorded[at];
    if (found.type !== "vnc" || before?.type !== "vnc" || before.port === undefined) return found;
    return { ...found, port: before.port };
  });
}
