import type { Graphics } from "../domain/graphics.ts";
import { type DisplayFacts, networkUnknown, renderNode } from "./display-facts.ts";
import { cannotTranslate, notSettled } from "./refusal.ts";
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
  refuseTls(graphics, facts.path);
  const isOff = (given: boolean | undefined): string | undefined => (given === false ? "on" : undefined);
  const pairs = keyValues([
    ...listenPairs(graphics, facts),
    ["agent-mouse", mouse && onOffWord(mouse.mode === "client")],
    ...channelPairs("default", graphics.defaultMode),
    ...CHANNELS.flatMap((name) =>
      channelPairs(name, channels.find((channel) => channel.name === name)?.mode),
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

/** Where its certificates are, and whether a password is asked for, say the host's settings. */
function refuseTls({ tlsPort = 0, defaultMode, channels }: Spice, path: string): void {
  const asked = [
    ["@tlsPort", tlsPort > 0],
    ["@defaultMode", defaultMode === "secure"],
    ["channel/@mode", channels.some(({ mode }) => mode === "secure")],
  ] as const;
  const place = asked.find(([, isThere]) => isThere)?.[0];
  if (place === undefined) return;
  const why = "what TLS needs is said by settings of the host";
  throw notSettled(`${path}/${place}`, why, "Leave it out, and use a socket and SSH.");
}

function channelPairs(name: string, mode: Spice["defaultMode"]): readonly Pair[] {
  return mode === "insecure" ? [["plaintext-channel", name]] : [];
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
    case "network":
      throw networkUnknown(path);
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
