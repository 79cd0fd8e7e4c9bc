import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import fc from "fast-check";
import { parseDomain } from "../../../src/domain/document.ts";
import type { Domain } from "../../../src/domain/domain.ts";
import { refuseListeners } from "../../../src/domain/forbidden/listeners.ts";
import { listPeerSockets } from "../../../src/domain/resources/peer-sockets.ts";
import { listResources } from "../../../src/domain/resources/resources.ts";
import { refuseUnimplemented } from "../../../src/domain/unimplemented/refuse.ts";
import { usesNetwork } from "../../../src/domain/uses-network.ts";
import { asSvirtError } from "../../../src/errors.ts";
import { completeGuest } from "../../../src/qemu/complete-guest.ts";
import { listDescriptors } from "../../../src/qemu/descriptors.ts";
import { interfaceId } from "../../../src/qemu/devices/network/argv.ts";
import { countQueues, netdevId } from "../../../src/qemu/devices/network/netdev.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { bytesOf, corpus, readCase } from "../../domain/corpus.ts";
import { randomDomain } from "../../domain/random-domain.ts";
import { runsOf, sampleOf } from "../../sample.ts";

// The guest's user and label reach no file of the host by name, and a network only if the XML requests it. So
// every domain that a start accepts must have its files as descriptors. A path in QEMU's arguments is an
// element whose file is not labelled.

const FOLDER = "/run/svirt/c7a5fdbd-edaf-9455-926a-d65c16db1809/guest";
const SPARE_UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
const DATA = process.env["SVIRT_TEST_DATA"];

/** Path at the beginning of an argument, a value or a JSON string. */
const PATH = /(?:^|[=",:])(\/[^",]+)/g;
/** Names that the XML gives to groups of limits: QEMU compares them, and opens nothing by them. */
const GROUP = /"(?:id|throttle-group)":"throttle-(?:[^"\\]|\\.)*"/g;
/** QEMU's numbered sets, its inherited descriptors, and the guest's own folder. */
const GIVEN = [/^\/dev\/fdset\/\d+$/, /^\/proc\/self\/fd\/\d+$/, new RegExp(`^${FOLDER}/`)];
/** Image served over TCP: only a guest whose domain may make connections has one. */
const SERVED = /^\{"driver":"(?:nbd|iscsi|rbd|https?|ftps?|gluster|nfs)"(?!.*"type":"unix")/;
/** Arguments that make QEMU listen, connect or create a device of the host. */
const OUTSIDE = [
  /"type":"tap"(?!,"fds?":"2\d\d)/,
  /"type":"(?:bridge|vde|socket|stream|dgram|vhost-user|vhost-vdpa|l2tpv3|netmap|af-xdp)"/,
  /^(?:socket|udp|telnet|tcp),.*(?:host|port)=/,
  /"type":"inet"/,
  /(?:^|,)(?:port|tls-port|addr)=\d/,
  /"driver":"(?:nbd|iscsi|rbd|http|https|ftp|ftps|ssh|gluster|nfs)"/,
];

/**
 * Returns the arguments that a start would pass to QEMU; undefined if the start or the translation is
 * refused.
 */
function wordsOf(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const domain = parseDomain(bytes, SPARE_UUID);
    refuseUnimplemented(domain);
    refuseListeners(domain);
    // QEMU does not interpret the command line of the guest's kernel.
    const words = launchWords(domain).filter((_, at, all) => all[at - 1] !== "-append");
    return usesNetwork(domain) ? words.filter((word) => !SERVED.test(word)) : words;
  } catch (error) {
    expect(["unsupported", "xml"]).toContain(asSvirtError(error).kind);
    return undefined;
  }
}

function launchWords(domain: Domain): readonly string[] {
  const chains = new Map();
  const descriptors = listDescriptors(completeGuest(domain), chains, 4);
  const listeners = listResources(domain).flatMap((resource, at) =>
    resource.kind === "chardev-socket" ? [{ fd: 100 + at, path: resource.path }] : [],
  );
  const taps = domain.devices.interfaces.map((found, index) => {
    const { queues, vhosts } = countQueues(found);
    const numbers = (count: number): string[] => [...Array(count).keys()].map((at) => String(200 + at));
    return {
      netdev: netdevId(interfaceId(domain.devices.interfaces, index)),
      queues: numbers(queues),
      vhosts: numbers(vhosts),
    };
  });
  const peers = listPeerSockets(completeGuest(domain).devices).map(({ place }, at) => ({
    place,
    name: String(300 + at),
  }));
  const launch = { monitorFd: 3, listeners, peers, descriptors, taps, folder: FOLDER };
  return formatArgv(domain, { chains, launch }).slice(1);
}

function strangersIn(words: readonly string[]): string[] {
  const paths = words.flatMap((word) =>
    [...word.replaceAll(GROUP, "").matchAll(PATH)].map(([, path = ""]) => path),
  );
  return [
    ...paths.filter((path) => !GIVEN.some((given) => given.test(path))),
    ...words.filter((word) => OUTSIDE.some((outside) => outside.test(word))),
  ];
}

/** Allows for other work on the machine. */
const TIMEOUT_MS = 120_000;

describe("what a start tells QEMU", () => {
  test.each(corpus)("names no file of the host: %s", async (name) => {
    const words = wordsOf(bytesOf(await readCase(name)));
    expect(strangersIn(words ?? [])).toEqual([]);
  });

  test("is not always refused", async () => {
    const texts = await Promise.all(corpus.map(readCase));
    expect(texts.filter((text) => wordsOf(bytesOf(text)) !== undefined).length).toBeGreaterThan(3);
  });

  test(
    "names no file of the host, whatever the domain has",
    () => {
      fc.assert(
        fc.property(randomDomain, (text) => {
          expect(strangersIn(wordsOf(bytesOf(text)) ?? [])).toEqual([]);
        }),
        { numRuns: runsOf(500) },
      );
    },
    TIMEOUT_MS,
  );

  test.skipIf(DATA === undefined)(
    `names no file of the host, for all of libvirt's domains${DATA === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : ""}`,
    async () => {
      let started = 0;
      const names = [...new Glob("*.xml").scanSync(`${DATA}/libvirt/qemuxmlconfdata`)].sort();
      for (const name of sampleOf(names)) {
        const words = wordsOf(await Bun.file(`${DATA}/libvirt/qemuxmlconfdata/${name}`).bytes());
        if (words === undefined) continue;
        started += 1;
        expect({ name, strangers: strangersIn(words) }).toEqual({ name, strangers: [] });
      }
      expect(started).toBeGreaterThan(runsOf(50));
    },
    TIMEOUT_MS,
  );
});
