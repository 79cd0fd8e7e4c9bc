import type { Graphics } from "../../../domain/devices/graphics/graphics.ts";
import { type Arguments, keyValues, onOffWord } from "../../argument/argument.ts";
import type { Launch } from "../../launch.ts";
import type { Guest } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";
import { audioWord, type DisplayFacts, renderNode } from "./facts.ts";
import { formatSpice } from "./spice.ts";
import { formatVnc } from "./vnc.ts";

/** -vnc, -spice and -display. qemuBuildGraphicsCommandLine() of libvirt */
export function formatGraphics(guest: Guest, launch: Launch | undefined): Arguments {
  const { graphics } = guest.devices;
  refuseCombination(graphics);
  return graphics.flatMap((found, index) =>
    formatDisplay(found, { path: devicePath("graphics", index), guest, launch }),
  );
}

function formatDisplay(found: Graphics, facts: DisplayFacts): Arguments {
  switch (found.type) {
    case "vnc":
      return formatVnc(found, facts);
    case "spice":
      return formatSpice(found, facts);
    case "sdl":
      return formatSdl(found);
    case "egl-headless":
      return formatEgl(found, facts);
    case "dbus":
      return formatDbus(found, facts);
  }
}

type GraphicsOf<T extends Graphics["type"]> = Extract<Graphics, { readonly type: T }>;

// qemuValidateDomainDeviceDefGraphics() of libvirt
function refuseCombination(graphics: readonly Graphics[]): void {
  const types = graphics.map(({ type }) => type);
  for (const [index, type] of types.entries()) {
    const path = devicePath("graphics", index);
    if (types.indexOf(type) < index)
      throw cannotTranslate(path, `a guest can have only one ${type}`, "Remove it.");
    if (type !== "egl-headless") continue;
    const other = graphics.find((found) => found.type === "sdl" || hasGl(found));
    if (other === undefined) continue;
    if (other.type === "sdl") throw cannotTranslate(path, "an SDL display excludes it", "Leave it out.");
    throw cannotTranslate(
      path,
      "a SPICE display with OpenGL excludes it",
      "Leave it out, or write <gl enable='no'/> for the SPICE display.",
    );
  }
}

function hasGl(found: Graphics): boolean {
  return found.type === "spice" && found.gl?.enable === true;
}

/** QEMU's environment selects the window system. */
function formatSdl({ fullscreen, gl }: GraphicsOf<"sdl">): Arguments {
  const own = gl === undefined ? "sdl" : `sdl,gl=${onOffWord(gl.enable)}`;
  return [...(fullscreen === true ? ["-full-screen"] : []), "-display", own];
}

function formatEgl({ gl }: GraphicsOf<"egl-headless">, { path }: DisplayFacts): Arguments {
  return ["-display", `egl-headless,${keyValues([["rendernode", renderNode(path, gl?.rendernode)]])}`];
}

/** D-Bus daemon that libvirt starts for a guest. qemuDBusGetAddress() of libvirt */
function ownBus({ domain }: Guest): string {
  return `unix:path=/run/libvirt/qemu/dbus/-1-${[...domain.name].slice(0, 20).join("")}-dbus.sock`;
}

function formatDbus({ address, audio, gl, p2p }: GraphicsOf<"dbus">, facts: DisplayFacts): Arguments {
  const node = gl?.enable === true ? renderNode(facts.path, gl.rendernode) : gl?.rendernode;
  const pairs = keyValues([
    ["p2p", p2p === true ? "on" : undefined],
    ["addr", p2p === true ? undefined : (address ?? ownBus(facts.guest))],
    ["gl", gl && onOffWord(gl.enable)],
    ["rendernode", node],
    ["audiodev", audio && busAudio(facts, audio.id)],
  ]);
  return ["-display", `dbus,${pairs}`];
}

// qemuValidateDomainDeviceDefDBusGraphics() of libvirt
function busAudio(facts: DisplayFacts, id: number): string {
  const found = audioWord(facts, id);
  const { audios } = facts.guest.devices;
  if (audios.some((audio) => audio.id === id && audio.type === "dbus")) return found;
  throw cannotTranslate(
    `${facts.path}/audio`,
    "sound over D-Bus must have the type dbus",
    "Write <audio type='dbus'/>.",
  );
}
