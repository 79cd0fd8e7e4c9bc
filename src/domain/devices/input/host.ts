import type { Input } from "./input.ts";

/** Returns the path of the host's input device (evdev), if the element has a path. */
export function hostInput(found: Input): string | undefined {
  if (found.type === "evdev") return found.source.dev;
  return found.type === "passthrough" ? found.source.evdev : undefined;
}
