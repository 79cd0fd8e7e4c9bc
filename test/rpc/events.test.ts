import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../src/vm/define/define.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { resumeGuest, suspendGuest } from "../../src/vm/lifecycle/ask-guest.ts";
import { defineNetwork } from "../../src/vm/network/define-network.ts";
import { buildPool } from "../../src/vm/pool/build-pool.ts";
import { definePool } from "../../src/vm/pool/define-pool.ts";
import { refreshPool, startPool } from "../../src/vm/pool/start-pool.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { BRIDGE, networkXml } from "../scenes/networks.ts";
import { IMAGES_UUID, poolXml } from "../scenes/pools.ts";
import { domainXml, makeMachine, nodeOn, OTHER, UUID } from "../scenes/scene.ts";
import { Listener, until } from "./event-listener.ts";
import {
  asked,
  call,
  domain,
  errorIn,
  opening,
  RemoteClient,
  serve,
  served,
  text,
  word,
} from "./remote-client.ts";

// Numbers of procedures, events and details: remote_protocol.x, libvirt-domain.h, libvirt-network.h and
// libvirt-storage.h of libvirt.

const REGISTER = 316;
const DEREGISTER = 317;
const [LIFECYCLE, NETWORK_LIFECYCLE, POOL_LIFECYCLE, POOL_REFRESH] = [318, 315, 370, 373];
const OFF = domain("vm1", UUID);
const ON = domain("vm1", UUID, 1);
const ALL_DOMAINS = call(REGISTER, word(0) + word(0));

function only(packet: string): string {
  return word(1) + packet;
}

describe("a registered client", () => {
  test("gets the life of a domain that another svirt leads", async () => {
    const machine = makeMachine();
    const client = await Listener.on(machine, ALL_DOMAINS);
    const step = async (work: Promise<unknown>, count: number): Promise<void> => {
      await work;
      await client.packets(count);
    };
    await step(defineDomain(nodeOn(machine), domainXml()), 1);
    await step(startDomain(nodeOn(machine), domainXml()), 3);
    await step(suspendGuest(nodeOn(machine), "vm1"), 4);
    await step(resumeGuest(nodeOn(machine), "vm1"), 5);
    await step(destroyDomain(nodeOn(machine), "vm1"), 7);
    expect(await client.messages(7)).toEqual([
      [LIFECYCLE, word(0) + OFF + word(0) + word(0)],
      [LIFECYCLE, word(0) + ON + word(4) + word(0)],
      [LIFECYCLE, word(0) + ON + word(2) + word(0)],
      [LIFECYCLE, word(0) + ON + word(3) + word(0)],
      [LIFECYCLE, word(0) + ON + word(4) + word(0)],
      [LIFECYCLE, word(0) + ON + word(6) + word(2)],
      [LIFECYCLE, word(0) + OFF + word(5) + word(1)],
    ]);
    await client.end();
  });

  test("gets what its own call has changed before the reply, once for each registration", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const client = new RemoteClient();
    const done = serve(nodeOn(machine), client);
    client.send(opening() + ALL_DOMAINS + ALL_DOMAINS);
    await until(() => client.replies().length === 4);
    client.send(call(35, OFF));
    await until(() => client.replies().length === 7);
    const after = client.replies().slice(4);
    expect(after.map(({ payload, procedure }) => [procedure, payload])).toEqual([
      [LIFECYCLE, word(0) + OFF + word(1) + word(0)],
      [LIFECYCLE, word(1) + OFF + word(1) + word(0)],
      [35, ""],
    ]);
    client.close();
    await done;
  });

  test("gets events of one domain alone, if it asks for that", async () => {
    const machine = makeMachine();
    const filter = call(REGISTER, word(0) + only(domain("vm2", OTHER)));
    const client = await Listener.on(machine, filter);
    await defineDomain(nodeOn(machine), domainXml());
    await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER }));
    expect(await client.messages(1)).toEqual([
      [LIFECYCLE, word(0) + domain("vm2", OTHER) + word(0) + word(0)],
    ]);
    await client.end();
  });

  test("gets events of networks and pools", async () => {
    const machine = makeMachine();
    const registrations =
      call(313, word(0) + word(0)) + call(368, word(0) + word(0)) + call(368, word(1) + word(0));
    const client = await Listener.on(machine, registrations, 3);
    const network = await defineNetwork(nodeOn(machine), networkXml(BRIDGE));
    await client.packets(1);
    await definePool(nodeOn(machine), poolXml(undefined, { uuid: IMAGES_UUID }));
    await client.packets(2);
    await buildPool(nodeOn(machine), "images");
    await client.packets(3);
    await startPool(nodeOn(machine), "images", { isBuilt: false });
    await client.packets(4);
    await refreshPool(nodeOn(machine), "images");
    const net = text("lan") + network.uuid.replaceAll("-", "");
    const pool = text("images") + IMAGES_UUID.replaceAll("-", "");
    expect(await client.messages(5)).toEqual([
      [NETWORK_LIFECYCLE, word(0) + net + word(0) + word(0)],
      [POOL_LIFECYCLE, word(1) + pool + word(0) + word(0)],
      [POOL_LIFECYCLE, word(1) + pool + word(4) + word(0)],
      [POOL_LIFECYCLE, word(1) + pool + word(2) + word(0)],
      [POOL_REFRESH, word(2) + pool],
    ]);
    await client.end();
  });

  test("that does not read costs no memory: it gets the last state of each domain once it reads again", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const client = await Listener.on(machine, ALL_DOMAINS);
    let read: () => void = () => undefined;
    let writes = 0;
    const write = client.write.bind(client);
    client.write = async (bytes) => {
      writes += 1;
      if (writes === 1) await new Promise<void>((resolve) => (read = resolve));
      await write(bytes);
    };
    for (let round = 0; round < 10; round += 1) {
      await suspendGuest(nodeOn(machine), "vm1");
      if (round === 0) await until(() => writes === 1);
      await resumeGuest(nodeOn(machine), "vm1");
    }
    await Bun.sleep(20);
    expect(writes).toBe(1);
    read();
    expect(await client.messages(2)).toEqual([
      [LIFECYCLE, word(0) + ON + word(3) + word(0)],
      [LIFECYCLE, word(0) + ON + word(4) + word(0)],
    ]);
    await client.end();
  });
});

