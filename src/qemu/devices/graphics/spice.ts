import type { Graphics } from "../../../domain/devices/graphics/graphics.ts";
import { type Arguments, keyValues, onOffWord } from "../../argument/argument.ts";
import { cannotTranslate } from "../../refusal.ts";
import { type DisplayFacts, networkUnknown, renderNode } from "./facts.ts";

/** Placeholder ports of an automatic display, as in libvirt. qemuProcessSPICEAllocatePorts() of libvirt */
const AUTOMATIC_PORT = 5901;
const AUTOMATIC_TLS_PORT = 5902;

/** Default of spice_tls_x509_cert_dir in libvirt's qemu.conf. */
const CERTIFICATES = "/etc/pki/libvirt-spice";

/** SPICE's channels in libvirt's order. virDomainGraphicsSpiceChannelName */
const CHANNELS = ["main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir"];

type Spice = Extract<Graphics, { readonly type: "spice" }>;
type Pair = readonly [string, string | number | undefined];

/** Port without TLS, and port with TLS; 0: none. */
interface Ports {
  readonly plain: number;
  readonly tls: number;
}

/**
 * -spice. Ticketing stays enabled: without a password, no client connects.
 * qemuBuildGraphicsSPICECommandLine() of libvirt, as with a SPICE password in qemu.conf
 */
export function formatSpice(graphics: Spice, facts: DisplayFacts): Arguments {
  const { clipboard, filetransfer, gl, image, jpeg, mouse, playback, streaming, zlib } = graphics;
  const isOff = (given: boolean | undefined): string | undefined => (given === false ? "on" : undefined);
  const pairs = keyValues([
    ...listenPairs(graphics, facts),
    ["agent-mouse", mouse && onOffWord(mouse.mode === "client")],
    ...channelPairs(graphics, facts.path),
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

/** Channels that require or forbid TLS, with the certificates. Refuses a mode without its port. */
function channelPairs(graphics: Spice, path: string): readonly Pair[] {
  const { plain, tls } = portsOf(graphics);
  const isPlain = plain > 0 || graphics.listens[0]?.type === "none" || graphics.listens[0]?.type === "socket";
  const pairsOf = (place: string, name: string, mode: Spice["defaultMode"]): readonly Pair[] => {
    if (mode === undefined || mode === "any") return [];
    if (mode === "secure" && tls === 0) {
      throw cannotTranslate(`${path}/${place}`, "the display has no TLS port", "Write tlsPort, or 'any'.");
    }
    if (mode === "insecure" && !isPlain) {
      throw cannotTranslate(
        `${path}/${place}`,
        "the display has no port without TLS",
        "Write port, or 'any'.",
      );
    }
    return [[mode === "secure" ? "tls-channel" : "plaintext-channel", name]];
  };
  return [
    ["x509-dir", tls > 0 ? CERTIFICATES : undefined],
    ...pairsOf("@defaultMode", "default", graphics.defaultMode),
    ...CHANNELS.flatMap((name) => {
      const index = graphics.channels.findLastIndex((channel) => channel.name === name);
      return pairsOf(`channel[${index + 1}]/@mode`, name, graphics.channels[index]?.mode);
    }),
  ];
}

function listenPairs(graphics: Spice, { guest, path }: DisplayFacts): readonly Pair[] {
  const [listen, second] = graphics.listens;
  if (second !== undefined)
    throw cannotTranslate(`${path}/listen[2]`, "QEMU supports only one listen address", "Remove it.");
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
      const { plain, tls } = portsOf(graphics);
      if (plain === 0 && tls === 0) return [["port", 0]];
      return [
        ["port", plain > 0 ? plain : undefined],
        ["tls-port", tls > 0 ? tls : undefined],
        ["addr", listen?.address ?? graphics.listenAddress ?? "127.0.0.1"],
      ];
    }
  }
}

/** Ports of a display; none for listen type socket or none. */
function portsOf(graphics: Spice): Ports {
  const { autoport, listens, port = 0, tlsPort = 0 } = graphics;
  if (listens[0]?.type === "none" || listens[0]?.type === "socket") return { plain: 0, tls: 0 };
  if (autoport === true || (port === -1 && tlsPort === -1)) return choosePorts(graphics);
  return {
    plain: port === -1 ? AUTOMATIC_PORT : port,
    tls: tlsPort === -1 ? AUTOMATIC_TLS_PORT : tlsPort,
  };
}

/**
 * Ports required by the channels' modes. TLS for "any" needs spice_tls in libvirt's qemu.conf, which is off.
 */
function choosePorts({ channels, defaultMode = "any" }: Spice): Ports {
  const modes = [defaultMode, ...channels.map(({ mode }) => mode)];
  return {
    plain: defaultMode === "any" || modes.includes("insecure") ? AUTOMATIC_PORT : 0,
    tls: modes.includes("secure") ? AUTOMATIC_TLS_PORT : 0,
  };
}
