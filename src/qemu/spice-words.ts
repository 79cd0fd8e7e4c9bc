import type { Graphics } from "../domain/graphics.ts";
import { type DisplayFacts, renderNode } from "./display-facts.ts";
import { cannotTranslate } from "./refusal.ts";
import { keyValues, onOffWord, type Words } from "./words.ts";

/** What an automatic display gets before a start, as in the reference. */
const AUTOMATIC_PORT = 5901;

/** SPICE's channels in the order in which the reference writes them. virDomainGraphicsSpiceChannelName */
const CHANNELS = ["main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir"];

type Spice = Extract<Graphics, { readonly type: "spice" }>;
type Pair = readonly [string, string | number | undefined];

/**
 * -spice. Tickets are never turned off: without a password nobody gets in. qemuBuildGraphicsSPICECommandLine() of
 * libvirt, as it is where the host's settings have a password for SPICE
 */
export function formatSpice(graphics: Spice, facts: DisplayFacts): Words {
  const { channels, clipboard, filetransfer, gl, image, jpeg, mouse, playback, streaming, zlib } = graphics;
  const modes = new Map(channels.map(({ name, mode }) => [name as string, mode]));
  const isOff = (given: boolean | undefined): string | undefined => (given === false ? "on" : undefined);
  const pairs = keyValues([
    ...listenPairs(graphics, facts),
    ["agent-mouse", mouse && onOffWord(mouse.mode === "client")],
    ["plaintext-channel", graphics.defaultMode === "insecure" ? "default" : undefined],
    ...CHANNELS.flatMap((name): Pair[] =>
      modes.get(name) === "insecure" ? [["plaintext-channel", name]] : [],
    ),
    ["image-compression", image?.compression],
    ["jpeg-wan-compression", jpeg?.compression],
    ["zlib-glz-wan-compression", zlib?.compression],
    ["playback-compression", playback && onOffWord(playback.compression)],
    ["streaming-video", streaming?.mode],
    ["disable-copy-paste", isOff(clipboard?.copypaste)],
    ["disable-agent-file-xfer", isOff(filetransfer?.enable)],
    ["gl", gl?.enable === true ? "on" : undefined],
    ["rendernode", gl?.enable === true ? renderNode(facts.path, gl.rendernode) : undefined],
    ["seamless-migration", "on"],
  ]);
  const keymap = graphics.keymap === undefined ? [] : ["-k", graphics.keymap];
  return ["-spice", pairs, ...keymap];
}

function listenPairs(graphics: Spice, { guest, path }: DisplayFacts): readonly Pair[] {
  const [listen, second] = graphics.listens;
  if (second !== undefined) throw cannotTranslate(`${path}/listen[2]`, "QEMU has one", "Remove it.");
  switch (listen?.type) {
    case "none":
      return [["port", 0]];
    case "socket": {
      const native = `/var/lib/libvirt/qemu/domain--1-${guest.domain.name}/spice.sock`;
      return [
        ["unix", "on"],
        ["addr", listen.socket ?? native],
      ];
    }
    case "address":
    case undefined: {
      const port = portOf(graphics);
      if (port === 0) return [["port", 0]];
      return [
        ["port", port],
        ["addr", listen?.address ?? graphics.listenAddress ?? "127.0.0.1"],
      ];
    }
  }
}

/** Without any port it listens nowhere. */
function portOf({ autoport, port = 0, tlsPort }: Spice): number {
  const isAutomatic = autoport === true || (port === -1 && tlsPort === -1);
  return isAutomatic ? AUTOMATIC_PORT : Math.max(port, 0);
}