describe("the watch", () => {
  test("begins with the first registration, and ends with the last", async () => {
    const machine = makeMachine();
    const client = new RemoteClient();
    const done = serve(nodeOn(machine), client);
    client.send(opening());
    await until(() => client.replies().length === 2);
    expect(machine.watchedFolders.size).toBe(0);
    client.send(ALL_DOMAINS + ALL_DOMAINS);
    await until(() => client.replies().length === 4);
    expect(machine.watchedFolders.size).toBe(1);
    client.send(call(DEREGISTER, word(0)));
    await until(() => client.replies().length === 5);
    expect(machine.watchedFolders.size).toBe(1);
    client.send(call(DEREGISTER, word(1)));
    await until(() => client.replies().length === 6);
    expect(machine.watchedFolders.size).toBe(0);
    await defineDomain(nodeOn(machine), domainXml());
    client.close();
    await done;
    expect(client.replies()).toHaveLength(6);
  });

  test("ends with a connection that virConnectClose() has closed", async () => {
    const machine = makeMachine();
    await served(nodeOn(machine), opening() + ALL_DOMAINS + call(2));
    expect(machine.watchedFolders.size).toBe(0);
  });
});

describe("is refused", () => {
  const unsupported = (name: string): string =>
    `this function is not supported by the connection driver: ${name}`;
  test.each<[string, string, number, number, string]>([
    [
      "an event that is not delivered",
      call(REGISTER, word(20) + word(0)),
      3,
      20,
      unsupported("virConnectDomainEventRegisterAny"),
    ],
    [
      "metadata of networks",
      call(313, word(1) + word(0)),
      3,
      19,
      unsupported("virConnectNetworkEventRegisterAny"),
    ],
    [
      "an event of domains that libvirt lacks",
      call(REGISTER, word(28) + word(0)),
      1,
      7,
      "internal error: unsupported event ID 28",
    ],
    ["one of networks", call(313, word(2) + word(0)), 1, 7, "internal error: unsupported network event ID 2"],
    [
      "one of pools",
      call(368, word(-1) + word(0)),
      1,
      7,
      "internal error: unsupported storage pool event ID -1",
    ],
    [
      "one of devices of the host",
      call(374, word(2) + word(0)),
      1,
      7,
      "internal error: unsupported node device event ID 2",
    ],
    ["one of secrets", call(380, word(2) + word(0)), 1, 7, "internal error: unsupported secret event ID 2"],
    [
      "the end of no registration",
      call(DEREGISTER, word(5)),
      1,
      7,
      "internal error: domain event callback 5 not registered",
    ],
    [
      "that of a network's",
      call(314, word(5)),
      1,
      7,
      "internal error: network event callback 5 not registered",
    ],
    [
      "that of a pool's",
      call(369, word(5)),
      1,
      7,
      "internal error: storage pool event callback 5 not registered",
    ],
  ])("%s, by libvirt's error", async (...[, packet, code, from, message]) => {
    expect(errorIn(await asked(nodeOn(makeMachine()), packet))).toEqual({ code, domain: from, message });
  });

  test("the end of a domain's registration as that of a network's", async () => {
    const replies = await served(nodeOn(makeMachine()), opening() + ALL_DOMAINS + call(314, word(0)));
    // Calls are carried out at once, and may be answered in another order.
    expect(replies.filter(({ status }) => status !== 0).map(({ procedure }) => procedure)).toEqual([314]);
  });

  test("the registration after 64 others", async () => {
    const client = new RemoteClient();
    const done = serve(nodeOn(makeMachine()), client);
    client.send(opening() + ALL_DOMAINS.repeat(65));
    await until(() => client.replies().length === 67);
    expect(client.replies().filter(({ status }) => status !== 0)).toHaveLength(1);
    client.close();
    await done;
  });
});
