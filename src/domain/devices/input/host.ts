import type { Input } from "./input.ts";

/** The node of a keyboard, a mouse or the like of the host. */
export function hostInput(found: Input): string | undefined {
  if (found.type === "evdev") return found.source.dev;
  return found.type === "passthrough" ? found.source.evdev : undefined;
}
