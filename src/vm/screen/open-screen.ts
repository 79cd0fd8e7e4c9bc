import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Display } from "../../plan/facts/display.ts";
import { addressBytes, bracketed } from "../../plan/facts/display-address.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, isRunning, readRecords } from "../../state/record.ts";
import { refuseStranger } from "../console/find-console.ts";
import { type Screen, screenOf } from "../query/guest-screen.ts";

/** Name of the socket in the guest's folder. */
const SOCKET_NAME = "vnc.sock";
/** Addresses for all addresses of the host, and the address to connect to for each. */
const EVERY_ADDRESS: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

/**
 * Connects the caller's input and output to the VNC screen at the address, of a running guest. Throws
 * "denied" without such a guest, or if the file or port there is not the guest's.
 */
export async function openScreen(instance: Instance, wanted: Screen): Promise<void> {
  const found = readRecords(instance, () => undefined)
    .filter((guest) => isRunning(instance, guest))
    .flatMap((guest) => {
      const screen = screenOf(instance, guest);
      return screen === undefined || !isMeant(screen, wanted) ? [] : [{ guest, screen }];
    })[0];
  if (found === undefined) throw refused(wanted, "no running guest has its screen there");
  const { guest, screen } = found;
  if ("socket" in screen) await talkToSocket(instance, guest, screen);
  else await talkToPort(instance, guest, screen);
}

function isMeant(screen: Screen, wanted: Screen): boolean {
  if ("socket" in screen || "socket" in wanted)
    return "socket" in screen && "socket" in wanted && screen.socket === wanted.socket;
  // For every address of the host clients write any name of the host.
  const isAtName = screen.address === wanted.address || EVERY_ADDRESS.has(screen.address);
  return isAtName && screen.port === wanted.port;
}

async function talkToSocket(
  instance: Instance,
  guest: GuestRecord,
  screen: { readonly socket: string },
): Promise<void> {
  const facts = instance.host.inspectFile(screen.socket);
  if (facts === undefined) throw refused(screen, "the socket is missing");
  // The folder is the guest's: it may have put a link to another socket there. QEMU's own socket is not
  // root's.
  const folder = instance.host.inspectFile(guestPaths(instance.paths, guest.uuid).workFolder)?.id.path;
  if (folder === undefined || facts.id.path !== `${folder}/${SOCKET_NAME}` || facts.uid === 0)
    throw refused(screen, "the file is not the guest's socket");
  refuseStranger(instance, guest, facts);
  await instance.host.talk(facts, { onOpen: () => undefined });
}

async function talkToPort({ host }: Instance, guest: GuestRecord, screen: Display): Promise<void> {
  const { port } = screen;
  refuseOtherListener(host, guest, screen);
  const address = EVERY_ADDRESS.get(screen.address) ?? screen.address;
  // Another program may have got the port since. The guest's listener was there before and after, so the
  // connection is to it.
  await host.talk({ address, port }, { onOpen: () => refuseOtherListener(host, guest, screen) });
}

/** Throws "denied" unless the guest's process has each socket that listens there, by the kernel's tables. */
function refuseOtherListener(host: Host, { process }: GuestRecord, screen: Display): void {
  const listeners = listListeners(host, screen);
  const own = process === undefined || !host.hasProcess(process) ? [] : host.listOpenFiles(process.pid);
  const targets = new Set(own.map(({ target }) => target));
  if (listeners.length > 0 && listeners.every((inode) => targets.has(`socket:[${inode}]`))) return;
  throw refused(screen, "the guest's process does not listen there");
}

/**
 * Lines of /proc/net/tcp and tcp6: local address and port, remote ones, state (0A is TCP_LISTEN), ..., inode.
 * proc_net(5)
 */
const LISTENER = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A \S+ \S+ \S+\s+\d+\s+\d+ (\d+)/gm;

/** Returns the inodes of the sockets that listen at an address. */
function listListeners(host: Host, { address, port }: Display): readonly string[] {
  const text = host.readText(`/proc/net/${address.includes(":") ? "tcp6" : "tcp"}`) ?? "";
  const wanted = procAddress(address);
  return [...text.matchAll(LISTENER)].flatMap(([, local, digits = "", inode = ""]) =>
    local === wanted && Number.parseInt(digits, 16) === port ? [inode] : [],
  );
}

/**
 * Formats an address as /proc/net/tcp does: words of 32 bits in the order of the machine, which is
 * little-endian.
 */
function procAddress(address: string): string {
  const bytes = addressBytes(address);
  const words = Array.from({ length: bytes.length / 4 }, (_, at) =>
    bytes.slice(4 * at, 4 * at + 4).reverse(),
  );
  return words
    .map((word) => word.toHex())
    .join("")
    .toUpperCase();
}

function refused(screen: Screen, why: string): SvirtError {
  const said = "socket" in screen ? screen.socket : `${bracketed(screen.address)}:${screen.port}`;
  return new SvirtError(`Cannot connect to the screen at ${said}: ${why}`, {
    kind: "denied",
    libvirt: "OPERATION_DENIED",
    remedy: "See where a guest's screen is: svirt vncdisplay DOMAIN",
  });
}
